import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cli, file, freshPath, ROOT } from './harness.ts';

const TEXT = 'r0 = 42\nexit\n';
const SOURCE = file('a.bpf.s', TEXT);
const HEX = 'b7 00 00 00 2a 00 00 00\n95 00 00 00 00 00 00 00\n';
const BYTES = Buffer.from(HEX.replace(/\s/g, ''), 'hex');

describe('asm', () => {
  test.each([
    ['hex on stdout', ['asm', SOURCE], HEX],
    ['from stdin', ['asm', '-'], HEX],
    ['format hex', ['asm', SOURCE, '--format', 'hex', '-o', '-'], HEX],
    ['gnu text', ['asm', file('g.s', 'mov %r0, 42\nexit\n'), '--dialect', 'gnu'], HEX],
  ])('%s', async (_, argv, want) => {
    expect(await cli(argv, { stdin: TEXT })).toMatchObject({ code: 0, stdout: want, stderr: '' });
  });

  test('binary to stdout and to a file named .bin', async () => {
    const toStdout = await cli(['asm', SOURCE, '--format', 'bin']);
    expect(Buffer.from(toStdout.bytes).equals(BYTES)).toBe(true);
    const out = freshPath('out.bin');
    expect(await cli(['asm', SOURCE, '-o', out])).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(out).equals(BYTES)).toBe(true);
  });

  test('binary does not go to a terminal', async () => {
    const { code, stderr } = await cli(['asm', SOURCE, '--format', 'bin'], { terminal: true });
    expect(code).toBe(2);
    expect(stderr).toMatch(/stdout is a terminal/);
  });

  test('an ELF object with sections, symbols and relocations', async () => {
    const out = freshPath('firewall.o');
    const { code } = await cli(['asm', `${ROOT}/examples/xdp-firewall/firewall.bpf.s`, '-o', out]);
    expect(code).toBe(0);
    const elf = readFileSync(out);
    expect(elf.subarray(0, 4).toString('latin1')).toBe('\u007fELF');
    // EM_BPF at offset 18, gABI.
    expect(elf.readUInt16LE(18)).toBe(247);
    const names = elf.toString('latin1');
    for (const name of ['xdp', '.relxdp', 'license', 'firewall', 'blocked_ports', 'counters', '.symtab']) {
      expect(names).toContain(`${name}\0`);
    }
  });

  test('--section gives one section as it stands', async () => {
    const path = file(
      'two.bpf.s',
      '.section xdp,"ax",@progbits\nr0 = 1\nexit\n.section tc,"ax",@progbits\nr0 = 2\nexit\n',
    );
    const { stdout } = await cli(['asm', path, '--section', 'tc']);
    expect(stdout).toBe('b7 00 00 00 02 00 00 00\n95 00 00 00 00 00 00 00\n');
  });

  test('--mcpu refuses what the processor version does not have', async () => {
    const path = file('v4.bpf.s', 'r0 = -9\nr0 s/= 2\nexit\n');
    expect((await cli(['asm', path, '--mcpu', 'v4'])).code).toBe(0);
    const { code, stderr } = await cli(['asm', path, '--mcpu', 'v3']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/v4\.bpf\.s:2:1: .*v4/);
  });
});

describe('disasm', () => {
  const examples = ['xdp-firewall/firewall', 'socket-filter/dns', 'map-counter/counter', 'fib/fib'];
  test.each(examples)('%s disassembles to text that assembles to the same bytes', async (name) => {
    const path = `${ROOT}/examples/${name}.bpf.s`;
    const before = (await cli(['asm', path])).stdout;
    for (const dialect of ['pseudoc']) {
      const text = (await cli(['disasm', file('x.hex', before), '--dialect', dialect])).stdout;
      expect((await cli(['asm', '-'], { stdin: text })).stdout).toBe(before);
    }
  });

  test('--bytes shows numbers, bytes and source lines', async () => {
    const { stdout } = await cli(['disasm', '--bytes', SOURCE]);
    expect(stdout).toMatch(/0: {2}b7 00 00 00 2a 00 00 00 {2}r0 = 42/);
    expect(stdout).toMatch(/; .*a\.bpf\.s:1 {2}r0 = 42/);
  });

  test('--xlated in a dialect shows the rewritten program with the original instruction of each', async () => {
    const path = file('ctx.bpf.s', '.section xdp,"ax",@progbits\nr2 = *(u32 *)(r1 + 16)\nr0 = 2\nexit\n');
    const { code, stdout } = await cli(['disasm', '--xlated', '--dialect', 'pseudoc', path]);
    expect(code).toBe(0);
    // rx_queue_index is behind a pointer: one load becomes two.
    expect(stdout.match(/\(0\) /g)?.length).toBeGreaterThan(1);
  });

  test('--dialect kernel prints as verifier logs do', async () => {
    const path = file('k.bpf.s', 'r0 = 1\nif r0 == 1 goto +1\ncall 5\nexit\n');
    for (const more of [[], ['--bytes']]) {
      const { stdout } = await cli(['disasm', '--dialect', 'kernel', path, ...more]);
      expect(stdout).toMatch(/if r0 == 0x1 goto pc\+1/);
      expect(stdout).toMatch(/call bpf_ktime_get_ns#5/);
    }
  });
});

describe('check', () => {
  test('nothing to report', async () => {
    expect(await cli(['check', SOURCE])).toMatchObject({ code: 0, stdout: '1 file: nothing to report\n' });
  });

  test('every finding of every file, exit code 1 for errors', async () => {
    const bad = file('bad.bpf.s', 'frobnicate\nr0 = r11\nexit\n');
    const { code, stdout } = await cli(['check', SOURCE, bad]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/bad\.bpf\.s:1:1: error: .*\[[a-z-]+\]/);
    expect(stdout).toMatch(/bad\.bpf\.s:2:\d+: error: /);
    expect(stdout).toMatch(/2 files: \d errors/);
  });

  test('warnings alone are exit code 0', async () => {
    const path = file('warn.bpf.s', 'r0 = 0\nexit\nr0 = 1\nexit\n');
    const { code, stdout } = await cli(['check', path, '--json']);
    const { diagnostics, errors, warnings } = JSON.parse(stdout);
    expect({ code, errors }).toEqual({ code: 0, errors: 0 });
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(warnings).toBe(
      diagnostics.filter((each: { severity: string }) => each.severity === 'warning').length,
    );
    expect(diagnostics[0]).toMatchObject({ file: path, line: 3, column: 1 });
  });

  test('raw instructions are checked as they would be at load', async () => {
    const { code, stdout } = await cli(['check', file('bad.hex', 'ff00000000000000 9500000000000000')]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/unknown opcode ff \(instruction 0/);
  });

  test('the examples are clean', async () => {
    const names = ['xdp-firewall/firewall', 'socket-filter/dns', 'map-counter/counter', 'fib/fib'];
    const { code, stdout } = await cli(['check', ...names.map((name) => `${ROOT}/examples/${name}.bpf.s`)]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '4 files: nothing to report\n' });
  });
});

describe('conformance', () => {
  const run = (program: string, ...argv: string[]) => cli(['conformance', ...argv], { stdin: program });
  const RETURN = 'b7  00  00  00  2a  00  00  00   95  00  00  00  00  00  00  00  \n';
  const LENGTH = 'bf 20 00 00 00 00 00 00 95 00 00 00 00 00 00 00\n';
  const FIRST = '71 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00\n';
  test.each([
    ['prints R0 as hex', RETURN, [], '2a\n'],
    [
      'R0 has 64 bits',
      '18 00 00 00 44 33 22 11 00 00 00 00 88 77 66 f5 95 00 00 00 00 00 00 00',
      [],
      'f566778811223344\n',
    ],
    ['R2 is the length of the memory', LENGTH, ['aa  bb  cc  '], '3\n'],
    ['R1 is the memory', FIRST, ['aabbcc'], 'aa\n'],
    ['no memory', LENGTH, [], '0\n'],
    ['empty words of the runner', RETURN, ['', ''], '2a\n'],
    ['options as one word', RETURN, ['', '--engine reference'], '2a\n'],
    ['program without spaces', RETURN.replace(/\s/g, ''), [], '2a\n'],
  ])('%s', async (_, program, argv, stdout) => {
    expect(await run(program, ...argv)).toMatchObject({ code: 0, stdout, stderr: '' });
  });

  test.each([
    ['refused', '8d 02 00 00 00 00 00 00 95 00 00 00 00 00 00 00', [], /refused at load: unknown opcode 8d/],
    ['fault', FIRST, [], /out_of_bounds at instruction 0/],
    ['no hex', 'nonsense', [], /must be hex text/],
    ['bad memory', RETURN, ['zz'], /memory must be hex/],
    ['half an instruction', 'b7 00 00 00', [], /4 bytes; an instruction has 8/],
    ['no program', '', [], /no program|empty/],
    [
      'endless loop',
      'b7 00 00 00 00 00 00 00 15 00 ff ff 00 00 00 00 95 00 00 00 00 00 00 00',
      [],
      /insn_limit/,
    ],
  ])('%s is exit code 1 with the reason on stderr', async (_, program, argv, message) => {
    const { code, stdout, stderr } = await run(program, ...argv);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
