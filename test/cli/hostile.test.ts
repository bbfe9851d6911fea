import { expect, test } from 'vitest';
import type { Io } from '#cli/io.ts';
import { MAX_SOURCE_LINES, readInput } from '#cli/source.ts';
import { cli, file } from './harness.ts';

test('a file with more errors than a call may have arguments', async () => {
  const n = 130_000;
  const path = file('errors.bpf.s', 'r0 = r77\n'.repeat(n));
  const { code, stdout, stderr } = await cli(['check', path]);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`1 file: ${n} errors`);
  expect(stdout).toContain(`:${n}:6: error: `);
}, 60_000);

test('a file with more lines than any program', async () => {
  const path = file('lines.bpf.s', '?\n'.repeat(MAX_SOURCE_LINES));
  const { code, stderr } = await cli(['check', path]);
  expect(code).toBe(2);
  expect(stderr).toContain(`more than ${MAX_SOURCE_LINES} lines`);
}, 60_000);

test('a file without an end is read up to the limit', async () => {
  const io = { stdin: (async function* () {})() } as unknown as Io;
  // Windows has no such file
  await expect(readInput('/dev/zero', 1 << 20, io)).rejects.toThrow(/larger than 1 MiB|no such file/);
});
