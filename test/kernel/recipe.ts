import fc from 'fast-check';
import type { ProgType } from '#core/object/object.ts';

/** What a step of a recipe becomes; the number is how often it is drawn in comparison with the others. */
const STEP_WEIGHTS = {
  alu: 24,
  mov: 4,
  lddw: 3,
  division: 2,
  branch: 10,
  loop: 2,
  stackStore: 6,
  stackLoad: 6,
  stackPointer: 2,
  spill: 1,
  fill: 1,
  packet: 5,
  memLoad: 7,
  memStore: 7,
  pointerMath: 3,
  atomic: 5,
  acquireRelease: 3,
  ctxLoad: 4,
  ctxStore: 2,
  mapLookup: 3,
  mapUpdate: 1,
  mapDelete: 1,
  mapValue: 5,
  call: 3,
  csumDiff: 1,
  bytesHelper: 2,
  clockHelper: 1,
  tailCall: 1,
  packetLoad: 3,
  mayGoto: 1,
  nop: 1,
  earlyExit: 1,
} as const;

/** Name of a step. */
export type StepKind = keyof typeof STEP_WEIGHTS;

/** One step: what to do, and numbers to make its choices with. */
export interface Step {
  readonly kind: StepKind;
  /** 0 … 65535. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** Signed 32 bits, often a value at which things change. */
  readonly imm: number;
}

/** What a function of the program takes in R1 … R5. */
export type ArgKind = 'scalar' | 'ctx' | 'stack' | 'map';

/** A function beside the main one. */
export interface SubRecipe {
  readonly args: readonly ArgKind[];
  readonly steps: readonly Step[];
}

/** Types of generated programs. */
export const PROGRAM_TYPES = ['sched_cls', 'xdp', 'socket_filter'] as const satisfies readonly ProgType[];

/** A program before typed state has made it one: any recipe gives a program that a verifier should accept. */
export interface Recipe {
  readonly progType: (typeof PROGRAM_TYPES)[number];
  /** Register that keeps the context, 6 … 9. */
  readonly home: number;
  readonly main: readonly Step[];
  readonly subs: readonly SubRecipe[];
  /** Values of R0 … R9 to begin with, where they are no pointer. */
  readonly start: readonly number[];
  readonly packet: Uint8Array;
  /** Fields of the context to run with. */
  readonly ctx: Readonly<Record<string, bigint>>;
}

const weighted: readonly StepKind[] = Object.entries(STEP_WEIGHTS).flatMap(([kind, weight]) =>
  Array<StepKind>(weight).fill(kind as StepKind),
);

const EDGES = [
  0, 1, -1, 2, -2, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, -128, -129, 0x7fff, 0x8000, 0xffff,
  -0x8000, -0x8001, 0x10000, 0x7fffffff, -0x80000000, -0x7fffffff, 0x12345678, 0x55555555, -0x55555556,
];

/** Signed 32-bit numbers, half of them such at which things change. */
export const anyImm: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }),
);

const choice = fc.nat({ max: 0xffff });

const anyStep: fc.Arbitrary<Step> = fc
  .tuple(fc.constantFrom(...weighted), choice, choice, choice, anyImm)
  .map(([kind, a, b, c, imm]) => ({ kind, a, b, c, imm }));

const anySub: fc.Arbitrary<SubRecipe> = fc.record({
  args: fc.array(fc.constantFrom<ArgKind>('scalar', 'scalar', 'scalar', 'ctx', 'stack', 'map'), {
    maxLength: 5,
  }),
  steps: fc.array(anyStep, { maxLength: 12 }),
});

const SHORTEST_PACKET = 14;
const LONGEST_PACKET = 96;
const u32 = fc.bigInt({ min: 0n, max: 0xffffffffn });

/** Fields that BPF_PROG_TEST_RUN takes for a socket buffer. */
const skbCtx: fc.Arbitrary<Record<string, bigint>> = fc.record(
  {
    mark: u32,
    priority: u32,
    ingress_ifindex: fc.constant(1n),
    ifindex: fc.constant(1n),
    'cb[0]': u32,
    'cb[3]': u32,
    tstamp: fc.bigInt({ min: 0n, max: 0x7fffffffffffffffn }),
    // not less than the longest packet
    wire_len: fc.bigInt({ min: BigInt(LONGEST_PACKET), max: 65536n }),
    gso_segs: fc.bigInt({ min: 0n, max: 65535n }),
    gso_size: fc.bigInt({ min: 0n, max: 65535n }),
    hwtstamp: fc.bigInt({ min: 0n, max: 0x7fffffffffffffffn }),
  },
  { requiredKeys: [] },
);

/** Fields that it takes for an XDP context: the packet's extent, some bytes of it being metadata in front. */
function xdpCtx(packet: Uint8Array, choice: number): Record<string, bigint> {
  if (choice % 2 === 0) return {};
  const metadata = Math.min(4 * (choice % 8), (packet.length - SHORTEST_PACKET) & ~3);
  const ifindex = choice % 3 === 0 ? 1n : 0n;
  return { data: BigInt(metadata), data_end: BigInt(packet.length), ingress_ifindex: ifindex };
}

/** A recipe for a program of one type. */
export function anyRecipe(progType: Recipe['progType']): fc.Arbitrary<Recipe> {
  const drawn = fc.record({
    progType: fc.constant(progType),
    home: fc.integer({ min: 6, max: 9 }),
    main: fc.array(anyStep, { maxLength: 32, size: 'max' }),
    subs: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(anySub, { maxLength: 7, size: 'max' }) },
    ),
    start: fc.array(anyImm, { minLength: 10, maxLength: 10 }),
    packet: fc.uint8Array({ minLength: SHORTEST_PACKET, maxLength: LONGEST_PACKET, size: 'max' }),
    ctx: skbCtx,
    extent: choice,
  });
  return drawn.map(({ extent, ctx, ...recipe }) => ({
    ...recipe,
    ctx: progType === 'xdp' ? xdpCtx(recipe.packet, extent) : ctx,
  }));
}
