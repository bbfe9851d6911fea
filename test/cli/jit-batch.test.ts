import { describe, expect, test } from 'vitest';
import { cli, file } from './harness.ts';

const EXIT = 'b7000000050000009500000000000000';
const PLAIN = '0f1f4400000f1f00554889e5b805000000c9e9c90127c2';
/** `call 2`, `exit`; a function of two instructions. */
const TWO_FUNCS = `85100000010000009500000000000000${EXIT}`;

async function answers(lines: readonly unknown[]): Promise<Record<string, unknown>[]> {
  const stdin = lines.map((line) => JSON.stringify(line)).join('\n');
  const { code, stdout, stderr } = await cli(['jit', '--jsonl'], { stdin });
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a line of jit --jsonl that does not fit together answers what would be right', () => {
  test.each([
    [{ xlated: '' }, '"xlated" is empty; a program has at least one instruction'],
    [
      { xlated_line_insn_off: [0, 7] },
      '"xlated_line_insn_off" must be a list of whole numbers from 0 to 1, slots of the program; entry 1 is 7',
    ],
    [{ stack_depth: [8, 8] }, '"stack_depth" must have one entry a function: 1, not 2'],
    [{ stack_depth: [] }, '"stack_depth" must have one entry a function: 1, not 0'],
    [
      { stack_depth: [513] },
      '"stack_depth" must be at most 512 for a function without may_goto; entry 0 is 513',
    ],
    [
      { stack_depth: [529] },
      '"stack_depth" must be a list of whole numbers from 0 to 528, bytes of stack; entry 0 is 529',
    ],
    [{ image_addr: ['0x1', '0x2'] }, '"image_addr" must have one entry a function: 1, not 2'],
    [{ image_addr: [5] }, '"image_addr" must be a list of addresses as "0x…"; entry 0 is 5'],
    [{ image_addr: ['5'] }, '"image_addr" must be a list of addresses as "0x…"; entry 0 is "5"'],
    [{ private_stack: [null, null] }, '"private_stack" must have one entry a function: 1, not 2'],
    [{ tail_call_reachable: [true, true] }, '"tail_call_reachable" must have one entry a function: 1, not 2'],
    [
      { tail_call_reachable: ['x'] },
      '"tail_call_reachable" must be a list of true and false; entry 0 is "x"',
    ],
    [
      { tail_call: ['direct'] },
      '"tail_call" must have one entry a tail call: 0, not 1; one word stands for all',
    ],
    [
      { xlated: TWO_FUNCS, func_insn_start: [0, 9] },
      '"func_insn_start" must be a list of whole numbers from 0 to 3, slots of the program; entry 1 is 9',
    ],
    [
      { xlated: TWO_FUNCS, func_insn_start: [0, 2, 2] },
      '"func_insn_start" must ascend: entry 2 is 2, and the function before begins at 2',
    ],
    [
      { xlated: TWO_FUNCS, func_insn_start: [2] },
      '"func_insn_start" must begin with 0: the first function begins at slot 0',
    ],
    [
      { arch: 'arm64', call_base: '0xffffffff81000000' },
      '"arch" is "arm64": must be "x86-64", the only kernel JIT there is here',
    ],
    [{ imt: true }, 'unknown field "imt"; did you mean "ibt"?'],
    [{ callBase: '0x1' }, 'unknown field "callBase"; did you mean "call_base"?'],
    [{ stack_depths: [8] }, 'unknown field "stack_depths"; did you mean "stack_depth"?'],
  ])('%j', async (fields, error) => {
    const good = { xlated: EXIT };
    const [first, ...others] = await answers([good, { ...good, ibt: true, ...fields }, good]);
    expect(first?.jited).toBe(PLAIN);
    expect(others).toEqual([{ error }, first]);
  });
});

test('a line without a program that is not understood changes nothing either', async () => {
  const good = { xlated: EXIT };
  const [first, ...others] = await answers([
    ...[good, { arch: 'arm64', ibt: true }, good, { ibt: true, sls: 1 }, good, { imt: true }, good],
    ...[{ ibt: true, xlated: null, stack_depths: [] }, good],
  ]);
  expect(others.map(({ error, jited }) => error ?? jited)).toEqual([
    ...[expect.stringContaining('"arch" is "arm64"'), PLAIN],
    ...[expect.stringContaining('"sls" must be true or false'), PLAIN],
    ...[expect.stringContaining('did you mean "ibt"?'), PLAIN],
    ...[expect.stringContaining('did you mean "stack_depth"?'), PLAIN],
  ]);
  expect(first?.jited).toBe(PLAIN);
});

test('the configuration of a line whose program has no machine code stays', async () => {
  const [refused, kept] = await answers([{ ibt: true, xlated: 'ff00000000000000' }, { xlated: EXIT }]);
  expect(refused).toEqual({ error: 'unknown instruction (opcode 0xff)', xlated_pc: 0 });
  expect(kept?.jited).toMatch(/^f30f1efa/);
});

test('what describes a machine is configuration, and a line may have fields of its own', async () => {
  const told = await answers([
    { kernel: '6.18.44', arch: 'x86-64', note: 'see README.md' },
    { preset: 'plain-ret', arch: 'x86-64' },
    { xlated: EXIT, id: 7, comment: 'mine', insns: EXIT, retval: 5, tag: '0', func_len: [1], name: 'x' },
  ]);
  expect(told.slice(0, 2)).toEqual([{ config: 'kept' }, { config: 'kept' }]);
  expect(told[2]?.jited).toBe('0f1f4400000f1f00554889e5b805000000c9c3');
});

test('a function with may_goto has 16 bytes of stack more', async () => {
  // r11 = *(u64 *)(r10 - 528); if r11 == 0 goto +2; r11 -= 1; *(u64 *)(r10 - 528) = r11
  const mayGoto = '79abf0fd00000000150b020000000000170b0000010000007bbaf0fd00000000';
  const two = { xlated: `${mayGoto}85100000010000009500000000000000${EXIT}`, func_insn_start: [0, 6] };
  const [first, second] = await answers([
    { ...two, stack_depth: [528, 512] },
    { ...two, stack_depth: [528, 520] },
  ]);
  // sub rsp, 528
  expect(first?.jited).toMatch(/4881ec10020000/);
  expect(second).toEqual({
    error: '"stack_depth" must be at most 512 for a function without may_goto; entry 1 is 520',
  });
});

test.each([
  ['{"nonsense":1}', /unknown field "nonsense"; a configuration has preset, call_base, /],
  ['{"imt":true}', /unknown field "imt"; did you mean "ibt"\?/],
  ['{"arch":"arm64"}', /"arch" is "arm64": must be "x86-64"/],
])('jit --config %s', async (text, message) => {
  const config = file('config.json', text);
  const { code, stderr } = await cli(['jit', file('five.hex', EXIT), '--config', config]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  expect(stderr).toContain(`${config}: `);
});
