import fc from 'fast-check';
import type { ProgType } from '#core/object/object.ts';

/** What a piece of a function becomes; the number is how often it is drawn in comparison with the others. */
const WEIGHTS = {
  alu: 26,
  constant: 4,
  pointer: 4,
  stack: 14,
  data: 10,
  value: 4,
  atomic: 4,
  anyAccess: 1,
  branch: 8,
  jump: 1,
  back: 2,
  irreducible: 3,
  mayGoto: 1,
  call: 5,
  recursion: 2,
  tailCall: 2,
  lookup: 4,
  update: 2,
  delete: 1,
  print: 1,
  clock: 1,
  packetBytes: 2,
  adjust: 1,
  packetLoad: 2,
  earlyExit: 1,
  forget: 1,
  unknownHelper: 0.2,
  wrongArgument: 0.5,
  readOnly: 0.5,
} as const;

/** Name of a piece. */
export type PieceKind = keyof typeof WEIGHTS;

/** One piece: what to do, and numbers to make its choices with. */
export interface Piece {
  readonly kind: PieceKind;
  /** 0 … 65535. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** Signed 32 bits. */
  readonly imm: number;
}

/** Types of the programs: memory without a context, and both kinds of packets. */
export const TYPES = ['raw', 'xdp', 'sched_cls'] as const satisfies readonly ProgType[];

/** A program before it is written: every recipe can be written, a shorter one gives a shorter program. */
export interface AnyProgram {
  readonly progType: (typeof TYPES)[number];
  /** The main function first. */
  readonly functions: readonly (readonly Piece[])[];
  /** So many functions begin with a call of the next one. */
  readonly chain: number;
  /** R5 at the start, which recursion counts down. */
  readonly depth: number;
  readonly data: Uint8Array;
  /** Number of an instruction whose opcode becomes one that is not there once the program is loaded; 0: none. */
  readonly damage: number;
}

const EDGES = [0, 1, -1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 0xffff, 0x7fffffff, -0x80000000, 0x12345678];
const imm = fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: -0x80000000, max: 0x7fffffff }));
const choice = fc.nat({ max: 0xffff });

const kinds = Object.entries(WEIGHTS).flatMap(([kind, weight]) =>
  Array<PieceKind>(weight * 10).fill(kind as PieceKind),
);
const piece: fc.Arbitrary<Piece> = fc
  .tuple(fc.constantFrom(...kinds), choice, choice, choice, imm)
  .map(([kind, a, b, c, imm]) => ({ kind, a, b, c, imm }));

/** Programs of any control flow, most of whose accesses hit something. */
export const anyProgram: fc.Arbitrary<AnyProgram> = fc.record({
  progType: fc.constantFrom(...TYPES),
  functions: fc
    .tuple(
      fc.array(piece, { maxLength: 14, size: 'max' }),
      fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 4, arbitrary: fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 2 }) },
        { weight: 2, arbitrary: fc.array(fc.array(piece, { maxLength: 1 }), { maxLength: 9, size: 'max' }) },
      ),
    )
    .map(([main, others]) => [main, ...others]),
  chain: fc.oneof(fc.constant(0), fc.nat({ max: 8 })),
  depth: fc.nat({ max: 12 }),
  data: fc.uint8Array({ minLength: 14, maxLength: 80, size: 'max' }),
  damage: fc.oneof({ weight: 24, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 40 }) }),
});
