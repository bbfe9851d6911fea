import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { claimDataDir } from '#scripts/workbench/data-dir.ts';

const parent = mkdtempSync(join(tmpdir(), 'bpf-workbench-data-'));
afterAll(() => rmSync(parent, { recursive: true }));

test('two servers at once have a folder each', () => {
  expect(claimDataDir(parent, 'start')).toBe(join(parent, 'start'));
  expect(claimDataDir(parent, 'start')).toBe(join(parent, 'start-2'));
  expect(readFileSync(join(parent, 'start/pid'), 'utf8')).toBe(String(process.pid));
});

test('the folder of a server that was killed is taken again', () => {
  expect(claimDataDir(parent, 'killed')).toBe(join(parent, 'killed'));
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  writeFileSync(join(parent, 'killed/pid'), String(gone));
  expect(claimDataDir(parent, 'killed')).toBe(join(parent, 'killed'));
});

test('a process that ends gives its folder back', () => {
  const module = JSON.stringify(inRoot('scripts/workbench/data-dir.ts'));
  const code = `import(${module}).then((m) => console.log(m.claimDataDir(process.argv[1], 'ended')))`;
  for (let round = 0; round < 2; round++) {
    const run = spawnSync(process.execPath, ['-e', code, parent], { encoding: 'utf8' });
    expect(run.stdout.trim()).toBe(join(parent, 'ended'));
  }
});
