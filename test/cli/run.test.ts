import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cli, file, ROOT } from './harness.ts';

const EXAMPLES = `${ROOT}/examples`;
const FIREWALL = [
  `${EXAMPLES}/xdp-firewall/firewall.bpf.s`,
  '--pcap',
  `${EXAMPLES}/xdp-firewall/traffic.pcap`,
];

async function json(argv: readonly string[], stdin = '') {
  const { code, stdout } = await cli([...argv, '--json'], { stdin });
  expect(stdout.endsWith('}\n') && stdout.trim().split('\n').length === 1).toBe(true);
  return { code, ...JSON.parse(stdout) };
}

test('the firewall gives each packet of its capture the verdict that its README tells', async () => {
  const { code, prog, type, engine, results, stats } = await json(['run', ...FIREWALL, '--packet', 'all']);
  const readme = readFileSync(`${EXAMPLES}/xdp-firewall/README.md`, 'utf8');
  const told = [...readme.matchAll(/^\| (\d+) \|.*`(XDP_\w+)` \|$/gm)].map((row) => [Number(row[1]), row[2]]);
  expect(told).toHaveLength(12);
  expect(
    results.map((each: { packet: number; verdict: string }) => [each.packet, each.verdict.split(' ')[0]]),
  ).toEqual(told);
  expect({ code, prog, type, engine }).toEqual({
    code: 0,
    prog: 'firewall',
    type: 'xdp',
    engine: 'interp',
  });
  expect(stats).toMatchObject([{ cpu: 0, cnt: '0xc', misses: '0x0' }]);
  const [blocked, counters] = results.at(-1).maps_out;
  expect(blocked).toEqual({
    '1700': '0200000000000000',
    bd01: '0200000000000000',
    '6c07': '0100000000000000',
  });
  expect(counters).toEqual({
    '00000000': '0900000000000000',
    '01000000': '0200000000000000',
    '02000000': '0100000000000000',
    '03000000': '0100000000000000',
    '04000000': '0500000000000000',
  });
});

test('run --json has exactly the fields of the reference', async () => {
  const { code, ...all } = await json(['run', ...FIREWALL, '--packet', '2']);
  expect(Object.keys(all)).toEqual(['prog', 'type', 'engine', 'results', 'stats']);
  expect(Object.keys(all.results[0])).toEqual([
    ...[
      'packet',
      'verdict',
      'retval',
      'r0',
      'insns_executed',
      'fault',
      'data_out',
      'ctx_out',
      'maps_out',
      'output',
    ],
  ]);
  expect(all.results[0]).toMatchObject({
    packet: 2,
    verdict: 'XDP_DROP (1)',
    retval: 1,
    r0: '0x1',
    fault: null,
  });
  expect(Object.keys(all.stats[0])).toEqual(['cpu', 'cnt', 'nsecs', 'misses']);
});

test('the other examples do what their READMEs tell', async () => {
  const dns = await json([
    ...['run', `${EXAMPLES}/socket-filter/dns.bpf.s`, '--pcap', `${EXAMPLES}/socket-filter/traffic.pcap`],
    ...['--packet', 'all'],
  ]);
  expect(dns.results.map((each: { retval: number }) => each.retval)).toEqual([512, 512, 0, 0, 512, 0]);
  const counter = await json([
    ...['run', `${EXAMPLES}/map-counter/counter.bpf.s`, '--pcap', `${EXAMPLES}/map-counter/traffic.pcap`],
    ...['--packet', 'all'],
  ]);
  const [protocols, sources] = counter.results.at(-1).maps_out;
  expect([protocols['06000000'], protocols['11000000']]).toEqual(['0300000000000000', '0200000000000000']);
  expect(sources).toEqual({
    '0a000001': 'bf00000000000000',
    '0a000002': '3c00000000000000',
    '0a0000fe': '3c00000000000000',
  });
  const fib = await json([
    'run',
    `${EXAMPLES}/fib/fib.bpf.s`,
    '--pcap',
    `${EXAMPLES}/fib/inputs.pcap`,
    '--packet',
    'all',
  ]);
  expect(fib.results.map((each: { r0: string }) => BigInt(each.r0))).toEqual([
    0n,
    1n,
    55n,
    12586269025n,
    12200160415121876738n,
  ]);
});

describe('input is recognised by its content', () => {
  const bytes = Uint8Array.from(Buffer.from('b70000002a0000009500000000000000', 'hex'));
  test.each([
    ['assembly text', file('a.bpf.s', 'r0 = 42\nexit\n')],
    ['GNU assembly text', file('g.s', 'mov %r0, 42\nexit\n')],
    ['raw instructions', file('a.bin', bytes)],
    ['hex text', file('a.hex', 'b7 00 00 00 2a 00 00 00\n95 00 00 00 00 00 00 00\n')],
  ])('%s', async (_, path) => {
    expect(await json(['run', path])).toMatchObject({ code: 0, results: [{ r0: '0x2a' }] });
  });
  test('stdin', async () => {
    expect(await json(['run', '-'], 'r0 = 42\nexit\n')).toMatchObject({ results: [{ r0: '0x2a' }] });
  });
});

test('a fault is exit code 1, with kind, places, address and text', async () => {
  const path = file('fault.bpf.s', 'r0 = 0\nr0 = *(u32 *)(r1 + 1)\nexit\n');
  const { code, results } = await json(['run', path, '--data', '00112233']);
  expect(code).toBe(1);
  const [{ fault, verdict }] = results;
  expect(Object.keys(fault)).toEqual(['kind', 'pc', 'xlated_pc', 'address', 'size', 'region', 'message']);
  expect(fault).toMatchObject({ kind: 'out_of_bounds', pc: 1, xlated_pc: 1, size: 4 });
  expect(fault.address).toMatch(/^0xffff88[0-9a-f]{10}$/);
  expect(verdict).toBeNull();
  const text = await cli(['run', path, '--data', '00112233']);
  expect(text.code).toBe(1);
  expect(text.stdout).toMatch(/fault: out_of_bounds/);
  expect(text.stdout).toMatch(/fault\.bpf\.s:2:1 \(instruction 1\): read of 4 bytes/);
});

test('a refused program is exit code 1 and no fault', async () => {
  const path = file('refused.hex', 'ff 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00');
  const refused = await json(['run', path]);
  expect(refused).toMatchObject({
    code: 1,
    refused: { pc: 0, message: expect.stringContaining('unknown opcode ff') },
    results: [],
  });
  expect((await cli(['run', path])).stdout).toMatch(/refused at instruction 0: unknown opcode ff/);
});

test.each([
  ['--data @FILE', 'r0 = *(u8 *)(r1 + 2)\nexit', ['--data', `@${file('d', Uint8Array.of(7, 8, 9))}`], '0x9'],
  [
    '--type',
    'r0 = *(u32 *)(r1 + 4)\nr2 = *(u32 *)(r1 + 0)\nr0 -= r2\nexit',
    ['--type', 'xdp', '--data', '00'.repeat(20)],
    '0x14',
  ],
  [
    '--ctx',
    'r0 = *(u32 *)(r1 + 8)\nexit',
    ['--type', 'sched_cls', '--data', '00'.repeat(20), '--ctx', 'mark=0x10'],
    '0x10',
  ],
  ['--cpu', 'call bpf_get_smp_processor_id\nexit', ['--cpu', '3'], '0x3'],
  ['--max-insns', 'r0 = 5\nr0 += 1\nexit', ['--max-insns', '3'], '0x6'],
  [
    '--prog',
    '.section xdp,"ax",@progbits\n.globl a\na:\nr0 = 1\nexit\n.globl b\nb:\nr0 = 2\nexit',
    ['--prog', 'b', '--data', '00'.repeat(20)],
    '0x2',
  ],
  [
    '--attach test_run',
    'r0 = *(u32 *)(r1 + 0)\nexit',
    ['--type', 'socket_filter', '--attach', 'test_run', '--data', '00'.repeat(20)],
    '0x6',
  ],
  [
    '--attach packet',
    'r0 = *(u32 *)(r1 + 0)\nexit',
    ['--type', 'socket_filter', '--attach', 'packet', '--data', '00'.repeat(20)],
    '0x14',
  ],
  ['--engine', 'r0 = 1\nexit', ['--engine', 'reference'], '0x1'],
  ['--engine', 'r0 = 1\nexit', ['--engine', 'interp'], '0x1'],
  ['--engine wasm', 'r0 = 1\nexit', ['--engine', 'wasm'], '0x1'],
  ['--engine x86-64', 'r0 = 1\nexit', ['--engine', 'x86-64'], '0x1'],
])('%s is obeyed', async (_, text, options, r0) => {
  expect(await json(['run', file('p.bpf.s', `${text}\n`), ...options])).toMatchObject({
    code: 0,
    results: [{ r0 }],
  });
});

test('--repeat runs each packet so often, --seed makes random numbers repeatable', async () => {
  const path = file('r.bpf.s', 'call bpf_get_prandom_u32\nexit\n');
  const run = (seed: string) => json(['run', path, '--seed', seed, '--repeat', '3']);
  const first = await run('7');
  expect(first.stats[0].cnt).toBe('0x3');
  expect((await run('7')).results[0].r0).toBe(first.results[0].r0);
  expect((await run('8')).results[0].r0).not.toBe(first.results[0].r0);
});

test('--max-insns ends a loop with a fault', async () => {
  const path = file('loop.bpf.s', 'r0 = 0\nloop:\nr0 += 1\nif r0 != 0 goto loop\nexit\n');
  const { code, results } = await json(['run', path, '--max-insns', '1000']);
  expect({ code, kind: results[0].fault.kind, n: results[0].insns_executed }).toEqual({
    code: 1,
    kind: 'insn_limit',
    n: 1000,
  });
});

test('a damaged capture gives its good packets and a message with the place', async () => {
  const whole = readFileSync(`${EXAMPLES}/xdp-firewall/traffic.pcap`);
  const path = file('cut.pcap', whole.subarray(0, whole.length - 10));
  const { code, stdout, stderr } = await cli([
    'run',
    FIREWALL[0] ?? '',
    '--pcap',
    path,
    '--packet',
    'all',
    '--json',
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).results).toHaveLength(11);
  expect(stderr).toMatch(/cut\.pcap: .*\d+/);
});

test('what a program prints is in the report and in output', async () => {
  const text =
    'r1 = 0x6f6c6c6568 ll\n*(u64 *)(r10 - 8) = r1\nr1 = r10\nr1 += -8\nr2 = 6\ncall bpf_trace_printk\nr0 = 0\nexit\n';
  const path = file('print.bpf.s', text);
  expect((await json(['run', path])).results[0].output).toEqual(['hello']);
  expect((await cli(['run', path])).stdout).toContain('    hello\n');
});

test('--cpu says whose values of a per-CPU map a program sees', async () => {
  const text = `.map hits, percpu_array, 4, 4, 4
.map_entry hits, 2, 5
*(u32 *)(r10 - 4) = 2
r1 = hits ll
r2 = r10
r2 += -4
call bpf_map_lookup_elem
if r0 == 0 goto out
r1 = 1
lock *(u32 *)(r0 + 0) += r1
call bpf_get_smp_processor_id
out:
exit
`;
  const path = file('percpu.bpf.s', text);
  const ofHash = file('percpu-hash.bpf.s', text.replace('percpu_array', 'percpu_hash'));
  const hash = await cli(['run', ofHash, '--cpu', '1']);
  expect(hash.stdout).toMatch(/map hits {2}percpu_hash\n {4}2 on CPU 0 = 5\n {4}2 on CPU 1 = 6\n/);
  expect((await json(['run', ofHash, '--cpu', '1'])).results[0].maps_out).toEqual([
    { '02000000': '05000000000000000600000000000000' },
  ]);
  const one = await cli(['run', path]);
  expect(one.stdout).toMatch(/map hits {2}percpu_array\n {4}2 = 6\n/);
  const two = await cli(['run', path, '--cpu', '1']);
  expect(two.stdout).toMatch(/map hits {2}percpu_array\n {4}2 on CPU 0 = 5\n {4}2 on CPU 1 = 6\n/);
  const [result] = (await json(['run', path, '--cpu', '1'])).results;
  expect(result).toMatchObject({
    r0: '0x1',
    maps_out: [{ '02000000': '05000000000000000600000000000000' }],
  });
});

test('a program array is filled by .map_entry with a program of the same file', async () => {
  const text = [
    '.map jumps, prog_array, 4, 4, 2',
    '.map_entry jumps, 1, second',
    '.section xdp,"ax",@progbits',
    '.globl first',
    'first:',
    'r2 = jumps ll',
    'r3 = 1',
    'call bpf_tail_call',
    'r0 = 1',
    'exit',
    '.globl second',
    'second:',
    'r0 = 3',
    'exit',
  ];
  const path = file('tail.bpf.s', `${text.join('\n')}\n`);
  const argv = ['run', path, '--prog', 'first', '--data', '00'.repeat(60)];
  expect(await json(argv)).toMatchObject({ code: 0, results: [{ verdict: 'XDP_TX (3)' }] });
});

test('a program of a type that is not simulated is said to run as raw, unless --type tells', async () => {
  const path = file('probe.bpf.s', '.section kprobe/do_exit,"ax",@progbits\nprobe:\nr0 = 0\nexit\n');
  expect((await cli(['run', path])).stderr).toMatch(
    /section "kprobe\/do_exit" tells none .*probe runs as raw/,
  );
  expect((await cli(['run', path, '--type', 'raw'])).stderr).toBe('');
});
