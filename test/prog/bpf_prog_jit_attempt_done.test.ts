import { expect, test } from 'vitest';
import { bpfProgAllocJitedLinfo, jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgFillJitedLinfo } from '#core/prog/bpf-prog-fill-jited-linfo.ts';
import { bpfProgJitAttemptDone } from '#core/prog/bpf-prog-jit-attempt-done.ts';
import { addKfuncCalls } from '#core/prog/kfunc-tab.ts';
import { auxOf } from '#core/prog/prog.ts';
import { EXIT, type Slot } from './build.ts';
import { machineOf, shellOf } from './shells.ts';

const CODE: Slot[] = [[0x85, 0, 2, 0, 77], [0x85, 0, 2, 0, 12], [0x85, 0, 2, 0, 77], EXIT];

test.each([
  ['jited, first entry there', true, true, true],
  ['jited, first entry empty', true, false, false],
  ['not jited, first entry there', false, true, false],
  ['not jited, first entry empty', false, false, false],
])('%s: kfunc_tab goes, the line table stays: %s %s %s', (_, jited, filled, stays) => {
  const machine = machineOf();
  const prog = shellOf(machine, CODE, { lines: [0, 1] });
  addKfuncCalls(machine, prog);
  bpfProgAllocJitedLinfo(machine, prog);
  const aux = auxOf(prog);
  expect(machine.memory.view.getInt32(aux.kfuncTab, true)).toBe(12);
  expect(machine.memory.view.getInt32(aux.kfuncTab + 4, true)).toBe(77);
  const held = machine.progAccount.objects;
  prog.jited = jited;
  const image = filled ? 0xffff_ffff_c000_0000n : 0n;
  bpfProgFillJitedLinfo(machine, prog, 0, { image, length: 9, insnToJitOff: [1, 2, 3, 4] });
  bpfProgJitAttemptDone(machine, prog);
  expect(aux.kfuncTab).toBe(0);
  expect(jitedLinfo(machine, prog)).toEqual(stays ? [image, image + 1n] : undefined);
  expect(machine.progAccount.objects).toBe(held - (stays ? 1 : 2));
  // A second attempt finds nothing to free.
  bpfProgJitAttemptDone(machine, prog);
  expect(machine.progAccount.objects).toBe(held - (stays ? 1 : 2));
});
