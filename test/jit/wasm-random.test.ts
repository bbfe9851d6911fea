import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { decodeProgram } from '#core/isa/decode.ts';
import { printInsn } from '#core/isa/print.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import { flowFrom } from '#core/jit/wasm/flow.ts';
import { jitOps } from '#core/jit/wasm/ops.ts';
import { encode, load, newMachine } from '../interp/build.ts';
import { type RandomProgram, randomProgram } from './random-program.ts';
import { firstDifference, type Outcome, runOn } from './same-state.ts';

const WHOLE = Number.POSITIVE_INFINITY;
const LIMIT = 3000;
const N = Number(process.env.WASM_PROGRAMS ?? 1000);

const ENDS = new Map<string, number>();

function note(outcome: Outcome): void {
  const { stop } = outcome;
  const end = stop.kind === 'fault' ? stop.fault.kind : stop.kind;
  ENDS.set(end, (ENDS.get(end) ?? 0) + 1);
}

function same(program: RandomProgram, a: Outcome, b: Outcome): void {
  const difference = firstDifference(a, b);
  if (difference === undefined && a.executed === b.executed && isDeepStrictEqual(a.stop, b.stop)) return;
  const text = decodeProgram(encode(program.slots)).map(
    (each) => `${each.index}: ${printInsn(each, 'kernel')}`,
  );
  expect({ stop: b.stop, executed: b.executed, difference }, text.join('\n')).toEqual({
    stop: a.stop,
    executed: a.executed,
    difference: undefined,
  });
}

test('random programs leave the same state on reference and wasm, whatever ends them', () => {
  let irreducible = 0;
  fc.assert(
    fc.property(randomProgram, (program) => {
      const a = runOn(program.slots, [{ engine: reference, budget: WHOLE }], LIMIT);
      const b = runOn(program.slots, [{ engine: wasm, budget: WHOLE }], LIMIT);
      note(a);
      const { reducible } = flowFrom(jitOps(load(newMachine(), program.slots)), 0);
      if (!reducible) irreducible++;
      same(program, a, b);
    }),
    { seed: Number(process.env.FUZZ_SEED ?? 21), numRuns: N },
  );
  console.log(`ends: ${[...ENDS].map(([end, n]) => `${end} ${n}`).join(', ')}; irreducible ${irreducible}`);
  expect(irreducible).toBeGreaterThan(N / 60);
}, 300_000);

test('random programs end the same when the engines take turns', () => {
  const turn = fc.record({
    engine: fc.constantFrom(reference, wasm, wasm),
    budget: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 30, max: 700 })),
  });
  fc.assert(
    fc.property(randomProgram, fc.array(turn, { minLength: 2, maxLength: 6 }), (program, turns) => {
      const a = runOn(program.slots, [{ engine: reference, budget: WHOLE }], LIMIT);
      const b = runOn(program.slots, turns, LIMIT, { shared: true });
      same(program, a, b);
    }),
    { seed: Number(process.env.FUZZ_SEED ?? 22), numRuns: N / 2 },
  );
}, 300_000);
