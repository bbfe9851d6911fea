import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bytesOfHex, hexText } from '#core/bytes/hex.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { cli } from '../cli/harness.ts';

interface Special {
  readonly name: string;
  readonly jited: string;
  readonly func_len: readonly number[];
}

interface Answer {
  readonly jited: string;
  readonly func_len: readonly number[];
  readonly map_imm_at: readonly number[];
}

const lines = readFileSync(inRoot('test/testdata/jit/special-6.18-x86-64.jsonl'), 'utf8').trim().split('\n');
const specials = lines.slice(1).map((line) => JSON.parse(line) as Special);

test.each(specials.map((special, i) => [special.name, special, i] as const))('%s', async (_, special, i) => {
  const stdin = `${lines[0]}\n${lines[i + 1]}\n`;
  const [, text = ''] = (await cli(['jit', '--jsonl'], { stdin })).stdout.trim().split('\n');
  const answer = JSON.parse(text) as Answer;
  expect(answer).not.toHaveProperty('error');
  const image = bytesOfHex(special.jited) ?? new Uint8Array();
  for (const at of answer.map_imm_at) image.fill(0, at, at + 8);
  expect(answer.jited).toBe(hexText(image));
  expect(answer.func_len).toEqual(special.func_len);
});

test('images of classic filters', async () => {
  const text = gunzipSync(readFileSync(inRoot('test/testdata/jit/classic-6.18-x86-64.jsonl.gz'))).toString(
    'utf8',
  );
  const filters = text.trim().split('\n').slice(1);
  expect(filters.length).toBeGreaterThanOrEqual(298);
  const { stdout } = await cli(['jit', '--jsonl'], { stdin: text });
  const [, ...answers] = stdout.trim().split('\n');
  expect(answers.map((answer) => (JSON.parse(answer) as Answer).jited)).toEqual(
    filters.map((filter) => (JSON.parse(filter) as Special).jited),
  );
});

test('there are images of everything that random programs leave out', () => {
  expect(specials.length).toBeGreaterThanOrEqual(27);
});
