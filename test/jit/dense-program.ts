import { INSN_SIZE, writeInsn } from '#core/isa/insn.ts';

/** Numbers at which encodings change. */
const EDGES = [0, 1, 2, -1, 127, 128, -128, -129, 255, 256, 0x7fff_ffff, -0x8000_0000, 31, 63];
const WIDE: readonly (readonly [number, number])[] = [[0, 0], [1, 0], [-1, 0], [0, 1], [-0x8000_0000, -1], [0x7fff_ffff, -1], [0x1234_5678, 0x89ab_cde]]; // biome-ignore format: pairs
const LOADS = [0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91];
const STORES = [0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b];
const ATOMICS = [0, 0x40, 0x50, 0xa0, 1, 0x41, 0x51, 0xa1, 0xe1, 0xf1];
const OFFSETS = [0, 8, 120, 128, 1024, 2048, 4000];
/** Bytes of the map value that the programs access. */
export const VALUE_BYTES = 4096;

interface Fields {
  readonly op: number;
  readonly dst?: number;
  readonly src?: number;
  readonly off?: number;
  readonly imm?: number;
  readonly nextImm?: number;
  /** Step that a jump leads to. */
  readonly to?: number;
}

/** A sequence of numbers that is the same for the same seed (xorshift, 32 bits). */
function numbers(seed: number): (below: number) => number {
  let x = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/**
 * A program of about `steps` instructions that the verifier takes: arithmetic of all kinds on all registers,
 * loads, stores and atomic operations of all widths on the value of map 0 (through any register) and on the
 * stack, and many forward jumps of all lengths. Deterministic.
 */
export function denseProgram(seed: number, steps: number): Uint8Array {
  const below = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const base = below(10);
  const regs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((reg) => reg !== base);
  const imm = (): number => (below(3) > 0 ? pick(EDGES) : below(0x1_0000_0000) | 0);
  const code: Fields[] = [{ op: 0x18, dst: base, src: 2, imm: 0, nextImm: 0 }];
  for (const dst of regs) code.push({ op: 0x79, dst, src: base, off: 8 * dst });
  for (let slot = 1; slot <= 8; slot++) code.push({ op: 0x7a, dst: 10, off: -8 * slot, imm: imm() });
  const first = code.length;
  for (let i = 0; i < steps; i++) code.push(...step(i));
  return encode(code);

  function step(i: number): Fields[] {
    const dst = pick(regs);
    const src = pick(regs);
    const kind = below(100);
    if (kind < 40) return [arithmetic(dst, src)];
    if (kind < 62) return [memory(base, dst, src, pick(OFFSETS))];
    if (kind < 70) return [atomic(dst, src, pick(OFFSETS))];
    if (kind < 78) return [memory(10, dst, src, -8 * (1 + below(8)))];
    const to = (): number => first + Math.min(steps, i + 1 + below(1 + below(60)));
    const op = (pick([5, 6]) as number) | (pick([1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13]) << 4);
    return [below(2) ? { op, dst, imm: imm(), to: to() } : { op: op | 8, dst, src, to: to() }];
  }

  function arithmetic(dst: number, src: number): Fields {
    const cls = pick([4, 7]);
    const kind = below(20);
    if (kind === 0) return { op: cls | 0x80, dst };
    if (kind === 1) return { op: pick([0xd4, 0xdc, 0xd7]), dst, imm: pick([16, 32, 64]) };
    if (kind === 2) return { op: cls | 0xb8, dst, src, off: pick(cls === 7 ? [0, 8, 16, 32] : [0, 8, 16]) };
    if (kind === 3) return { op: cls | 0xb0, dst, imm: imm() };
    if (kind === 4) {
      const [lo, hi] = pick(WIDE);
      return { op: 0x18, dst, imm: lo, nextImm: hi };
    }
    const op = cls | (pick([0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 12]) << 4);
    const isShift = [6, 7, 12].includes(op >> 4);
    const isDivision = [3, 9].includes(op >> 4);
    const off = isDivision ? below(2) : 0;
    if (below(2)) return { op: op | 8, dst, src, off };
    if (isShift) return { op, dst, imm: below(cls === 7 ? 64 : 32) };
    return { op, dst, off, imm: isDivision ? imm() || 7 : imm() };
  }

  function memory(at: number, dst: number, src: number, off: number): Fields {
    if (below(2)) return { op: pick(LOADS), dst, src: at, off };
    const op = pick(STORES);
    return (op & 7) === 2 ? { op, dst: at, off, imm: imm() } : { op, dst: at, src, off };
  }

  function atomic(dst: number, src: number, off: number): Fields {
    const kind = below(4);
    if (kind === 0) return { op: pick([0xdb, 0xc3, 0xcb, 0xd3]), dst, src: base, off, imm: 0x100 };
    if (kind === 1) return { op: pick([0xdb, 0xc3, 0xcb, 0xd3]), dst: base, src, off, imm: 0x110 };
    const op = pick(ATOMICS);
    // R0 holds the expected value, so it cannot be the pointer.
    return { op: pick([0xdb, 0xc3]), dst: base, src, off, imm: op === 0xf1 && base === 0 ? 0xe1 : op };
  }
}

function encode(code: readonly Fields[]): Uint8Array {
  const all: readonly Fields[] = [...code, { op: 0xb7, dst: 0, imm: 0 }, { op: 0x95 }];
  const at: number[] = [];
  let slots = 0;
  for (const { op } of all) {
    at.push(slots);
    slots += op === 0x18 ? 2 : 1;
  }
  const bytes = new Uint8Array(slots * INSN_SIZE);
  for (const [i, { op, dst = 0, src = 0, off = 0, imm = 0, nextImm = 0, to }] of all.entries()) {
    const slot = at[i] ?? 0;
    const distance = to === undefined ? off : (at[to] ?? 0) - slot - 1;
    writeInsn(bytes, slot, { opcode: op, dst, src, off: distance, imm });
    if (op === 0x18) writeInsn(bytes, slot + 1, { opcode: 0, dst: 0, src: 0, off: 0, imm: nextImm });
  }
  return bytes;
}
