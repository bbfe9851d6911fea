import type { InsnIndex } from '#core/isa/insn.ts';
import { contextUses } from '#core/lint/context.ts';
import type { Snapshot } from '../documents.ts';

/** The context field that an instruction accesses, as Markdown; undefined when it accesses none. */
export function contextFieldMarkdown(
  snapshot: Snapshot,
  section: number,
  slot: InsnIndex,
): string | undefined {
  const use = contextUses(snapshot.assembled().value).uses.find(
    (one) => one.section === section && one.slot === slot,
  );
  if (use === undefined) return undefined;
  const { field } = use;
  const access = field.writable ? 'readable and writable' : 'read only';
  const name = `${use.struct.replace(/^struct /, '')}.${field.name}`;
  return `**\`${name}\`** — ${field.meaning} (${use.struct}, offset ${field.offset}, ${field.size} bytes, ${access})`;
}
