import * as layout from '../vm/layout.ts';
import { OP } from '../wasm/opcodes.ts';
import * as form from './code-layout.ts';
import { type Emitter, LOCAL } from './emitter.ts';

/** Bytes of an access. */
export type AccessSize = 1 | 2 | 4 | 8;

/** The table's entry of region `entry - ENTRY`: `LOCAL.entry` counts regions from 1. */
const ENTRY = 1 << layout.REGION_ENTRY_SHIFT;

/** Sets `addr` to the address of an access at (the register whose offset is on the stack) + offset. */
export function memAddress(e: Emitter): void {
  e.reg64();
  e.off64();
  e.op(OP.i64_add);
  e.set(LOCAL.addr);
}

/** The same in the program's arena: its address + low word of the register + offset. `fail`: outside of it. */
export function arenaAddress(e: Emitter, fail: () => void): void {
  e.reg32();
  e.op(OP.i64_extend_i32_u);
  e.off64();
  e.op(OP.i64_add);
  e.code.localTee(LOCAL.addr);
  e.i64(32);
  e.op(OP.i64_shr_u);
  e.i64(0);
  e.op(OP.i64_ne);
  fail();
  e.get(LOCAL.addr);
  e.cpuWord(form.SCRATCH_ARENA_HI);
  e.op(OP.i64_extend_i32_u);
  e.i64(32);
  e.op(OP.i64_shl);
  e.op(OP.i64_or);
  e.set(LOCAL.addr);
}

/**
 * The check of `core/vm/region-table.ts` on the address in `addr`, then its linear address in `at`. `fail`
 * takes a condition from the stack and goes away when it is not 0.
 */
export function checkRead(e: Emitter, size: AccessSize, fail: () => void): void {
  checkEntry(e, size, layout.PERM_READ, fail);
  linearAddress(e);
}

/** The same for a store that follows: it is noted in a stack's shadow. */
export function checkWrite(e: Emitter, size: AccessSize, fail: () => void): void {
  checkEntry(e, size, layout.PERM_WRITE, fail);
  e.get(LOCAL.entry);
  e.code.access(OP.i32_load, 2, ENTRY + layout.REGION_SHADOW);
  e.tee(LOCAL.shadow);
  e.if();
  markWritten(e, size);
  e.end();
  linearAddress(e);
}

function checkEntry(e: Emitter, size: AccessSize, perm: number, fail: () => void): void {
  e.get(LOCAL.addr);
  e.i64(32);
  e.op(OP.i64_shr_u);
  e.op(OP.i32_wrap_i64);
  e.i32(-layout.WINDOW_HI - 1);
  e.op(OP.i32_add);
  e.tee(LOCAL.entry);
  e.get(LOCAL.lastRegion);
  e.op(OP.i32_ge_u);
  fail();
  e.get(LOCAL.table);
  e.get(LOCAL.entry);
  e.i32(layout.REGION_ENTRY_SHIFT);
  e.op(OP.i32_shl);
  e.op(OP.i32_add);
  e.tee(LOCAL.entry);
  e.code.access(OP.i64_load32_u, 2, ENTRY + layout.REGION_SIZE);
  e.get(LOCAL.addr);
  e.op(OP.i32_wrap_i64);
  e.op(OP.i64_extend_i32_u);
  e.i64(size);
  e.op(OP.i64_add);
  e.op(OP.i64_lt_u);
  fail();
  e.get(LOCAL.entry);
  e.code.access(OP.i32_load, 2, ENTRY + layout.REGION_PERM);
  e.i32(perm);
  e.op(OP.i32_and);
  e.op(OP.i32_eqz);
  fail();
}

function linearAddress(e: Emitter): void {
  e.get(LOCAL.entry);
  e.code.access(OP.i32_load, 2, ENTRY + layout.REGION_BASE);
  e.get(LOCAL.addr);
  e.op(OP.i32_wrap_i64);
  e.op(OP.i32_add);
  e.set(LOCAL.at);
}

const MARK = { 1: OP.i64_store8, 2: OP.i64_store16, 4: OP.i64_store32, 8: OP.i64_store } as const;

/** Notes a store in the shadow at `shadow`. */
function markWritten(e: Emitter, size: AccessSize): void {
  markGroup(e, 0);
  if (size > 1) markGroup(e, size - 1);
  e.get(LOCAL.shadow);
  e.get(LOCAL.addr);
  e.op(OP.i32_wrap_i64);
  e.op(OP.i32_add);
  e.code.i64Const(0x01010101, 0x01010101);
  e.code.access(MARK[size], 0, 0);
}

/** Marks the group of the byte that lies `distance` behind the access's first. */
function markGroup(e: Emitter, distance: number): void {
  e.get(LOCAL.shadow);
  e.get(LOCAL.addr);
  e.op(OP.i32_wrap_i64);
  if (distance > 0) {
    e.i32(distance);
    e.op(OP.i32_add);
  }
  e.i32(layout.SHADOW_GROUP_SHIFT);
  e.op(OP.i32_shr_u);
  e.op(OP.i32_add);
  e.i32(1);
  e.code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS);
}
