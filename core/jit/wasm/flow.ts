import type { JitOp } from './ops.ts';

/** A run of instructions that is entered at its first and left behind its last. */
export interface Block {
  readonly start: number;
  readonly ops: readonly JitOp[];
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
export function flowFrom(ops: readonly JitOp[], entry: number): Flow {
  const marks = markSlots(ops, entry);
  const order = reversePostorder(ops, marks, entry);
  const index = new Int32Array(ops.length);
  order.forEach(({ start }, at) => {
    index[start] = at;
  });
  const blocks = order.map(({ start, ops: own }): Block => {
    const succ: number[] = [];
    const last = own.at(-1);
    for (let way = 0; last !== undefined && way < nWays(last); way++) {
      const to = index[wayOf(last, way)] ?? 0;
      if (!succ.includes(to)) succ.push(to);
    }
    return { start, ops: own, succ, afterCall: ((marks[start] ?? 0) & AFTER_CALL) !== 0 };
  });
  return analyse(blocks);
}

/** Instructions that can be reached from slot `entry`; counting ends at `limit`. */
export function countReachable(ops: readonly JitOp[], entry: number, limit: number): number {
  const seen = new Uint8Array(ops.length);
  const todo = [entry];
  let count = 0;
  for (let slot = todo.pop(); slot !== undefined && count < limit; slot = todo.pop()) {
    if (seen[slot]) continue;
    seen[slot] = 1;
    count++;
    const op = opAt(ops, slot);
    for (let way = nWays(op) - 1; way >= 0; way--) todo.push(wayOf(op, way));
  }
  return count;
}

/** Ways that lead on behind an instruction, and where each leads: of a branch first where it is taken to. */
function nWays({ flow }: JitOp): number {
  if (flow === 'exit' || flow === 'trap') return 0;
  return flow === 'branch' ? 2 : 1;
}

function wayOf({ flow, target, next }: JitOp, way: number): number {
  return way === 0 && (flow === 'jump' || flow === 'branch') ? target : next;
}

function opAt(ops: readonly JitOp[], slot: number): JitOp {
  const op = ops[slot];
  if (op === undefined) throw new RangeError(`no slot ${slot}`);
  return op;
}

/** What a slot is: reached; the first of a block; behind a call. */
const REACHED = 1;
const LEADER = 2;
const AFTER_CALL = 4;

function markSlots(ops: readonly JitOp[], entry: number): Uint8Array {
  const marks = new Uint8Array(ops.length);
  marks[entry] = LEADER;
  const todo = [entry];
  for (let slot = todo.pop(); slot !== undefined; slot = todo.pop()) {
    if ((marks[slot] ?? 0) & REACHED) continue;
    marks[slot] = (marks[slot] ?? 0) | REACHED;
    const op = opAt(ops, slot);
    const mark = op.flow === 'next' ? 0 : op.flow === 'call' ? LEADER | AFTER_CALL : LEADER;
    for (let way = 0; way < nWays(op); way++) {
      const to = wayOf(op, way);
      marks[to] = (marks[to] ?? 0) | mark;
      todo.push(to);
    }
  }
  return marks;
}

interface Draft {
  readonly start: number;
  readonly ops: readonly JitOp[];
}

function draft(ops: readonly JitOp[], start: number, marks: Uint8Array): Draft {
  const own: JitOp[] = [];
  for (let slot = start; ; ) {
    const op = opAt(ops, slot);
    own.push(op);
    if (op.flow !== 'next' || (marks[op.next] ?? 0) & LEADER) return { start, ops: own };
    slot = op.next;
  }
}

function reversePostorder(ops: readonly JitOp[], marks: Uint8Array, entry: number): Draft[] {
  const seen = new Uint8Array(ops.length);
  const stack: { readonly block: Draft; readonly last: JitOp; at: number }[] = [];
  const push = (slot: number): void => {
    seen[slot] = 1;
    const block = draft(ops, slot, marks);
    stack.push({ block, last: opAt(ops, block.ops.at(-1)?.slot ?? slot), at: 0 });
  };
  const done: Draft[] = [];
  push(entry);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.at === nWays(top.last)) {
      done.push(top.block);
      stack.pop();
      continue;
    }
    const next = wayOf(top.last, top.at++);
    if (!seen[next]) push(next);
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
