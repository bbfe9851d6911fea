import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { vectors } from '../prog/vectors.ts';
import { cli, file } from './harness.ts';

const RETURN_0 = 'b7000000000000009500000000000000';
const sha1 = createHash('sha1').update(Buffer.from(RETURN_0, 'hex')).digest('hex').slice(0, 16);
const sha256 = createHash('sha256').update(Buffer.from(RETURN_0, 'hex')).digest('hex').slice(0, 16);
const TEXT = file('zero.bpf.s', 'r0 = 0\nexit\n');

test.each([
  ['the kernel that is simulated', [], `${sha256}  zero  (SHA-256, Linux 6.18)\n`],
  ['an older one', ['--kernel', '5.10.3'], `${sha1}  zero  (SHA-1, Linux 5.10)\n`],
])('tag FILE for %s', async (_, options, text) => {
  const { code, stdout } = await cli(['tag', TEXT, ...options]);
  expect(code).toBe(0);
  expect(stdout.replace(/ {2}\S+ {2}/, '  zero  ')).toBe(text);
});

test('tag --json', async () => {
  const { stdout } = await cli(['tag', '-', '--kernel', '6.12', '--json'], { stdin: RETURN_0 });
  const programs = [{ prog: 'main', tag: sha1 }];
  expect(JSON.parse(stdout)).toEqual({ prog: 'main', tag: sha1, hash: 'sha1', kernel: '6.12', programs });
});

test('every program of a file has a tag of its own', async () => {
  const text = '.section xdp\n.globl a\na:\nr0 = 1\nexit\n.section tc\n.globl b\nb:\nr0 = 2\nexit\n';
  const { stdout } = await cli(['tag', file('two.bpf.s', text), '--json']);
  const { programs } = JSON.parse(stdout);
  expect(programs.map((each: { prog: string }) => each.prog)).toEqual(['a', 'b']);
  expect(programs[0].tag).not.toBe(programs[1].tag);
});

test('tag --jsonl answers line by line, wrong lines too', async () => {
  const lines = [
    ...vectors.slice(0, 20).map((each) => JSON.stringify({ insns: each.insns, kernel: '6.18' })),
    JSON.stringify({ insns: RETURN_0 }),
    JSON.stringify({ insns: RETURN_0, kernel: '4.9' }),
    JSON.stringify({ insns: RETURN_0, kernel: 'new' }),
    JSON.stringify({ insns: 'b7' }),
    '{}',
  ];
  const { code, stdout } = await cli(['tag', '--jsonl'], { stdin: `${lines.join('\n')}\n` });
  expect(code).toBe(0);
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each));
  expect(answers.slice(0, 20)).toEqual(vectors.slice(0, 20).map(({ tag }) => ({ tag })));
  expect(answers[20]).toEqual({ tag: sha256 });
  expect(answers[21].error).toContain('program tags came with Linux 4.10');
  expect(answers[22].error).toContain('must be a version of Linux');
  expect(answers[23].error).toContain('an instruction has 8');
  expect(answers[24].error).toContain('"insns" is missing');
});
