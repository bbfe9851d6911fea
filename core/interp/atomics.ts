import type { InsnId } from '../isa/table.ts';
import { PERM_WRITE } from '../vm/layout.ts';
import { resolve, resolveArena } from './access.ts';
import {
  accessFault,
  type ExecState,
  fault,
  type Handler,
  hi,
  lo,
  type Op,
  type STOP,
  set,
  set32,
} from './op.ts';

/** Operations as `imm` names them (RFC 9669 section 5.3). */
const ADD = 0x00;
const OR = 0x40;
const AND = 0x50;
const XOR = 0xa0;
const FETCH = 0x01;
const XCHG = 0xe1;
const CMPXCHG = 0xf1;
const R0 = 0;

/**
 * The operation `op.imm` on the 32 bits at linear address `at`. Plain reads and writes where one thread runs all CPUs
 * of the machine, and for what is not aligned, where no host has an atomic operation.
 */
function atomic32(s: ExecState, op: Op, at: number): number {
  if (s.machine.memory.shared && (at & 3) === 0) return shared32(s, op, at);
  const old = s.view.getInt32(at, true);
  const operand = lo(s, op.src);
  switch (op.imm) {
    case CMPXCHG:
      if (old === lo(s, R0)) s.view.setInt32(at, operand, true);
      set32(s, R0, old);
      return op.next;
    case XCHG:
      s.view.setInt32(at, operand, true);
      break;
    default:
      s.view.setInt32(at, combine(op.imm & ~FETCH, old, operand), true);
  }
  if (op.imm & FETCH) set32(s, op.src, old);
  return op.next;
}

/** The same on 64 bits. */
function atomic64(s: ExecState, op: Op, at: number): number {
  if (s.machine.memory.shared && (at & 7) === 0) return shared64(s, op, at);
  const { view } = s;
  const low = view.getInt32(at, true);
  const high = view.getInt32(at + 4, true);
  const operandLow = lo(s, op.src);
  const operandHigh = hi(s, op.src);
  switch (op.imm) {
    case CMPXCHG:
      if (low === lo(s, R0) && high === hi(s, R0)) put64(view, at, operandLow, operandHigh);
      set(s, R0, low, high);
      return op.next;
    case XCHG:
      put64(view, at, operandLow, operandHigh);
      break;
    case ADD:
    case ADD | FETCH: {
      const sum = (low + operandLow) | 0;
      const carry = sum >>> 0 < low >>> 0 ? 1 : 0;
      put64(view, at, sum, (high + operandHigh + carry) | 0);
      break;
    }
    default: {
      const kind = op.imm & ~FETCH;
      put64(view, at, combine(kind, low, operandLow), combine(kind, high, operandHigh));
    }
  }
  if (op.imm & FETCH) set(s, op.src, low, high);
  return op.next;
}

/** The operation on memory that other threads can change at the same time. */
function shared32(s: ExecState, op: Op, at: number): number {
  const { words } = s.machine.memory;
  const operand = lo(s, op.src);
  if (op.imm === CMPXCHG) {
    set32(s, R0, Atomics.compareExchange(words, at >> 2, lo(s, R0), operand));
    return op.next;
  }
  const old = changeOf(op.imm)(words, at >> 2, operand);
  if (op.imm & FETCH) set32(s, op.src, old);
  return op.next;
}

/** The same on 64 bits. */
function shared64(s: ExecState, op: Op, at: number): number {
  const { longs } = s.machine.memory;
  const reg = (offset: number): bigint => s.view.getBigInt64(s.block + offset, true);
  const operand = reg(op.src);
  if (op.imm === CMPXCHG) {
    const old = Atomics.compareExchange(longs, at >> 3, reg(R0), operand);
    s.view.setBigInt64(s.block + R0, old, true);
    return op.next;
  }
  const old = changeOf(op.imm)(longs, at >> 3, operand);
  if (op.imm & FETCH) s.view.setBigInt64(s.block + op.src, old, true);
  return op.next;
}

/** Changes an element of a shared array; what was there before. */
interface Change {
  (on: Int32Array, at: number, operand: number): number;
  (on: BigInt64Array, at: number, operand: bigint): bigint;
}

/** What any operation but CMPXCHG does. */
function changeOf(imm: number): Change {
  if (imm === XCHG) return Atomics.exchange;
  switch (imm & ~FETCH) {
    case OR:
      return Atomics.or;
    case AND:
      return Atomics.and;
    case XOR:
      return Atomics.xor;
    default:
      return Atomics.add;
  }
}

/** One word of a result; sums carry nothing. */
function combine(kind: number, a: number, b: number): number {
  if (kind === OR) return a | b;
  if (kind === AND) return a & b;
  if (kind === XOR) return a ^ b;
  return (a + b) | 0;
}

function put64(view: DataView, at: number, low: number, high: number): void {
  view.setInt32(at, low, true);
  view.setInt32(at + 4, high, true);
}

const on32: Handler = (s, op) => {
  const at = resolve(s, op.dst, op.off, 4, PERM_WRITE);
  return at === 0 ? accessFault(s, op, op.dst, op.off, 4, 'write') : atomic32(s, op, at);
};

const on64: Handler = (s, op) => {
  const at = resolve(s, op.dst, op.off, 8, PERM_WRITE);
  return at === 0 ? accessFault(s, op, op.dst, op.off, 8, 'write') : atomic64(s, op, at);
};

const KNOWN_OPERATIONS: ReadonlySet<number> = new Set([
  ...[ADD, OR, AND, XOR].flatMap((kind) => [kind, kind | FETCH]),
  XCHG,
  CMPXCHG,
]);

function unknownOperation(s: ExecState, op: Op): typeof STOP {
  const imm = `0x${(op.imm >>> 0).toString(16)}`;
  return fault(s, op, {
    kind: 'bad_pc',
    message: `${imm} is no atomic operation of a rewritten arena access`,
  });
}

/** An arena address that faults: nothing happens and the program goes on, as with BPF_PROBE_MEM32. */
const onArena32: Handler = (s, op) => {
  if (!KNOWN_OPERATIONS.has(op.imm)) return unknownOperation(s, op);
  const at = resolveArena(s, op.dst, op.off, 4, PERM_WRITE);
  return at === 0 ? op.next : atomic32(s, op, at);
};

const onArena64: Handler = (s, op) => {
  if (!KNOWN_OPERATIONS.has(op.imm)) return unknownOperation(s, op);
  const at = resolveArena(s, op.dst, op.off, 8, PERM_WRITE);
  return at === 0 ? op.next : atomic64(s, op, at);
};

/** Atomic operations: BPF_ATOMIC without load-acquire and store-release. */
export const ATOMICS = {
  atomic_add64: on64,
  atomic_or64: on64,
  atomic_and64: on64,
  atomic_xor64: on64,
  atomic_fetch_add64: on64,
  atomic_fetch_or64: on64,
  atomic_fetch_and64: on64,
  atomic_fetch_xor64: on64,
  atomic_xchg64: on64,
  atomic_cmpxchg64: on64,
  atomic_add32: on32,
  atomic_or32: on32,
  atomic_and32: on32,
  atomic_xor32: on32,
  atomic_fetch_add32: on32,
  atomic_fetch_or32: on32,
  atomic_fetch_and32: on32,
  atomic_fetch_xor32: on32,
  atomic_xchg32: on32,
  atomic_cmpxchg32: on32,
  probe_atomic64: onArena64,
  probe_atomic32: onArena32,
} satisfies Partial<Record<InsnId, Handler>>;
