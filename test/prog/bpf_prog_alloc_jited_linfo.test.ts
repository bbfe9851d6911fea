import { expect, test } from 'vitest';
import { bpfProgAllocJitedLinfo, jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { EXIT, R0_0 } from './build.ts';
import { account, machineOf, shellOf } from './shells.ts';

test('an address of 0 for each line record', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [R0_0, R0_0, EXIT], { lines: [0, 2] });
  const before = machine.progAccount.objects;
  bpfProgAllocJitedLinfo(machine, prog);
  expect(machine.progAccount.objects).toBe(before + 1);
  expect(jitedLinfo(machine, prog)).toEqual([0n, 0n]);
});

test.each([
  ['without line info', machineOf(), []],
  ['without native code wanted', machineOf({ bpfJitEnable: 0 }), [0, 1]],
])('%s nothing is allocated', (_, machine, lines) => {
  const prog = shellOf(machine, [R0_0, EXIT], { lines });
  const before = account(machine);
  bpfProgAllocJitedLinfo(machine, prog);
  expect(account(machine)).toEqual(before);
  expect(jitedLinfo(machine, prog)).toBeUndefined();
});

test('without memory for it the program stays as it was', () => {
  const machine = machineOf();
  const empty = account(machine);
  const prog = shellOf(machine, [R0_0, EXIT], { lines: [0, 1] });
  const held = account(machine);
  machine.memory.failAfter(0);
  expect(() => bpfProgAllocJitedLinfo(machine, prog)).toThrow('told to fail');
  expect(account(machine)).toEqual(held);
  expect(jitedLinfo(machine, prog)).toBeUndefined();
  bpfProgFree(machine, prog);
  expect(account(machine)).toEqual(empty);
});
