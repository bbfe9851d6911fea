import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cli, file } from './harness.ts';

const SEED = 20261122;
const EXIT = 'b7000000010000009500000000000000';
/** A branch, a wide load of a map, a call of a function, a helper call; two functions. */
const PROGRAM = `1505010000000000b70100000000000018110000010000000000000000000000851000000200000085000000070000009500000000000000${EXIT}`;
const GOOD = {
  xlated: PROGRAM,
  func_insn_start: [0, 7],
  stack_depth: [8, 0],
  image_addr: ['0xffffffffc0000000', '0xffffffffc0001000'],
  tail_call: null,
  xlated_line_insn_off: [0, 2, 7],
};

const anyNumber = fc.constantFrom(
  -1,
  -0.5,
  0.5,
  1,
  6,
  8,
  9,
  512,
  520,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e300,
  -(2 ** 31),
);
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    'x',
    '0x',
    '0xg',
    '95',
    `${EXIT}9`,
    'direct',
    [],
    {},
    [null],
    [[0]],
  ),
  anyNumber,
  fc.array(anyNumber, { maxLength: 4 }),
  fc.array(
    fc.constantFrom<unknown>('0xffffffffc0000000', '0x0', '-1', 1, null, 'zz', `0x${'f'.repeat(17)}`),
    {
      maxLength: 4,
    },
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  fc.jsonValue({ maxDepth: 2 }),
);
const FIELDS = [
  ...Object.keys(GOOD),
  ...['tail_call_reachable', 'was_classic', 'exception_boundary', 'private_stack', 'arena', 'preset', 'bmi2'],
  ...[
    'call_base',
    'return_thunk',
    'indirect_thunk_rcx',
    'this_cpu_off',
    'off_ptrs',
    'user_space_end',
    'unknown',
  ],
];
const changed = fc
  .array(fc.tuple(fc.constantFrom(...FIELDS), anyValue), { minLength: 1, maxLength: 3 })
  .map((changes) => JSON.stringify({ ...GOOD, ...Object.fromEntries(changes) }));
/** JSON that `JSON.stringify` does not write, and what is none. */
const oddText = fc.constantFrom(
  `{"xlated": "${EXIT}", "stack_depth": [1e999]}`,
  `{"xlated": "${EXIT}", "stack_depth": [NaN]}`,
  `{"xlated": "${EXIT}", "func_insn_start": [-0]}`,
  `{"xlated": "${EXIT}", "__proto__": {"bmi2": 1}}`,
  `{"xlated": "${EXIT}", "xlated": 5}`,
  '[]',
  'null',
  '"x"',
  '{',
  '\u0000',
  '',
);

test(`jit --jsonl answers whatever a line holds, and goes on (seed ${SEED})`, async () => {
  const lines = fc.sample(fc.oneof({ weight: 8, arbitrary: changed }, { weight: 1, arbitrary: oddText }), {
    seed: SEED,
    numRuns: 1500,
  });
  // The preset is put back behind each line: a configuration stays.
  const reset = JSON.stringify({ ...GOOD, preset: 'linux-6.18' });
  const stdin = lines.flatMap((line) => [line, reset]).join('\n');
  const { code, stdout } = await cli(['jit', '--jsonl'], { stdin: `${stdin}\n` });
  expect(code).toBe(0);
  const answers = stdout.trimEnd().split('\n');
  expect(answers).toHaveLength(2 * lines.length);
  const good = answers[1];
  expect(JSON.parse(good ?? '')).toMatchObject({ func_len: [expect.any(Number), expect.any(Number)] });
  let refused = 0;
  lines.forEach((line, i) => {
    const answer = JSON.parse(answers[2 * i] ?? '') as { error?: string; jited?: string; config?: string };
    if (answer.error !== undefined) {
      refused++;
      expect(answer.error, line).toMatch(/^(?!internal error)./);
    } else if (answer.config === undefined) expect(answer.jited, line).toMatch(/^([0-9a-f]{2})+$/);
    expect(answers[2 * i + 1], `behind ${line}`).toBe(good);
  });
  expect(refused).toBeGreaterThan(lines.length / 3);
  expect(refused).toBeLessThan(lines.length);
});

test(`jit FILE and inspect FILE: whatever bytes a file holds, an answer and an exit code (seed ${SEED})`, async () => {
  const opcodes = ['05', '07', '15', '18', '61', '7b', '85', '95', 'b4', 'b7', 'bf', 'db', 'e5'];
  const insn = fc
    .tuple(fc.constantFrom(...opcodes), fc.nat(9), fc.nat(9), fc.nat(3))
    .map(([opcode, src, dst, n]) => `${opcode}${src}${dst}0${n}000${n}000000`);
  const hex = fc.oneof(
    fc.array(insn, { minLength: 1, maxLength: 5 }).map((insns) => `${insns.join('')}${EXIT}`),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  );
  const seen = new Set<number>();
  for (const text of fc.sample(hex, { seed: SEED, numRuns: 150 })) {
    const path = file('any.hex', text);
    for (const argv of [
      ['jit', path, '--arch', 'wasm', '--linum', '--opcodes'],
      ['jit', path, '--arch', 'x86-64', '--json'],
      ['inspect', path, '--engine', 'wasm', '--blind', '--json'],
    ]) {
      const { code, stdout, stderr } = await cli(argv);
      seen.add(code);
      expect([0, 1, 2], `${argv.join(' ')}: ${text}`).toContain(code);
      expect(stderr, text).not.toMatch(/internal error|\n.*\n/);
      if (code === 0 && argv.includes('--json')) JSON.parse(stdout);
    }
  }
  expect([...seen].sort()).toEqual([0, 1, 2]);
});
