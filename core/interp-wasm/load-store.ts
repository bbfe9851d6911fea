import type { InsnId } from '../isa/table.ts';
import { OP } from '../wasm/opcodes.ts';
import { type AccessSize, arenaAddress, checkRead, checkWrite, memAddress } from './access.ts';
import * as form from './code-layout.ts';
import { ARGUMENTS, type EmitOp, type Emitter, LOCAL } from './emitter.ts';

/** How a value is read, by width and sign. */
type LoadOpcode = number;

const STORE = { 1: OP.i64_store8, 2: OP.i64_store16, 4: OP.i64_store32, 8: OP.i64_store } as const;

/** dst = *(src + off); a refused access is for TypeScript. */
function load(size: AccessSize, opcode: LoadOpcode): EmitOp {
  return (e) => {
    checkedLoad(e, size, opcode);
    e.next();
  };
}

function checkedLoad(e: Emitter, size: AccessSize, opcode: LoadOpcode): void {
  e.srcOffset();
  memAddress(e);
  checkRead(e, size, () => e.leaveIf());
  put(e, opcode);
}

/** dst = *at. */
function put(e: Emitter, opcode: LoadOpcode): void {
  e.dstOffset();
  e.get(LOCAL.at);
  e.code.access(opcode, 0, 0);
  e.setReg();
}

/** *(dst + off) = what `value` pushes. */
function store(size: AccessSize, value: (e: Emitter) => void): EmitOp {
  return (e) => {
    e.dstOffset();
    memAddress(e);
    checkWrite(e, size, () => e.leaveIf());
    e.get(LOCAL.at);
    value(e);
    e.code.access(STORE[size], 0, 0);
    e.next();
  };
}

const storeReg = (size: AccessSize): EmitOp => store(size, (e) => e.src64());
const storeImm = (size: AccessSize): EmitOp => store(size, (e) => e.imm64());

/** A load whose fault gives 0. */
function probe(size: AccessSize, opcode: LoadOpcode, isArena: boolean): EmitOp {
  return (e) => {
    e.blockOf();
    e.blockOf();
    const fail = (): void => e.outIf(0);
    e.srcOffset();
    if (isArena) arenaAddress(e, fail);
    else memAddress(e);
    checkRead(e, size, fail);
    put(e, opcode);
    e.out(1);
    e.end();
    e.dstOffset();
    e.i64(0);
    e.setReg();
    e.end();
    e.next();
  };
}

/** A store whose fault does nothing. */
function arenaStore(size: AccessSize, value: (e: Emitter) => void): EmitOp {
  return (e) => {
    e.blockOf();
    const fail = (): void => e.outIf(0);
    e.dstOffset();
    arenaAddress(e, fail);
    checkWrite(e, size, fail);
    e.get(LOCAL.at);
    value(e);
    e.code.access(STORE[size], 0, 0);
    e.end();
    e.next();
  };
}

const arenaReg = (size: AccessSize): EmitOp => arenaStore(size, (e) => e.src64());
const arenaImm = (size: AccessSize): EmitOp => arenaStore(size, (e) => e.imm64());

/**
 * A load in the middle of a helper call that was replaced: the arguments lose their values. `imm` holds the
 * bits of what it writes. It ends a run.
 */
export const inlinedLoad: EmitOp = (e) => {
  checkedLoad(e, 4, OP.i64_load32_u);
  e.noteRun();
  e.get(LOCAL.initialised);
  e.i32(~ARGUMENTS);
  e.op(OP.i32_and);
  e.imm32();
  e.op(OP.i32_or);
  e.set(LOCAL.initialised);
  e.get(LOCAL.ip);
  e.i32(form.OP_SIZE);
  e.op(OP.i32_add);
  e.set(LOCAL.ip);
  e.beginRun();
};

/**
 * A load that nothing behind it comes before, a store that nothing in front of it comes after; of the host only where
 * other threads look. With a fence, because WebAssembly's atomic accesses trap where BPF's need not be aligned.
 */
function acquire(size: AccessSize, opcode: number): EmitOp {
  return (e) => {
    checkedLoad(e, size, opcode);
    fence(e);
    e.next();
  };
}

function release(size: AccessSize): EmitOp {
  const store = storeReg(size);
  return (e) => {
    fence(e);
    store(e);
  };
}

function fence(e: Emitter): void {
  if (e.isShared) e.code.fence();
}

/** Loads and stores. */
// biome-ignore format: a table, one row a line
export const LOAD_STORE = {
  ldxb: load(1, OP.i64_load8_u),
  ldxh: load(2, OP.i64_load16_u),
  ldxw: load(4, OP.i64_load32_u),
  ldxdw: load(8, OP.i64_load),
  ldxsb: load(1, OP.i64_load8_s),
  ldxsh: load(2, OP.i64_load16_s),
  ldxsw: load(4, OP.i64_load32_s),
  stb: storeImm(1),
  sth: storeImm(2),
  stw: storeImm(4),
  stdw: storeImm(8),
  stxb: storeReg(1),
  stxh: storeReg(2),
  stxw: storeReg(4),
  stxdw: storeReg(8),
  load_acquire_b: acquire(1, OP.i64_load8_u),
  load_acquire_h: acquire(2, OP.i64_load16_u),
  load_acquire_w: acquire(4, OP.i64_load32_u),
  load_acquire_dw: acquire(8, OP.i64_load),
  store_release_b: release(1),
  store_release_h: release(2),
  store_release_w: release(4),
  store_release_dw: release(8),
  probe_ldxb: probe(1, OP.i64_load8_u, false),
  probe_ldxh: probe(2, OP.i64_load16_u, false),
  probe_ldxw: probe(4, OP.i64_load32_u, false),
  probe_ldxdw: probe(8, OP.i64_load, false),
  probe_ldxsb: probe(1, OP.i64_load8_s, false),
  probe_ldxsh: probe(2, OP.i64_load16_s, false),
  probe_ldxsw: probe(4, OP.i64_load32_s, false),
  probe_arena_ldxb: probe(1, OP.i64_load8_u, true),
  probe_arena_ldxh: probe(2, OP.i64_load16_u, true),
  probe_arena_ldxw: probe(4, OP.i64_load32_u, true),
  probe_arena_ldxdw: probe(8, OP.i64_load, true),
  probe_arena_ldxsb: probe(1, OP.i64_load8_s, true),
  probe_arena_ldxsh: probe(2, OP.i64_load16_s, true),
  probe_arena_ldxsw: probe(4, OP.i64_load32_s, true),
  probe_arena_stb: arenaImm(1),
  probe_arena_sth: arenaImm(2),
  probe_arena_stw: arenaImm(4),
  probe_arena_stdw: arenaImm(8),
  probe_arena_stxb: arenaReg(1),
  probe_arena_stxh: arenaReg(2),
  probe_arena_stxw: arenaReg(4),
  probe_arena_stxdw: arenaReg(8),
} satisfies Partial<Record<InsnId, EmitOp>>;
