import { HANDLERS } from '../../interp/handlers.ts';
import { originOf } from '../../interp/inlined.ts';
import { type Op, trap } from '../../interp/op.ts';
import { rowById } from '../../isa/decode.ts';
import type { InsnId } from '../../isa/table.ts';
import type { ExecProg } from '../../vm/program.ts';

/** Number of AX among the registers. */
export const AX = 11;
/** Register bits of R1 … R5, which no call keeps. */
export const ARGUMENTS = 0x3e;

/** Where control goes behind an instruction, as compiled code sees it. */
export type OpFlow = 'next' | 'jump' | 'branch' | 'call' | 'exit' | 'trap';

/**
 * How an instruction is compiled: `native` to WebAssembly of its own; `lookup` the same for the load in an
 * inlined map lookup; `step` by a call of the reference engine's handler for it, which is what everything
 * rare and everything that only faults is done by.
 */
export type Lowering = 'native' | 'lookup' | 'step';

/** Register numbers of an op (its fields hold byte offsets). */
export function dstOf(op: Op): number {
  return op.dst >> 3;
}

export function srcOf(op: Op): number {
  return op.src >> 3;
}

const STEPPED_PREFIX = /^(?:probe_|ldabs|ldind|call_helper|tail_call|call_kfunc|callx|may_goto|lddw_)/;
const NATIVE_ANYWAY: ReadonlySet<InsnId> = new Set(['lddw_func', 'lddw_map_fd', 'lddw_map_value'] as const);
const stepped = new Map<InsnId, boolean>();

function isStepped(id: InsnId): boolean {
  let known = stepped.get(id);
  if (known === undefined) {
    known = STEPPED_PREFIX.test(id) && !NATIVE_ANYWAY.has(id);
    stepped.set(id, known);
  }
  return known;
}

/** How `op` of `prog` is compiled. */
export function loweringOf(prog: ExecProg, op: Op): Lowering {
  if (op.exec !== HANDLERS[op.id]) {
    if (isStrayBranch(op)) return 'native';
    return op.id === 'ldxw' && isLookupLoad(prog, op) ? 'lookup' : 'step';
  }
  return isStepped(op.id) ? 'step' : 'native';
}

function isLookupLoad(prog: ExecProg, op: Op): boolean {
  return op.exec !== trap && originOf(prog, op.slot).original?.row?.id === 'call_helper';
}

/** A branch that leads out of the program: a fault when it is taken. */
export function isStrayBranch(op: Op): boolean {
  return op.exec !== trap && op.trap !== undefined && !isStepped(op.id);
}

/** Where control goes behind `op`. */
export function flowOf(op: Op): OpFlow {
  if (op.exec === trap) return 'trap';
  if (op.trap !== undefined || isStepped(op.id)) return 'next';
  const { flow } = rowById(op.id);
  return flow === 'call' ? 'call' : flow;
}

/** Register bits that `op` may change; a program-local call: what its callee does is not among them. */
export function changes(op: Op): number {
  if (op.exec === trap || flowOf(op) === 'call') return 0;
  const row = rowById(op.id);
  let bits = 0;
  if (row.dst === 'w' || row.dst === 'rw') bits |= 1 << dstOf(op);
  if (row.src === 'w' || row.src === 'rw') bits |= 1 << srcOf(op);
  for (const reg of row.writes ?? []) bits |= 1 << reg;
  return bits;
}

/** Register bits that compiled code of `op` names. */
export function mentions(op: Op): number {
  if (op.exec === trap || flowOf(op) === 'call') return 0;
  const row = rowById(op.id);
  let bits = changes(op);
  if (typeof row.dst === 'string') bits |= 1 << dstOf(op);
  if (typeof row.src === 'string') bits |= 1 << srcOf(op);
  if (row.flow === 'next') for (const reg of row.reads ?? []) bits |= 1 << reg;
  return bits;
}
