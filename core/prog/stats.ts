import type { Machine } from '../vm/machine.ts';
import { kzalloc } from './kernel-memory.ts';

/**
 * Per-CPU statistics of a program (`struct bpf_prog_stats`), 40 bytes a CPU in linear memory:
 *
 *     +0   sequence counter (`u64_stats_sync`): odd while an update is going on   u32
 *     +8   cnt      runs                                                           u64
 *     +16  nsecs    time, ns of the virtual clock                                  u64
 *     +24  misses   entries that were refused                                      u64
 *     +32  insns    instructions executed (the kernel does not count these)        u64
 *
 * Only the CPU that a row belongs to writes it; anybody may read.
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
  return kzalloc(machine, ENTRY_SIZE * machine.cpus.length);
}

/** Byte address of CPU `cpu`'s row in the block at `stats`. */
export function statsRow(stats: number, cpu: number): number {
  return stats + cpu * ENTRY_SIZE;
}

/** Counts one run on `cpu`, when the machine counts at all. Mirrors `__bpf_prog_run`, include/linux/filter.h. */
export function countRun(machine: Machine, prog: Counted, cpu: number, nsecs: bigint, insns: bigint): void {
  if (!machine.statsEnabled || prog.stats === 0) return;
  addRun(machine.memory.words, statsRow(prog.stats, cpu), Number(nsecs), Number(insns));
}

/**
 * Counts the run that CPU `cpu` has just ended (or that a fault ended) for `prog`, the program it was
 * entered with: its time on the virtual clock is one nanosecond an instruction.
 */
export function recordRun(machine: Machine, cpu: number, prog: Counted): void {
  const executed = machine.cpu(cpu).insnsExecuted;
  countRun(machine, prog, cpu, executed, executed);
}

/**
 * Counts one refused entry on `cpu`, whether runs are counted or not. Mirrors
 * `bpf_prog_inc_misses_counter`, kernel/bpf/syscall.c.
 */
export function countMiss(machine: Machine, prog: Counted, cpu: number): void {
  if (prog.stats === 0) return;
  const row = statsRow(prog.stats, cpu);
  const { words } = machine.memory;
  updateBegin(words, row);
  add(words, row + MISSES, 1);
  updateEnd(words, row);
}

/**
 * Adds one run to the row at byte address `row`. `words`: the machine's memory, shared or not; `nsecs` and
 * `insns` of this run: 0 … 2^53 − 1.
 */
export function addRun(words: Int32Array, row: number, nsecs: number, insns: number): void {
  updateBegin(words, row);
  add(words, row + CNT, 1);
  add(words, row + NSECS, nsecs);
  add(words, row + INSNS, insns);
  updateEnd(words, row);
}

/** A row a CPU; each row is consistent even while its CPU counts. */
export function readStats(machine: Machine, prog: Counted): ProgStats[] {
  const { words } = machine.memory;
  return machine.cpus.map((_, cpu) =>
    prog.stats === 0
      ? { cpu, cnt: 0n, nsecs: 0n, misses: 0n, insns: 0n }
      : { cpu, ...readRow(words, statsRow(prog.stats, cpu)) },
  );
}

/** The row at byte address `row`, read again as long as an update gets in between. */
export function readRow(words: Int32Array, row: number): Omit<ProgStats, 'cpu'> {
  for (;;) {
    const before = Atomics.load(words, row >> 2);
    if ((before & 1) !== 0) continue;
    const read = {
      cnt: load(words, row + CNT),
      nsecs: load(words, row + NSECS),
      misses: load(words, row + MISSES),
      insns: load(words, row + INSNS),
    };
    if (Atomics.load(words, row >> 2) === before) return read;
  }
}

/** Mirrors `u64_stats_update_begin`, include/linux/u64_stats_sync.h: from here on readers wait. */
function updateBegin(words: Int32Array, row: number): void {
  Atomics.add(words, row >> 2, 1);
}

/** Mirrors `u64_stats_update_end`. */
function updateEnd(words: Int32Array, row: number): void {
  Atomics.add(words, row >> 2, 1);
}

/**
 * Adds to a 64-bit number in two halves, as a 32-bit kernel does. Atomic accesses, not for their own sake,
 * but because plain ones may be moved past the sequence counter by compilers and weakly ordered processors.
 */
function add(words: Int32Array, at: number, n: number): void {
  const low = (Atomics.load(words, at >> 2) >>> 0) + (n >>> 0);
  Atomics.store(words, at >> 2, low | 0);
  const high = Math.floor(n / 2 ** 32) + (low > 0xffffffff ? 1 : 0);
  if (high !== 0) Atomics.store(words, (at >> 2) + 1, (Atomics.load(words, (at >> 2) + 1) + high) | 0);
}

function load(words: Int32Array, at: number): bigint {
  const low = BigInt(Atomics.load(words, at >> 2) >>> 0);
  return (BigInt(Atomics.load(words, (at >> 2) + 1) >>> 0) << 32n) | low;
}
