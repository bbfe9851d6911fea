import { expect, test } from 'vitest';
import { bpfJitProgReleaseOther, bpfProgCloneCreate, bpfProgCloneFree } from '#core/prog/bpf-prog-clone.ts';
import { bpfProgFree, rawBpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { insnsi } from '#core/prog/code.ts';
import { EXIT, R0_0 } from './build.ts';
import { account, machineOf, shellOf } from './shells.ts';

test('a clone has pages of its own with the same instructions and shares the rest', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [R0_0, EXIT]);
  const held = account(machine);
  const clone = bpfProgCloneCreate(machine, prog);
  expect(clone.base).not.toBe(prog.base);
  expect(machine.memory.copy(insnsi(clone), 16)).toEqual(machine.memory.copy(insnsi(prog), 16));
  expect(clone.aux).toBe(prog.aux);
  expect(machine.progAccount).toEqual({ pages: 2, objects: 3 });
  bpfProgCloneFree(machine, clone);
  expect(account(machine)).toEqual(held);
  expect(prog.aux?.block).toBeGreaterThan(0);
  expect(() => rawBpfProgFree(machine, clone)).toThrow('freed before');
});

test('the one that is kept owns everything', () => {
  const machine = machineOf();
  const empty = account(machine);
  const prog = shellOf(machine, [R0_0, EXIT]);
  const clone = bpfProgCloneCreate(machine, prog);
  bpfJitProgReleaseOther(machine, clone, prog);
  expect(prog).toMatchObject({ freed: true, aux: undefined });
  expect(clone.aux?.prog).toBe(clone);
  bpfProgFree(machine, clone);
  expect(account(machine)).toEqual(empty);
});

test('without memory nothing is changed', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [R0_0, EXIT]);
  const held = account(machine);
  machine.memory.failAfter(0);
  expect(() => bpfProgCloneCreate(machine, prog)).toThrow('told to fail');
  expect(account(machine)).toEqual(held);
});
