import { rowById } from '../../isa/decode.ts';
import type { InsnId } from '../../isa/table.ts';
import { OP } from '../../wasm/opcodes.ts';

type Name = keyof typeof OP;

/** A load: bytes, and the instruction that gives all 64 bits of dst. */
export interface Load {
  readonly size: number;
  readonly opcode: number;
  /** Nothing behind it comes before it: a fence follows. */
  readonly isAcquire: boolean;
}

/** A store: bytes, the instruction, and whether it stores the immediate. */
export interface Store {
  readonly size: number;
  readonly opcode: number;
  readonly isImm: boolean;
  /** Nothing in front of it comes after it: a fence precedes. */
  readonly isRelease: boolean;
}

/** An atomic operation on 4 or 8 bytes. */
export interface Atomic {
  readonly size: 4 | 8;
  readonly opcode: number;
  readonly kind: 'plain' | 'fetch' | 'cmpxchg';
}

const LOADS: Readonly<Partial<Record<InsnId, readonly [size: number, name: Name]>>> = {
  ldxb: [1, 'i64_load8_u'],
  ldxh: [2, 'i64_load16_u'],
  ldxw: [4, 'i64_load32_u'],
  ldxdw: [8, 'i64_load'],
  ldxsb: [1, 'i64_load8_s'],
  ldxsh: [2, 'i64_load16_s'],
  ldxsw: [4, 'i64_load32_s'],
  // With a fence. Not the atomic instructions: they would refuse what is not aligned.
  load_acquire_b: [1, 'i64_load8_u'],
  load_acquire_h: [2, 'i64_load16_u'],
  load_acquire_w: [4, 'i64_load32_u'],
  load_acquire_dw: [8, 'i64_load'],
};

const STORES: Readonly<Partial<Record<InsnId, readonly [size: number, name: Name]>>> = {
  stb: [1, 'i64_store8'],
  sth: [2, 'i64_store16'],
  stw: [4, 'i64_store32'],
  stdw: [8, 'i64_store'],
  stxb: [1, 'i64_store8'],
  stxh: [2, 'i64_store16'],
  stxw: [4, 'i64_store32'],
  stxdw: [8, 'i64_store'],
  store_release_b: [1, 'i64_store8'],
  store_release_h: [2, 'i64_store16'],
  store_release_w: [4, 'i64_store32'],
  store_release_dw: [8, 'i64_store'],
};

/** The load that instructions of a row are; undefined: it is none. */
export function loadOf(id: InsnId): Load | undefined {
  const found = LOADS[id];
  return found && { size: found[0], opcode: OP[found[1]], isAcquire: id.startsWith('load_acquire') };
}

/** The store that instructions of a row are; undefined: it is none. */
export function storeOf(id: InsnId): Store | undefined {
  const found = STORES[id];
  if (found === undefined) return undefined;
  const isRelease = id.startsWith('store_release');
  return { size: found[0], opcode: OP[found[1]], isImm: rowById(id).src !== 'r', isRelease };
}

/** The atomic operation that instructions of a row are; undefined: it is none. */
export function atomicOf(id: InsnId): Atomic | undefined {
  const found = /^atomic_(fetch_)?(add|or|and|xor|xchg|cmpxchg)(32|64)$/.exec(id);
  if (found === null) return undefined;
  const name = found[2] ?? '';
  const kind = name === 'cmpxchg' ? 'cmpxchg' : name === 'xchg' || found[1] !== undefined ? 'fetch' : 'plain';
  const opcode = OP[`i${found[3]}_atomic_rmw_${name}` as Name];
  return { size: found[3] === '64' ? 8 : 4, opcode, kind };
}
