import type { InsnId } from '../isa/table.ts';
import { type AccessType, accessProblem } from '../vm/access-fault.ts';
import type { Cpu } from '../vm/cpu.ts';
import { faultAt, type Problem } from '../vm/fault.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import type { BreakpointJudge, StopCause } from './engine.ts';

/** What a handler returns instead of a slot when the run ends; why stands in `ExecState.stop`. */
export const STOP = -1;

/**
 * Executes one instruction and returns the slot that follows. A handler that returns STOP with a fault
 * has changed nothing, so the same instruction can be tried again after an edit.
 */
export type Handler = (s: ExecState, op: Op) => number;

/** One predecoded instruction. */
export interface Op {
  readonly exec: Handler;
  /** Where it stands. */
  readonly slot: number;
  /** The slot behind it. */
  readonly next: number;
  /** Where it jumps to or what it calls; `next` where it does neither. */
  readonly target: number;
  /** Byte offset of the destination register in the register block. */
  readonly dst: number;
  /** Byte offset of the source register in the register block. */
  readonly src: number;
  readonly off: number;
  /** Low word of the immediate, signed. */
  readonly imm: number;
  /** High word of the 64-bit value that the immediate stands for: its sign, or a wide one's second half. */
  readonly immHi: number;
  /** Bit n: it gives Rn a value. */
  readonly writes: number;
  /** Its row; of no meaning where `exec` is `trap`. */
  readonly id: InsnId;
  /** 1 where an instruction as loaded begins: that is what counts; the slots behind it are part of it. */
  readonly cost: 0 | 1;
  /** 1 where the instruction that it belongs to has been counted; 0 in what a function begins with in addition. */
  readonly begun: 0 | 1;
  /** What is wrong with it, for `trap`. */
  readonly trap: Problem | undefined;
}

/** Whether an instruction as loaded has begun before `op`, which is a part of it: engines do not stop there. */
export function isAmid({ cost, begun }: Op): boolean {
  return cost === 0 && begun === 1;
}

/** What a running engine keeps at hand; the machine's memory holds the rest. */
export interface ExecState {
  readonly machine: Machine;
  readonly cpu: Cpu;
  /** Byte address of the register block. */
  readonly block: number;
  view: DataView;
  /** Byte address of the region table, and its entries in use. */
  table: number;
  nRegions: number;
  prog: ExecProg;
  ops: readonly Op[];
  /** Instructions of another program, for tail calls. */
  readonly decode: (prog: ExecProg) => readonly Op[];
  /** Instructions as loaded that may still be executed before control is looked at. */
  left: number;
  /** What `left` was when `counted` was last written to memory. */
  chunk: number;
  /** Bit n: Rn has a value (`CPU_INITIALISED`). */
  initialised: number;
  stop: StopCause | undefined;
  /** As in `RunLimits`. */
  passes: BreakpointJudge | undefined;
}

/** Whether the run goes on from the breakpoint before slot `pc`. */
export function passesBreakpoint(s: ExecState, pc: number): boolean {
  if (s.passes === undefined) return false;
  s.view.setUint32(s.block + layout.CPU_PC, pc, true);
  return s.passes(s.prog, pc);
}

/** Takes the views anew: after anything that may have allocated. */
export function refresh(s: ExecState): void {
  s.view = s.machine.memory.view;
  s.table = s.view.getUint32(layout.HEADER_REGION_TABLE, true);
  s.nRegions = s.view.getUint32(layout.HEADER_REGION_COUNT, true);
}

/** Writes pc, instruction count and register bits to their places; `newly`: executed of the current chunk. */
export function flush(s: ExecState, pc: number, newly: number): void {
  const { view, block } = s;
  // A faulting instruction that is tried again from its middle was not counted when it began.
  const executed = Math.max(newly, 0);
  view.setUint32(block + layout.CPU_PC, pc, true);
  view.setUint32(block + layout.CPU_INITIALISED, s.initialised, true);
  const at = block + layout.CPU_EXECUTED;
  const low = view.getUint32(at, true) + executed;
  view.setUint32(at, low, true);
  if (low >= 2 ** 32) view.setUint32(at + 4, view.getUint32(at + 4, true) + 1, true);
  s.chunk -= executed;
}

/** Ends the run at `op` with a fault. */
export function fault(s: ExecState, op: Op, problem: Problem): typeof STOP {
  s.stop = { kind: 'fault', fault: faultAt(s.prog, op.slot, problem) };
  return STOP;
}

/** Ends the run at `op`, whose access of `size` bytes at (register + `off`) was refused. */
export function accessFault(
  s: ExecState,
  op: Op,
  reg: number,
  off: number,
  size: number,
  type: AccessType,
): typeof STOP {
  const addr = BigInt.asUintN(64, s.view.getBigUint64(s.block + reg, true) + BigInt(off));
  const problem = accessProblem(s.machine.space, addr, size, type);
  if (problem === undefined)
    throw new Error(`the region table refuses what the address space allows: 0x${addr.toString(16)}`);
  return fault(s, op, problem);
}

/** Handler of slots that cannot be executed. */
export const trap: Handler = (s, op) => fault(s, op, op.trap as Problem);

/** Low word of a register, signed. `reg` as in `Op.dst`. */
export function lo(s: ExecState, reg: number): number {
  return s.view.getInt32(s.block + reg, true);
}

/** High word of a register, signed. */
export function hi(s: ExecState, reg: number): number {
  return s.view.getInt32(s.block + reg + 4, true);
}

/** Sets a register to a pair of words. */
export function set(s: ExecState, reg: number, low: number, high: number): void {
  s.view.setInt32(s.block + reg, low, true);
  s.view.setInt32(s.block + reg + 4, high, true);
}

/** Sets a register to 32 bits, the upper half zeroed. */
export function set32(s: ExecState, reg: number, low: number): void {
  s.view.setInt32(s.block + reg, low, true);
  s.view.setInt32(s.block + reg + 4, 0, true);
}
