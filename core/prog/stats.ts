import type { Machine } from '../vm/machine.ts';

/**
 * Per-CPU statistics of a program (`struct bpf_prog_stats`), 40 bytes a CPU in linear memory:
 *
 *     +0   sequence counter (`u64_stats_sync`): odd while an update is going on   u32
 *     +8   cnt      runs                                                           u64
 *     +16  nsecs    time, ns of the virtual clock                                  u64
 *     +24  misses   entries that were refused                                      u64
 *     +32  insns    instructions executed (the kernel does not count these)        u64
 */
const ENTRY_SIZE = 40;
const CNT = 8;
const NSECS = 16;
const MISSES = 24;
const INSNS = 32;

/** One CPU's row. */
export interface ProgStats {
  readonly cpu: number;
  readonly cnt: bigint;
  readonly nsecs: bigint;
  readonly misses: bigint;
  readonly insns: bigint;
}

/** What has statistics: a program object whose `stats` is the block's byte address, 0 for none. */
export interface Counted {
  readonly stats: number;
}

/** Makes a zeroed block for every CPU of the machine. Throws MemoryLimitError. */
export function allocStats(machine: Machine): number {
  return machine.memory.alloc(ENTRY_SIZE * machine.cpus.length, 8);
}

/** Counts one run on `cpu`, when the machine counts at all. Mirrors `__bpf_prog_run`, include/linux/filter.h. */
export function countRun(machine: Machine, prog: Counted, cpu: number, nsecs: bigint, insns: bigint): void {
  update(machine, prog, cpu, (view, at) => {
    add(view, at + CNT, 1n);
    add(view, at + NSECS, nsecs);
    add(view, at + INSNS, insns);
  });
}

/**
 * Counts the run that CPU `cpu` has just ended (or that a fault ended) for `prog`, the program it was
 * entered with: its time on the virtual clock is one nanosecond an instruction.
 */
export function recordRun(machine: Machine, cpu: number, prog: Counted): void {
  const executed = machine.cpu(cpu).insnsExecuted;
  countRun(machine, prog, cpu, executed, executed);
}

function update(
  machine: Machine,
  prog: Counted,
  cpu: number,
  change: (view: DataView, at: number) => void,
): void {
  if (!machine.statsEnabled || prog.stats === 0) return;
  const at = prog.stats + cpu * ENTRY_SIZE;
  const { words, view } = machine.memory;
  Atomics.add(words, at >> 2, 1);
  change(view, at);
  Atomics.add(words, at >> 2, 1);
}

function add(view: DataView, at: number, n: bigint): void {
  view.setBigUint64(at, view.getBigUint64(at, true) + n, true);
}

/** A row a CPU; each row is consistent even while its CPU counts. */
export function readStats(machine: Machine, prog: Counted): ProgStats[] {
  return machine.cpus.map((_, cpu) => readEntry(machine, prog, cpu));
}

function readEntry(machine: Machine, prog: Counted, cpu: number): ProgStats {
  if (prog.stats === 0) return { cpu, cnt: 0n, nsecs: 0n, misses: 0n, insns: 0n };
  const at = prog.stats + cpu * ENTRY_SIZE;
  const { words, view } = machine.memory;
  for (;;) {
    const before = Atomics.load(words, at >> 2);
    const row = {
      cpu,
      cnt: view.getBigUint64(at + CNT, true),
      nsecs: view.getBigUint64(at + NSECS, true),
      misses: view.getBigUint64(at + MISSES, true),
      insns: view.getBigUint64(at + INSNS, true),
    };
    if ((before & 1) === 0 && Atomics.load(words, at >> 2) === before) return row;
  }
}
