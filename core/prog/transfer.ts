import { ctxFieldAt } from '../ctx/fields.ts';
import { WIDE_OPCODE } from '../isa/decode.ts';
import { type HelperProto, helperById } from '../isa/helpers.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import {
  accessSize,
  BPF_ALU,
  BPF_ALU64,
  BPF_LD,
  BPF_LDX,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_ST,
  BPF_STX,
  BPF_X,
  OP_CALL,
} from '../isa/opcodes.ts';
import { BPF_REG_FP } from '../isa/registers.ts';
import type { ProgType } from '../object/object.ts';
import {
  CTX_VAR,
  constant,
  constantOf,
  ctxAt,
  ctxOffset,
  fpAt,
  fpBase,
  fpOffset,
  fpOwner,
  fpVar,
  isPointer,
  KIND_CONST,
  KIND_CTX,
  KIND_FP,
  KIND_FP_VAR,
  KIND_MAP,
  kindOf,
  mapOf,
  mapPtr,
  NONE,
  PACKET,
  PTR,
  SCALAR,
  type Value,
} from './lattice.ts';
import { clearSlots, joinSlots, type Slots, type State, setSlot, slotValue } from './state.ts';

/** The part of a map's definition that sizes of helper arguments follow from. */
export interface MapSizes {
  readonly keySize: number;
  readonly valueSize: number;
}

/** What the transfer functions need to know beside the state. */
export interface TransferContext {
  readonly view: DataView;
  readonly progType: ProgType;
  readonly maps: readonly MapSizes[];
  /** Pointers that functions other than the owner have put into a frame, and that were there when it was lent out. */
  readonly lent: Slots[];
  /** Those of them that others have put there: the owner sees them after the call. */
  readonly given: Slots[];
  /** Functions whose `lent` has grown since they were last looked at. */
  readonly lentChanged: Set<number>;
}

/** Told about what an instruction does to stack and maps; only in the last pass. */
export interface Observer {
  /** Bytes [off, off + size) of function `owner`'s frame are accessed, `off` from its frame pointer. */
  stack(owner: number, off: number, size: number): void;
  /**
   * A helper call at `pc` has map `map` as its argument, or (undefined) something else in its place;
   * `certain`: on every path that comes here.
   */
  mapArg(pc: InsnIndex, arg: number, map: number | undefined, certain: boolean): void;
  /** Something is stored where the packet may lie. */
  packetWrite(): void;
}

const MASK_ARGS = 0b111110;

/** Value of register `r` in function `fn`. */
export function regValue(state: State, r: number, fn: number): Value {
  return r === BPF_REG_FP ? fpAt(fn, 0) : (state.regs[r] ?? NONE);
}

function setReg(state: State, r: number, value: Value): void {
  state.regs[r] = value;
  const bit = 1 << r;
  state.must |= bit;
  state.may |= bit;
}

/** Mirrors what a call does to R1–R5. */
export function clobberArgs(state: State): void {
  for (let r = 1; r <= 5; r++) state.regs[r] = NONE;
  state.must &= ~MASK_ARGS;
  state.may &= ~MASK_ARGS;
}

/** Gives R0 the value `value`, or takes its value away (NONE). */
export function setResult(state: State, value: Value): void {
  if (value !== NONE) {
    setReg(state, 0, value);
    return;
  }
  state.regs[0] = NONE;
  state.must &= ~1;
  state.may &= ~1;
}

/**
 * Changes `state` as the instruction at `pc` of function `fn` does: everything but jumps, `exit` and
 * local calls, which change nothing here. Constant time for all but helper calls.
 */
export function transfer(
  ctx: TransferContext,
  state: State,
  pc: InsnIndex,
  fn: number,
  observer?: Observer,
): void {
  const { view } = ctx;
  const at = pc * INSN_SIZE;
  const opcode = view.getUint8(at);
  const regs = view.getUint8(at + 1);
  const dst = regs & 15;
  const src = regs >> 4;
  switch (opcode & 7) {
    case BPF_ALU64:
    case BPF_ALU:
      alu(state, opcode, dst, src, view.getInt16(at + 2, true), view.getInt32(at + 4, true), fn);
      return;
    case BPF_LDX:
      setReg(state, dst, loaded(ctx, state, opcode, src, view.getInt16(at + 2, true), fn, observer));
      return;
    case BPF_ST:
      stored(ctx, state, opcode, dst, SCALAR, view.getInt16(at + 2, true), fn, observer);
      return;
    case BPF_STX: {
      const off = view.getInt16(at + 2, true);
      if ((opcode & 0xe0) === 0xc0) atomic(ctx, state, pc, fn, observer);
      else stored(ctx, state, opcode, dst, regValue(state, src, fn), off, fn, observer);
      return;
    }
    case BPF_LD:
      packetOrWide(
        ctx,
        state,
        opcode,
        dst,
        src,
        view.getInt32(at + 4, true),
        view.getInt32(at + 12 < view.byteLength ? at + 12 : at + 4, true),
      );
      return;
    default:
      if (opcode === OP_CALL && src !== BPF_PSEUDO_CALL)
        helperCall(ctx, state, pc, src, view.getInt32(at + 4, true), fn, observer);
  }
}

function alu(
  state: State,
  opcode: number,
  dst: number,
  src: number,
  off: number,
  imm: number,
  fn: number,
): void {
  const wide = (opcode & 7) === BPF_ALU64;
  const op = opcode & 0xf0;
  const operand = opcode & BPF_X ? regValue(state, src, fn) : constant(imm);
  if (op === 0xb0) {
    if (off !== 0) setReg(state, dst, off === 1 ? PTR : SCALAR);
    else if (wide) setReg(state, dst, operand === NONE ? SCALAR : operand);
    else setReg(state, dst, kindOf(operand) === KIND_CONST && constantOf(operand) >= 0 ? operand : SCALAR);
    return;
  }
  const before = regValue(state, dst, fn);
  if (wide && (op === 0x00 || op === 0x10)) setReg(state, dst, added(before, operand, op === 0x10));
  else setReg(state, dst, SCALAR);
}

/** Pointer and number arithmetic, 64 bits. */
function added(a: Value, b: Value, minus: boolean): Value {
  const ka = kindOf(a);
  const kb = kindOf(b);
  if (isPointer(a)) {
    if (isPointer(b)) return minus ? SCALAR : ka === PACKET || kb === PACKET ? PACKET : PTR;
    const n = kb === KIND_CONST ? (minus ? -constantOf(b) : constantOf(b)) : undefined;
    if (ka === KIND_CTX) return n === undefined ? CTX_VAR : ctxAt(ctxOffset(a) + n);
    if (ka === KIND_FP && n !== undefined) return fpAt(fpOwner(a), fpOffset(a) + n);
    if (ka === KIND_FP || ka === KIND_FP_VAR) return fpVar(fpOwner(a), fpBase(a) + (n ?? 0));
    return ka === KIND_MAP && n !== 0 ? PTR : a;
  }
  if (isPointer(b)) return minus ? SCALAR : added(b, a, false);
  if (ka !== KIND_CONST || kb !== KIND_CONST) return SCALAR;
  const sum = minus ? constantOf(a) - constantOf(b) : constantOf(a) + constantOf(b);
  return sum === (sum | 0) ? constant(sum) : SCALAR;
}

function loaded(
  ctx: TransferContext,
  state: State,
  opcode: number,
  base: number,
  off: number,
  fn: number,
  observer: Observer | undefined,
): Value {
  const pointer = regValue(state, base, fn);
  const kind = kindOf(pointer);
  const size = accessSize(opcode);
  if (kind === KIND_CTX) {
    const field = ctxFieldAt(ctx.progType, ctxOffset(pointer) + off);
    if (!field?.pointer) return SCALAR;
    return field.name.startsWith('data') ? PACKET : PTR;
  }
  if (kind === KIND_FP_VAR) observer?.stack(fpOwner(pointer), fpBase(pointer) + off, size);
  if (kind !== KIND_FP) return SCALAR;
  const owner = fpOwner(pointer);
  const place = fpOffset(pointer) + off;
  observer?.stack(owner, place, size);
  if (size !== 8 || place % 8 !== 0) return SCALAR;
  const slots = owner === fn ? state.slots : (ctx.lent[owner] ?? []);
  const value = slotValue(slots, -place / 8 - 1);
  return value === NONE ? SCALAR : value;
}

function stored(
  ctx: TransferContext,
  state: State,
  opcode: number,
  base: number,
  value: Value,
  off: number,
  fn: number,
  observer: Observer | undefined,
): void {
  const pointer = regValue(state, base, fn);
  const size = accessSize(opcode);
  if (pointer === PACKET) observer?.packetWrite();
  if (kindOf(pointer) === KIND_FP_VAR) observer?.stack(fpOwner(pointer), fpBase(pointer) + off, size);
  if (kindOf(pointer) !== KIND_FP) return;
  const owner = fpOwner(pointer);
  const place = fpOffset(pointer) + off;
  observer?.stack(owner, place, size);
  const spill = size === 8 && place % 8 === 0 && isPointer(value);
  if (owner !== fn) {
    if (spill) give(ctx, owner, [-place / 8 - 1, value]);
    return;
  }
  if (spill) state.slots = setSlot(state.slots, -place / 8 - 1, value);
  else forgetBytes(state, place, size);
}

function forgetBytes(state: State, place: number, size: number): void {
  if (state.slots.length === 0) return;
  state.slots = clearSlots(state.slots, Math.floor((-place - size) / 8), Math.ceil(-place / 8) - 1);
}

/** Remembers pointers in function `owner`'s frame that other functions can come to. */
export function lend(ctx: TransferContext, owner: number, slots: Slots): void {
  const before = ctx.lent[owner] ?? [];
  const after = joinSlots(before, slots);
  if (after === before) return;
  ctx.lent[owner] = after;
  ctx.lentChanged.add(owner);
}

function give(ctx: TransferContext, owner: number, slots: Slots): void {
  const before = ctx.given[owner] ?? [];
  const after = joinSlots(before, slots);
  if (after !== before) {
    ctx.given[owner] = after;
    ctx.lentChanged.add(owner);
  }
  lend(ctx, owner, slots);
}

function atomic(
  ctx: TransferContext,
  state: State,
  pc: InsnIndex,
  fn: number,
  observer: Observer | undefined,
): void {
  const at = pc * INSN_SIZE;
  const opcode = ctx.view.getUint8(at);
  const regs = ctx.view.getUint8(at + 1);
  const off = ctx.view.getInt16(at + 2, true);
  const op = ctx.view.getInt32(at + 4, true);
  const dst = regs & 15;
  const src = regs >> 4;
  if (op === 0x100) {
    setReg(state, dst, loaded(ctx, state, opcode, src, off, fn, observer));
    return;
  }
  if (op === 0x110) {
    stored(ctx, state, opcode, dst, regValue(state, src, fn), off, fn, observer);
    return;
  }
  stored(ctx, state, opcode, dst, SCALAR, off, fn, observer);
  if (op === 0xf1) setReg(state, 0, SCALAR);
  else if (op & 1 && src !== BPF_REG_FP) setReg(state, src, SCALAR);
}

function packetOrWide(
  ctx: TransferContext,
  state: State,
  opcode: number,
  dst: number,
  src: number,
  imm: number,
  nextImm: number,
): void {
  if (opcode !== WIDE_OPCODE) {
    clobberArgs(state);
    setReg(state, 0, SCALAR);
    return;
  }
  if (src === 0) setReg(state, dst, nextImm === imm >> 31 ? constant(imm) : SCALAR);
  else {
    const isMap = src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_IDX;
    setReg(state, dst, isMap && imm >= 0 && imm < ctx.maps.length ? mapPtr(imm) : PTR);
  }
}

function helperCall(
  ctx: TransferContext,
  state: State,
  pc: InsnIndex,
  src: number,
  id: number,
  fn: number,
  observer: Observer | undefined,
): void {
  const proto = src === 0 ? helperById(id) : undefined;
  if (proto) helperArgs(ctx, state, pc, proto, fn, observer);
  clobberArgs(state);
  setResult(state, proto?.returns === 'void' ? NONE : proto?.returns.includes('*') ? PTR : SCALAR);
}

/** Stack bytes that a helper reads or writes, where their number is known, and its map. */
function helperArgs(
  ctx: TransferContext,
  state: State,
  pc: InsnIndex,
  proto: HelperProto,
  fn: number,
  observer: Observer | undefined,
): void {
  const argument = (arg: number): Value => (arg < proto.args.length ? regValue(state, arg + 1, fn) : NONE);
  let map: MapSizes | undefined;
  proto.args.forEach((arg, i) => {
    const value = argument(i);
    if (arg.kind !== 'map') return;
    if (kindOf(value) !== KIND_MAP) {
      observer?.mapArg(pc, i + 1, undefined, false);
      return;
    }
    map = ctx.maps[mapOf(value)];
    observer?.mapArg(pc, i + 1, mapOf(value), (state.must & (1 << (i + 1))) !== 0);
  });
  proto.args.forEach((arg, i) => {
    const value = argument(i);
    if (kindOf(value) !== KIND_FP && kindOf(value) !== KIND_FP_VAR) return;
    const size = argumentSize(proto, i, map, argument);
    if (size === 0) return;
    // Of a buffer whose length is not known, its first byte decides how deep the frame is.
    observer?.stack(fpOwner(value), fpBase(value), size ?? 1);
    const written = size !== undefined && kindOf(value) === KIND_FP && !arg.type.includes('const');
    if (written && fpOwner(value) === fn) forgetBytes(state, fpOffset(value), size);
  });
}

/** Bytes that argument `i` points to; undefined: not known; 0: it points to nothing that is accessed. */
function argumentSize(
  proto: HelperProto,
  i: number,
  map: MapSizes | undefined,
  argument: (i: number) => Value,
): number | undefined {
  switch (proto.args[i]?.kind) {
    case 'key':
      return map?.keySize;
    case 'value':
      return map?.valueSize;
    case 'mem': {
      const next =
        proto.args[i + 1]?.kind === 'size' ? i + 1 : proto.args.findIndex((arg) => arg.kind === 'size');
      const length = next < 0 ? SCALAR : argument(next);
      return kindOf(length) === KIND_CONST ? Math.max(0, constantOf(length)) : undefined;
    }
    default:
      return 0;
  }
}
