import { errnoName } from '../maps/errno.ts';
import type { LoadAttr } from '../object/object.ts';
import type { Machine } from '../vm/machine.ts';
import { bpfProgPut } from './bpf-prog-free.ts';
import { bpfTracingProgAttach, type TracingLink } from './bpf-tracing-prog-attach.ts';
import type { BpfProg } from './prog.ts';
import type { ProgramSet } from './program-set.ts';
import type { Refusal } from './refusal.ts';

/** An extension in its place, or why it was not loaded or not attached. */
export type Extended =
  | { readonly ok: true; readonly prog: BpfProg; readonly link: TracingLink }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Takes extensions out of their places and frees them, the program that they extend, and those loaded beside it: first
 * those that hold others, then the owner of the program arrays. Whoever asks for
 * anything of them afterwards has lost it.
 */
export function unloadPrograms(
  machine: Machine,
  main: BpfProg,
  others: Iterable<BpfProg>,
  links: readonly TracingLink[],
): void {
  for (const link of links) link.release();
  for (const { prog } of links) bpfProgPut(machine, prog);
  bpfProgPut(machine, main);
  for (const other of others) bpfProgPut(machine, other);
}

/**
 * Loads an extension of `target` and puts it in the place of the function that its section names
 * (`freplace/FUNC`), as a user of libbpf does: `bpf_program__set_attach_target`, load,
 * `bpf_program__attach_freplace`. What was loaded is freed again when it cannot be attached.
 */
export function extendProgram(machine: Machine, set: ProgramSet, target: BpfProg, attr: LoadAttr): Extended {
  const func = attr.attachTo;
  if (attr.progType !== 'ext' || func === undefined) {
    const message = `${attr.name} is no extension: its section must say which function it takes the place of, freplace/FUNC`;
    return { ok: false, refusal: { pc: undefined, message } };
  }
  const loaded = set.load(attr, { prog: target, func });
  if (!loaded.ok) return loaded;
  const link = bpfTracingProgAttach(machine, loaded.prog);
  if (typeof link !== 'number') return { ok: true, prog: loaded.prog, link };
  bpfProgPut(machine, loaded.prog);
  const why = `${func} of ${target.name} cannot be replaced by ${attr.name} (${errnoName(link)})`;
  const message = `${why}: it is replaced already, or ${target.name} is in a program array`;
  return { ok: false, refusal: { pc: undefined, message } };
}
