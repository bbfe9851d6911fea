import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import { reference } from '#core/interp/reference.ts';
import { X86_PRESETS } from '#core/jit/x86-64/config.ts';
import { Machine } from '#core/vm/machine.ts';
import { X86Sim, x86Sim } from '#core/x86-sim/x86-sim.ts';
import { legsOf, setBreakpoints } from '../interp/legs.ts';
import { runInStep } from '../interp/whole-state.ts';
import { unhex } from '../prog/build.ts';
import { furtherVectors, loadVector, vectors } from '../prog/vectors.ts';

const SEED = 0x86;
const ALL = [...vectors, ...furtherVectors];
/** Other machines than the recorded one: their instructions stand in no other program. */
const OTHERS = [
  ['with IBT', new X86Sim(X86_PRESETS['linux-6.18-ibt'])],
  ['plain ret', new X86Sim({ ...X86_PRESETS['plain-ret'], sls: true })],
  ['without BMI2', new X86Sim({ ...X86_PRESETS['linux-6.18'], bmi2: false })],
] as const;

const legs = (engine: X86Sim) =>
  legsOf({
    among: [engine, engine, reference],
    last: [engine],
    most: 6,
    budget: fc.integer({ min: 1, max: 40 }),
  });

describe.each([
  ['as loaded', 0],
  ['with constants blinded', 2],
] as const)('programs that Linux ran, %s', (_, bpfJitHarden) => {
  const options = { shared: false, settings: { bpfJitHarden }, blindSeed: 7, nCpus: 2 } as const;

  test.each([['default', x86Sim] as const, ...OTHERS])(
    'the same state at every stop: %s',
    (_name, engine) => {
      const samples = fc.sample(legs(engine), { seed: SEED, numRuns: ALL.length });
      let compared = 0;
      for (const [index, vector] of ALL.entries()) {
        if (vector.data === null || (engine !== x86Sim && index % 8 !== bpfJitHarden)) continue;
        const data = unhex(vector.data);
        const machines = [new Machine(options), new Machine(options)] as const;
        const ready = machines.every((machine) => {
          const loaded = loadVector(machine, vector);
          if (!loaded.ok) return false;
          setBreakpoints(loaded.prog, [index, index * 7]);
          const { r1, r2 } = prepareInput(machine, 0, loaded.prog, { data, attach: 'test_run' });
          machine.enter(0, loaded.prog, r1, r2);
          return true;
        });
        if (!ready) continue;
        try {
          runInStep(machines, samples[index] ?? []);
        } catch (error) {
          throw new Error(`${vector.name}: ${error instanceof Error ? error.message : error}`, {
            cause: error,
          });
        }
        compared++;
      }
      expect(compared).toBeGreaterThan(engine === x86Sim ? 1000 : 120);
    },
    60_000,
  );
});
