import { expect, test } from 'vitest';
import { bpfProgAlloc } from '#core/prog/bpf-prog-alloc.ts';
import { countMiss, countRun, readStats } from '#core/prog/stats.ts';
import { account, calls, failEach, machineOf } from './shells.ts';

test('a program has statistics for each CPU, all 0', () => {
  const machine = machineOf({}, 4);
  const prog = bpfProgAlloc(machine, 2);
  const zero = { cnt: 0n, nsecs: 0n, misses: 0n, insns: 0n };
  expect(readStats(machine, prog)).toEqual([0, 1, 2, 3].map((cpu) => ({ cpu, ...zero })));
  expect(machine.progAccount).toEqual({ pages: 1, objects: 3 });
  expect(calls(machine)).toEqual(['bpf_prog_alloc', 'bpf_prog_alloc_no_stats']);
});

test('runs and misses count on their CPU, while statistics are on', () => {
  const machine = machineOf({}, 2);
  const prog = bpfProgAlloc(machine, 2);
  countRun(machine, prog, 1, 100n, 7n);
  countRun(machine, prog, 1, 0xffff_fff0n, 1n);
  countMiss(machine, prog, 0);
  machine.statsEnabled = false;
  countRun(machine, prog, 1, 100n, 7n);
  expect(readStats(machine, prog)).toEqual([
    { cpu: 0, cnt: 0n, nsecs: 0n, misses: 1n, insns: 0n },
    { cpu: 1, cnt: 2n, nsecs: 0x1_0000_0054n, misses: 0n, insns: 8n },
  ]);
});

test('a sum carries from the low into the high word, whatever is added', () => {
  const machine = machineOf();
  const prog = bpfProgAlloc(machine, 2);
  let sum = 0n;
  for (const n of [0xffff_ffffn, 1n, 0xffff_ffff_ffffn, 0x8000_0000n, 0x7fff_ffff_ffffn]) {
    countRun(machine, prog, 0, n, 0n);
    sum += n;
    expect(readStats(machine, prog)[0]?.nsecs).toBe(sum);
  }
});

test('each allocation that fails gives back what was taken before it', () => {
  let before = {};
  const failures = failEach(
    () => {
      const machine = machineOf({}, 8);
      before = account(machine);
      return { machine, call: () => bpfProgAlloc(machine, 600) };
    },
    (machine, nth) => expect(account(machine), `allocation ${nth}`).toEqual(before),
  );
  expect(failures).toBe(4);
});
