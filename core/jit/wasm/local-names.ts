import { registersOf } from './leave-code.ts';
import * as local from './locals.ts';

/** Locals of compiled functions that have a name of their own. */
const NAMES: readonly (readonly [index: number, name: string])[] = [
  [local.BLOCK, 'block'],
  [local.LEFT, 'left'],
  [local.DEPTH, 'depth'],
  [local.INIT, 'init'],
  [local.FRAME, 'frame'],
  [local.SHADOW, 'shadow'],
  [local.LINEAR, 'linear'],
  [local.T0, 't0'],
  [local.T1, 't1'],
  [local.NEXT, 'next'],
  [local.ADDR, 'addr'],
  [local.DISTANCE, 'distance'],
  ...[6, 7, 8, 9].map((n) => [local.saved(n), `saved${n}`] as const),
  ...Array.from({ length: 12 }, (_, n) => [local.reg(n), n === 11 ? 'ax' : `r${n}`] as const),
];
const COMPILED = new Map(NAMES);
const LEAVE = ['block', 'left', 'depth', 'init', 'slot', 'interpret'];

/** Those of the functions that every module has. */
const HELPERS: Readonly<Record<string, readonly string[]>> = {
  lookup: ['block', 'addr', 'size', 'perm', 'region', 'entry'],
  clear: ['entry'],
};

/**
 * Names for the locals of a compiled function, or of the module's own function `helper`; without the `$`. A local
 * that has none is `local27`.
 */
export function localNames(helper?: string): (index: number) => string {
  if (helper !== undefined)
    return (index) => HELPERS[helper]?.[index] ?? leaveParameter(helper, index) ?? `local${index}`;
  return (index) => COMPILED.get(index) ?? cacheName(index) ?? `local${index}`;
}

/** What a function remembers of a region: `window0`, `count0`, `base0`, `shadow0`. */
function cacheName(index: number): string | undefined {
  const first = local.regionCache(0).window;
  if (index < first) return undefined;
  const n = Math.floor((index - first) / (local.regionCache(1).window - first));
  const found = Object.entries(local.regionCache(n)).find(([, each]) => each === index);
  return found && `${found[0]}${n}`;
}

/** Parameters of the functions that leave others: `leave_c1` gets R0, R6 and R7. */
function leaveParameter(helper: string, index: number): string | undefined {
  const registers = /^leave_([0-9a-f]+)$/.exec(helper)?.[1];
  if (registers === undefined) return undefined;
  const register = registersOf(Number.parseInt(registers, 16))[index - local.LEAVE_FIRST_REG];
  return LEAVE[index] ?? (register === undefined ? undefined : COMPILED.get(local.reg(register)));
}
