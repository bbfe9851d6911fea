import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import type { Engine } from '#core/interp/engine.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { ENGINES } from '#core/session/engines.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOfGenerated, generate } from '../kernel/generate.ts';
import { PROGRAM_MAPS } from '../kernel/program-maps.ts';
import { anyRecipe, type Recipe } from '../kernel/recipe.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 0x1d9e);
const N = Number(process.env.FUZZ_PROGRAMS ?? 80);

/** What the judge saw and where the engine stopped, with the registers at each place. */
function runOn(engine: Engine, recipe: Recipe, slots: readonly number[], stopEvery: number): string[] {
  const machine = new Machine({ shared: false, nCpus: 2 });
  const maps = PROGRAM_MAPS.map((def) => createMap(machine, def)).map((map) =>
    isRefusal(map) ? undefined : map,
  );
  const attr = attrOfGenerated(generate(recipe, new Set(PROGRAM_MAPS.keys())));
  const loaded = bpfProgLoad(machine, attr, { maps });
  if (!loaded.ok) return [loaded.refusal.message];
  const { prog } = loaded;
  for (const slot of slots) prog.breakpoints.set(prog.firstXlated[slot % (attr.insns.length / 8)] ?? 0, 1);
  const { r1, r2 } = prepareInput(machine, 0, prog, {
    data: recipe.packet,
    attach: 'test_run',
    ctx: recipe.ctx,
  });
  const cpu = machine.cpu(0);
  machine.enter(0, prog, r1, r2);
  const seen: string[] = [];
  const note = (what: string): void => {
    const registers = Array.from({ length: 11 }, (_, n) => cpu.readReg(n).toString(16));
    seen.push(`${what} ${cpu.prog.name} ${cpu.pc} depth ${cpu.depth}: ${registers.join(' ')}`);
  };
  let asked = 0;
  const passes = (of: unknown, slot: number): boolean => {
    expect([of, slot]).toEqual([cpu.prog, cpu.pc]);
    const isPassed = ++asked % stopEvery !== 0;
    if (isPassed) note('passed');
    return isPassed;
  };
  for (let resume = false; seen.length < 200; resume = true) {
    const { kind } = engine.run(machine, 0, { budget: 5000, breakpoints: true, resume, passes });
    note(kind === 'breakpoint' ? kind : `${kind} after ${cpu.insnsExecuted}`);
    if (kind !== 'breakpoint') break;
  }
  return seen;
}

test(`a judge sees the same breakpoints in the same state on every engine (seed ${SEED})`, () => {
  let passed = 0;
  const recipe = fc
    .constantFrom('xdp', 'sched_cls', 'socket_filter')
    .chain((type) => anyRecipe(type as 'xdp'));
  const slots = fc.array(fc.nat(), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(recipe, slots, fc.integer({ min: 2, max: 9 }), (one, where, stopEvery) => {
      const [reference, ...others] = ENGINES.map((engine) => runOn(engine, one, where, stopEvery));
      for (const [i, other] of others.entries()) expect(other, ENGINES[i + 1]?.name).toEqual(reference);
      passed += reference?.filter((text) => text.startsWith('passed')).length ?? 0;
    }),
    { seed: SEED, numRuns: N },
  );
  expect(passed).toBeGreaterThan(N);
}, 240_000);
