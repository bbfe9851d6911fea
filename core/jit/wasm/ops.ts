import { decodeProg } from '../../interp/decode.ts';
import { HANDLERS } from '../../interp/handlers.ts';
import { originOf } from '../../interp/inlined.ts';
import { type Op, trap } from '../../interp/op.ts';
import { rowById } from '../../isa/decode.ts';
import type { InsnId } from '../../isa/table.ts';
import type { ExecProg } from '../../vm/program.ts';
import { type Atomic, atomicOf, type Load, loadOf, type Store, storeOf } from './memory.ts';

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

/** An instruction with all that compiling asks for, found out once: every pass over a program reads it. */
export interface JitOp
  extends Pick<Op, 'slot' | 'next' | 'target' | 'off' | 'imm' | 'immHi' | 'writes' | 'cost' | 'id'> {
  /** Register numbers. */
  readonly dst: number;
  readonly src: number;
  readonly flow: OpFlow;
  readonly lowering: Lowering;
  /** Register bits that it may change; a program-local call: what its callee does is not among them. */
  readonly changes: number;
  /** Register bits that compiled code of it names. */
  readonly mentions: number;
  /** A helper or kernel function is called. */
  readonly callsOut: boolean;
  /** A branch that leads out of the program: a fault when it is taken. */
  readonly isStray: boolean;
  /** Bytes that it accesses; 0: none. */
  readonly access: number;
  /** It writes memory through dst. */
  readonly writesMemory: boolean;
  readonly load: Load | undefined;
  readonly store: Store | undefined;
  readonly atomic: Atomic | undefined;
}

/** What all instructions of one row share. */
interface Shape {
  readonly flow: Exclude<OpFlow, 'trap'>;
  readonly isStepped: boolean;
  readonly namesDst: boolean;
  readonly namesSrc: boolean;
  readonly changesDst: boolean;
  readonly changesSrc: boolean;
  /** Registers that it names without a field: what it changes, and what it reads beside. */
  readonly alsoChanges: number;
  readonly alsoReads: number;
  readonly callsOut: boolean;
  readonly access: number;
  readonly writesMemory: boolean;
  readonly load: Load | undefined;
  readonly store: Store | undefined;
  readonly atomic: Atomic | undefined;
}

const STEPPED_PREFIX = /^(?:probe_|ldabs|ldind|call_helper|tail_call|call_kfunc|callx|may_goto|lddw_)/;
const NATIVE_ANYWAY: ReadonlySet<InsnId> = new Set(['lddw_func', 'lddw_map_fd', 'lddw_map_value'] as const);
const shapes = new Map<InsnId, Shape>();

function shapeOf(id: InsnId): Shape {
  let known = shapes.get(id);
  if (known === undefined) {
    known = makeShape(id);
    shapes.set(id, known);
  }
  return known;
}

function makeShape(id: InsnId): Shape {
  const row = rowById(id);
  const bits = (regs: readonly number[] | undefined): number =>
    (regs ?? []).reduce((all, reg) => all | (1 << reg), 0);
  const isStepped = STEPPED_PREFIX.test(id) && !NATIVE_ANYWAY.has(id);
  return {
    flow: isStepped ? 'next' : row.flow,
    isStepped,
    namesDst: typeof row.dst === 'string',
    namesSrc: typeof row.src === 'string',
    changesDst: row.dst === 'w' || row.dst === 'rw',
    changesSrc: row.src === 'w' || row.src === 'rw',
    alsoChanges: bits(row.writes),
    alsoReads: row.flow === 'next' ? bits(row.reads) : 0,
    callsOut: row.flow === 'call',
    access: row.access ?? 0,
    // Memory is written through dst where dst itself is only read.
    writesMemory: row.access !== undefined && row.dst === 'r',
    load: loadOf(id),
    store: storeOf(id),
    atomic: atomicOf(id),
  };
}

/** The instructions of `prog`, by slot; `isKnown` as in `jitOp`. */
export function jitOps(prog: ExecProg, isKnown: (op: Op) => boolean = () => true): readonly JitOp[] {
  return decodeProg(prog).map((op) => jitOp(prog, op, isKnown));
}

/**
 * `op` of `prog` with what compiling asks for. `isKnown`: whether a map load's value is known, without which it is
 * done by the reference engine.
 */
function jitOp(prog: ExecProg, op: Op, isKnown: (op: Op) => boolean): JitOp {
  const { slot, next, target, off, imm, immHi, writes, cost, id } = op;
  const shape = shapeOf(id);
  const dst = op.dst >> 3;
  const src = op.src >> 3;
  const flow = flowIn(op, shape);
  const changes = flow === 'trap' || flow === 'call' ? 0 : changesOf(shape, dst, src);
  let mentions = changes;
  if (flow !== 'trap' && flow !== 'call') {
    if (shape.namesDst) mentions |= 1 << dst;
    if (shape.namesSrc) mentions |= 1 << src;
    mentions |= shape.alsoReads;
  }
  const { load, store, atomic, access, writesMemory, callsOut } = shape;
  const lowering = loweringOf(prog, op, shape, isKnown);
  const isStray = op.exec !== trap && op.trap !== undefined && !shape.isStepped;
  const given = { slot, next, target, off, imm, immHi, writes, cost, id, dst, src };
  return {
    ...given,
    flow,
    lowering,
    changes,
    mentions,
    callsOut,
    isStray,
    access,
    writesMemory,
    load,
    store,
    atomic,
  };
}

function changesOf(shape: Shape, dst: number, src: number): number {
  let bits = shape.alsoChanges;
  if (shape.changesDst) bits |= 1 << dst;
  if (shape.changesSrc) bits |= 1 << src;
  return bits;
}

function flowIn(op: Op, { flow }: Shape): OpFlow {
  if (op.exec === trap) return 'trap';
  return op.trap === undefined ? flow : 'next';
}

/** Where control goes behind `op`. */
export function flowOf(op: Op): OpFlow {
  return flowIn(op, shapeOf(op.id));
}

function loweringOf(prog: ExecProg, op: Op, shape: Shape, isKnown: (op: Op) => boolean): Lowering {
  if (op.exec !== HANDLERS[op.id]) {
    if (op.exec !== trap && op.trap !== undefined && !shape.isStepped) return 'native';
    return op.id === 'ldxw' && isLookupLoad(prog, op) ? 'lookup' : 'step';
  }
  if (shape.isStepped) return 'step';
  return isMapLoad(op.id) && !isKnown(op) ? 'step' : 'native';
}

/** Whether it loads the address of a map or of a map's values. */
function isMapLoad(id: InsnId): boolean {
  return id === 'lddw_map_fd' || id === 'lddw_map_value';
}

function isLookupLoad(prog: ExecProg, op: Op): boolean {
  return op.exec !== trap && originOf(prog, op.slot).original?.row?.id === 'call_helper';
}
