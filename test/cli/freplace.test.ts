import { expect, test } from 'vitest';
import { TEXT } from '../prog/extensions.ts';
import { cli, file } from './harness.ts';

const FILE = file('extended.bpf.s', TEXT);
const ARRAYS = file('arrays.bpf.s', `.map jumps, prog_array, 4, 4, 4\n.map_entry jumps, 0, main\n${TEXT}`);

test.each([
  ['no extension', [], 16],
  ['a function', ['--freplace', 'plus_length'], 7 + 60 + 9 + 60],
  ['the whole program', ['--freplace', 'whole', '--ctx', 'ingress_ifindex=5'], 5],
  ['both, of which only one is reached', ['--freplace', 'plus_length', '--freplace', 'whole'], 1],
])('run with %s', async (_, argv, retval) => {
  const { code, stdout } = await cli(['run', FILE, '--data', '00'.repeat(60), '--json', ...argv]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ prog: 'main', type: 'xdp', results: [{ retval }] });
});

test.each([
  [
    'twice the same',
    ['--freplace', 'whole', '--freplace', 'whole'],
    'main of main cannot be replaced by whole (EBUSY)',
  ],
  ['a static function', ['--freplace', 'of_static'], 'Cannot replace static functions'],
  ['what is no extension', ['--freplace', 'main'], 'main is no extension'],
  ['an extension alone', ['--prog', 'whole'], 'Tracing programs must provide btf_id'],
])('refused: %s', async (_, argv, text) => {
  const { code, stdout } = await cli(['run', FILE, ...argv]);
  expect(code).toBe(1);
  expect(stdout).toContain(text);
});

test('a program in a program array is not extended', async () => {
  const { code, stdout } = await cli(['run', ARRAYS, '--freplace', 'whole']);
  expect([code, stdout]).toEqual([1, expect.stringContaining('(EBUSY)')]);
});

test.each([
  [
    'wasm',
    ['--freplace', 'plus_length'],
    /^bpf-workbench: engine wasm: main: an extension .*; interp executes it$/m,
  ],
  ['wasm', [], /^$/],
  ['interp', ['--freplace', 'plus_length'], /^$/],
])('engine %s with %j says on stderr what is interpreted', async (engine, argv, stderr) => {
  const data = ['--data', '00'.repeat(60)];
  const { code, stderr: told } = await cli(['run', FILE, ...data, '--engine', engine, ...argv]);
  expect([code, told]).toEqual([0, expect.stringMatching(stderr)]);
});

test('bad usage: a program that is not there', async () => {
  const { code, stderr } = await cli(['run', FILE, '--freplace', 'nobody']);
  expect(code).toBe(2);
  expect(stderr).toContain('--freplace nobody: there is no program called nobody');
});

test('inspect names the replaced functions, and the trace has every call in order', async () => {
  const { stdout } = await cli(['inspect', FILE, '--freplace', 'plus_length', '--trace', '--json']);
  const shown = JSON.parse(stdout);
  expect(shown).toMatchObject({
    name: 'main',
    extensions: [{ func: 'count', prog: 'plus_length', id: 2 }],
    prog_array_member_cnt: 0,
  });
  const names: string[] = shown.trace.map(({ name }: { name: string }) => name);
  const order = [
    'bpf_prog_load',
    'bpf_check_attach_target',
    'bpf_tracing_prog_attach',
    'bpf_tracing_link_release',
    'bpf_prog_free',
    '__bpf_prog_free',
  ];
  expect(order.map((name) => names.indexOf(name))).toEqual(
    [...order.map((name) => names.indexOf(name))].sort((a, b) => a - b),
  );
  expect(names.filter((name) => name === '__bpf_prog_free').length).toBe(2);
  const { stdout: text } = await cli(['inspect', FILE, '--freplace', 'plus_length']);
  expect(text).toContain('function count is replaced by plus_length (id 2)');
  const { stdout: arrays } = await cli(['inspect', ARRAYS, '--json']);
  expect(JSON.parse(arrays)).toMatchObject({ extensions: [], prog_array_member_cnt: 1 });
});

test('inspect shows read-only data that nothing names as a map of the program', async () => {
  const path = file(
    'meta.bpf.s',
    '.map spare, array, 4, 8, 1\n.section xdp\nmain:\nr0 = 2\nexit\n.section .rodata,"a"\n.asciz "v7"\n',
  );
  const { stdout } = await cli(['inspect', path, '--trace', '--json']);
  const shown = JSON.parse(stdout);
  const meta = shown.maps.find(({ name }: { name: string }) => name === '.rodata');
  expect(shown.map_ids).toEqual([meta.id]);
  expect(shown.trace).toContainEqual({ name: 'bpf_prog_bind_map', detail: 'map .rodata' });
  const run = await cli(['run', path]);
  expect(run.stdout).not.toContain('.rodata');
});

test('a raw tracepoint: arguments, and a nested entry that is a miss', async () => {
  const path = file(
    'tp.bpf.s',
    '.section raw_tp/bpf_trace_printk\nmain:\nr6 = *(u64 *)(r1 + 16)\nr1 = 0x6968 ll\n*(u64 *)(r10 - 8) = r1\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_trace_printk\nr0 = r6\nexit\n',
  );
  const { stdout } = await cli(['run', path, '--ctx', 'args[2]=0x100000002', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'raw_tracepoint',
    results: [{ r0: '0x100000002', retval: 2, verdict: '2', output: ['hi'], data_out: '' }],
    stats: [{ cpu: 0, cnt: '0x1', misses: '0x1' }],
  });
  const forPeople = await cli(['run', path]);
  expect(forPeople.stdout).toContain(
    '\ncpu 0  misses 1: entries refused because the program ran there already\n',
  );
  const bytes = await cli(['run', path, '--data', `${'00'.repeat(16)}05`, '--json']);
  expect(JSON.parse(bytes.stdout).results[0].retval).toBe(5);
  const capture = await cli(['run', path, '--pcap', 'x.pcap']);
  expect([capture.code, capture.stderr]).toEqual([
    2,
    expect.stringContaining('a raw tracepoint sees no packets'),
  ]);
  const wrong = await cli(['run', path, '--ctx', 'args[12]=1']);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('has no field args[12]')]);
});

test('--type and --tracepoint attach a program whose section tells neither', async () => {
  const path = file(
    'plain.bpf.s',
    'main:\nr1 = 0x61\n*(u64 *)(r10 - 8) = r1\nr1 = r10\nr1 += -8\nr2 = 2\ncall bpf_trace_printk\nr0 = 0\nexit\n',
  );
  const misses = async (...argv: string[]) => {
    const { stdout } = await cli(['run', path, '--type', 'raw_tracepoint', '--json', ...argv]);
    return JSON.parse(stdout).stats[0].misses;
  };
  expect(await misses('--tracepoint', 'bpf_trace_printk')).toBe('0x1');
  expect(await misses('--tracepoint', 'sched_switch')).toBe('0x0');
  expect(await misses()).toBe('0x0');
  const wrong = await cli(['run', path, '--tracepoint', 'x']);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('main is of type raw; give --type raw_tracepoint'),
  ]);
});

test('a raw tracepoint in a batch', async () => {
  const stdin = ['{"ctx": {"args[2]": 7}}', '{"data": "0000000000000000000000000000000009"}', '{}']
    .map((line) =>
      JSON.stringify({
        insns: '7910100000000000 9500000000000000',
        prog_type: 'raw_tracepoint',
        ...JSON.parse(line),
      }),
    )
    .join('\n');
  const { stdout } = await cli(['run', '--jsonl'], { stdin });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).retval),
  ).toEqual([7, 9, 0]);
});
