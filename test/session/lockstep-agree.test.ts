import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chooseEngine } from '#core/session/engines.ts';
import type { LoadArgs } from '#core/session/load-request.ts';
import { loadAgain, loadSession } from '#core/session/load-session.ts';
import { runLockstep } from '#core/session/lockstep/run.ts';
import { type DataFile, parseDataFile } from '../filetests/format.ts';
import { furtherVectors, vectors } from '../prog/vectors.ts';

/**
 * Two engines that are right have no difference: neither on data files nor on what Linux ran. What is compared here is
 * more than a result, so it would also show states that only look different.
 */
const PAIRS = [
  ['interp', 'wasm'],
  ['reference', 'x86-64'],
] as const;
/** Of the files and vectors one in so many, each pair with others. */
const ONE_IN = 20;

const FILES = ['run', 'fault'].flatMap((folder) => {
  const path = new URL(`../filetests/${folder}/`, import.meta.url);
  return readdirSync(path)
    .filter((name) => name.endsWith('.data'))
    .map((name) => parseDataFile(readFileSync(new URL(name, path), 'utf8')));
});

function argsOf(file: DataFile): LoadArgs | undefined {
  if (file.asm === undefined || file.progEntries.length > 0) return undefined;
  const maps = file.maps.map(
    ({ name, type, keySize, valueSize, maxEntries }) =>
      `.map ${name}, ${type}, ${keySize}, ${valueSize}, ${maxEntries}\n`,
  );
  return {
    fileName: '/x.bpf.s',
    source: new TextEncoder().encode(maps.join('') + file.asm),
    type: file.type,
    data: { kind: 'bytes', bytes: file.data, name: 'data' },
    maxInsns: file.limit,
    ...(file.ctx === undefined ? {} : { ctx: file.ctx }),
    ...(file.attach === undefined ? {} : { attach: file.attach }),
  };
}

const OF_VECTORS = [...vectors, ...furtherVectors].flatMap(({ insns, prog_type, data, map }): LoadArgs[] => {
  if (data === null || map !== null) return [];
  const source = new TextEncoder().encode(insns.replace(/.{16}/g, '$&\n'));
  const rest = { type: prog_type, data: { kind: 'hex', text: data }, attach: 'test_run' } as const;
  return [{ fileName: '/x.hex', source, ...rest }];
});

const OF_FILES = FILES.map(argsOf).filter((args) => args !== undefined);

test.each(PAIRS)('%s and %s do the same on data files and on programs that Linux ran', (first, second) => {
  const engine = chooseEngine(second)?.engine;
  if (engine === undefined) throw new Error(second);
  let compared = 0;
  const differences: string[] = [];
  for (const [index, given] of [...OF_FILES, ...OF_VECTORS].entries()) {
    if (index % ONE_IN !== PAIRS.findIndex(([name]) => name === first)) continue;
    const args = { ...given, engine: first };
    const loaded = loadSession(args, false);
    if (!loaded.ok) continue;
    compared++;
    const { difference } = runLockstep(loaded.loaded, () => loadAgain(args, false), engine);
    if (difference !== undefined) differences.push(difference.text.join('\n'));
  }
  expect(differences).toEqual([]);
  console.log(`${first} and ${second}: ${compared} programs`);
  expect(compared).toBeGreaterThan(60);
});
