import type { SockFilter } from './sock-filter.ts';
import { classicRow } from './table.ts';

/** Where a jump at `index` may go on; empty for what goes on with the next instruction, or returns. */
export function jumpTargets(filter: SockFilter, index: number): readonly number[] {
  const row = classicRow(filter.code);
  if (row?.mode === 'jump') return [index + 1 + filter.k];
  if (row?.mode === 'cond_k' || row?.mode === 'cond_x') return [index + 1 + filter.jt, index + 1 + filter.jf];
  return [];
}
