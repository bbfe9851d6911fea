import { describe, expect, test } from 'vitest';
import { cli, file, ROOT } from './harness.ts';

const FIB = `${ROOT}/examples/fib/fib.bpf.s`;

async function session(commands: readonly string[], argv: readonly string[] = [FIB, '--data', '0a']) {
  return cli(['debug', ...argv], { stdin: `${commands.join('\n')}\n` });
}

describe('debug', () => {
  test('stops at the first instruction and ends with stdin', async () => {
    const { code, stdout } = await session([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/entry\n.*fib\.bpf\.s:\d+ {2}if r2 == 0 goto empty/);
  });

  test('without line info it says once what does not work', async () => {
    const path = file('x.hex', 'b7000000070000009500000000000000');
    const { stdout, stderr } = await session(['b 1', 'n', 'q'], [path]);
    expect(stderr.match(/line info/g)).toHaveLength(1);
    expect(stderr).toMatch(/x\.hex has no line info: no breakpoint can stand on a line; .* by instruction$/m);
    expect(stdout).toContain('x.hex has no line info: set breakpoints');
    expect(stdout).toContain('instruction 1');
  });

  test('steps into a function, shows both frames, and out again', async () => {
    const { stdout } = await session([
      'b nowhere',
      'b',
      's',
      's',
      's',
      's',
      's',
      's',
      's',
      's',
      's',
      's',
      's',
      'bt',
      'out',
      'bt',
      'q',
    ]);
    expect(stdout).toContain(
      'no breakpoint at nowhere (there is no function "nowhere"; there are fib, next_pair)',
    );
    expect(stdout).toContain('no breakpoints');
    expect(stdout).toMatch(/#0 {2}next_pair .*\n#1 {2}fib /);
    expect(stdout.trimEnd()).toMatch(/#0 {2}fib [^\n]*$/);
  });

  test('engine tells which one executes and lets another go on', async () => {
    const { code, stdout } = await session([
      'engine',
      's',
      'engine wasm',
      'engine wasm',
      's',
      'engine qemu',
      'engine',
      'c',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^interp executes$/m);
    expect(stdout).toMatch(/^wasm executes from here on\nwasm executes already$/m);
    expect(stdout).toMatch(/^there is no engine "qemu"; the engines are reference, interp, wasm, x86-64$/m);
    expect(stdout).toMatch(/^wasm executes$/m);
    expect(stdout).toMatch(/r0 = 0x37\b/);
  });

  test('a breakpoint on a function', async () => {
    const { stdout } = await session(['b fob', 'b fib', 'b', 'd fib', 'b', 'b 0']);
    expect(stdout).toContain('no breakpoint at fob (there is no function "fob"; did you mean fib?)');
    expect(stdout).toMatch(
      /^breakpoint at fib\nbreakpoints at fib\ndeleted breakpoint at fib\nno breakpoints$/m,
    );
    expect(stdout).toContain('lines count from 1');
  });

  test('a breakpoint is listed and deleted by the line that it lies on', async () => {
    const path = file('gap.bpf.s', 'r0 = 0\n\n# nothing\nr0 = 1\nexit\n');
    const { stdout } = await session(['b 2', 'b', 'b 4', 'b', 'd 4', 'b', 'b 3', 'd 3', 'b', 'c'], [path]);
    expect(stdout).toMatch(
      /^breakpoint at 4.*\nbreakpoints at 4\nbreakpoint at 4\nbreakpoints at 4\ndeleted breakpoint at 4\nno breakpoints$/m,
    );
    expect(stdout).toMatch(/^deleted breakpoint at 3\nno breakpoints\npacket 1\/1: /m);
  });

  test('with an interpreter a step by native code is one BPF instruction', async () => {
    const path = file('two.bpf.s', 'r0 = 0\nr0 = 1\nexit\n');
    const { stdout } = await session(['sm', 'nm'], [path, '--engine', 'interp']);
    expect(stdout.match(/two\.bpf\.s:\d/g)?.map((place) => place.at(-1))).toEqual(['1', '2', '3']);
  });

  test('a step takes no number', async () => {
    const { stdout } = await session(['sm 20', 'n']);
    expect(stdout).toContain('sm takes nothing behind it: it is one step; an empty line repeats it');
  });

  test('steps by WebAssembly show it', async () => {
    const { stdout } = await session(['engine wasm', 'sm', 'sm', 'nm', 'p $left']);
    expect(stdout.match(/^ {2}0xffffffffa0000\w{3} {2}[a-z]\S+ .*$/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^0x40000 \(262144\)/m);
  });

  test('steps by machine code show it', async () => {
    const { stdout } = await session(['engine x86-64', 'sm', 'sm', 'nm', 'p $rip']);
    expect(stdout.match(/^ {2}0xffffffffc0000\w{3} {2}\w+ .*$/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^ {2}0xffffffffc\w+ {2}push rbp$/m);
    expect(stdout).toMatch(/^0xffffffffc0000\w{3} /m);
  });

  test('breakpoints, printing, changing a register, running to the end', async () => {
    const lines = (await cli(['disasm', '--bytes', FIB])).stdout;
    const line = /fib\.bpf\.s:(\d+) {2}if r6 != 0 goto again/.exec(lines)?.[1] ?? '';
    const { code, stdout } = await session([
      `b ${line}`,
      'c',
      'p r6',
      'set r6 = 3',
      'p r6',
      `d ${line}`,
      `d ${line}`,
      'c',
    ]);
    expect(stdout).toContain(`breakpoint at ${line}`);
    expect(stdout).toMatch(/0xa \(10\)/);
    expect(stdout).toContain(`deleted breakpoint at ${line}`);
    expect(stdout).toContain(`no breakpoint at ${line}`);
    // fib(3)
    expect(stdout).toMatch(/r0 = 0x2/);
    expect(code).toBe(0);
  });

  test('registers, stack, memory, maps, source and help', async () => {
    const { stdout } = await session([
      'n',
      'n',
      'n',
      'n',
      'r',
      'k',
      'x r1 4',
      'x r10-16 8',
      'maps',
      'l',
      'help',
      'frob',
      'p',
      'p 1 +',
      'set x',
      'x 5',
    ]);
    expect(stdout).toMatch(/r6 {3} ?\*?0x0{14}0a|r6 .*0x000000000000000a/);
    expect(stdout).toMatch(/fp-16 +00 00 00 00 00 00 00 00/);
    expect(stdout).toContain('no maps');
    expect(stdout).toMatch(/→ +\d+ /);
    expect(stdout).toContain('n, next');
    expect(stdout).toContain('unknown command frob; help lists them');
    expect(stdout).toContain('p EXPRESSION, as in p r1');
    expect(stdout).toContain('set A = B, as in set r1 = 5');
  });

  test('an empty line repeats the last step', async () => {
    const { stdout } = await session(['n', '', '']);
    expect(stdout.match(/fib\.bpf\.s:\d+ /g)).toHaveLength(4);
  });

  test('a fault stops with its text and ends with exit code 1', async () => {
    const path = file('fault.bpf.s', 'r0 = 0\nr0 = *(u8 *)(r1 + 9)\nexit\n');
    const { code, stdout } = await session(['c', 'c'], [path, '--data', '00']);
    expect(stdout.match(/read of 1 byte/g)).toHaveLength(1);
    expect(stdout).toMatch(/fault\.bpf\.s:2 /);
    expect(code).toBe(1);
  });

  test('all packets of a capture, one after the other', async () => {
    const argv = [
      `${ROOT}/examples/socket-filter/dns.bpf.s`,
      '--pcap',
      `${ROOT}/examples/socket-filter/traffic.pcap`,
    ];
    const { code, stdout } = await session(['c', 'c', 'c', 'c', 'c', 'c', 'c'], [...argv, '--packet', 'all']);
    expect(code).toBe(0);
    expect(stdout.match(/packet \d\/6/g)?.length).toBeGreaterThanOrEqual(6);
  });

  test('steps over a tail call into the program that .map_entry puts into the array', async () => {
    const head =
      '.map jumps, prog_array, 4, 4, 2\n.map_entry jumps, 1, second\n.section xdp,"ax",@progbits\n';
    const first = '.globl first\nfirst:\nr2 = jumps ll\nr3 = 1\ncall bpf_tail_call\nr0 = 1\nexit\n';
    const path = file('tail.bpf.s', `${head}${first}.globl second\nsecond:\nr0 = 3\nexit\n`);
    const { code, stdout } = await session(['s', 's', 's', 'bt', 'c'], [path, '--prog', 'first']);
    expect(stdout).toMatch(/#0 {2}second .* r0 = 3/);
    expect(stdout).toContain('XDP_TX (3)');
    expect(code).toBe(0);
  });

  test('xlated shows what instructions are rewritten to, and AX, until it is said again', async () => {
    const path = file('x.bpf.s', '.section xdp\nmain:\nr0 = 5\nr1 = 6\nexit\n');
    const { stdout } = await session(
      ['p AX', 'xlated', 'p AX', 'n', 'r', 'xlated', 'n', 'p AX'],
      [path, '--blind'],
    );
    const refusal = 'AX is a register of the rewritten program';
    const [before, ...shown] = stdout.split('r11 =');
    expect(before).toContain(refusal);
    expect(shown.length).toBe(2);
    expect(stdout).toMatch(
      / 0: r11 = .*\n +1: r11 \^= .*\n +2: r0 = r11\n0x0\n.*\n +3: r11 = .*\n +4: r11 \^= .*\n +5: r1 = r11\n/,
    );
    expect(stdout).toMatch(/\nax .*0x0{15}5\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain(refusal);
  });

  test('run, debug and lockstep tell alike which packet a program gets when none is named', async () => {
    const path = file('pass.bpf.s', '.section xdp\nmain:\nr0 = 2\nexit\n');
    const said = await Promise.all([
      cli(['run', path]),
      session([], [path]),
      cli(['run', path, '--lockstep', 'reference']),
    ]);
    const notice =
      /no packet given: the built-in packet "[^"]+" is used; --pcap FILE or --data HEX names one/;
    const texts = said.map(({ stderr }) => notice.exec(stderr)?.[0]);
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toBeDefined();
  });

  test('a refused program is exit code 1', async () => {
    const { code, stderr } = await session([], [file('r.hex', 'ff00000000000000 9500000000000000')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/refused at load: unknown opcode ff/);
  });
});
