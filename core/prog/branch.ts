import { constantOf, KIND_CONST, kindOf, type Value } from './lattice.ts';

/**
 * Which way a branch goes whose operands are known numbers: true taken, false not, undefined unknown.
 * `opcode` of class JMP or JMP32 with a condition.
 */
export function branchTaken(opcode: number, dst: Value, src: Value): boolean | undefined {
  if (kindOf(dst) !== KIND_CONST || kindOf(src) !== KIND_CONST) return undefined;
  const a = constantOf(dst);
  const b = constantOf(src);
  const narrow = (opcode & 7) === 6;
  // Sign-extended to 64 bits, negative numbers are the greatest unsigned ones, in the same order.
  const unsigned = (x: number): number => (x >= 0 ? x : narrow ? x + 2 ** 32 : x + 2 ** 33);
  switch (opcode & 0xf0) {
    case 0x10:
      return a === b;
    case 0x20:
      return unsigned(a) > unsigned(b);
    case 0x30:
      return unsigned(a) >= unsigned(b);
    case 0x40:
      return (a & b) !== 0;
    case 0x50:
      return a !== b;
    case 0x60:
      return a > b;
    case 0x70:
      return a >= b;
    case 0xa0:
      return unsigned(a) < unsigned(b);
    case 0xb0:
      return unsigned(a) <= unsigned(b);
    case 0xc0:
      return a < b;
    case 0xd0:
      return a <= b;
    default:
      return undefined;
  }
}
