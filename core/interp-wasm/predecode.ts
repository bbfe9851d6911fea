import { mapRegionAddr, mapValueAddr } from '../interp/calls.ts';
import { decodeProg } from '../interp/decode.ts';
import { HANDLERS } from '../interp/handlers.ts';
import type { Op } from '../interp/op.ts';
import { rowById } from '../isa/decode.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { FUNCTION_HI, functionAddressLo } from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import * as form from './code-layout.ts';
import { denseNumber, isLeft } from './emitters.ts';

/** A program as the interpreter reads it. */
export interface ProgCode {
  readonly prog: ExecProg;
  /** The same by slot, as the reference engine has it. */
  readonly ops: readonly Op[];
  /** Address of its first op. */
  readonly at: number;
  /** Dense opcodes by slot, as they are without breakpoints. */
  readonly dense: Uint16Array;
  /** The breakpoints that stand in its opcodes, and when those were the program's. */
  readonly patched: { slots: readonly InsnIndex[]; epoch: number };
}

/** What one op becomes. */
interface Form {
  readonly code: form.DenseCode;
  /** The last of its run. */
  readonly isLast: boolean;
  readonly imm: number;
  /** Upper word of a wide immediate, offset of an access, or bytes to a target. */
  readonly off: number;
}

/** Puts `prog` into linear memory. Throws MemoryLimitError when it does not fit. */
export function predecode(machine: Machine, prog: ExecProg): ProgCode {
  const ops = decodeProg(prog);
  const at = machine.memory.allocCache(ops.length << form.OP_SHIFT);
  const { view } = machine.memory;
  const dense = new Uint16Array(ops.length);
  const runs = { cost: new Uint16Array(ops.length + 2), writes: new Uint16Array(ops.length + 2) };
  for (let slot = ops.length - 1; slot >= 0; slot--) {
    const op = ops[slot] as Op;
    const found = extendRun(runs, slot, op, formOf(machine, prog, op));
    const number = denseNumber(found.code);
    dense[slot] = number;
    const to = at + (slot << form.OP_SHIFT);
    view.setUint16(to + form.OP_CODE, number, true);
    view.setUint8(to + form.OP_DST, op.dst);
    view.setUint8(to + form.OP_SRC, op.src);
    view.setInt32(to + form.OP_IMM, found.imm, true);
    view.setInt32(to + form.OP_OFF, found.off, true);
    view.setUint16(to + form.OP_WRITES, runs.writes[slot] ?? 0, true);
    view.setUint16(to + form.OP_COST, runs.cost[slot] ?? 0, true);
  }
  return { prog, ops, at, dense, patched: { slots: [], epoch: 0 } };
}

/** Cost and writes of the run from `slot` on; where it would get too long it ends here. */
function extendRun(
  runs: { readonly cost: Uint16Array; readonly writes: Uint16Array },
  slot: number,
  op: Op,
  found: Form,
): Form {
  const rest = found.isLast ? 0 : (runs.cost[op.next] ?? 0);
  const isCut = rest + op.cost > form.MAX_RUN_COST;
  const isLast = found.isLast || isCut;
  runs.cost[slot] = op.cost + (isLast ? 0 : rest);
  runs.writes[slot] = isLast ? 0 : op.writes | (runs.writes[op.next] ?? 0);
  return isCut ? left(op) : found;
}

function formOf(machine: Machine, prog: ExecProg, op: Op): Form {
  if (op.id === 'ldxw' && op.trap === undefined && op.exec !== HANDLERS.ldxw) {
    return { code: 'ldxw_inlined', isLast: true, imm: op.writes, off: op.off };
  }
  // Another handler than the row's own: a trap, or what a place in a rewritten program demands.
  if (op.exec !== HANDLERS[op.id]) return left(op);
  if (op.id === 'lddw') return wide(op.imm, op.immHi);
  if (op.id === 'lddw_func') return wide(functionAddressLo(prog.id, op.target) | 0, FUNCTION_HI);
  const addr = mapAddr(machine, prog, op);
  if (addr !== undefined) {
    return wide(Number(BigInt.asIntN(32, addr)), Number(BigInt.asIntN(32, addr >> 32n)));
  }
  if (isLeft(op.id)) return left(op);
  const { flow } = rowById(op.id);
  if (flow === 'next') return { code: op.id, isLast: false, imm: op.imm, off: op.off };
  const delta = (op.target - op.slot) << form.OP_SHIFT;
  return { code: op.id, isLast: true, imm: op.imm, off: delta };
}

function left(op: Op): Form {
  return { code: 'leave', isLast: true, imm: op.imm, off: op.off };
}

function wide(low: number, high: number): Form {
  return { code: 'lddw', isLast: false, imm: low, off: high };
}

/** The address that a load of a map gives. A map that is there stays as long as a program that uses it. */
function mapAddr(machine: Machine, prog: ExecProg, op: Op): bigint | undefined {
  const addr = mapLoad(machine, prog, op);
  return typeof addr === 'bigint' ? addr : undefined;
}

function mapLoad(machine: Machine, prog: ExecProg, op: Op): ReturnType<typeof mapRegionAddr> | undefined {
  switch (op.id) {
    case 'lddw_map_fd':
      return mapRegionAddr(machine, op.imm);
    case 'lddw_map_value':
      return mapValueAddr(machine, op.imm, op.immHi);
    case 'lddw_map_idx':
      return mapRegionAddr(machine, prog.mapIds[op.imm]);
    case 'lddw_map_idx_value':
      return mapValueAddr(machine, prog.mapIds[op.imm], op.immHi);
    default:
      return undefined;
  }
}

/** Makes the ops stop where the program's breakpoint bytes are set now, and only there. */
export function patchBreakpoints(machine: Machine, code: ProgCode): void {
  const { prog, at, dense, patched } = code;
  if (patched.epoch === prog.breakpoints.epoch) return;
  const { view } = machine.memory;
  const stop = denseNumber('stop');
  const now = prog.breakpoints.slots;
  const write = (slot: InsnIndex, number: number): void => {
    view.setUint16(at + (slot << form.OP_SHIFT) + form.OP_CODE, number, true);
  };
  for (const slot of patched.slots) if (!now.has(slot)) write(slot, dense[slot] ?? stop);
  for (const slot of now) write(slot, stop);
  patched.slots = [...now];
  patched.epoch = prog.breakpoints.epoch;
}
