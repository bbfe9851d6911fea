import { expect, test } from 'vitest';
import { cli, file, freshPath, ROOT } from './harness.ts';

const OK = file('ok.bpf.s', 'r0 = 2\nexit\n');
const BAD = file('bad.bpf.s', 'r0 = 2\nfrobnicate r1\nexit\n');
const CAPTURE = `${ROOT}/examples/fib/inputs.pcap`;
const ELF = file('elf.o', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));

/** Command line → what its one line on stderr must say; every row ends with exit code 2 and says nothing on stdout. */
test.each([
  ['no command', [], /no command given; one of run, debug/],
  ['unknown command', ['frob'], /unknown command "frob"; one of run/],
  ['later command', ['test', 'x'], /not supported: test$/],
  ['unknown option', ['run', '--frob', OK], /Unknown option '--frob'; see bpf-workbench run --help/],
  ['option without value', ['run', OK, '--data'], /--data/],
  ['inspect: no file', ['inspect'], /inspect: give one FILE/],
  ['inspect: missing program', ['inspect', '--prog', 'none', OK], /no program called none/],
  ['later option of conformance', ['conformance', '--elf'], /not supported: --elf/],
  ['unknown engine', ['run', '--engine', 'steam', OK], /--engine steam: must be reference, interp/],
  ['later type', ['run', '--type', 'kprobe', OK], /not supported: program type kprobe/],
  [
    'unknown type',
    ['run', '--type', 'foo', OK],
    /program type "foo": must be xdp, socket_filter, sched_cls, raw/,
  ],
  ['no file', ['run'], /give one FILE/],
  ['two files', ['run', OK, OK], /give one FILE/],
  ['missing file', ['run', '/nonexistent.bpf.s'], /\/nonexistent\.bpf\.s: no such file/],
  ['a directory', ['run', ROOT], /is a directory; give a file/],
  ['assembly error', ['run', BAD], /bad\.bpf\.s:2:1: /],
  ['tag: no file', ['tag'], /tag: give one FILE/],
  [
    'tag: no version',
    ['tag', '--kernel', 'six', OK],
    /--kernel six: must be a version of Linux, as in 6\.18/,
  ],
  ['tag: too old', ['tag', '--kernel', '4.9', OK], /--kernel 4\.9: program tags came with Linux 4\.10/],
  ['tag: missing program', ['tag', '--prog', 'none', OK], /no program called none/],
  ['tag: batch with a file', ['tag', '--jsonl', OK], /tag --jsonl reads stdin/],
  ['ELF input', ['run', ELF], /not supported: ELF object as input/],
  ['missing program', ['run', '--prog', 'none', OK], /no program called none/],
  ['bad data', ['run', '--data', '0g', OK], /--data, character 1: "0g" is no hex; bytes are two digits/],
  [
    'odd data',
    ['run', '--data', '012', OK],
    /--data, character 1: "012" has an odd number of hex digits; a byte has two/,
  ],
  ['missing data file', ['run', '--data', '@/nonexistent', OK], /\/nonexistent: no such file/],
  ['data and capture', ['run', '--data', '00', '--pcap', CAPTURE, OK], /--data and --pcap: give one of them/],
  ['packet without capture', ['run', '--packet', '1', OK], /give --pcap FILE/],
  ['packet out of range', ['run', '--pcap', CAPTURE, '--packet', '6', OK], /the capture has packets 1 to 5/],
  ['packet zero', ['run', '--pcap', CAPTURE, '--packet', '0', OK], /the capture has packets 1 to 5/],
  ['no capture', ['run', '--pcap', OK, OK], /ok\.bpf\.s: /],
  ['bad number', ['run', '--cpu', 'x', OK], /--cpu x: must be a whole number from 0 to 63/],
  ['number out of range', ['run', '--cpu', '64', OK], /--cpu 64: must be a whole number from 0 to 63/],
  ['zero limit', ['run', '--max-insns', '0', OK], /--max-insns 0: must be/],
  ['bad attach', ['run', '--attach', 'glue', OK], /attach "glue": must be packet or test_run/],
  ['bad context', ['run', '--ctx', 'mark', OK], /--ctx mark: must be field=value/],
  ['unknown context field', ['run', '--type', 'xdp', '--data', '00', '--ctx', 'frob=1', OK], /--ctx: .*frob/],
  ['file with jsonl', ['run', '--jsonl', OK], /reads stdin; give no FILE/],
  ['asm: no file', ['asm'], /give one FILE/],
  ['asm: later dialect', ['asm', '--dialect', 'ubpf', OK], /not supported: --dialect ubpf/],
  ['asm: unknown format', ['asm', '--format', 'exe', OK], /--format exe: must be bin, hex, elf/],
  ['asm: no such section', ['asm', '--section', 'none', OK], /--section none: no such section; there is /],
  ['asm: section of ELF', ['asm', '--section', 'x', '--format', 'elf', OK], /--section is for bin and hex/],
  ['asm: output cannot be written', ['asm', OK, '-o', `${freshPath('no')}/x.bin`], /cannot be written/],
  [
    'disasm: no whole instruction',
    ['disasm', file('odd.bin', Uint8Array.of(0xb7, 0, 0xff))],
    /3 bytes is no whole number/,
  ],
  ['disasm: later dialect', ['disasm', '--dialect', 'ubpf', OK], /not supported: --dialect ubpf/],
  ['disasm: eBPF as classic BPF', ['disasm', '--dialect', 'cbpf', OK], /eBPF has no form in classic BPF/],
  ['convert: without --to', ['convert', OK], /give --to pseudoc, gnu, cbpf/],
  ['convert: eBPF', ['convert', OK, '--to', 'gnu'], /not supported: convert of eBPF/],
  ['check: no file', ['check'], /give at least one FILE/],
  ['debug: stdin', ['debug', '-'], /not supported: debug -/],
  ['debug: assembly error', ['debug', BAD], /bad\.bpf\.s:2:1: /],
  ['lsp: how', ['lsp'], /give --stdio/],
  ['dap: how', ['dap'], /give --stdio or --port N/],
  ['dap: both', ['dap', '--stdio', '--port', '1'], /give --stdio or --port N/],
  ['dap: bad port', ['dap', '--port', '70000'], /from 0 to 65535/],
] as [string, string[], RegExp][])('%s', async (_, argv, message) => {
  const { code, stdout, stderr } = await cli(argv);
  expect(stderr).toMatch(message);
  expect(stderr.split('\n')).toHaveLength(1);
  expect(stdout).toBe('');
  expect(code).toBe(2);
});

const COMMANDS = [
  'run',
  'debug',
  'asm',
  'disasm',
  'convert',
  'check',
  'jit',
  'tag',
  'inspect',
  'kernel',
  'bench',
  'lsp',
  'dap',
  'conformance',
];

test.each(COMMANDS)('%s --help tells how to use it', async (name) => {
  const { code, stdout, stderr } = await cli([name, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^Usage: bpf-workbench ${name}`));
  expect(stdout).toContain('--help');
  expect(await cli(['help', name])).toMatchObject({ code: 0, stdout });
});

test('--help lists only what works', async () => {
  const { code, stdout } = await cli(['--help']);
  expect(code).toBe(0);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual([...COMMANDS].sort());
  for (const name of COMMANDS) {
    const help = (await cli([name, '--help'])).stdout;
    expect(help).not.toMatch(/--elf|ubpf/);
  }
});

test('colour is for terminals, and NO_COLOR turns it off', async () => {
  const ansi = '\u001b[';
  expect((await cli(['check', BAD], { terminal: true })).stdout).toContain(ansi);
  expect((await cli(['check', BAD])).stdout).not.toContain(ansi);
  expect((await cli(['check', BAD], { terminal: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(
    escape,
  );
});
