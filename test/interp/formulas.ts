import type { InsnId } from '#core/isa/table.ts';

/**
 * RFC 9669 sections 4.1 to 4.3 once more, as formulas on BigInt, written apart from the engine: what
 * each arithmetic instruction makes of dst and src, and when each branch is taken. All unsigned 64 bits.
 */
const U64 = (1n << 64n) - 1n;
const u = (bits: 32 | 64, value: bigint): bigint => BigInt.asUintN(bits, value);
const s = (bits: 32 | 64, value: bigint): bigint => BigInt.asIntN(bits, value);

type Formula = (dst: bigint, src: bigint, bits: 32 | 64) => bigint;

const BINARY: Readonly<Record<string, Formula>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b, n) => (u(n, b) === 0n ? 0n : u(n, a) / u(n, b)),
  mod: (a, b, n) => (u(n, b) === 0n ? a : u(n, a) % u(n, b)),
  sdiv: (a, b, n) => (u(n, b) === 0n ? 0n : s(n, a) / s(n, b)),
  smod: (a, b, n) => (u(n, b) === 0n ? a : s(n, a) % s(n, b)),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, n) => a << (b & BigInt(n - 1)),
  rsh: (a, b, n) => u(n, a) >> (b & BigInt(n - 1)),
  arsh: (a, b, n) => s(n, a) >> (b & BigInt(n - 1)),
  mov: (_, b) => b,
};

const swap = (value: bigint, bytes: number): bigint => {
  let out = 0n;
  for (let i = 0n; i < bytes; i++) out = (out << 8n) | ((value >> (8n * i)) & 0xffn);
  return out;
};

const SPECIAL: Readonly<Record<string, (dst: bigint, src: bigint) => bigint>> = {
  neg64: (a) => -a,
  neg32: (a) => u(32, -a),
  movsx8_64: (_, b) => BigInt.asIntN(8, b),
  movsx16_64: (_, b) => BigInt.asIntN(16, b),
  movsx32_64: (_, b) => BigInt.asIntN(32, b),
  movsx8_32: (_, b) => u(32, BigInt.asIntN(8, b)),
  movsx16_32: (_, b) => u(32, BigInt.asIntN(16, b)),
  le16: (a) => a & 0xffffn,
  le32: (a) => a & 0xffffffffn,
  le64: (a) => a,
  be16: (a) => swap(a, 2),
  be32: (a) => swap(a, 4),
  be64: (a) => swap(a, 8),
  bswap16: (a) => swap(a, 2),
  bswap32: (a) => swap(a, 4),
  bswap64: (a) => swap(a, 8),
};

const CONDITIONS: Readonly<Record<string, (dst: bigint, src: bigint, bits: 32 | 64) => boolean>> = {
  jeq: (a, b, n) => u(n, a) === u(n, b),
  jne: (a, b, n) => u(n, a) !== u(n, b),
  jgt: (a, b, n) => u(n, a) > u(n, b),
  jge: (a, b, n) => u(n, a) >= u(n, b),
  jlt: (a, b, n) => u(n, a) < u(n, b),
  jle: (a, b, n) => u(n, a) <= u(n, b),
  jset: (a, b, n) => u(n, a & b) !== 0n,
  jsgt: (a, b, n) => s(n, a) > s(n, b),
  jsge: (a, b, n) => s(n, a) >= s(n, b),
  jslt: (a, b, n) => s(n, a) < s(n, b),
  jsle: (a, b, n) => s(n, a) <= s(n, b),
};

export interface AluCase {
  readonly id: InsnId;
  readonly operand: 'imm' | 'reg' | 'none';
  /** Value of dst afterwards. */
  result(dst: bigint, src: bigint): bigint;
}

export interface JumpCase {
  readonly id: InsnId;
  readonly operand: 'imm' | 'reg';
  taken(dst: bigint, src: bigint): boolean;
}

/** Every arithmetic row with its formula. */
export function aluCases(): AluCase[] {
  const cases: AluCase[] = [];
  for (const [name, formula] of Object.entries(BINARY)) {
    for (const bits of [32, 64] as const) {
      for (const operand of ['imm', 'reg'] as const) {
        const id = `${name}${bits}_${operand}` as InsnId;
        cases.push({ id, operand, result: (a, b) => u(bits, formula(a, b, bits)) });
      }
    }
  }
  for (const [id, formula] of Object.entries(SPECIAL)) {
    const operand = id.startsWith('movsx') ? 'reg' : 'none';
    cases.push({ id: id as InsnId, operand, result: (a, b) => formula(a, b) & U64 });
  }
  return cases;
}

/** Every conditional branch with its formula. */
export function jumpCases(): JumpCase[] {
  return Object.entries(CONDITIONS).flatMap(([name, condition]) =>
    ([32, 64] as const).flatMap((bits) =>
      (['imm', 'reg'] as const).map((operand) => ({
        id: `${name}${bits}_${operand}` as InsnId,
        operand,
        taken: (a: bigint, b: bigint) => condition(a, b, bits),
      })),
    ),
  );
}

/** Numbers at which carries, signs and widths change. */
export const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  31n,
  32n,
  33n,
  63n,
  64n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x1_00000000n,
  0x1_00000001n,
  0x7fffffff_ffffffffn,
  0x80000000_00000000n,
  0x80000000_00000001n,
  0xffffffff_00000000n,
  0xffffffff_7fffffffn,
  0xffffffff_80000000n,
  0xffffffff_fffffffen,
  0xffffffff_ffffffffn,
  0x01234567_89abcdefn,
  0xfedcba98_76543210n,
];

/** The same for 32-bit immediates. */
export const IMMEDIATES: readonly number[] = [
  0, 1, 2, 3, 31, 32, 63, 64, 255, 65535, 2147483647, -2147483648, -1, -2, -3, -128, 0x12345678,
];
