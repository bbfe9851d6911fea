import type { Op } from '../../interp/op.ts';
import { flowOf } from './ops.ts';

/** A run of instructions that is entered at its first and left behind its last. */
export interface Block {
  readonly start: number;
  readonly ops: readonly Op[];
  /** Blocks that follow, by their index: of a branch first where it is taken to. Each once. */
  readonly succ: number[];
  /** It stands behind a call of a program-local function. */
  readonly afterCall: boolean;
}

/** Control flow of a function from one entry slot; blocks in reverse postorder, the entry's first. */
export interface Flow {
  readonly blocks: readonly Block[];
  /** Immediate dominator of each block; the entry's is itself. */
  readonly idom: Int32Array;
  /** Forward edges that lead to each block. */
  readonly nForward: Uint32Array;
  /** 1: some edge leads back to this block. */
  readonly isLoopHead: Uint8Array;
  /** Every edge back leads to a block that dominates where it comes from. */
  readonly reducible: boolean;
  /** Where compiled code looks at its budget: the entry, loop heads, behind calls. */
  readonly isCheckPoint: Uint8Array;
  /** Most instructions (as loaded) from each block to the next check points, those excluded. */
  readonly cost: Uint32Array;
  /** Instructions in all blocks. */
  readonly nOps: number;
}

/** Finds the blocks that can be reached from slot `entry`. Time is nearly linear; nothing is recursive. */
export function flowFrom(ops: readonly Op[], entry: number): Flow {
  const leaders = findLeaders(ops, entry);
  const found = new Map<number, Draft>();
  for (const start of leaders.starts) found.set(start, draft(ops, start, leaders));
  const order = reversePostorder(found, entry);
  const index = new Map(order.map(({ start }, at) => [start, at]));
  const blocks = order.map(({ start, ops: own, next, afterCall }): Block => {
    const succ = [...new Set(next.map((slot) => index.get(slot) ?? 0))];
    return { start, ops: own, succ, afterCall };
  });
  return analyse(blocks);
}

/** Instructions that can be reached from slot `entry`; counting ends at `limit`. */
export function countReachable(ops: readonly Op[], entry: number, limit: number): number {
  const seen = new Uint8Array(ops.length);
  const todo = [entry];
  let count = 0;
  for (let slot = todo.pop(); slot !== undefined && count < limit; slot = todo.pop()) {
    if (seen[slot]) continue;
    seen[slot] = 1;
    count++;
    todo.push(...nextSlots(opAt(ops, slot)));
  }
  return count;
}

interface Draft {
  readonly start: number;
  readonly ops: readonly Op[];
  readonly next: readonly number[];
  readonly afterCall: boolean;
}

interface Leaders {
  readonly starts: ReadonlySet<number>;
  readonly afterCall: ReadonlySet<number>;
}

function nextSlots(op: Op): readonly number[] {
  switch (flowOf(op)) {
    case 'exit':
    case 'trap':
      return [];
    case 'jump':
      return [op.target];
    case 'branch':
      return [op.target, op.next];
    default:
      return [op.next];
  }
}

function opAt(ops: readonly Op[], slot: number): Op {
  const op = ops[slot];
  if (op === undefined) throw new RangeError(`no slot ${slot}`);
  return op;
}

function findLeaders(ops: readonly Op[], entry: number): Leaders {
  const starts = new Set([entry]);
  const afterCall = new Set<number>();
  const seen = new Uint8Array(ops.length);
  const todo = [entry];
  for (let slot = todo.pop(); slot !== undefined; slot = todo.pop()) {
    if (seen[slot]) continue;
    seen[slot] = 1;
    const op = opAt(ops, slot);
    const next = nextSlots(op);
    const flow = flowOf(op);
    if (flow === 'call') afterCall.add(op.next);
    for (const each of next) {
      if (flow !== 'next') starts.add(each);
      todo.push(each);
    }
  }
  return { starts, afterCall };
}

function draft(ops: readonly Op[], start: number, leaders: Leaders): Draft {
  const own: Op[] = [];
  for (let slot = start; ; ) {
    const op = opAt(ops, slot);
    own.push(op);
    if (flowOf(op) !== 'next' || leaders.starts.has(op.next)) {
      return { start, ops: own, next: nextSlots(op), afterCall: leaders.afterCall.has(start) };
    }
    slot = op.next;
  }
}

function reversePostorder(found: ReadonlyMap<number, Draft>, entry: number): Draft[] {
  const seen = new Set([entry]);
  const stack: { readonly block: Draft; at: number }[] = [];
  const push = (slot: number): void => {
    const block = found.get(slot);
    if (block !== undefined) stack.push({ block, at: 0 });
  };
  const done: Draft[] = [];
  push(entry);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.block.next[top.at++];
    if (next === undefined) {
      done.push(top.block);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      push(next);
    }
  }
  return done.reverse();
}

function analyse(blocks: readonly Block[]): Flow {
  const n = blocks.length;
  const preds: number[][] = blocks.map(() => []);
  blocks.forEach(({ succ }, from) => {
    for (const to of succ) preds[to]?.push(from);
  });
  const idom = dominators(preds);
  const depth = new Uint32Array(n);
  for (let b = 1; b < n; b++) depth[b] = (depth[idom[b] ?? 0] ?? 0) + 1;
  const nForward = new Uint32Array(n);
  const isLoopHead = new Uint8Array(n);
  const isCheckPoint = new Uint8Array(n);
  isCheckPoint[0] = 1;
  let reducible = true;
  const { first, last } = treeNumbers(idom);
  blocks.forEach(({ succ, afterCall }, from) => {
    if (afterCall) isCheckPoint[from] = 1;
    for (const to of succ) {
      if (to > from) {
        nForward[to] = (nForward[to] ?? 0) + 1;
        continue;
      }
      isLoopHead[to] = 1;
      isCheckPoint[to] = 1;
      const within = (first[from] ?? 0) >= (first[to] ?? 0) && (last[from] ?? 0) <= (last[to] ?? 0);
      reducible &&= within;
    }
  });
  const cost = new Uint32Array(n);
  let nOps = 0;
  for (let b = n - 1; b >= 0; b--) {
    const block = blocks[b];
    if (block === undefined) continue;
    let most = 0;
    for (const to of block.succ) if (!isCheckPoint[to]) most = Math.max(most, cost[to] ?? 0);
    for (const op of block.ops) most += op.cost;
    cost[b] = most;
    nOps += block.ops.length;
  }
  return { blocks, idom, nForward, isLoopHead, reducible, isCheckPoint, cost, nOps };
}

/** Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm". */
function dominators(preds: readonly (readonly number[])[]): Int32Array {
  const idom = new Int32Array(preds.length).fill(-1);
  idom[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let b = 1; b < preds.length; b++) {
      let common = -1;
      for (const pred of preds[b] ?? []) {
        if (idom[pred] === -1) continue;
        common = common === -1 ? pred : meet(idom, common, pred);
      }
      if (idom[b] === common) continue;
      idom[b] = common;
      changed = true;
    }
  }
  return idom;
}

function meet(idom: Int32Array, a: number, b: number): number {
  let [x, y] = [a, b];
  while (x !== y) {
    while (x > y) x = idom[x] ?? 0;
    while (y > x) y = idom[y] ?? 0;
  }
  return x;
}

/** For each block the range of numbers that its part of the dominator tree has. */
function treeNumbers(idom: Int32Array): { readonly first: Int32Array; readonly last: Int32Array } {
  const n = idom.length;
  const size = new Int32Array(n).fill(1);
  for (let b = n - 1; b > 0; b--) {
    const up = idom[b] ?? 0;
    size[up] = (size[up] ?? 0) + (size[b] ?? 0);
  }
  const first = new Int32Array(n);
  const used = new Int32Array(n).fill(1);
  for (let b = 1; b < n; b++) {
    const up = idom[b] ?? 0;
    first[b] = (first[up] ?? 0) + (used[up] ?? 0);
    used[up] = (used[up] ?? 0) + (size[b] ?? 0);
  }
  return { first, last: first.map((at, b) => at + (size[b] ?? 0) - 1) };
}
