import type { Mem } from '../jit/x86-64/assembler.ts';
import type { X86Operand } from '../jit/x86-64/decode.ts';
import { RAX, RCX } from '../jit/x86-64/registers.ts';
import * as layout from '../vm/layout.ts';
import type { Access, Size } from './memory.ts';
import { type Native, setReg } from './state.ts';

/** Where an operand is. Both give false where memory refuses. */
export interface Place {
  /** Reads it, zero-extended, into `n.lo` and `n.hi`. */
  get(n: Native): boolean;
  /** Writes it as wide as it is; 32 bits of a register clear the upper half. */
  put(n: Native, lo: number, hi: number): boolean;
}

const FIXED: Readonly<Record<string, readonly [reg: number, bits: number]>> = {
  rax: [RAX, 64],
  eax: [RAX, 32],
  ax: [RAX, 16],
  cl: [RCX, 8],
};

/** The place of a decoded operand. Throws RangeError for a distance, which is none. */
export function placeOf(operand: X86Operand | undefined, access: Access): Place {
  switch (operand?.kind) {
    case 'reg':
      return register(operand.reg, operand.bits);
    case 'mem':
      return operand.gs ? perCpu(operand.mem) : memory(operand.mem, (operand.bits / 8) as Size, access);
    case 'imm':
      return constant(
        Number(BigInt.asIntN(32, operand.value)),
        Number(BigInt.asIntN(32, operand.value >> 32n)),
      );
    case 'fixed': {
      const fixed = FIXED[operand.text];
      return fixed === undefined ? constant(Number(operand.text), 0) : register(...fixed);
    }
    default:
      throw new RangeError('this operand has no place');
  }
}

/** A register as an operand of `bits` bits. */
export function register(reg: number, bits: number): Place {
  const at = reg * 2;
  if (bits === 64) {
    return {
      get(n) {
        n.lo = n.regs[at] ?? 0;
        n.hi = n.regs[at + 1] ?? 0;
        return true;
      },
      put(n, lo, hi) {
        n.regs[at] = lo;
        n.regs[at + 1] = hi;
        return true;
      },
    };
  }
  const mask = bits === 32 ? -1 : bits === 16 ? 0xffff : 0xff;
  return {
    get(n) {
      n.lo = (n.regs[at] ?? 0) & mask;
      n.hi = 0;
      return true;
    },
    put(n, lo) {
      if (bits === 32) setReg(n, reg, lo, 0);
      else n.regs[at] = ((n.regs[at] ?? 0) & ~mask) | (lo & mask);
      return true;
    },
  };
}

function constant(lo: number, hi: number): Place {
  return {
    get(n) {
      n.lo = lo;
      n.hi = hi;
      return true;
    },
    put() {
      throw new Error('a constant cannot be written');
    },
  };
}

/** `[base + index * scale + disp]`. */
function memory({ base, index, scale, disp }: Mem, size: Size, access: Access): Place {
  const addressed = (n: Native): void => {
    let lo = disp | 0;
    let hi = disp >> 31;
    if (base >= 0) {
      const baseLo = n.regs[base * 2] ?? 0;
      lo = (lo + baseLo) | 0;
      hi += (access.cutsBase ? 0 : (n.regs[base * 2 + 1] ?? 0)) + (lo >>> 0 < baseLo >>> 0 ? 1 : 0);
    }
    if (index >= 0) {
      const indexLo = (n.regs[index * 2] ?? 0) >>> 0;
      const scaledLo = (indexLo * scale) | 0;
      const scaledHi = (n.regs[index * 2 + 1] ?? 0) * scale + Math.floor((indexLo * scale) / 2 ** 32);
      lo = (lo + scaledLo) | 0;
      hi += scaledHi + (lo >>> 0 < scaledLo >>> 0 ? 1 : 0);
    }
    n.lo = lo;
    n.hi = hi | 0;
  };
  return {
    get(n) {
      addressed(n);
      return access.load(n, n.lo, n.hi, size);
    },
    put(n, low, high) {
      addressed(n);
      return access.store(n, n.lo, n.hi, size, low, high);
    },
  };
}

/** `gs:[this_cpu_off]`, the only per-CPU variable that machine code reads. */
function perCpu({ base, disp }: Mem): Place {
  return {
    get(n) {
      const known = Number(BigInt.asIntN(32, n.text.config.thisCpuOff));
      if (base >= 0 || disp !== known) throw new RangeError(`gs:${disp} is not this_cpu_off`);
      n.lo = 0;
      n.hi = n.s.view.getInt32(n.s.block + layout.CPU_THIS_CPU_OFF_HI, true);
      return true;
    },
    put() {
      throw new Error('per-CPU variables are not written');
    },
  };
}
