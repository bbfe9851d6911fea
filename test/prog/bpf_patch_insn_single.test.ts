import { expect, test } from 'vitest';
import { bpfPatchInsnSingle } from '#core/prog/bpf-patch-insn-single.ts';
import { rawBpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { insnsi } from '#core/prog/code.ts';
import { bytesOf, EXIT, R0_0, type Slot } from './build.ts';
import { account, calls, machineOf, shellOf } from './shells.ts';

const NOP: Slot = [0xbf, 0, 0];

test('branches, line records, functions and orig_idx follow; memory holds the same instructions', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [[0x85, 0, 1, 0, 3], [0x15, 0, 0, 1], NOP, EXIT, R0_0, EXIT], {
    lines: [0, 1, 2, 3, 4, 5],
    funcs: [0, 4],
  });
  const patched = bpfPatchInsnSingle(machine, prog, 2, bytesOf([NOP, NOP, NOP]));
  if ('message' in patched) throw new Error(patched.message);
  const expected = bytesOf([[0x85, 0, 1, 0, 5], [0x15, 0, 0, 3], NOP, NOP, NOP, EXIT, R0_0, EXIT]);
  expect(patched).toBe(prog);
  expect(patched.code.insns).toEqual(expected);
  expect(machine.memory.copy(insnsi(patched), expected.length)).toEqual(expected);
  expect(patched.code.linfo.map((line) => line.insnOff)).toEqual([0, 1, 2, 5, 6, 7]);
  expect(patched.code.funcs).toEqual([0, 6]);
  expect([...patched.code.origIdx]).toEqual([0, 1, 2, 2, 2, 3, 4, 5]);
});

test('one patch after the other composes', () => {
  const machine = machineOf();
  const first = bpfPatchInsnSingle(machine, shellOf(machine, [NOP, R0_0, EXIT]), 0, bytesOf([NOP, NOP]));
  if ('message' in first) throw new Error(first.message);
  const second = bpfPatchInsnSingle(machine, first, 2, bytesOf([R0_0, R0_0]));
  if ('message' in second) throw new Error(second.message);
  expect([...second.code.origIdx]).toEqual([0, 0, 1, 1, 2]);
  expect([...second.code.firstNew]).toEqual([0, 2, 4, 5]);
});

test('a program that outgrows its pages moves into a new object', () => {
  const machine = machineOf();
  const empty = account(machine);
  const prog = shellOf(machine, [...Array<Slot>(501).fill(NOP), EXIT]);
  const patched = bpfPatchInsnSingle(machine, prog, 7, bytesOf([NOP, NOP, NOP]));
  if ('message' in patched) throw new Error(patched.message);
  expect(patched).not.toBe(prog);
  expect(patched.pages).toBe(2);
  expect(prog.freed).toBe(true);
  expect(calls(machine).slice(-3)).toEqual(['bpf_patch_insn_single', 'bpf_prog_realloc', '__bpf_prog_free']);
  rawBpfProgFree(machine, patched);
  expect(account(machine)).toEqual(empty);
});

test('a branch that no longer reaches: refused, nothing changed', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [[0x15, 1, 0, 0x7ffe], ...Array<Slot>(0x7fff).fill(NOP), EXIT]);
  const before = prog.code;
  const held = account(machine);
  expect(bpfPatchInsnSingle(machine, prog, 5, bytesOf([NOP, NOP, NOP]))).toEqual({
    pc: 0,
    message: 'insn 0 cannot be patched due to 16-bit range',
  });
  expect(prog.code).toBe(before);
  expect(account(machine)).toEqual(held);
  expect(machine.lifeCycle.calls.at(-1)).toEqual({
    name: 'bpf_patch_insn_single',
    detail: 'insn 0 cannot be patched due to 16-bit range',
  });
});

test('no memory for a larger object: nothing changed', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [...Array<Slot>(501).fill(NOP), EXIT]);
  const before = prog.code;
  const held = account(machine);
  machine.memory.failAfter(0);
  expect(() => bpfPatchInsnSingle(machine, prog, 7, bytesOf([NOP, NOP, NOP]))).toThrow('told to fail');
  expect(prog.code).toBe(before);
  expect(prog.freed).toBe(false);
  expect(account(machine)).toEqual(held);
});
