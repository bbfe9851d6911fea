import { describe, expect, test } from 'vitest';
import { TEXT } from '../prog/extensions.ts';
import { cli, file } from './harness.ts';

const ARRAY = file(
  'array.bpf.s',
  `.map spare, array, 4, 8, 1
.map progs, prog_array, 4, 4, 4
.map_entry progs, 0, other
.map_entry progs, 2, main
.section tc/main
.globl main
main:
	r2 = progs ll
	r3 = 0
	call bpf_tail_call
	r0 = 1
	exit
.section tc/other
.globl other
other:
	r0 = 7
	exit
`,
);
const EXTENDED = file('extended.bpf.s', TEXT);

describe('a file whose program array names its programs', () => {
  test.each(['x86-64', 'wasm'])('jit --arch %s shows each program', async (arch) => {
    for (const [prog, name] of [
      [[], /bpf_prog_[0-9a-f]{16}_main/],
      [['--prog', 'other'], /bpf_prog_[0-9a-f]{16}_other/],
    ] as const) {
      const { code, stdout, stderr } = await cli(['jit', ARRAY, '--arch', arch, ...prog]);
      expect([code, stderr, stdout]).toEqual([0, '', expect.stringMatching(name)]);
    }
  });

  test.each([
    ['run', '--data', '00'.repeat(60)],
    ['run', '--data', '00'.repeat(60), '--engine', 'x86-64', '--lockstep', 'wasm'],
    ['inspect'],
    ['inspect', '--engine', 'x86-64'],
    ['inspect', '--engine', 'wasm'],
    ['tag'],
    ['check'],
    ['disasm'],
    ['disasm', '--bytes'],
    ['disasm', '--xlated'],
    ['disasm', '--xlated', '--dialect', 'pseudoc'],
  ])('%s %s %s %s', async (command, ...options) => {
    const { code, stderr } = await cli([command, ARRAY, ...options]);
    expect([code, stderr]).toEqual([0, '']);
  });

  test('rewritten instructions name their maps in every dialect', async () => {
    const { stdout } = await cli(['disasm', '--xlated', '--dialect', 'pseudoc', ARRAY]);
    expect(stdout).toContain('r2 = map_fd(progs) ll\n');
    expect(stdout).toMatch(/^main: 6 instructions, rewritten\n[\s\S]*^other: 2 instructions, rewritten\n/m);
    const kernel = await cli(['disasm', '--xlated', ARRAY]);
    expect(kernel.stdout).toContain('r2 = map[id:2]\n');
  });
});

describe('a file with extensions', () => {
  test('jit shows an extension as it is loaded for the program that it extends', async () => {
    const { code, stdout } = await cli(['jit', EXTENDED, '--prog', 'whole']);
    expect(code).toBe(0);
    // `ingress_ifindex` of `xdp_md`, by way of the kernel's `rxq` and `dev`
    expect(stdout).toMatch(/_whole:\n; r0 = \*\(u32 \*\)\(r1 \+ 12\)\n[\s\S]*rax, qword ptr \[rdi\+0x20\]/);
  });

  test('disasm --xlated shows programs and extensions', async () => {
    const { code, stdout } = await cli([
      ...['disasm', '--xlated', EXTENDED, '--prog', 'plus_length'],
      ...['--dialect', 'pseudoc'],
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('r3 = *(u64 *)(r1 + 8)')]);
  });

  test.each([
    [['jit', EXTENDED, '--prog', 'of_static'], 1, 'Cannot replace static functions'],
    [['jit', EXTENDED, '--prog', 'of_nobody'], 1, 'Tracing programs must provide btf_id'],
    [['jit', EXTENDED, '--prog', 'whole', '--arch', 'wasm'], 2, 'whole is an extension'],
    [['disasm', '--xlated', EXTENDED], 2, 'of_static is refused at load'],
    [['disasm', '--xlated', EXTENDED, '--dialect', 'gnu'], 2, 'of_static is refused at load'],
  ])('%j is refused, and says why', async (argv, code, text) => {
    const finished = await cli(argv);
    expect([finished.code, finished.stdout + finished.stderr]).toEqual([code, expect.stringContaining(text)]);
  });
});

test.each([
  ['jit', '--arch', 'x86-64'],
  ['jit', '--arch', 'wasm'],
  ['disasm', '--xlated'],
])('%s %s %s --linum tells of a program without line info that it has none', async (command, ...options) => {
  const hex = file('plain.hex', 'b700000007000000\n9500000000000000\n');
  const finished = await cli([command, hex, ...options, '--linum']);
  expect([finished.code, finished.stderr]).toEqual([
    0,
    `bpf-workbench: main has no line info: ${hex} holds instructions only; --linum has nothing to add`,
  ]);
  expect((await cli([command, hex, ...options])).stderr).toBe('');
  expect((await cli([command, ARRAY, ...options, '--linum'])).stderr).toBe('');
});
