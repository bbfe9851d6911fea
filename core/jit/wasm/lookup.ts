import * as layout from '../../vm/layout.ts';
import { Code } from '../../wasm/code.ts';
import type { FuncType, Locals } from '../../wasm/module.ts';
import { I32, I64, OP } from '../../wasm/opcodes.ts';
import { FOUND_BASE, FOUND_COUNT, FOUND_SHADOW, FOUND_WINDOW } from './locals.ts';

/** `lookup(block, address, size, perm)` */
export const LOOKUP_TYPE: FuncType = { params: [I32, I64, I32, I32], results: [] };
export const LOOKUP_LOCALS: Locals = [[2, I32]];

const BLOCK = 0;
const ADDR = 1;
const SIZE = 2;
const PERM = 3;
const REGION = 4;
const ENTRY = 5;

/**
 * Searches the region that an address points into, as `checkedEntry` (core/vm/region-table.ts) does: FOUND_… tell of
 * it what a region cache remembers for accesses of `size` bytes. No region, or accesses that are not allowed: a
 * count of 0.
 */
export function lookupCode(): Code {
  const code = new Code(256);
  const get = (local: number) => code.localGet(local);
  const failIf = (): void => {
    code.if();
    code.op(OP.return);
    code.end();
  };
  get(BLOCK);
  get(ADDR);
  code.i64Const(0, -1);
  code.op(OP.i64_and);
  code.access(OP.i64_store, 3, FOUND_WINDOW);
  get(BLOCK);
  code.i64Const(0, 0);
  code.access(OP.i64_store, 3, FOUND_COUNT);
  // region = (address >> 32) - WINDOW_HI, refused when it is not in the table
  get(ADDR);
  code.i64Const(32, 0);
  code.op(OP.i64_shr_u);
  code.op(OP.i32_wrap_i64);
  code.i32Const(layout.WINDOW_HI);
  code.op(OP.i32_sub);
  code.localTee(REGION);
  code.i32Const(0);
  code.access(OP.i32_load, 2, layout.HEADER_REGION_COUNT);
  code.op(OP.i32_ge_u);
  failIf();
  code.i32Const(0);
  code.access(OP.i32_load, 2, layout.HEADER_REGION_TABLE);
  get(REGION);
  code.i32Const(layout.REGION_ENTRY_SHIFT);
  code.op(OP.i32_shl);
  code.op(OP.i32_add);
  code.localTee(ENTRY);
  code.access(OP.i32_load, 2, layout.REGION_PERM);
  get(PERM);
  code.op(OP.i32_and);
  code.op(OP.i32_eqz);
  failIf();
  get(ENTRY);
  code.access(OP.i32_load, 2, layout.REGION_SIZE);
  get(SIZE);
  code.op(OP.i32_lt_u);
  failIf();
  get(BLOCK);
  get(ENTRY);
  code.access(OP.i64_load32_u, 2, layout.REGION_SIZE);
  get(SIZE);
  code.op(OP.i64_extend_i32_u);
  code.op(OP.i64_sub);
  code.i64Const(1, 0);
  code.op(OP.i64_add);
  code.access(OP.i64_store, 3, FOUND_COUNT);
  for (const [field, into] of [
    [layout.REGION_BASE, FOUND_BASE],
    [layout.REGION_SHADOW, FOUND_SHADOW],
  ] as const) {
    get(BLOCK);
    get(ENTRY);
    code.access(OP.i32_load, 2, field);
    code.access(OP.i32_store, 2, into);
  }
  return code;
}

/** `clear(table entry)`: zeroes what was written of a stack frame, and its shadow. */
export const CLEAR_TYPE: FuncType = { params: [I32], results: [] };

/** All of it, where `clearWritten` (core/vm/machine.ts) goes by groups: unwritten bytes are 0 already. */
export function clearCode(): Code {
  const code = new Code(64);
  for (const [field, size] of [
    [layout.REGION_BASE, layout.MAX_BPF_STACK],
    [layout.REGION_SHADOW, layout.SHADOW_SIZE],
  ] as const) {
    code.localGet(0);
    code.access(OP.i32_load, 2, field);
    code.i32Const(0);
    code.i32Const(size);
    code.memoryFill();
  }
  return code;
}
