import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { Machine } from '#core/vm/machine.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { breakpointSlots, countEnd, legsOf } from '../interp/legs.ts';
import { runInStep } from '../interp/whole-state.ts';
import { enterGenerated } from '../kernel/enter-generated.ts';
import { anyRecipe } from '../kernel/recipe.ts';

const seed = Number(process.env.FUZZ_SEED ?? 0x2a86);
const N = Number(process.env.FUZZ_PROGRAMS ?? 250);

const legs = legsOf({ among: [x86Sim, x86Sim, reference], last: [x86Sim] });

describe.each([
  ['as loaded', 0],
  ['with constants blinded', 2],
] as const)('programs that a verifier would take, %s', (_, bpfJitHarden) => {
  const options = { shared: false, settings: { bpfJitHarden }, blindSeed: 7, nCpus: 2 } as const;

  test(`${N} programs: the same state at every stop`, () => {
    const ends = new Map<string, number>();
    let native = 0;
    const recipe = fc
      .constantFrom('xdp', 'sched_cls', 'socket_filter')
      .chain((type) => anyRecipe(type as 'xdp'));
    fc.assert(
      fc.property(recipe, breakpointSlots, legs, (one, stops, run) => {
        const machines = [new Machine(options), new Machine(options)] as const;
        if (!machines.every((machine) => enterGenerated(machine, one, stops))) return;
        const [, own] = machines;
        if (x86Sim.text(own).of(own.cpu(0).prog) !== undefined) native++;
        countEnd(ends, runInStep(machines, run));
      }),
      { seed, numRuns: N },
    );
    console.log('programs that a verifier would take:', Object.fromEntries(ends), `${native} native`);
    expect(ends.get('exit')).toBeGreaterThan(N / 2);
    expect(native).toBeGreaterThan(N / 2);
  }, 120_000);
});
