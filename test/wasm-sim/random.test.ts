import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { anyProgram } from '../agreement/pieces.ts';
import { Side } from '../agreement/side.ts';
import { write } from '../agreement/writer.ts';
import { EVERY_WAY } from '../engines.ts';
import { Stepping } from './stepping.ts';

/** Another campaign: `FUZZ_SEED=7 FUZZ_PROGRAMS=10000 npx vitest run test/wasm-sim/random.test.ts`. */
const SEED = Number(process.env.FUZZ_SEED ?? 0x5717);
const N = Number(process.env.FUZZ_PROGRAMS ?? 100);

const REFERENCE = EVERY_WAY.filter(({ engine }) => engine === reference);

test.each(REFERENCE)(
  `${N} random programs: code computes what the machine does, and stepping changes no result ($title, seed ${SEED})`,
  (way) => {
    const stepping = new Stepping();
    const first = new Side(way);
    const second = new Side({ ...way, title: 'stepped', engine: stepping });
    fc.assert(
      fc.property(anyProgram, (program) => {
        const { insns } = write(program);
        const wanted = first.run(program, insns);
        const got = second.run(program, insns);
        if (!isDeepStrictEqual(got, wanted)) expect(got).toEqual(wanted);
      }),
      { seed: SEED, numRuns: N },
    );
    expect(stepping.steps).toBeGreaterThan(100 * N);
    expect(stepping.unexpected).toBeLessThan(stepping.arrivals / 1000);
  },
  240_000,
);
