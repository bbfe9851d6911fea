import type { InsnId } from '../isa/table.ts';
import { PERM_READ, PERM_WRITE } from '../vm/layout.ts';
import { resolve, resolveArena } from './access.ts';
import { accessFault, type ExecState, type Handler, hi, lo, type Op, set } from './op.ts';

/** Reads a checked address into dst, by the access's width and sign. */
type Read = (s: ExecState, op: Op, at: number) => number;
/** Writes a pair of words to a checked address. */
type Write = (s: ExecState, op: Op, at: number, low: number, high: number) => number;

const readU8: Read = (s, op, at) => {
  set(s, op.dst, s.view.getUint8(at), 0);
  return op.next;
};

const readU16: Read = (s, op, at) => {
  set(s, op.dst, s.view.getUint16(at, true), 0);
  return op.next;
};

const readU32: Read = (s, op, at) => {
  set(s, op.dst, s.view.getInt32(at, true), 0);
  return op.next;
};

const readU64: Read = (s, op, at) => {
  set(s, op.dst, s.view.getInt32(at, true), s.view.getInt32(at + 4, true));
  return op.next;
};

const readS8: Read = (s, op, at) => readSigned(s, op, s.view.getInt8(at));
const readS16: Read = (s, op, at) => readSigned(s, op, s.view.getInt16(at, true));
const readS32: Read = (s, op, at) => readSigned(s, op, s.view.getInt32(at, true));

function readSigned(s: ExecState, op: Op, value: number): number {
  set(s, op.dst, value, value >> 31);
  return op.next;
}

const write8: Write = (s, op, at, low) => {
  s.view.setInt8(at, low);
  return op.next;
};

const write16: Write = (s, op, at, low) => {
  s.view.setInt16(at, low, true);
  return op.next;
};

const write32: Write = (s, op, at, low) => {
  s.view.setInt32(at, low, true);
  return op.next;
};

const write64: Write = (s, op, at, low, high) => {
  s.view.setInt32(at, low, true);
  s.view.setInt32(at + 4, high, true);
  return op.next;
};

/** A read that faults gives 0 and the program goes on (BPF_PROBE_MEM…). */
function readZero(s: ExecState, op: Op): number {
  set(s, op.dst, 0, 0);
  return op.next;
}

/** Other threads can see the access at the same time, and hosts have atomic accesses there. */
function isAtomic(s: ExecState, at: number, size: number): boolean {
  return s.machine.memory.shared && (at & (size - 1)) === 0;
}

/** An access that no other goes past, in either direction; of the value nothing is used. */
function fence(s: ExecState): void {
  if (s.machine.memory.shared) Atomics.load(s.machine.memory.words, 0);
}

function acquire32(s: ExecState, op: Op, at: number): number {
  set(s, op.dst, Atomics.load(s.machine.memory.words, at >> 2), 0);
  return op.next;
}

function acquire64(s: ExecState, op: Op, at: number): number {
  s.view.setBigInt64(s.block + op.dst, Atomics.load(s.machine.memory.longs, at >> 3), true);
  return op.next;
}

function release32(s: ExecState, op: Op, at: number): number {
  Atomics.store(s.machine.memory.words, at >> 2, lo(s, op.src));
  return op.next;
}

function release64(s: ExecState, op: Op, at: number): number {
  Atomics.store(s.machine.memory.longs, at >> 3, s.view.getBigInt64(s.block + op.src, true));
  return op.next;
}

/** Loads and stores: BPF_MEM, BPF_MEMSX, load-acquire, store-release and the forms of rewritten programs. */
export const LOAD_STORE = {
  ldxb: (s, op) => {
    const at = resolve(s, op.src, op.off, 1, PERM_READ);
    return at === 0 ? accessFault(s, op, op.src, op.off, 1, 'read') : readU8(s, op, at);
  },
  ldxh: (s, op) => {
    const at = resolve(s, op.src, op.off, 2, PERM_READ);
    return at === 0 ? accessFault(s, op, op.src, op.off, 2, 'read') : readU16(s, op, at);
  },
  ldxw: (s, op) => {
    const at = resolve(s, op.src, op.off, 4, PERM_READ);
    return at === 0 ? accessFault(s, op, op.src, op.off, 4, 'read') : readU32(s, op, at);
  },
  ldxdw: (s, op) => {
    const at = resolve(s, op.src, op.off, 8, PERM_READ);
    return at === 0 ? accessFault(s, op, op.src, op.off, 8, 'read') : readU64(s, op, at);
  },
  ldxsb: (s, op) => {
    const at = resolve(s, op.src, op.off, 1, PERM_READ);
    return at === 0 ? accessFault(s, op, op.src, op.off, 1, 'read') : readS8(s, op, at);
  },
  ldxsh: (s, op) => {
    const at = resolve(s, op.src, op.off, 2, PERM_READ);
    return at === 0 ? accessFault(s, op, op.src, op.off, 2, 'read') : readS16(s, op, at);
  },
  ldxsw: (s, op) => {
    const at = resolve(s, op.src, op.off, 4, PERM_READ);
    return at === 0 ? accessFault(s, op, op.src, op.off, 4, 'read') : readS32(s, op, at);
  },
  stb: (s, op) => {
    const at = resolve(s, op.dst, op.off, 1, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 1, 'write');
    return write8(s, op, at, op.imm, op.immHi);
  },
  sth: (s, op) => {
    const at = resolve(s, op.dst, op.off, 2, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 2, 'write');
    return write16(s, op, at, op.imm, op.immHi);
  },
  stw: (s, op) => {
    const at = resolve(s, op.dst, op.off, 4, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 4, 'write');
    return write32(s, op, at, op.imm, op.immHi);
  },
  stdw: (s, op) => {
    const at = resolve(s, op.dst, op.off, 8, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 8, 'write');
    return write64(s, op, at, op.imm, op.immHi);
  },
  stxb: (s, op) => {
    const at = resolve(s, op.dst, op.off, 1, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 1, 'write');
    return write8(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  stxh: (s, op) => {
    const at = resolve(s, op.dst, op.off, 2, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 2, 'write');
    return write16(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  stxw: (s, op) => {
    const at = resolve(s, op.dst, op.off, 4, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 4, 'write');
    return write32(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  stxdw: (s, op) => {
    const at = resolve(s, op.dst, op.off, 8, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 8, 'write');
    return write64(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  load_acquire_b: (s, op) => {
    const at = resolve(s, op.src, op.off, 1, PERM_READ);
    if (at === 0) return accessFault(s, op, op.src, op.off, 1, 'read');
    readU8(s, op, at);
    fence(s);
    return op.next;
  },
  load_acquire_h: (s, op) => {
    const at = resolve(s, op.src, op.off, 2, PERM_READ);
    if (at === 0) return accessFault(s, op, op.src, op.off, 2, 'read');
    readU16(s, op, at);
    fence(s);
    return op.next;
  },
  load_acquire_w: (s, op) => {
    const at = resolve(s, op.src, op.off, 4, PERM_READ);
    if (at === 0) return accessFault(s, op, op.src, op.off, 4, 'read');
    return isAtomic(s, at, 4) ? acquire32(s, op, at) : readU32(s, op, at);
  },
  load_acquire_dw: (s, op) => {
    const at = resolve(s, op.src, op.off, 8, PERM_READ);
    if (at === 0) return accessFault(s, op, op.src, op.off, 8, 'read');
    return isAtomic(s, at, 8) ? acquire64(s, op, at) : readU64(s, op, at);
  },
  store_release_b: (s, op) => {
    const at = resolve(s, op.dst, op.off, 1, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 1, 'write');
    fence(s);
    return write8(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  store_release_h: (s, op) => {
    const at = resolve(s, op.dst, op.off, 2, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 2, 'write');
    fence(s);
    return write16(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  store_release_w: (s, op) => {
    const at = resolve(s, op.dst, op.off, 4, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 4, 'write');
    if (isAtomic(s, at, 4)) return release32(s, op, at);
    return write32(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  store_release_dw: (s, op) => {
    const at = resolve(s, op.dst, op.off, 8, PERM_WRITE);
    if (at === 0) return accessFault(s, op, op.dst, op.off, 8, 'write');
    if (isAtomic(s, at, 8)) return release64(s, op, at);
    return write64(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  probe_ldxb: (s, op) => {
    const at = resolve(s, op.src, op.off, 1, PERM_READ);
    return at === 0 ? readZero(s, op) : readU8(s, op, at);
  },
  probe_ldxh: (s, op) => {
    const at = resolve(s, op.src, op.off, 2, PERM_READ);
    return at === 0 ? readZero(s, op) : readU16(s, op, at);
  },
  probe_ldxw: (s, op) => {
    const at = resolve(s, op.src, op.off, 4, PERM_READ);
    return at === 0 ? readZero(s, op) : readU32(s, op, at);
  },
  probe_ldxdw: (s, op) => {
    const at = resolve(s, op.src, op.off, 8, PERM_READ);
    return at === 0 ? readZero(s, op) : readU64(s, op, at);
  },
  probe_ldxsb: (s, op) => {
    const at = resolve(s, op.src, op.off, 1, PERM_READ);
    return at === 0 ? readZero(s, op) : readS8(s, op, at);
  },
  probe_ldxsh: (s, op) => {
    const at = resolve(s, op.src, op.off, 2, PERM_READ);
    return at === 0 ? readZero(s, op) : readS16(s, op, at);
  },
  probe_ldxsw: (s, op) => {
    const at = resolve(s, op.src, op.off, 4, PERM_READ);
    return at === 0 ? readZero(s, op) : readS32(s, op, at);
  },
  probe_arena_ldxb: (s, op) => {
    const at = resolveArena(s, op.src, op.off, 1, PERM_READ);
    return at === 0 ? readZero(s, op) : readU8(s, op, at);
  },
  probe_arena_ldxh: (s, op) => {
    const at = resolveArena(s, op.src, op.off, 2, PERM_READ);
    return at === 0 ? readZero(s, op) : readU16(s, op, at);
  },
  probe_arena_ldxw: (s, op) => {
    const at = resolveArena(s, op.src, op.off, 4, PERM_READ);
    return at === 0 ? readZero(s, op) : readU32(s, op, at);
  },
  probe_arena_ldxdw: (s, op) => {
    const at = resolveArena(s, op.src, op.off, 8, PERM_READ);
    return at === 0 ? readZero(s, op) : readU64(s, op, at);
  },
  probe_arena_ldxsb: (s, op) => {
    const at = resolveArena(s, op.src, op.off, 1, PERM_READ);
    return at === 0 ? readZero(s, op) : readS8(s, op, at);
  },
  probe_arena_ldxsh: (s, op) => {
    const at = resolveArena(s, op.src, op.off, 2, PERM_READ);
    return at === 0 ? readZero(s, op) : readS16(s, op, at);
  },
  probe_arena_ldxsw: (s, op) => {
    const at = resolveArena(s, op.src, op.off, 4, PERM_READ);
    return at === 0 ? readZero(s, op) : readS32(s, op, at);
  },
  probe_arena_stb: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 1, PERM_WRITE);
    return at === 0 ? op.next : write8(s, op, at, op.imm, op.immHi);
  },
  probe_arena_sth: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 2, PERM_WRITE);
    return at === 0 ? op.next : write16(s, op, at, op.imm, op.immHi);
  },
  probe_arena_stw: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 4, PERM_WRITE);
    return at === 0 ? op.next : write32(s, op, at, op.imm, op.immHi);
  },
  probe_arena_stdw: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 8, PERM_WRITE);
    return at === 0 ? op.next : write64(s, op, at, op.imm, op.immHi);
  },
  probe_arena_stxb: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 1, PERM_WRITE);
    return at === 0 ? op.next : write8(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  probe_arena_stxh: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 2, PERM_WRITE);
    return at === 0 ? op.next : write16(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  probe_arena_stxw: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 4, PERM_WRITE);
    return at === 0 ? op.next : write32(s, op, at, lo(s, op.src), hi(s, op.src));
  },
  probe_arena_stxdw: (s, op) => {
    const at = resolveArena(s, op.dst, op.off, 8, PERM_WRITE);
    return at === 0 ? op.next : write64(s, op, at, lo(s, op.src), hi(s, op.src));
  },
} satisfies Partial<Record<InsnId, Handler>>;
