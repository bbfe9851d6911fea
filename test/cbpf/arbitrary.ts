import fc from 'fast-check';
import { EXTENSIONS } from '#core/cbpf/extensions.ts';
import {
  BPF_MEMWORDS,
  SKF_AD_OFF,
  SKF_LL_OFF,
  SKF_NET_OFF,
  type SockFilter,
  sockFilter,
} from '#core/cbpf/sock-filter.ts';
import { CLASSIC_TABLE, type ClassicRow } from '#core/cbpf/table.ts';

const ROWS: readonly ClassicRow[] = CLASSIC_TABLE;
const ACCEPTED = ROWS.filter((row) => row.accept !== 'none');

/** Constants at which things change. */
export const anyK = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.constantFrom(0x7fffffff, 0x80000000, 0xffffffff, 0xffff, 0x100, 0x800, 31, 32, 64),
  fc.integer({ min: 0, max: 0xffffffff }),
);

/** Extensions whose value a converted program has from `__sk_buff`; the random one has a test of its own. */
const COMPARED = EXTENSIONS.filter(
  (each) => !['SKF_AD_HATYPE', 'SKF_AD_PAY_OFFSET', 'SKF_AD_RANDOM'].includes(each.constant),
);

/** Packet offsets: inside and a little outside, from each header, extensions. */
export const anyOffset = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 70 }) },
  { weight: 1, arbitrary: fc.integer({ min: -4, max: 40 }).map((at) => (SKF_NET_OFF + at) >>> 0) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }).map((at) => SKF_LL_OFF + at) },
  { weight: 3, arbitrary: fc.constantFrom(...COMPARED.map((each) => SKF_AD_OFF + each.offset)) },
);

/** A choice for one instruction; jumps are cut to what the program's length allows. */
interface Draw {
  readonly row: ClassicRow;
  readonly k: number;
  readonly offset: number;
  readonly jt: number;
  readonly jf: number;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  row: fc.constantFrom(...ACCEPTED.filter((row) => !row.id.startsWith('ret'))),
  k: anyK,
  offset: anyOffset,
  jt: fc.integer({ min: 0, max: 255 }),
  jf: fc.integer({ min: 0, max: 255 }),
});

/**
 * A program that passes the kernel's check: all scratch words are written first, jumps stay inside, the
 * last instruction returns. Shrinks by dropping instructions.
 */
export const anyFilter: fc.Arbitrary<readonly SockFilter[]> = fc
  .tuple(
    fc.boolean(),
    fc.array(draw, { minLength: 0, maxLength: 24 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(sockFilter(0x16)) },
      { weight: 1, arbitrary: anyK.map((k) => sockFilter(0x06, k)) },
    ),
  )
  .map(([scratch, draws, ret]) => {
    const prologue = scratch ? Array.from({ length: BPF_MEMWORDS }, (_, k) => sockFilter(0x02, k)) : [];
    const n = draws.length;
    const body = draws.map((each, index) => filterOf(each, n - index, scratch));
    return [...prologue, ...body, ret];
  });

/** `room`: how many instructions follow. */
function filterOf({ row, k, offset, jt, jf }: Draw, room: number, scratch: boolean): SockFilter {
  switch (row.mode) {
    case 'jump':
      return sockFilter(row.code, jt % room);
    case 'cond_k':
      return sockFilter(row.code, k, jt % room, jf % room);
    case 'cond_x':
      return sockFilter(row.code, 0, jt % room, jf % room);
    case 'mem':
      // without the prologue only stores are sure to be legal
      if (!scratch && row.name.startsWith('ld')) return sockFilter(0x07);
      return sockFilter(row.code, k % BPF_MEMWORDS);
    case 'abs':
      return sockFilter(row.code, offset);
    case 'ind':
    case 'msh':
      return sockFilter(row.code, offset < SKF_AD_OFF ? offset : offset & 0x3f);
    case 'imm':
      if (row.name === 'div' || row.name === 'mod') return sockFilter(row.code, k || 1);
      if (row.name === 'lsh' || row.name === 'rsh') return sockFilter(row.code, k & 31);
      return sockFilter(row.code, k);
    default:
      return sockFilter(row.code);
  }
}
