import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';

test('every npm script goes through run.mjs, which checks the Node version', () => {
  const { scripts } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const names = Object.values(scripts).map(
    (script) => /^node scripts\/run\.mjs (\S+)/.exec(script)?.[1] ?? script,
  );
  expect(names.filter((name) => !existsSync(inRoot('scripts', `${name}.ts`)))).toEqual([]);
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

test.each(['../evil', 'nothing-of-this-name', ''])(
  'run.mjs answers the bad name "%s" with its usage',
  (name) => {
    const run = spawnSync(process.execPath, ['scripts/run.mjs', name], { cwd: inRoot(), encoding: 'utf8' });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/^usage: npm run NAME .*\n$/);
  },
);

test('run.mjs finds a script with a digit in its name; without Chromium it says what to install', () => {
  const run = spawnSync(process.execPath, ['scripts/run.mjs', 'e2e'], {
    cwd: inRoot(),
    encoding: 'utf8',
    env: { ...process.env, CHROMIUM: '/nonexistent' },
  });
  expect(run.status).toBe(2);
  expect(run.stderr).toMatch(/^The browser tests need Chromium: install it/);
});
