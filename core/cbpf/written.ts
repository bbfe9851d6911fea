import { jumpTargets } from './jump-targets.ts';
import type { SockFilter } from './sock-filter.ts';
import { classicRow } from './table.ts';

/** Bits of `mayBeWritten`. */
export const WRITES_A = 1;
export const WRITES_X = 2;

/**
 * For each instruction, which of A and X some path from the start has written before it. What is not among
 * them still holds the 0 that the kernel starts with. One pass: jumps go forward only.
 */
export function mayBeWritten(filters: readonly SockFilter[]): Uint8Array {
  const before = new Uint8Array(filters.length);
  const arrive = (pc: number, written: number): void => {
    if (pc < before.length) before[pc] = (before[pc] ?? 0) | written;
  };
  for (const [pc, filter] of filters.entries()) {
    const row = classicRow(filter.code);
    const written = (before[pc] ?? 0) | (row === undefined ? 0 : writes(row.id, row.name));
    if (row?.name === 'ret') continue;
    const targets = jumpTargets(filter, pc);
    for (const target of targets.length === 0 ? [pc + 1] : targets) arrive(target, written);
  }
  return before;
}

function writes(id: string, name: string): number {
  if (name === 'ldx' || id === 'tax' || name === 'ldxb') return WRITES_X;
  if (name === 'st' || name === 'stx' || name.startsWith('j') || name === 'ret') return 0;
  return WRITES_A;
}
