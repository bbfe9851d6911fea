import type { InsnId } from '../isa/table.ts';
import { CPU_THIS_CPU_OFF_HI } from '../vm/layout.ts';
import { I64, OP } from '../wasm/opcodes.ts';
import { type EmitOp, type Emitter, LOCAL } from './emitter.ts';

/** Takes two numbers, pushes one. */
type Combine = number | ((e: Emitter) => void);

function combine(e: Emitter, how: Combine): void {
  if (typeof how === 'number') e.op(how);
  else how(e);
}

/** dst = dst `how` immediate, 64 bits. */
function imm64(how: Combine): EmitOp {
  return (e) => binary64(e, how, () => e.imm64());
}

function reg64(how: Combine): EmitOp {
  return (e) => binary64(e, how, () => e.src64());
}

function binary64(e: Emitter, how: Combine, operand: () => void): void {
  e.dstOffset();
  e.tee(LOCAL.dst);
  e.get(LOCAL.dst);
  e.reg64();
  operand();
  combine(e, how);
  e.setReg();
  e.next();
}

/** The same on 32 bits, the upper half zeroed. */
function imm32(how: Combine): EmitOp {
  return (e) => binary32(e, how, () => e.imm32());
}

function reg32(how: Combine): EmitOp {
  return (e) => binary32(e, how, () => e.src32());
}

function binary32(e: Emitter, how: Combine, operand: () => void): void {
  e.dstOffset();
  e.tee(LOCAL.dst);
  e.get(LOCAL.dst);
  e.reg32();
  operand();
  combine(e, how);
  e.op(OP.i64_extend_i32_u);
  e.setReg();
  e.next();
}

/** dst = what `value` pushes, 64 bits. */
function put(value: (e: Emitter) => void): EmitOp {
  return (e) => {
    e.dstOffset();
    value(e);
    e.setReg();
    e.next();
  };
}

/** dst = what `value` pushes, 32 bits, the upper half zeroed. */
function put32(value: (e: Emitter) => void): EmitOp {
  return put((e) => {
    value(e);
    e.op(OP.i64_extend_i32_u);
  });
}

const nothing: EmitOp = (e) => e.next();

/**
 * Division as RFC 9669 section 4.1 has it: by zero gives 0, respectively the dividend; the least number by
 * −1 gives itself. WebAssembly traps in each of these cases (but for the remainder by −1, which is 0).
 */
function divide(is64: boolean, opcode: number, byZero: 'zero' | 'dividend', byMinusOne: boolean): Combine {
  return (e) => {
    // 32-bit operands go through 64 bits: no locals of their own, and the least number by −1 does not trap.
    const extend =
      opcode === OP.i64_div_s || opcode === OP.i64_rem_s ? OP.i64_extend_i32_s : OP.i64_extend_i32_u;
    if (!is64) e.op(extend);
    e.set(LOCAL.operand);
    if (!is64) e.op(extend);
    e.set(LOCAL.value);
    e.get(LOCAL.operand);
    e.op(OP.i64_eqz);
    e.if(I64);
    if (byZero === 'zero') e.i64(0);
    else e.get(LOCAL.value);
    e.else();
    if (byMinusOne) {
      e.get(LOCAL.operand);
      e.i64(-1);
      e.op(OP.i64_eq);
      e.if(I64);
      e.i64(0);
      e.get(LOCAL.value);
      e.op(OP.i64_sub);
      e.else();
    }
    e.get(LOCAL.value);
    e.get(LOCAL.operand);
    e.op(opcode);
    if (byMinusOne) e.end();
    e.end();
    if (!is64) e.op(OP.i32_wrap_i64);
  };
}

const DIV64 = divide(true, OP.i64_div_u, 'zero', false);
const MOD64 = divide(true, OP.i64_rem_u, 'dividend', false);
const SDIV64 = divide(true, OP.i64_div_s, 'zero', true);
const SMOD64 = divide(true, OP.i64_rem_s, 'dividend', false);
const DIV32 = divide(false, OP.i64_div_u, 'zero', false);
const MOD32 = divide(false, OP.i64_rem_u, 'dividend', false);
const SDIV32 = divide(false, OP.i64_div_s, 'zero', false);
const SMOD32 = divide(false, OP.i64_rem_s, 'dividend', false);

/** Pushes the low 16 bits of dst, bytes exchanged. */
function swap16(e: Emitter): void {
  e.dst32();
  e.i32(8);
  e.op(OP.i32_shl);
  e.i32(0xff00);
  e.op(OP.i32_and);
  e.dst32();
  e.i32(8);
  e.op(OP.i32_shr_u);
  e.i32(0xff);
  e.op(OP.i32_and);
  e.op(OP.i32_or);
}

/** Pushes the low 32 bits of dst, bytes reversed: two rotations, each of which puts two bytes in place. */
function swap32(e: Emitter): void {
  e.dst32();
  e.tee(LOCAL.at);
  e.i32(8);
  e.op(OP.i32_rotl);
  e.i32(0x00ff_00ff);
  e.op(OP.i32_and);
  e.get(LOCAL.at);
  e.i32(8);
  e.op(OP.i32_rotr);
  e.i32(0xff00_ff00 | 0);
  e.op(OP.i32_and);
  e.op(OP.i32_or);
}

/** Pushes dst, bytes reversed: bytes in pairs, pairs in words, words. */
function swap64(e: Emitter): void {
  e.dst64();
  e.set(LOCAL.value);
  exchange(e, 8, 0x00ff_00ff);
  exchange(e, 16, 0x0000_ffff);
  e.get(LOCAL.value);
  e.i64(32);
  e.op(OP.i64_rotl);
}

/** Exchanges neighbours of `bits` in `value`; `mask`: the lower one of each pair, in a word. */
function exchange(e: Emitter, bits: number, mask: number): void {
  e.get(LOCAL.value);
  e.i64(bits);
  e.op(OP.i64_shr_u);
  e.code.i64Const(mask, mask);
  e.op(OP.i64_and);
  e.get(LOCAL.value);
  e.code.i64Const(mask, mask);
  e.op(OP.i64_and);
  e.i64(bits);
  e.op(OP.i64_shl);
  e.op(OP.i64_or);
  e.set(LOCAL.value);
}

/** Pushes the low 32 bits of src, its lowest byte or half sign-extended. */
function extended32(opcode: number): (e: Emitter) => void {
  return (e) => {
    e.src32();
    e.op(opcode);
  };
}

function extended64(opcode: number): (e: Emitter) => void {
  return (e) => {
    e.src64();
    e.op(opcode);
  };
}

/** Pushes src plus the offset of this CPU's copies, whose low word is 0. */
function percpu(e: Emitter): void {
  e.src64();
  e.cpuWord(CPU_THIS_CPU_OFF_HI);
  e.op(OP.i64_extend_i32_u);
  e.i64(32);
  e.op(OP.i64_shl);
  e.op(OP.i64_add);
}

/** Arithmetic, moves and byte swaps. WebAssembly's shifts use the low bits of the count, as BPF's do. */
// biome-ignore format: a table, one row a line
export const ALU = {
  add64_imm: imm64(OP.i64_add),
  add64_reg: reg64(OP.i64_add),
  sub64_imm: imm64(OP.i64_sub),
  sub64_reg: reg64(OP.i64_sub),
  mul64_imm: imm64(OP.i64_mul),
  mul64_reg: reg64(OP.i64_mul),
  div64_imm: imm64(DIV64),
  div64_reg: reg64(DIV64),
  or64_imm: imm64(OP.i64_or),
  or64_reg: reg64(OP.i64_or),
  and64_imm: imm64(OP.i64_and),
  and64_reg: reg64(OP.i64_and),
  lsh64_imm: imm64(OP.i64_shl),
  lsh64_reg: reg64(OP.i64_shl),
  rsh64_imm: imm64(OP.i64_shr_u),
  rsh64_reg: reg64(OP.i64_shr_u),
  mod64_imm: imm64(MOD64),
  mod64_reg: reg64(MOD64),
  xor64_imm: imm64(OP.i64_xor),
  xor64_reg: reg64(OP.i64_xor),
  mov64_imm: put((e) => e.imm64()),
  mov64_reg: put((e) => e.src64()),
  arsh64_imm: imm64(OP.i64_shr_s),
  arsh64_reg: reg64(OP.i64_shr_s),
  sdiv64_imm: imm64(SDIV64),
  sdiv64_reg: reg64(SDIV64),
  smod64_imm: imm64(SMOD64),
  smod64_reg: reg64(SMOD64),
  neg64: put((e) => { e.i64(0); e.dst64(); e.op(OP.i64_sub); }),
  movsx8_64: put(extended64(OP.i64_extend8_s)),
  movsx16_64: put(extended64(OP.i64_extend16_s)),
  movsx32_64: put(extended64(OP.i64_extend32_s)),
  add32_imm: imm32(OP.i32_add),
  add32_reg: reg32(OP.i32_add),
  sub32_imm: imm32(OP.i32_sub),
  sub32_reg: reg32(OP.i32_sub),
  mul32_imm: imm32(OP.i32_mul),
  mul32_reg: reg32(OP.i32_mul),
  div32_imm: imm32(DIV32),
  div32_reg: reg32(DIV32),
  or32_imm: imm32(OP.i32_or),
  or32_reg: reg32(OP.i32_or),
  and32_imm: imm32(OP.i32_and),
  and32_reg: reg32(OP.i32_and),
  lsh32_imm: imm32(OP.i32_shl),
  lsh32_reg: reg32(OP.i32_shl),
  rsh32_imm: imm32(OP.i32_shr_u),
  rsh32_reg: reg32(OP.i32_shr_u),
  mod32_imm: imm32(MOD32),
  mod32_reg: reg32(MOD32),
  xor32_imm: imm32(OP.i32_xor),
  xor32_reg: reg32(OP.i32_xor),
  mov32_imm: put32((e) => e.imm32()),
  mov32_reg: put32((e) => e.src32()),
  arsh32_imm: imm32(OP.i32_shr_s),
  arsh32_reg: reg32(OP.i32_shr_s),
  sdiv32_imm: imm32(SDIV32),
  sdiv32_reg: reg32(SDIV32),
  smod32_imm: imm32(SMOD32),
  smod32_reg: reg32(SMOD32),
  neg32: put32((e) => { e.i32(0); e.dst32(); e.op(OP.i32_sub); }),
  movsx8_32: put32(extended32(OP.i32_extend8_s)),
  movsx16_32: put32(extended32(OP.i32_extend16_s)),
  le16: put32((e) => { e.dst32(); e.i32(0xffff); e.op(OP.i32_and); }),
  le32: put32((e) => e.dst32()),
  le64: nothing,
  be16: put32(swap16),
  be32: put32(swap32),
  be64: put(swap64),
  bswap16: put32(swap16),
  bswap32: put32(swap32),
  bswap64: put(swap64),
  addr_space_cast: put32((e) => e.src32()),
  mov64_percpu: put(percpu),
  mov32_zext: put32((e) => e.src32()),
  nospec: nothing,
  lddw: (e) => { e.dstOffset(); e.wideImm(); e.setReg(); e.next(2); },
} satisfies Partial<Record<InsnId, EmitOp>>;
