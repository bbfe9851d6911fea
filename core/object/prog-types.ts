import type { BpfObject, ProgType } from './object.ts';

/** Program types and the section names that tell them. */

/** All types that can be loaded. */
export const PROG_TYPES: readonly ProgType[] = [
  'xdp',
  'socket_filter',
  'sched_cls',
  'raw_tracepoint',
  'ext',
  'raw',
];

const BY_SECTION: readonly (readonly [RegExp, ProgType])[] = [
  [/^xdp([./_-].*)?$/, 'xdp'],
  [/^(tc|tcx|classifier|action)([./_-].*)?$/, 'sched_cls'],
  [/^socket([./_-].*)?$/, 'socket_filter'],
  [/^raw_(tp|tracepoint)(\.w)?(\/.*)?$/, 'raw_tracepoint'],
  [/^freplace(\/.*)?$/, 'ext'],
];

/**
 * The program type that a section's name tells, by libbpf's names: `xdp`, `xdp.frags`, `xdp/devmap`,
 * `tc`, `tcx/ingress`, `classifier`, `action`, `socket`, `socket1`, `raw_tp/NAME`, `raw_tracepoint.w/NAME`,
 * `freplace/NAME`; undefined when it tells none.
 */
export function progTypeOfSection(name: string): ProgType | undefined {
  const plain = name.startsWith('?') ? name.slice(1) : name;
  const found = BY_SECTION.find(([pattern]) => pattern.test(plain))?.[1];
  if (found) return found;
  if (plain.startsWith('socket')) return 'socket_filter';
  if (plain.startsWith('xdp')) return 'xdp';
  return undefined;
}

/**
 * What a section's name tells behind its slash for program types that attach by name: `sched_switch` for
 * `raw_tp/sched_switch`, `parse` for `freplace/parse`; undefined where it tells nothing.
 */
export function attachNameOfSection(name: string): string | undefined {
  const plain = name.startsWith('?') ? name.slice(1) : name;
  return /^(?:raw_(?:tp|tracepoint)(?:\.w)?|freplace)\/(.+)$/.exec(plain)?.[1];
}

/**
 * Why the program `name` runs as `raw` although its section seems to tell a type, as a sentence for its user;
 * undefined where nothing is surprising about it.
 */
export function rawNotice(object: BpfObject, name: string): string | undefined {
  const program = object.programs.find((one) => one.name === name);
  const section = program === undefined ? undefined : object.sections[program.section]?.name;
  if (section === undefined || program?.progType !== undefined || section.startsWith('.')) return undefined;
  return `section "${section}" tells none of the program types that can be simulated (xdp, tc, socket, raw_tp, freplace): ${name} runs as raw, with memory in r1 and its length in r2`;
}
