import type { InsnId } from '../../isa/table.ts';
import * as a from './alu.ts';
import {
  ARENA_ATOMICS_32,
  ARENA_ATOMICS_64,
  arenaAtomic,
  arenaLoad,
  arenaStore,
  arenaStoreImm,
  spaceCast,
} from './arena.ts';
import { constant, mapAddress, perCpu } from './constants.ts';
import { callKernel, callLocal, exit, functionAddress, tailCall } from './control.ts';
import type { Lower } from './emission.ts';
import { FORMS as F } from './forms.ts';
import { CONDITIONS as C, compareImm, compareReg, goto, testImm } from './jumps.ts';
import { fetchLoop, load, probeLoad, store, storeImm } from './memory.ts';
import { unsupported } from './unsupported.ts';

const { ALU } = a;
const CMP64 = { test: F.test_rm64_r64, imm8: F.cmp_rm64_imm8, imm32: F.cmp_rm64_imm32 };
const CMP32 = { test: F.test_rm32_r32, imm8: F.cmp_rm32_imm8, imm32: F.cmp_rm32_imm32 };
const DIV64 = { move: F.mov_rm64_r64, divide: F.div_rm64, extend: undefined };
const DIV32 = { move: F.mov_rm32_r32, divide: F.div_rm32, extend: undefined };
const SDIV64 = { move: F.mov_rm64_r64, divide: F.idiv_rm64, extend: F.cqo };
const SDIV32 = { move: F.mov_rm32_r32, divide: F.idiv_rm32, extend: F.cdq };
const FETCH64 = { load: F.mov_r64_rm64, move: F.mov_rm64_r64, cmpxchg: F.lock_cmpxchg_m64_r64 };
const FETCH32 = { load: F.mov_r32_rm32, move: F.mov_rm32_r32, cmpxchg: F.lock_cmpxchg_m32_r32 };

const movImm32: Lower = ({ asm }, { dst, imm }) => a.movImm32(asm, dst, imm);
const mov64: Lower = ({ asm }, { dst, src }) => a.mov64(asm, dst, src);
const movSigned: Lower = ({ asm }, { dst, imm }) => a.movSigned(asm, dst, imm);

/** What each instruction becomes: a total map, so that one without machine code does not compile. */
// biome-ignore format: a table, one row a line
export const LOWER: Readonly<Record<InsnId, Lower>> = {
  add64_imm: a.aluImm(ALU.add64), add64_reg: a.aluReg(ALU.add64),
  sub64_imm: a.aluImm(ALU.sub64), sub64_reg: a.aluReg(ALU.sub64),
  or64_imm: a.aluImm(ALU.or64), or64_reg: a.aluReg(ALU.or64),
  and64_imm: a.aluImm(ALU.and64), and64_reg: a.aluReg(ALU.and64),
  xor64_imm: a.aluImm(ALU.xor64), xor64_reg: a.aluReg(ALU.xor64),
  add32_imm: a.aluImm(ALU.add32), add32_reg: a.aluReg(ALU.add32),
  sub32_imm: a.aluImm(ALU.sub32), sub32_reg: a.aluReg(ALU.sub32),
  or32_imm: a.aluImm(ALU.or32), or32_reg: a.aluReg(ALU.or32),
  and32_imm: a.aluImm(ALU.and32), and32_reg: a.aluReg(ALU.and32),
  xor32_imm: a.aluImm(ALU.xor32), xor32_reg: a.aluReg(ALU.xor32),
  mul64_imm: a.mulImm(F.imul_r64_rm64_imm8, F.imul_r64_rm64_imm32), mul64_reg: a.mulReg(F.imul_r64_rm64),
  mul32_imm: a.mulImm(F.imul_r32_rm32_imm8, F.imul_r32_rm32_imm32), mul32_reg: a.mulReg(F.imul_r32_rm32),
  div64_imm: a.divide({ ...DIV64, result: 'quotient', divisor: 'imm' }),
  div64_reg: a.divide({ ...DIV64, result: 'quotient', divisor: 'src' }),
  mod64_imm: a.divide({ ...DIV64, result: 'remainder', divisor: 'imm' }),
  mod64_reg: a.divide({ ...DIV64, result: 'remainder', divisor: 'src' }),
  div32_imm: a.divide({ ...DIV32, result: 'quotient', divisor: 'imm' }),
  div32_reg: a.divide({ ...DIV32, result: 'quotient', divisor: 'src' }),
  mod32_imm: a.divide({ ...DIV32, result: 'remainder', divisor: 'imm' }),
  mod32_reg: a.divide({ ...DIV32, result: 'remainder', divisor: 'src' }),
  sdiv64_imm: a.divide({ ...SDIV64, result: 'quotient', divisor: 'imm' }),
  sdiv64_reg: a.divide({ ...SDIV64, result: 'quotient', divisor: 'src' }),
  smod64_imm: a.divide({ ...SDIV64, result: 'remainder', divisor: 'imm' }),
  smod64_reg: a.divide({ ...SDIV64, result: 'remainder', divisor: 'src' }),
  sdiv32_imm: a.divide({ ...SDIV32, result: 'quotient', divisor: 'imm' }),
  sdiv32_reg: a.divide({ ...SDIV32, result: 'quotient', divisor: 'src' }),
  smod32_imm: a.divide({ ...SDIV32, result: 'remainder', divisor: 'imm' }),
  smod32_reg: a.divide({ ...SDIV32, result: 'remainder', divisor: 'src' }),
  lsh64_imm: a.shiftImm(F.shl_rm64_1, F.shl_rm64_imm8), lsh64_reg: a.shiftReg(F.shl_rm64_cl, F.shlx_r64_rm64_r64),
  rsh64_imm: a.shiftImm(F.shr_rm64_1, F.shr_rm64_imm8), rsh64_reg: a.shiftReg(F.shr_rm64_cl, F.shrx_r64_rm64_r64),
  arsh64_imm: a.shiftImm(F.sar_rm64_1, F.sar_rm64_imm8), arsh64_reg: a.shiftReg(F.sar_rm64_cl, F.sarx_r64_rm64_r64),
  lsh32_imm: a.shiftImm(F.shl_rm32_1, F.shl_rm32_imm8), lsh32_reg: a.shiftReg(F.shl_rm32_cl, F.shlx_r32_rm32_r32),
  rsh32_imm: a.shiftImm(F.shr_rm32_1, F.shr_rm32_imm8), rsh32_reg: a.shiftReg(F.shr_rm32_cl, F.shrx_r32_rm32_r32),
  arsh32_imm: a.shiftImm(F.sar_rm32_1, F.sar_rm32_imm8), arsh32_reg: a.shiftReg(F.sar_rm32_cl, F.sarx_r32_rm32_r32),
  neg64: a.unary(F.neg_rm64), neg32: a.unary(F.neg_rm32),
  mov64_imm: movSigned, mov64_reg: mov64,
  mov32_imm: movImm32, mov32_reg: a.move(F.mov_rm32_r32), mov32_zext: a.move(F.mov_rm32_r32),
  movsx8_64: a.move(F.movsx_r64_rm8), movsx16_64: a.move(F.movsx_r64_rm16), movsx32_64: a.move(F.movsxd_r64_rm32),
  movsx8_32: a.move(F.movsx_r32_rm8), movsx16_32: a.move(F.movsx_r32_rm16),
  le16: a.moveSelf(F.movzx_r32_rm16), le32: a.moveSelf(F.mov_rm32_r32), le64: a.nothing,
  be16: a.swap16, be32: a.unary(F.bswap_r32), be64: a.unary(F.bswap_r64),
  bswap16: a.swap16, bswap32: a.unary(F.bswap_r32), bswap64: a.unary(F.bswap_r64),
  addr_space_cast: spaceCast, mov64_percpu: perCpu,
  ja: goto('off'), jal: goto('imm'),
  jeq64_imm: compareImm(CMP64, C.eq), jeq64_reg: compareReg(F.cmp_rm64_r64, C.eq),
  jne64_imm: compareImm(CMP64, C.ne), jne64_reg: compareReg(F.cmp_rm64_r64, C.ne),
  jgt64_imm: compareImm(CMP64, C.gt), jgt64_reg: compareReg(F.cmp_rm64_r64, C.gt),
  jge64_imm: compareImm(CMP64, C.ge), jge64_reg: compareReg(F.cmp_rm64_r64, C.ge),
  jlt64_imm: compareImm(CMP64, C.lt), jlt64_reg: compareReg(F.cmp_rm64_r64, C.lt),
  jle64_imm: compareImm(CMP64, C.le), jle64_reg: compareReg(F.cmp_rm64_r64, C.le),
  jsgt64_imm: compareImm(CMP64, C.sgt), jsgt64_reg: compareReg(F.cmp_rm64_r64, C.sgt),
  jsge64_imm: compareImm(CMP64, C.sge), jsge64_reg: compareReg(F.cmp_rm64_r64, C.sge),
  jslt64_imm: compareImm(CMP64, C.slt), jslt64_reg: compareReg(F.cmp_rm64_r64, C.slt),
  jsle64_imm: compareImm(CMP64, C.sle), jsle64_reg: compareReg(F.cmp_rm64_r64, C.sle),
  jset64_imm: testImm(F.test_rm64_imm32), jset64_reg: compareReg(F.test_rm64_r64, C.set),
  jeq32_imm: compareImm(CMP32, C.eq), jeq32_reg: compareReg(F.cmp_rm32_r32, C.eq),
  jne32_imm: compareImm(CMP32, C.ne), jne32_reg: compareReg(F.cmp_rm32_r32, C.ne),
  jgt32_imm: compareImm(CMP32, C.gt), jgt32_reg: compareReg(F.cmp_rm32_r32, C.gt),
  jge32_imm: compareImm(CMP32, C.ge), jge32_reg: compareReg(F.cmp_rm32_r32, C.ge),
  jlt32_imm: compareImm(CMP32, C.lt), jlt32_reg: compareReg(F.cmp_rm32_r32, C.lt),
  jle32_imm: compareImm(CMP32, C.le), jle32_reg: compareReg(F.cmp_rm32_r32, C.le),
  jsgt32_imm: compareImm(CMP32, C.sgt), jsgt32_reg: compareReg(F.cmp_rm32_r32, C.sgt),
  jsge32_imm: compareImm(CMP32, C.sge), jsge32_reg: compareReg(F.cmp_rm32_r32, C.sge),
  jslt32_imm: compareImm(CMP32, C.slt), jslt32_reg: compareReg(F.cmp_rm32_r32, C.slt),
  jsle32_imm: compareImm(CMP32, C.sle), jsle32_reg: compareReg(F.cmp_rm32_r32, C.sle),
  jset32_imm: testImm(F.test_rm32_imm32), jset32_reg: compareReg(F.test_rm32_r32, C.set),
  call_helper: callKernel, call_kfunc: callKernel, call_local: callLocal,
  callx: unsupported('callx'), exit, may_goto: unsupported('may_goto'),
  ldxb: load(F.movzx_r64_rm8), ldxh: load(F.movzx_r64_rm16), ldxw: load(F.mov_r32_rm32), ldxdw: load(F.mov_r64_rm64),
  ldxsb: load(F.movsx_r64_rm8), ldxsh: load(F.movsx_r64_rm16), ldxsw: load(F.movsxd_r64_rm32),
  stb: storeImm(F.mov_rm8_imm8), sth: storeImm(F.mov_rm16_imm16), stw: storeImm(F.mov_rm32_imm32), stdw: storeImm(F.mov_rm64_imm32),
  stxb: store(F.mov_rm8_r8), stxh: store(F.mov_rm16_r16), stxw: store(F.mov_rm32_r32), stxdw: store(F.mov_rm64_r64),
  lddw: constant, lddw_map_fd: mapAddress, lddw_map_value: mapAddress, lddw_btf_id: constant, lddw_func: functionAddress,
  lddw_map_idx: unsupported('map_idx'), lddw_map_idx_value: unsupported('map_idx'),
  ldabsb: unsupported('ldabsb'), ldabsh: unsupported('ldabsh'), ldabsw: unsupported('ldabsw'),
  ldindb: unsupported('ldindb'), ldindh: unsupported('ldindh'), ldindw: unsupported('ldindw'),
  tail_call: tailCall,
  atomic_add64: store(F.lock_add_m64_r64), atomic_add32: store(F.lock_add_m32_r32),
  atomic_or64: store(F.lock_or_m64_r64), atomic_or32: store(F.lock_or_m32_r32),
  atomic_and64: store(F.lock_and_m64_r64), atomic_and32: store(F.lock_and_m32_r32),
  atomic_xor64: store(F.lock_xor_m64_r64), atomic_xor32: store(F.lock_xor_m32_r32),
  atomic_fetch_add64: store(F.lock_xadd_m64_r64), atomic_fetch_add32: store(F.lock_xadd_m32_r32),
  atomic_fetch_or64: fetchLoop({ ...FETCH64, op: F.or_rm64_r64 }), atomic_fetch_or32: fetchLoop({ ...FETCH32, op: F.or_rm32_r32 }),
  atomic_fetch_and64: fetchLoop({ ...FETCH64, op: F.and_rm64_r64 }), atomic_fetch_and32: fetchLoop({ ...FETCH32, op: F.and_rm32_r32 }),
  atomic_fetch_xor64: fetchLoop({ ...FETCH64, op: F.xor_rm64_r64 }), atomic_fetch_xor32: fetchLoop({ ...FETCH32, op: F.xor_rm32_r32 }),
  atomic_xchg64: store(F.lock_xchg_m64_r64), atomic_xchg32: store(F.lock_xchg_m32_r32),
  atomic_cmpxchg64: store(F.lock_cmpxchg_m64_r64), atomic_cmpxchg32: store(F.lock_cmpxchg_m32_r32),
  load_acquire_b: load(F.movzx_r64_rm8), load_acquire_h: load(F.movzx_r64_rm16),
  load_acquire_w: load(F.mov_r32_rm32), load_acquire_dw: load(F.mov_r64_rm64),
  store_release_b: store(F.mov_rm8_r8), store_release_h: store(F.mov_rm16_r16),
  store_release_w: store(F.mov_rm32_r32), store_release_dw: store(F.mov_rm64_r64),
  probe_ldxb: probeLoad(F.movzx_r64_rm8), probe_ldxh: probeLoad(F.movzx_r64_rm16),
  probe_ldxw: probeLoad(F.mov_r32_rm32), probe_ldxdw: probeLoad(F.mov_r64_rm64),
  probe_ldxsb: probeLoad(F.movsx_r64_rm8), probe_ldxsh: probeLoad(F.movsx_r64_rm16), probe_ldxsw: probeLoad(F.movsxd_r64_rm32),
  probe_arena_ldxb: arenaLoad(F.movzx_r32_rm8), probe_arena_ldxh: arenaLoad(F.movzx_r32_rm16),
  probe_arena_ldxw: arenaLoad(F.mov_r32_rm32), probe_arena_ldxdw: arenaLoad(F.mov_r64_rm64),
  probe_arena_ldxsb: arenaLoad(F.movsx_r64_rm8), probe_arena_ldxsh: arenaLoad(F.movsx_r64_rm16), probe_arena_ldxsw: arenaLoad(F.movsxd_r64_rm32),
  probe_arena_stb: arenaStoreImm(F.mov_rm8_imm8), probe_arena_sth: arenaStoreImm(F.mov_rm16_imm16),
  probe_arena_stw: arenaStoreImm(F.mov_rm32_imm32), probe_arena_stdw: arenaStoreImm(F.mov_rm64_imm32),
  probe_arena_stxb: arenaStore(F.mov_rm8_r8), probe_arena_stxh: arenaStore(F.mov_rm16_r16),
  probe_arena_stxw: arenaStore(F.mov_rm32_r32), probe_arena_stxdw: arenaStore(F.mov_rm64_r64),
  probe_atomic64: arenaAtomic(ARENA_ATOMICS_64), probe_atomic32: arenaAtomic(ARENA_ATOMICS_32),
  nospec: ({ asm }) => asm.zo(F.lfence),
};
