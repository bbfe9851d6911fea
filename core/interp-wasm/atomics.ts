import type { InsnId } from '../isa/table.ts';
import { CPU_R0 } from '../vm/layout.ts';
import { OP } from '../wasm/opcodes.ts';
import { checkWrite, memAddress } from './access.ts';
import { type EmitOp, type Emitter, LOCAL } from './emitter.ts';

/** Bytes of the object. */
type Width = 4 | 8;

const LOAD = { 4: OP.i64_load32_u, 8: OP.i64_load } as const;
const STORE = { 4: OP.i64_store32, 8: OP.i64_store } as const;

/** Sets `at` to the object and `value` to what it holds, zero-extended. */
function begin(e: Emitter, width: Width): void {
  e.dstOffset();
  memAddress(e);
  checkWrite(e, width, () => e.leaveIf());
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

/**
 * Object = object `opcode` src. Plain reads and writes: one thread runs all CPUs of a machine, an instruction
 * is never interrupted, and WebAssembly's atomic accesses trap where BPF's need not be aligned.
 */
function modify(width: Width, opcode: number, isFetch: boolean): EmitOp {
  return (e) => {
    begin(e, width);
    e.get(LOCAL.at);
    e.get(LOCAL.value);
    e.src64();
    e.op(opcode);
    e.code.access(STORE[width], 0, 0);
    if (isFetch) fetchToSrc(e);
    e.next();
  };
}

function exchange(width: Width): EmitOp {
  return (e) => {
    begin(e, width);
    e.get(LOCAL.at);
    e.src64();
    e.code.access(STORE[width], 0, 0);
    fetchToSrc(e);
    e.next();
  };
}

function compareExchange(width: Width): EmitOp {
  return (e) => {
    begin(e, width);
    e.i32(0);
    e.code.access(LOAD[width], 2, e.block + CPU_R0);
    e.get(LOCAL.value);
    e.op(OP.i64_eq);
    e.if();
    e.get(LOCAL.at);
    e.src64();
    e.code.access(STORE[width], 0, 0);
    e.end();
    e.i32(CPU_R0);
    e.get(LOCAL.value);
    e.setReg();
    e.next();
  };
}

/** Atomic operations: BPF_ATOMIC without load-acquire and store-release. */
export const ATOMICS = {
  atomic_add64: modify(8, OP.i64_add, false),
  atomic_or64: modify(8, OP.i64_or, false),
  atomic_and64: modify(8, OP.i64_and, false),
  atomic_xor64: modify(8, OP.i64_xor, false),
  atomic_fetch_add64: modify(8, OP.i64_add, true),
  atomic_fetch_or64: modify(8, OP.i64_or, true),
  atomic_fetch_and64: modify(8, OP.i64_and, true),
  atomic_fetch_xor64: modify(8, OP.i64_xor, true),
  atomic_xchg64: exchange(8),
  atomic_cmpxchg64: compareExchange(8),
  atomic_add32: modify(4, OP.i64_add, false),
  atomic_or32: modify(4, OP.i64_or, false),
  atomic_and32: modify(4, OP.i64_and, false),
  atomic_xor32: modify(4, OP.i64_xor, false),
  atomic_fetch_add32: modify(4, OP.i64_add, true),
  atomic_fetch_or32: modify(4, OP.i64_or, true),
  atomic_fetch_and32: modify(4, OP.i64_and, true),
  atomic_fetch_xor32: modify(4, OP.i64_xor, true),
  atomic_xchg32: exchange(4),
  atomic_cmpxchg32: compareExchange(4),
} satisfies Partial<Record<InsnId, EmitOp>>;
