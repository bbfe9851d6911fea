import { type Io, stylesFor } from './io.ts';
import type { Check } from './kernel-compare-code.ts';

/** Prints what was compared; resolves to 1 when something differs, else 0. */
export async function report(
  release: string,
  head: { readonly name: string; readonly type: string },
  checks: readonly Check[],
  json: boolean,
  io: Io,
): Promise<number> {
  const equal = checks.every((each) => each.equal !== false);
  const all = { prog: head.name, type: head.type, kernel: release, equal, checks };
  await io.out(json ? `${JSON.stringify(all)}\n` : compareText(all, io));
  return equal ? 0 : 1;
}

/** A row for each thing and engine; of several packets the first that differs. */
function compareText(
  all: {
    readonly prog: string;
    readonly type: string;
    readonly kernel: string;
    readonly checks: readonly Check[];
  },
  io: Io,
): string {
  const styles = stylesFor(io);
  const groups = new Map<string, Check[]>();
  for (const each of all.checks) {
    const key = each.engine === null ? each.what : `${each.what} (${each.engine})`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  const width = Math.max(...[...groups.keys()].map((key) => key.length));
  const lines = [...groups].flatMap(([key, group]) => {
    const first =
      group.find(({ equal }) => equal === false) ?? group.find(({ equal }) => equal === null) ?? group[0];
    if (first === undefined) return [];
    const label = key.padEnd(width + 2);
    if (first.equal === null) return [`${label}${styles.dim(`not compared: ${first.note}`)}`];
    const count = group.length > 1 ? `${group.length} packets` : equalText(first);
    if (first.equal) return [`${label}${styles.green('equal')}      ${count}`.trimEnd()];
    const where = [first.packet === null ? '' : `packet ${first.packet}`, first.note].filter(
      (each) => each !== '',
    );
    const [there, here] = around(first.kernel, first.here);
    return [
      `${label}${styles.red('different')}  ${where.join(': ')}`.trimEnd(),
      `    kernel  ${there}`,
      `    here    ${here}`,
    ];
  });
  return `${styles.bold(all.prog)}  ${all.type}: Linux ${all.kernel} and here\n${lines.join('\n')}\n`;
}

/** What was equal, in few words: long contents by their size. */
function equalText({ what, kernel }: Check): string {
  if (what === 'packet') return `${kernel.length / 2} bytes`;
  if (what.startsWith('map ')) return `${kernel === '' ? 0 : kernel.split(' ').length} elements`;
  return cut(kernel);
}

const MAX_SHOWN = 60;

function cut(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** The part of two long texts where they begin to differ. */
export function around(a: string, b: string): [string, string] {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 16);
  const part = (text: string): string => `${from > 0 ? '…' : ''}${cut(text.slice(from))}`;
  return [part(a), part(b)];
}
