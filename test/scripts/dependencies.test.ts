import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';

const { dependencies, devDependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8')) as {
  dependencies?: Record<string, string>;
  devDependencies: Record<string, string>;
};

test.each(Object.entries({ ...dependencies, ...devDependencies }))(
  'docs/dependencies.md says what %s %s is for',
  (name, version) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    const rows = readFileSync(inRoot('docs/dependencies.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| '));
    // A row may name several packages of one version.
    const named = rows.filter((row) => (row.split(' | ')[0] ?? '').split(/[ |,]+/).includes(name));
    expect(named).toHaveLength(1);
    expect(named[0]).toContain(` ${version} |`);
  },
);
