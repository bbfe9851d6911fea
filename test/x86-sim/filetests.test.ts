import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { execute, type Way } from '../filetests/execute.ts';
import { parseDataFile } from '../filetests/format.ts';

const ROOT = inRoot('test/filetests');
const FILES = (readdirSync(ROOT, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.data') && !name.startsWith('error') && !name.startsWith('refused'))
  .sort()
  .map((name) => ({ name, file: parseDataFile(readFileSync(join(ROOT, name), 'utf8')) }));

/** What each file claims is held by test/filetests, for every engine; here the whole outcome is compared. */
const WAYS: readonly (Omit<Way, 'engine'> & { readonly title: string })[] = [
  { title: 'in slices', shared: false, slice: 7 },
  { title: 'blinded', shared: false, slice: Number.POSITIVE_INFINITY, blind: true },
];

describe.each(WAYS)('data files, $title', (way) => {
  test.each(FILES)('$name', ({ file }) => {
    expect(execute(file, { ...way, engine: x86Sim })).toEqual(execute(file, { ...way, engine: reference }));
  });
});

test('there are data files', () => {
  expect(FILES.length).toBeGreaterThan(150);
});
