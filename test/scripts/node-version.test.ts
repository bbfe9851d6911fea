import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';

test('every npm script goes through run.mjs, which checks the Node version', () => {
  const { scripts } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(Object.values(scripts).filter((script) => !script.startsWith('node scripts/run.mjs '))).toEqual([]);
});

test('run.mjs refuses another Node with a sentence that says what to do', () => {
  const source = readFileSync(inRoot('scripts/run.mjs'), 'utf8').replace(
    'const WANTED = 24',
    'const WANTED = 1',
  );
  const run = spawnSync(process.execPath, ['--input-type=module', '-', 'build'], {
    input: source,
    encoding: 'utf8',
  });
  expect(run.status).toBe(2);
  expect(run.stderr).toContain('These scripts need Node 1, but this is Node');
  expect(run.stderr).toContain('npm ci');
});

test('run.mjs answers a bad name with its usage', () => {
  expect(() =>
    execFileSync(process.execPath, ['scripts/run.mjs', '../evil'], { cwd: inRoot(), stdio: 'pipe' }),
  ).toThrow(/usage: node scripts\/run.mjs NAME/);
});
