import type { Flow } from './flow.ts';
import { AX } from './ops.ts';

/** What callers need to know of a function and all that it calls. */
export interface CalleeFacts {
  /**
   * No instruction is handed over to the reference engine while it runs, so that nothing looks at its frame
   * record: callers write it only when they are left.
   */
  readonly quiet: boolean;
  /** It accesses memory, so that its frame must be there. */
  readonly touches: boolean;
  /** Register bits that it takes from memory or writes there, and those that it may change. */
  readonly used: number;
  readonly changed: number;
}

/** Register bits of R6 … R9, which calls keep. */
export const CALLEE_SAVED = 0x3c0;

interface Draft {
  quiet: boolean;
  touches: boolean;
  used: number;
  changed: number;
  readonly callees: readonly number[];
}

/** The facts of each function, by the slot that it begins at. */
export function calleeFacts(flows: ReadonlyMap<number, Flow>): ReadonlyMap<number, CalleeFacts> {
  const all = new Map<number, Draft>();
  for (const [start, flow] of flows) all.set(start, ownFacts(flow));
  for (let again = true; again; ) {
    again = false;
    for (const fn of all.values()) {
      for (const start of fn.callees) if (inherit(fn, all.get(start))) again = true;
    }
  }
  return all;
}

function ownFacts(flow: Flow): Draft {
  const fn = { quiet: true, touches: false, used: 0, changed: 0 };
  const callees = new Set<number>();
  for (const { ops } of flow.blocks) {
    for (const op of ops) {
      const kind = op.flow;
      fn.used |= op.mentions;
      fn.changed |= op.changes;
      if (kind === 'call') callees.add(op.target);
      else if (kind === 'next' && op.lowering === 'step') {
        // The reference engine may look at anything, and gives its results in R0 and AX.
        fn.quiet = false;
        fn.touches = true;
        fn.used = 0xfff;
        fn.changed |= 1 | (1 << AX);
      }
      if (kind === 'next' && op.access !== 0) fn.touches = true;
    }
  }
  return { ...fn, callees: [...callees] };
}

function inherit(fn: Draft, callee: Draft | undefined): boolean {
  if (callee === undefined) return false;
  const before = [fn.quiet, fn.touches, fn.used, fn.changed].join();
  fn.quiet &&= callee.quiet;
  fn.touches ||= callee.touches;
  fn.used |= callee.used;
  fn.changed |= callee.changed;
  return before !== [fn.quiet, fn.touches, fn.used, fn.changed].join();
}
