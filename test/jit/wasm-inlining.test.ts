import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import { Inlining } from '#core/jit/wasm/inlining.ts';
import { jitOps } from '#core/jit/wasm/ops.ts';
import { linkProgram } from '#core/object/link.ts';
import { type BpfProg, bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { type Outcome, stateOf } from './same-state.ts';

/** Calls in a loop of functions that call others, branch, have two exits and change what calls keep. */
const NESTED = `
r6 = 20
r7 = 1
r0 = 0
loop:
r1 = r6
r2 = r7
call mix
r7 = r0
r1 = r0
call pick
r7 += r0
r6 -= 1
if r6 != 0 goto loop
r0 = r7
exit
mix:
r8 = r2
r9 = 7
r2 += r1
r1 = r2
call rotate
r0 ^= r8
r0 += r9
exit
rotate:
r0 = r1
r1 >>= 41
r0 <<= 23
r0 |= r1
exit
pick:
r0 = 3
if r1 s> 0 goto more
r0 = -3
r4 = 5
exit
more:
r1 &= 1
if r1 == 0 goto out
r0 = 9
r5 = r0
out:
exit
`;

/** Down to the last frame that there is, and there a small function. */
const DEEP = `
r1 = 0
r2 = FRAMES
call down
exit
down:
r1 += 1
*(u64 *)(r10 - 8) = r1
if r1 == r2 goto last
call down
r0 += 1
exit
last:
call outer
exit
outer:
call inner
r0 += 1
exit
inner:
r0 = r1
r0 *= 3
exit
`;

function loaded(text: string): { readonly machine: Machine; readonly prog: BpfProg } {
  const linked = linkProgram(assemble(`.program raw\nmain:\n${text}`, { fileName: 'inlined.bpf.s' }).value);
  if (linked.value === undefined) throw new Error(linked.errors.join('\n'));
  const machine = new Machine({ shared: true });
  const result = bpfProgLoad(machine, linked.value);
  if (!result.ok) throw new Error(result.refusal.message);
  return { machine, prog: result.prog };
}

/** Runs in turns of `budget` instructions, `total` in all. */
function outcome(text: string, engine: Engine, budget: number, total: number): Outcome {
  const { machine, prog } = loaded(text);
  machine.enter(0, prog, 0n, 0n);
  for (;;) {
    const left = total - Number(machine.cpu(0).insnsExecuted);
    const limits = { budget: Math.min(budget, left), breakpoints: false, resume: true };
    const stop = engine.run(machine, 0, limits);
    if (stop.kind === 'budget' && left > limits.budget) continue;
    return { stop, ...stateOf(machine) };
  }
}

function inlinedIn(text: string): number[] {
  const { prog } = loaded(text);
  const inlining = new Inlining(jitOps(prog));
  return prog.subprogs
    .map(({ start }) => start as number)
    .filter((start) => inlining.at(start) !== undefined);
}

test('small functions that compute only are inlined; recursion and what uses the frame are not', () => {
  expect(inlinedIn(NESTED)).toHaveLength(3);
  expect(inlinedIn(DEEP)).toHaveLength(2);
  expect(inlinedIn('r1 = 1\ncall f\nexit\nf:\nif r1 == 0 goto out\nr0 = 1\nr2 = 1\nout:\nexit')).toEqual([]);
  expect(inlinedIn('r1 = 9\ncall f\nexit\nf:\nr0 = 0\nagain:\nr1 -= 1\nif r1 != 0 goto again\nexit')).toEqual(
    [],
  );
});

test('wherever a run stops, the state is that of reference', () => {
  for (let total = 1; total <= 120; total++) {
    const expected = outcome(NESTED, reference, total, total);
    const { stop, executed, memory } = outcome(NESTED, wasm, total, total);
    expect({ total, stop, executed }).toEqual({ total, stop: expected.stop, executed: expected.executed });
    expect(Buffer.compare(memory, expected.memory), `after ${total} instructions`).toBe(0);
  }
});

test.each([4, 5, 7, 11, 16, 31])('the same in turns of %i instructions', (budget) => {
  const expected = outcome(NESTED, reference, budget, 1000);
  const { stop, executed, memory } = outcome(NESTED, wasm, budget, 1000);
  expect({ stop, executed }).toEqual({ stop: expected.stop, executed: expected.executed });
  expect(expected.stop.kind).toBe('exit');
  expect(Buffer.compare(memory, expected.memory)).toBe(0);
});

test.each([
  [5, 'exit'],
  [6, 'fault'],
  [7, 'fault'],
])('frames that an inlined function would take are counted: %i deep ends with %s', (frames, ends) => {
  const text = DEEP.replace('FRAMES', String(frames));
  const expected = outcome(text, reference, 1000, 1000);
  expect(expected.stop.kind).toBe(ends);
  const { stop, executed, memory } = outcome(text, wasm, 1000, 1000);
  expect({ stop, executed }).toEqual({ stop: expected.stop, executed: expected.executed });
  expect(Buffer.compare(memory, expected.memory)).toBe(0);
});
