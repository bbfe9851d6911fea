import { expect } from 'vitest';
import { addressText } from '#core/session/code-address.ts';
import type { Bench } from './harness.ts';

/** Address of what the innermost frame executes next. */
export function address(bench: Bench): bigint {
  return bench.session.request('frames', null)[0]?.address ?? 0n;
}

/** Text of the native instruction there, without indentation. */
export function insnAt(bench: Bench, at = address(bench)): string {
  const args = { reference: addressText(at), offset: 0, instructionOffset: 0, count: 1, symbols: true };
  const reply = bench.session.request('disassemble', args);
  return 'rows' in reply ? (reply.rows[0]?.text.trim() ?? '') : reply.message;
}

/** One native instruction: why it stopped, where, and what comes next. */
export function step(bench: Bench, kind: 'in' | 'over' = 'in'): string {
  const report = bench.resume({ kind, granularity: 'native' });
  return `${report?.reason ?? 'end'} ${bench.where()} ${insnAt(bench)}`;
}

/** Steps until the next instruction is like `text`. */
export function stepTo(bench: Bench, text: RegExp): void {
  for (let i = 0; i < 500 && !text.test(insnAt(bench)); i++) step(bench);
  expect(insnAt(bench)).toMatch(text);
}

/** Rows of the Native scope: `operand 0 0x5`. */
export function nativeRows(bench: Bench): string[] {
  const rows = bench.session.request('children', { of: { kind: 'native' }, start: 0, count: 100 });
  return rows.map(({ name, value }) => `${name} ${value}`);
}
