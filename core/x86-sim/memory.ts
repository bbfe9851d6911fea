import { inlinedLoad } from '../interp/inlined.ts';
import { mayGotoSlot } from '../interp/kernel-functions.ts';
import { fault, STOP } from '../interp/op.ts';
import { R12 } from '../jit/x86-64/registers.ts';
import { accessProblem } from '../vm/access-fault.ts';
import { PERM_READ, PERM_WRITE } from '../vm/layout.ts';
import { checkedLinear, checkedStore } from '../vm/region-table.ts';
import { loadKernelWord } from './kernel-words.ts';
import type { AccessMode } from './native-func.ts';
import { type Native, syncOut } from './state.ts';

/** Bytes of an access. */
export type Size = 1 | 2 | 4 | 8;

/** Memory as one kind of machine code sees it. Addresses in words, signed. */
export interface Access {
  /**
   * The base register counts as 32 bits: what the verifier's casts see to in front of an access to an arena, and what
   * the other engines take for granted.
   */
  readonly cutsBase?: true;
  /**
   * Reads into `n.lo`, `n.hi`, zero-extended; false: it was refused, and `n.skip` or `n.s.stop` says what follows.
   */
  load(n: Native, lo: number, hi: number, size: Size): boolean;
  /** Writes; false as above. */
  store(n: Native, lo: number, hi: number, size: Size, low: number, high: number): boolean;
}

/** The program's own loads and stores, checked as in all engines; `type` is what the BPF instruction does. */
function checked(type: 'read' | 'write'): Access {
  return {
    load(n, lo, hi, size) {
      const at = checkedAt(n, lo, hi, size, type);
      return at === 0 ? refuse(n, lo, hi, size, type) : loadLinear(n, at, size);
    },
    store(n, lo, hi, size, low, high) {
      const at = checkedAt(n, lo, hi, size, 'write');
      return at === 0 ? refuse(n, lo, hi, size, 'write') : storeLinear(n, at, size, low, high);
    },
  };
}

/** Loads that may fault: the exception table has the destination set to 0. */
const PROBE: Access = {
  load(n, lo, hi, size) {
    const at = checkedAt(n, lo, hi, size, 'read');
    if (at !== 0) return loadLinear(n, at, size);
    n.lo = 0;
    n.hi = 0;
    return true;
  },
  store: notHere,
};

/** The same in an arena: around it lies nothing. */
const ARENA_READ: Access = {
  cutsBase: true,
  load: (n, lo, hi, size) => PROBE.load(n, lo, hi === arenaHi(n) ? hi : 0, size),
  store: notHere,
};

/** Stores into an arena: passed over where they fault. */
const ARENA_WRITE: Access = {
  cutsBase: true,
  load(n, lo, hi, size) {
    const at = hi === arenaHi(n) ? checkedAt(n, lo, hi, size, 'write') : 0;
    return at === 0 ? passOver(n) : loadLinear(n, at, size);
  },
  store(n, lo, hi, size, low, high) {
    const at = hi === arenaHi(n) ? checkedAt(n, lo, hi, size, 'write') : 0;
    return at === 0 ? passOver(n) : storeLinear(n, at, size, low, high);
  },
};

/** The counter of a `may_goto` below a frame that is full. */
const BELOW: Access = {
  load: (n, _lo, _hi, size) => loadLinear(n, mayGotoSlot(n.s, n.cur.off, PERM_READ), size),
  store: (n, _lo, _hi, size, low, high) =>
    storeLinear(n, mayGotoSlot(n.s, n.cur.off, PERM_WRITE), size, low, high),
};

/** What the JIT adds of its own: its words on the stack, and the kernel's structs that a tail call reads. */
const NATIVE: Access = {
  load(n, lo, hi, size) {
    if (n.stack.has(lo, hi, size)) {
      n.stack.load(lo, hi, size);
      n.lo = n.stack.lo;
      n.hi = n.stack.hi;
      return true;
    }
    loadKernelWord(n, lo, hi, size);
    return true;
  },
  store(n, lo, hi, size, low, high) {
    n.stack.store(lo, hi, size, low, high);
    return true;
  },
};

/** Memory by what the machine code around an instruction is for. */
export const ACCESS: Readonly<Record<AccessMode, Access>> = {
  native: NATIVE,
  read: checked('read'),
  write: checked('write'),
  probe: PROBE,
  'arena-read': ARENA_READ,
  'arena-write': ARENA_WRITE,
  below: BELOW,
};

/** High word of the arena's address, which r12 holds. */
function arenaHi(n: Native): number {
  return n.regs[R12 * 2 + 1] ?? 0;
}

function notHere(): never {
  throw new Error('a load has written');
}

function passOver(n: Native): false {
  n.skip = true;
  return false;
}

/** Linear address of an access that is allowed; else 0. */
function checkedAt(n: Native, lo: number, hi: number, size: Size, type: 'read' | 'write'): number {
  return type === 'write'
    ? checkedStore(n.s, hi, lo >>> 0, size)
    : checkedLinear(n.s, hi, lo >>> 0, size, PERM_READ);
}

/** A page fault: back from rip to the BPF instruction, with the text that all engines have. */
function refuse(n: Native, lo: number, hi: number, size: Size, type: 'read' | 'write'): false {
  const { s, cur, info } = n;
  const addr = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  const problem = accessProblem(s.machine.space, addr, size, type);
  if (problem === undefined) throw new Error(`the region table refuses what may be accessed: ${addr}`);
  syncOut(n);
  fault(s, cur, problem);
  if (info.inlined !== 0) inlinedLoad(info.inlined, () => STOP)(s, cur);
  return false;
}

function loadLinear(n: Native, at: number, size: Size): true {
  const { view } = n.s;
  n.hi = 0;
  if (size === 1) n.lo = view.getUint8(at);
  else if (size === 2) n.lo = view.getUint16(at, true);
  else {
    n.lo = view.getInt32(at, true);
    if (size === 8) n.hi = view.getInt32(at + 4, true);
  }
  return true;
}

function storeLinear(n: Native, at: number, size: Size, low: number, high: number): true {
  const { view } = n.s;
  if (size === 1) view.setInt8(at, low);
  else if (size === 2) view.setInt16(at, low, true);
  else {
    view.setInt32(at, low, true);
    if (size === 8) view.setInt32(at + 4, high, true);
  }
  return true;
}
