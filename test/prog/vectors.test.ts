import { expect, test } from 'vitest';
import { bpfProgFree } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { EVERY_WAY } from '../engines.ts';
import { unhex } from './build.ts';
import { loadVector as load, vectors } from './vectors.ts';

test.each(EVERY_WAY)('programs that Linux 6.18 ran give the same result on $title', ({ engine, options }) => {
  let equal = 0;
  const other: string[] = [];
  const machine = new Machine({ shared: false, ...options });
  for (const vector of vectors) {
    const loaded = load(machine, vector);
    if (!loaded.ok) {
      other.push(`${vector.name}: ${loaded.refusal.message}`);
      continue;
    }
    if (vector.retval === null || vector.data === null) continue;
    const input = { data: unhex(vector.data), attach: 'test_run' } as const;
    const { retval, fault } = runProgram(machine, loaded.prog, engine, input);
    bpfProgFree(machine, loaded.prog);
    if (!fault && retval === vector.retval) equal++;
    else other.push(`${vector.name}: ${fault?.message ?? retval}, the kernel gave ${vector.retval}`);
  }
  console.log(`vectors: ${equal} of ${vectors.length} results compared and equal`);
  expect(other).toEqual([]);
  expect(equal).toBeGreaterThanOrEqual(395);
});

test('stack depths and function starts are those that Linux 6.18 found', () => {
  const other: string[] = [];
  let compared = 0;
  for (const vector of vectors) {
    const loaded = load(new Machine({ shared: false }), vector);
    if (!loaded.ok) continue;
    compared++;
    const depths = loaded.prog.subprogs.map((subprog) => subprog.stackDepth);
    if (String(depths) !== String(vector.stack_depth)) {
      other.push(`${vector.name}: ${depths}, the kernel found ${vector.stack_depth}`);
    }
    expect(loaded.prog.subprogs.length, vector.name).toBe(vector.func_insn_start.length);
  }
  console.log(`vectors: stack depths of ${compared} programs compared`);
  expect(other).toEqual([]);
});

test('no register of a program that the verifier has passed is said to be read without a value', () => {
  for (const vector of vectors) {
    const loaded = load(new Machine({ shared: false }), vector);
    if (loaded.ok) expect(loaded.prog.kinds.uninitialisedReads, vector.name).toEqual([]);
  }
});
