import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeProgram, TABLE_ROWS } from '#core/isa/decode.ts';
import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import { ENGINES } from '#core/session/engines.ts';
import { cli } from '../cli/harness.ts';
import { availableMaps, differences, executors, KernelExecutor } from './differential.ts';
import { type Generated, generate } from './generate.ts';
import { anyRecipe, PROGRAM_TYPES, type Recipe } from './recipe.ts';
import { jsonLine, programReport } from './report.ts';
import { openWitness } from './witness.ts';

/** Another campaign: `FUZZ_SEED=7 FUZZ_PROGRAMS=200000 npx vitest run test/kernel/programs.test.ts`. */
const SEED = Number(process.env.FUZZ_SEED ?? 20260603);
const PROGRAMS = Number(process.env.FUZZ_PROGRAMS ?? 20_400);
/** Of the programs that the generator makes, the kernel has to take so many in a hundred. */
const LEAST_LOADED = 95;
/** Programs among which each instruction is certain to be. */
const MANY = 10_000;
const TIMEOUT = 180_000 + 10 * PROGRAMS;

/** Compiling costs many times what running a small program does: compilers get one program in so many. */
const COMPILED_ONE_IN = 8;

const available = availableMaps();
const interpreters = executors(ENGINES.filter(({ name }) => name === 'reference' || name === 'interp'));
const ours = executors();

let kernel: KernelBridge | undefined;
let witness: KernelExecutor | undefined;
let unpin: (() => void) | undefined;
beforeAll(() => {
  kernel = openWitness('random programs');
  if (kernel === undefined) return;
  const [cpu = 0] = kernel.allowedCpus();
  unpin = kernel.pin(cpu);
  witness = new KernelExecutor(kernel, cpu);
});
afterAll(() => {
  unpin?.();
  kernel?.dispose();
});

/** Throws a report of the smallest program that `check` finds fault with. */
function forAll(
  progType: Recipe['progType'],
  numRuns: number,
  check: (program: Generated) => string[],
): void {
  const property = fc.property(
    anyRecipe(progType),
    (recipe) => check(generate(recipe, available)).length === 0,
  );
  const result = fc.check(property, { seed: SEED, numRuns });
  const found = result.counterexample?.[0];
  if (found === undefined) {
    if (result.failed) throw result.errorInstance;
    return;
  }
  const program = generate(found, available);
  throw new Error(`seed ${SEED}: ${check(program).join('\n')}\n${programReport(program)}`);
}

const covered = new Set<string>();
let compared = 0;
let refused = 0;
/** Those that shrinking tries among them. */
let different = 0;

test.each(PROGRAM_TYPES)(
  `random %s programs do what the kernel does (seed ${SEED})`,
  (progType) => {
    if (witness === undefined) return;
    const kernelSide = witness;
    forAll(progType, Math.ceil(PROGRAMS / PROGRAM_TYPES.length), (program) => {
      const answer = kernelSide.run(program);
      if (answer.refused) {
        refused++;
        return [];
      }
      // What shrinking tries is given to all.
      const sides = different > 0 || compared % COMPILED_ONE_IN === 0 ? ours : interpreters;
      compared++;
      for (const { row } of decodeProgram(program.insns)) if (row) covered.add(row.id);
      const found = sides.flatMap((each) =>
        differences(each.run(program), answer.effects).map((line) => `${each.name}: ${line}`),
      );
      if (found.length > 0) different++;
      return found;
    });
  },
  TIMEOUT,
);

test('the verifier takes what the generator makes, and it makes every instruction', () => {
  if (witness === undefined) return;
  console.log(
    `kernel: ${compared} programs compared, ${refused} refused by the verifier, ${different} different (${ours.map(({ name }) => name).join('; ')}; compilers: one in ${COMPILED_ONE_IN})`,
  );
  expect((100 * compared) / (compared + refused)).toBeGreaterThan(LEAST_LOADED);
  const never = TABLE_ROWS.filter((row) => !row.rewrittenOnly && !covered.has(row.id)).map((row) => row.id);
  console.log(`kernel: rows of the instruction table never generated: ${never.join(', ')}`);
  // a short campaign may miss some
  if (compared >= MANY) expect(never.filter((id) => !(id in NOT_GENERATED))).toEqual([]);
});

/** Instructions that random programs do not have, and why. */
const NOT_GENERATED: Readonly<Record<string, string>> = {
  addr_space_cast: 'wants an arena',
  call_kfunc: 'kernel functions have no fixed numbers',
  callx: 'the verifier refuses it',
  lddw_btf_id: 'kernel variables have no fixed numbers',
  lddw_func: 'wants type information of the function, and a helper that calls back',
  lddw_map_idx: 'wants an array of fds at load',
  lddw_map_idx_value: 'wants an array of fds at load',
};

describe('without a kernel', () => {
  test.each(PROGRAM_TYPES)(
    '%s programs are loaded here, and all engines agree, blinded and not',
    (progType) => {
      forAll(progType, 150, (program) => {
        const [first, ...others] = ours.map((each) => ({ name: each.name, effects: each.run(program) }));
        if (first === undefined || typeof first.effects === 'string')
          return [`${first?.name}: ${first?.effects}`];
        const { effects } = first;
        return others.flatMap((other) =>
          differences(other.effects, effects).map((line) => `${other.name} against ${first.name}: ${line}`),
        );
      });
    },
  );

  test('what is wrong is shrunk to a small program and told in words that run again', () => {
    const isWrong = (program: Generated): string[] =>
      decodeProgram(program.insns).some(({ row }) => row?.id === 'sdiv32_reg') ? ['a division'] : [];
    let text = '';
    try {
      forAll('xdp', 2000, isWrong);
    } catch (error) {
      text = String(error);
    }
    expect(text).toContain('a division');
    expect(text).toMatch(/w\d s\/= w\d/);
    expect(text).toContain('bpf-workbench run --jsonl');
    const [, slots] = /xdp, (\d+) slots/.exec(text) ?? [];
    expect(Number(slots)).toBeLessThan(40);
  });

  test('the line of a report runs again with the same result', async () => {
    const programs = PROGRAM_TYPES.flatMap((progType) =>
      fc
        .sample(anyRecipe(progType), { seed: SEED, numRuns: 10 })
        .map((recipe) => generate(recipe, available)),
    );
    const { stdout } = await cli(['run', '--jsonl'], { stdin: programs.map(jsonLine).join('\n') });
    const answers: { retval?: number }[] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const expected = programs.map((program) => {
      const effects = ours[0]?.run(program);
      return typeof effects === 'object' ? effects.retval : effects;
    });
    expect(answers.map((answer) => answer.retval)).toEqual(expected);
  });
});
