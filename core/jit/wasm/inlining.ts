import { MAX_STRETCH } from './breakpoint-flags.ts';
import { CALLEE_SAVED } from './callees.ts';
import { countReachable, type Flow, flowFrom } from './flow.ts';
import type { JitOp } from './ops.ts';

/** Instructions of a function that is written where it is called, with those of the functions that it calls. */
const MAX_OPS = 32;
const R0 = 1;
const R10 = 10;

/** A function that computes only: nothing can stop in it, so that its frame need not be there. */
export interface Inlined {
  readonly flow: Flow;
  /** Instructions in it and in what it calls. */
  readonly nOps: number;
  /** Instructions as loaded that one run executes at most. */
  readonly cost: number;
  /** Frames that it would take: 1, and those of what it calls. */
  readonly height: number;
  /** Register bits that it and what it calls name, and those that they change. */
  readonly used: number;
  readonly changed: number;
  /** Slots whose breakpoint flags tell whether one is set in it or in what it calls. */
  readonly flagged: readonly number[];
}

/**
 * Which functions of a program are written where they are called: a few instructions of arithmetic and forward jumps,
 * with calls of such functions only, that give R0 a value on every way. All else may stop, fault, loop or
 * be looked at, and is called.
 */
export class Inlining {
  readonly #ops: readonly JitOp[];
  /** By the slot that a function begins at; undefined also while it is being looked at, so that recursion is refused. */
  readonly #known = new Map<number, Inlined | undefined>();

  constructor(ops: readonly JitOp[]) {
    this.#ops = ops;
  }

  /** The function that begins at slot `start`; undefined: it is called. */
  at(start: number): Inlined | undefined {
    if (!this.#known.has(start)) {
      this.#known.set(start, undefined);
      this.#known.set(start, this.#inlined(start));
    }
    return this.#known.get(start);
  }

  #inlined(start: number): Inlined | undefined {
    if (countReachable(this.#ops, start, MAX_OPS + 1) > MAX_OPS) return undefined;
    const flow = flowFrom(this.#ops, start);
    if (flow.isLoopHead.includes(1)) return undefined;
    const flagged: number[] = [];
    const found = { nOps: flow.nOps, cost: 0, height: 1, used: 0, changed: 0, flagged };
    for (const { ops } of flow.blocks) {
      for (const [i, op] of ops.entries()) {
        if (i % MAX_STRETCH === 0) flagged.push(op.slot);
        found.cost += op.cost;
        found.used |= op.mentions;
        found.changed |= op.changes;
        if (op.flow === 'call') {
          const callee = this.at(op.target);
          // One set of locals keeps what callees change of R6 … R9.
          if (callee === undefined || (callee.changed & CALLEE_SAVED) !== 0) return undefined;
          found.nOps += callee.nOps;
          flagged.push(...callee.flagged);
          found.cost += callee.cost;
          found.height = Math.max(found.height, 1 + callee.height);
          found.used |= callee.used;
          found.changed |= callee.changed;
        } else if (!computesOnly(op)) return undefined;
      }
    }
    if (found.nOps > MAX_OPS || (found.used & (1 << R10)) !== 0 || !givesR0(flow)) return undefined;
    return { flow, ...found };
  }
}

function computesOnly({ flow, lowering, access, id, isStray }: JitOp): boolean {
  if (flow === 'exit' || flow === 'jump') return true;
  if (isStray || lowering !== 'native' || access !== 0) return false;
  return flow === 'branch' || (flow === 'next' && !id.startsWith('lddw_'));
}

/** Whether every way through a function without loops gives R0 a value. */
function givesR0({ blocks }: Flow): boolean {
  const given = new Uint8Array(blocks.length).fill(1);
  given[0] = 0;
  return blocks.every(({ ops, succ }, index) => {
    let its = given[index] ?? 0;
    for (const op of ops) if (op.flow === 'call' || op.writes & R0) its = 1;
    for (const to of succ) given[to] = (given[to] ?? 0) & its;
    return succ.length > 0 || its === 1;
  });
}
