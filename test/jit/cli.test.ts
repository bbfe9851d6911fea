import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { cli, file, freshPath } from '../cli/harness.ts';
import { vectorsOf } from './vectors.ts';

const FIB = inRoot('examples/fib/fib.bpf.s');

interface JitJson {
  readonly blinded: boolean;
  readonly bytes_jited: number;
  readonly funcs: readonly {
    readonly name: string;
    readonly addr: string;
    readonly length: number;
    readonly jited: string;
    readonly insn_to_jit_off: readonly number[];
    readonly insns: readonly {
      readonly pc: string;
      readonly operation: string;
      readonly opcodes: string;
      readonly lines: readonly { readonly line: number }[];
    }[];
  }[];
  readonly line_info: readonly { readonly line: number; readonly jited: string }[];
}

async function jitJson(...argv: string[]): Promise<JitJson> {
  const { code, stdout, stderr } = await cli(['jit', ...argv, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as JitJson;
}

describe('jit --jsonl', () => {
  test('the first line of a file of vectors configures, the others are compiled', async () => {
    const { machine, vectors } = vectorsOf('kernel-6.18-x86-64');
    const lines = [machine, ...vectors].map((line) => JSON.stringify(line)).join('\n');
    const { code, stdout } = await cli(['jit', '--jsonl'], { stdin: `${lines}\n` });
    expect(code).toBe(0);
    const [first, ...answers] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).not.toHaveProperty('error');
    expect(answers.length).toBe(vectors.length);
    answers.forEach((answer, i) => {
      const vector = vectors[i];
      expect(Object.keys(answer)).toEqual([
        'jited',
        'func_len',
        'insn_to_jit_off',
        'jited_line_info',
        'map_imm_at',
      ]);
      expect(answer.jited).toBe(vector?.jited);
      expect(answer.func_len).toEqual(vector?.func_len);
      expect(answer.jited_line_info).toEqual(vector?.jited_line_info);
      expect(answer.map_imm_at).toEqual(vector?.map_imm_zeroed_at);
    });
    const [sub] = answers.filter((_, i) => vectors[i]?.name === 'demo-sub');
    expect(sub?.insn_to_jit_off).toEqual([
      [17, 22, 26, 32],
      [15, 19, 25],
    ]);
  });

  test('configuration on a program line stays; both slots of a wide load end alike', async () => {
    const exit = 'b7000000000000009500000000000000';
    const wide = `1801000001000000${'00000000'}02000000${exit}`;
    const input = [
      { xlated: exit, return_thunk: null },
      { xlated: exit },
      { xlated: exit, sls: true },
      { xlated: exit, ibt: true, sls: false },
      { xlated: wide, preset: 'plain-ret' },
    ];
    const { stdout } = await cli(['jit', '--jsonl'], {
      stdin: input.map((line) => JSON.stringify(line)).join('\n'),
    });
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { jited: string; insn_to_jit_off: number[][] });
    expect(answers.map(({ jited }) => jited)).toEqual([
      '0f1f4400000f1f00554889e531c0c9c3',
      '0f1f4400000f1f00554889e531c0c9c3',
      '0f1f4400000f1f00554889e531c0c9c3cc',
      'f30f1efa0f1f4400000f1f00554889e5f30f1efa31c0c9c3',
      '0f1f4400000f1f00554889e548bf010000000200000031c0c9c3',
    ]);
    expect(answers[4]?.insn_to_jit_off).toEqual([[22, 22, 24, 26]]);
  });

  test.each([
    ['no program', '{}', /"xlated" is missing/],
    ['not JSON', '{', /not JSON/],
    ['half an instruction', '{"xlated": "b700"}', /an instruction has 8/],
    ['a jump out', '{"xlated": "0500050000000000"}', /out of its function/],
    ['a wrong address', '{"xlated": "9500000000000000", "call_base": 5}', /"call_base" must be an address/],
    ['a wrong flag', '{"bmi2": 1}', /"bmi2" must be true or false/],
    ['a wrong offset', '{"off_ptrs": -1}', /"off_ptrs" must be a whole number/],
    ['wrong functions', '{"xlated": "9500000000000000", "func_insn_start": ["0"]}', /list of whole numbers/],
    ['a wrong image', '{"xlated": "9500000000000000", "image_addr": "0x1"}', /list of addresses/],
    ['a wrong tail call', '{"xlated": "9500000000000000", "tail_call": "far"}', /"tail_call" must be/],
    ['a wrong preset', '{"preset": "windows"}', /"preset" must be linux-6.18/],
  ])('answers an error and goes on: %s', async (_, line, message) => {
    const { code, stdout } = await cli(['jit', '--jsonl'], {
      stdin: `${line}\n{"xlated": "9500000000000000"}\n`,
    });
    expect(code).toBe(0);
    const [first, second] = stdout.trim().split('\n');
    expect((JSON.parse(first ?? '') as { error: string }).error).toMatch(message);
    expect(JSON.parse(second ?? '')).toHaveProperty('jited');
  });
});

describe('jit FILE', () => {
  test('prints functions, source lines and instructions as bpftool does', async () => {
    const plain = await cli(['jit', FIB]);
    expect(plain.code).toBe(0);
    expect(plain.stdout).toMatch(
      /^bpf_prog_[0-9a-f]{16}_fib:\n; if r2 == 0 goto empty\n {3}0:\tnop dword ptr \[rax\+rax\]\n/,
    );
    expect(plain.stdout).toContain('\n\nbpf_prog_');
    expect(plain.stdout).toMatch(/call 0xffffffffc0000080 <next_pair>/);
    expect(plain.stdout).toMatch(/jmp 0x[0-9a-f]+ <return thunk>/);
    expect(plain.stdout).not.toContain('line_num');
    const full = await cli(['jit', FIB, '--linum', '--opcodes', '--arch', 'x86-64']);
    expect(full.stdout).toMatch(/; if r2 == 0 goto empty \[file:.*fib\.bpf\.s line_num:12 line_col:9\]/);
    expect(full.stdout).toContain('   8:\tpush rbp\n\t55\n');
  });

  test('--json has bytes, offsets and addresses that fit together', async () => {
    const shown = await jitJson(FIB);
    expect(shown.funcs.map(({ name }) => name.replace(/_[0-9a-f]{16}_/, '_'))).toEqual([
      'bpf_prog_fib',
      'bpf_prog_next_pair',
    ]);
    expect(shown.bytes_jited).toBe(shown.funcs.reduce((sum, { length }) => sum + length, 0));
    for (const { insns, jited, length, insn_to_jit_off: ends } of shown.funcs) {
      expect(insns.map(({ opcodes }) => opcodes).join('')).toBe(jited);
      expect(jited.length).toBe(2 * length);
      expect(ends.at(-1)).toBe(length);
    }
    const at = new Set(
      shown.funcs.flatMap(({ addr, insns }) => insns.map(({ pc }) => BigInt(addr) + BigInt(pc))),
    );
    expect(shown.line_info.length).toBeGreaterThan(10);
    expect(shown.line_info.filter(({ jited }) => !at.has(BigInt(jited)))).toEqual([]);
    expect(shown.line_info[0]?.jited).toBe(shown.funcs[0]?.addr);
    const marked = shown.funcs.flatMap(({ insns }) =>
      insns.flatMap(({ lines }) => lines.map(({ line }) => line)),
    );
    expect(marked.sort((a, b) => a - b)).toEqual(
      shown.line_info.map(({ line }) => line).sort((a, b) => a - b),
    );
  });

  test('with blinded constants the numbers of the program are gone', async () => {
    const source = file('secret.bpf.s', 'r0 = 0x12345678\nr0 ^= 0x0badcafe\nexit\n');
    const plain = await jitJson(source);
    const blinded = await jitJson(source, '--blind', '--seed', '3');
    const other = await jitJson(source, '--blind', '--seed', '4');
    const bytes = (shown: JitJson): string => shown.funcs[0]?.jited ?? '';
    expect([plain.blinded, blinded.blinded]).toEqual([false, true]);
    expect(bytes(plain)).toContain('b878563412');
    expect(bytes(plain)).toContain('4835fecaad0b');
    expect(bytes(blinded)).not.toMatch(/78563412|fecaad0b/);
    expect(bytes(blinded)).not.toBe(bytes(other));
    // mov r10, key ^ number; xor r10, key; mov rax, r10
    expect(blinded.funcs[0]?.insns.map(({ operation }) => operation.replace(/-?0x[0-9a-f]+/, 'N'))).toEqual(
      expect.arrayContaining(['xor r10, N', 'mov rax, r10', 'xor rax, r10']),
    );
  });

  test('a configuration changes the code', async () => {
    const source = file('return.bpf.s', 'r0 = 1\nexit\n');
    const text = async (config: string): Promise<string> =>
      (await cli(['jit', source, '--config', file('config.json', config)])).stdout;
    expect(await text('{"preset": "plain-ret"}')).toMatch(/\tleave\n {2}12:\tret\n$/);
    expect(await text('{"preset": "linux-6.18-ibt"}')).toMatch(/ {3}0:\tendbr64\n/);
    expect(await text('{"return_thunk": null, "sls": true}\n{"name": "a vector"}\n')).toMatch(
      /ret\n.*int3\n$/,
    );
  });

  test.each([
    ['linux-6.18', /^0f1f4400000f1f00554889e5b801000000c9e9[0-9a-f]{8}$/],
    ['linux-6.18-ibt', /^f30f1efa0f1f4400000f1f00554889e5f30f1efab801000000c9e9[0-9a-f]{8}$/],
    ['plain-ret', /^0f1f4400000f1f00554889e5b801000000c9c3$/],
  ])('the preset %s by its name, and in a file', async (preset, code) => {
    const source = file('return.bpf.s', 'r0 = 1\nexit\n');
    const named = await jitJson(source, '--config', preset);
    expect(named.funcs[0]?.jited).toMatch(code);
    expect(await jitJson(source, '--config', file('preset.json', JSON.stringify({ preset })))).toEqual(named);
  });

  test('-o writes the code itself', async () => {
    const out = freshPath('fib.bin');
    const { code, stdout } = await cli(['jit', FIB, '-o', out]);
    expect([code, stdout]).toEqual([0, '']);
    const shown = await jitJson(FIB);
    expect(readFileSync(out).toString('hex')).toBe(shown.funcs.map(({ jited }) => jited).join(''));
    const terminal = await cli(['jit', FIB, '-o', '-'], { terminal: true });
    expect(terminal).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/stdout is a terminal; give -o/),
    });
  });

  test('classic programs lack the second patch site', async () => {
    const shown = await jitJson(file('accept.cbpf', 'ret #5\n'));
    expect(shown.funcs[0]?.jited).toMatch(/^0f1f440000554889e5/);
  });

  test.each([
    [['--arch', 'wasm', '--config', 'x.json'], 2, /--config tells of kernels and CPUs/],
    [['--arch', 'arm64'], 2, /must be x86-64, wasm/],
    [['--output', '/no/such/folder/x'], 2, /cannot be written/],
    [['--config', file('bad.json', '[1]')], 2, /must be a JSON object/],
    [['--config', file('bad.json', '{"ibt": 5}')], 2, /"ibt" must be true or false/],
    [['--config', 'no-such-file.json'], 2, /no-such-file\.json: no such file/],
    [
      ['--config', 'linux-6.12'],
      2,
      /linux-6\.12: no such file, nor a preset of that name; presets are linux-6\.18,/,
    ],
  ])('%j is bad usage', async (argv, code, message) => {
    const finished = await cli(['jit', FIB, ...argv]);
    expect(finished.code).toBe(code);
    expect(finished.stderr).toMatch(message);
    expect(finished.stdout).toBe('');
  });

  test('a refused program is told, exit code 1', async () => {
    const source = file('refused.bpf.s', 'r11 = 1\nexit\n');
    const hex = file('refused.hex', 'b70b0000010000009500000000000000');
    expect((await cli(['jit', source])).code).not.toBe(0);
    const finished = await cli(['jit', hex, '--json']);
    expect(finished.code).toBe(1);
    expect(JSON.parse(finished.stdout)).toMatchObject({ refused: { pc: 0, message: 'R11 is invalid' } });
  });

  test('thunks that are out of reach: no machine code, and why', async () => {
    const config = file('far.json', '{"return_thunk": "0x1000000000"}');
    const finished = await cli(['jit', FIB, '--config', config]);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/has no machine code: .*return thunk is more than 2 GiB away/);
    const json = await cli(['jit', FIB, '--config', config, '--json']);
    expect(JSON.parse(json.stdout)).toHaveProperty('why_interpreted');
  });
});
