import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { Machine } from '#core/vm/machine.ts';
import { nativeRegisters } from '#core/x86-sim/view.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { stateWithoutAx } from '../interp/whole-state.ts';
import { enterGenerated } from '../kernel/enter-generated.ts';
import { anyRecipe, type Recipe } from '../kernel/recipe.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 0x57e9);
const N = Number(process.env.FUZZ_PROGRAMS ?? 40);
const MOST = 4000;

function machineWith(recipe: Recipe): Machine | undefined {
  const machine = new Machine({ shared: false, nCpus: 2 });
  if (!enterGenerated(machine, recipe, [])) return undefined;
  return x86Sim.text(machine).of(machine.cpu(0).prog) === undefined ? undefined : machine;
}

const ripOf = (machine: Machine): bigint | undefined => {
  const n = x86Sim.at(machine, 0);
  return n && nativeRegisters(n).rip;
};

/** Where rip stands before each native instruction of a run; undefined: it does not come to its end. */
function visits(machine: Machine): bigint[] | undefined {
  const rips: bigint[] = [];
  while (rips.length < MOST) {
    rips.push(ripOf(machine) ?? 0n);
    const cause = x86Sim.step(machine, 0);
    if (cause?.kind !== 'budget') return rips;
  }
  return undefined;
}

test(`random programs, breakpoints by address and native steps in turn: each visit stops once (seed ${SEED})`, () => {
  let stops = 0;
  const recipe = fc
    .constantFrom('xdp', 'sched_cls', 'socket_filter')
    .chain((type) => anyRecipe(type as 'xdp'));
  const chances = fc.array(fc.nat(9), { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(recipe, chances, (one, chance) => {
      const [stepped, run, plain] = [machineWith(one), machineWith(one), machineWith(one)];
      if (stepped === undefined || run === undefined || plain === undefined) return;
      const all = visits(stepped);
      if (all === undefined) return;
      const chosen = new Set(all.filter((rip) => (chance[Number(rip % 20n)] ?? 0) === 0));
      x86Sim.text(run).setAddressBreakpoints(chosen);
      let at = 0;
      for (let round = 0; ; round++) {
        const isStep = (chance[round % 20] ?? 0) > 6;
        const limits = { budget: Number.POSITIVE_INFINITY, breakpoints: true, resume: round > 0 };
        const cause = isStep ? x86Sim.step(run, 0) : x86Sim.run(run, 0, limits);
        const next = isStep
          ? at + 1
          : all.findIndex((rip, i) => i >= at + (round > 0 ? 1 : 0) && chosen.has(rip));
        if (next < 0 || next >= all.length) {
          expect(['exit', 'fault']).toContain(cause?.kind);
          break;
        }
        expect([cause?.kind, ripOf(run)]).toEqual([isStep ? 'budget' : 'breakpoint', all[next]]);
        at = next;
        stops++;
      }
      reference.run(plain, 0, { budget: Number.POSITIVE_INFINITY, breakpoints: false, resume: false });
      for (const machine of [stepped, run]) {
        expect(stateWithoutAx(machine)).toEqual(stateWithoutAx(plain));
      }
    }),
    { seed: SEED, numRuns: N },
  );
  expect(stops).toBeGreaterThan(5 * N);
}, 240_000);
