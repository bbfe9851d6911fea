import type { InsnId } from '../isa/table.ts';
import { CPU_R0 } from '../vm/layout.ts';
import { OP } from '../wasm/opcodes.ts';
import { checkWrite, memAddress } from './access.ts';
import { type EmitOp, type Emitter, LOCAL } from './emitter.ts';

/** Bytes of the object. */
type Width = 4 | 8;

const LOAD = { 4: OP.i64_load32_u, 8: OP.i64_load } as const;
const STORE = { 4: OP.i64_store32, 8: OP.i64_store } as const;
/** Base 2 logarithms of the widths: WebAssembly's atomic accesses name their alignment. */
const ALIGN = { 4: 2, 8: 3 } as const;

/** What an operation is in WebAssembly: on values, and on memory that other threads can change. */
const OPERATIONS = {
  add: { plain: OP.i64_add, 4: OP.i64_atomic_rmw32_add_u, 8: OP.i64_atomic_rmw_add },
  or: { plain: OP.i64_or, 4: OP.i64_atomic_rmw32_or_u, 8: OP.i64_atomic_rmw_or },
  and: { plain: OP.i64_and, 4: OP.i64_atomic_rmw32_and_u, 8: OP.i64_atomic_rmw_and },
  xor: { plain: OP.i64_xor, 4: OP.i64_atomic_rmw32_xor_u, 8: OP.i64_atomic_rmw_xor },
} as const;
const XCHG = { 4: OP.i64_atomic_rmw32_xchg_u, 8: OP.i64_atomic_rmw_xchg } as const;
const CMPXCHG = { 4: OP.i64_atomic_rmw32_cmpxchg_u, 8: OP.i64_atomic_rmw_cmpxchg } as const;

/** Sets `at` to the object. Where memory is shared, one that is not aligned is TypeScript's: WebAssembly traps there. */
function locate(e: Emitter, width: Width): void {
  e.dstOffset();
  memAddress(e);
  checkWrite(e, width, () => e.leaveIf());
  if (!e.isShared) return;
  e.get(LOCAL.at);
  e.i32(width - 1);
  e.op(OP.i32_and);
  e.leaveIf();
}

/** Sets `value` to what the object holds, zero-extended. */
function read(e: Emitter, width: Width): void {
  e.get(LOCAL.at);
  e.code.access(LOAD[width], 0, 0);
  e.set(LOCAL.value);
}

/** src = what the object held. */
function fetchToSrc(e: Emitter): void {
  e.srcOffset();
  e.get(LOCAL.value);
  e.setReg();
}

/** Pushes what compare-and-exchange expects. */
function expected(e: Emitter, width: Width): void {
  e.i32(0);
  e.code.access(LOAD[width], 2, e.block + CPU_R0);
}

/**
 * Object = object `name` src. Plain reads and writes where one thread runs all CPUs of a machine: an instruction is
 * never interrupted.
 */
function modify(width: Width, name: keyof typeof OPERATIONS, isFetch: boolean): EmitOp {
  return (e) => {
    locate(e, width);
    if (e.isShared) {
      e.get(LOCAL.at);
      e.src64();
      e.code.access(OPERATIONS[name][width], ALIGN[width], 0);
      e.set(LOCAL.value);
    } else {
      read(e, width);
      e.get(LOCAL.at);
      e.get(LOCAL.value);
      e.src64();
      e.op(OPERATIONS[name].plain);
      e.code.access(STORE[width], 0, 0);
    }
    if (isFetch) fetchToSrc(e);
    e.next();
  };
}

function exchange(width: Width): EmitOp {
  return (e) => {
    locate(e, width);
    if (!e.isShared) read(e, width);
    e.get(LOCAL.at);
    e.src64();
    if (e.isShared) {
      e.code.access(XCHG[width], ALIGN[width], 0);
      e.set(LOCAL.value);
    } else e.code.access(STORE[width], 0, 0);
    fetchToSrc(e);
    e.next();
  };
}

function compareExchange(width: Width): EmitOp {
  return (e) => {
    locate(e, width);
    if (e.isShared) {
      e.get(LOCAL.at);
      expected(e, width);
      e.src64();
      e.code.access(CMPXCHG[width], ALIGN[width], 0);
      e.set(LOCAL.value);
    } else {
      read(e, width);
      expected(e, width);
      e.get(LOCAL.value);
      e.op(OP.i64_eq);
      e.if();
      e.get(LOCAL.at);
      e.src64();
      e.code.access(STORE[width], 0, 0);
      e.end();
    }
    e.i32(CPU_R0);
    e.get(LOCAL.value);
    e.setReg();
    e.next();
  };
}

/** Atomic operations: BPF_ATOMIC without load-acquire and store-release. */
export const ATOMICS = {
  atomic_add64: modify(8, 'add', false),
  atomic_or64: modify(8, 'or', false),
  atomic_and64: modify(8, 'and', false),
  atomic_xor64: modify(8, 'xor', false),
  atomic_fetch_add64: modify(8, 'add', true),
  atomic_fetch_or64: modify(8, 'or', true),
  atomic_fetch_and64: modify(8, 'and', true),
  atomic_fetch_xor64: modify(8, 'xor', true),
  atomic_xchg64: exchange(8),
  atomic_cmpxchg64: compareExchange(8),
  atomic_add32: modify(4, 'add', false),
  atomic_or32: modify(4, 'or', false),
  atomic_and32: modify(4, 'and', false),
  atomic_xor32: modify(4, 'xor', false),
  atomic_fetch_add32: modify(4, 'add', true),
  atomic_fetch_or32: modify(4, 'or', true),
  atomic_fetch_and32: modify(4, 'and', true),
  atomic_fetch_xor32: modify(4, 'xor', true),
  atomic_xchg32: exchange(4),
  atomic_cmpxchg32: compareExchange(4),
} satisfies Partial<Record<InsnId, EmitOp>>;
