import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import type { StopCause } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { type ExecProg, setBreakpointByte } from '#core/vm/program.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import type { Leg } from '../interp/whole-state.ts';
import { attrOfGenerated, generate } from '../kernel/generate.ts';
import { PROGRAM_MAPS } from '../kernel/program-maps.ts';
import { anyRecipe } from '../kernel/recipe.ts';
import { runInStep } from './whole-state.ts';

const seed = Number(process.env.FUZZ_SEED ?? 0x2a86);
const N = Number(process.env.FUZZ_PROGRAMS ?? 250);

const legs: fc.Arbitrary<readonly Leg[]> = fc
  .array(
    fc.record({
      engine: fc.constantFrom(x86Sim, x86Sim, reference),
      budget: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400 })),
      breakpoints: fc.boolean(),
      resume: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((some) => [...some, { engine: x86Sim, budget: 3000, breakpoints: false, resume: true }]);

const breakpoints = fc.array(fc.nat(), { maxLength: 4 });

function setBreakpoints(prog: ExecProg, slots: readonly number[]): void {
  for (const slot of slots) setBreakpointByte(prog, slot % prog.breakpoints.length, 1);
}

function count(ends: Map<string, number>, cause: StopCause | undefined): void {
  const end = cause?.kind === 'fault' ? `fault ${cause.fault.kind}` : (cause?.kind ?? 'nothing');
  ends.set(end, (ends.get(end) ?? 0) + 1);
}

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
    const all = new Set(PROGRAM_MAPS.keys());
    fc.assert(
      fc.property(recipe, breakpoints, legs, (one, stops, run) => {
        const attr = attrOfGenerated(generate(one, all));
        const machines = [new Machine(options), new Machine(options)] as const;
        for (const machine of machines) {
          const maps = PROGRAM_MAPS.map((def) => createMap(machine, def)).map((map) =>
            isRefusal(map) ? undefined : map,
          );
          const loaded = bpfProgLoad(machine, attr, { maps });
          if (!loaded.ok) return;
          setBreakpoints(loaded.prog, stops);
          const input = { data: one.packet, attach: 'test_run', ctx: one.ctx } as const;
          const { r1, r2 } = prepareInput(machine, 0, loaded.prog, input);
          machine.enter(0, loaded.prog, r1, r2);
        }
        const [, own] = machines;
        if (x86Sim.text(own).of(own.cpu(0).prog) !== undefined) native++;
        count(ends, runInStep(machines, run));
      }),
      { seed, numRuns: N },
    );
    console.log('programs that a verifier would take:', Object.fromEntries(ends), `${native} native`);
    expect(ends.get('exit')).toBeGreaterThan(N / 2);
    expect(native).toBeGreaterThan(N / 2);
  }, 120_000);
});
