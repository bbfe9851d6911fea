import { expect, test } from 'vitest';
import { vectors } from '../prog/vectors.ts';
import { cli, file, ROOT } from './harness.ts';

const FIREWALL = `${ROOT}/examples/xdp-firewall/firewall.bpf.s`;
const SMALL = file('small.bpf.s', '.section xdp\nsmall:\nr0 = *(u32 *)(r1 + 12)\nr0 += 5\nexit\n');

async function inspect(...argv: string[]) {
  const { code, stdout, stderr } = await cli(['inspect', ...argv, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

test('the object of a program: what bpftool shows, and more', async () => {
  const shown = await inspect(FIREWALL);
  expect(shown).toMatchObject({
    name: 'firewall',
    type: 'xdp',
    tag: expect.stringMatching(/^[0-9a-f]{16}$/),
    hash: 'sha256',
    kernel: '6.18',
    gpl_compatible: true,
    jited: false,
    bytes_jited: 0,
    pages: 1,
    bytes_memlock: 4096,
    flags: { jit_requested: true, blinding_requested: false, blinded: false },
    subprograms: [
      { name: 'firewall', start: 0, stack_depth: 8 },
      { name: 'count', stack_depth: 8 },
    ],
    maps: [
      { name: 'blocked_ports', type: 'hash', key_size: 2, value_size: 8, max_entries: 64 },
      { name: 'counters', type: 'array' },
    ],
    stats: [{ cpu: 0, cnt: '0x0', nsecs: '0x0', misses: '0x0' }],
  });
  expect(shown.bytes_xlated).toBe(8 * shown.xlated_insns);
  expect(shown.map_ids).toEqual(shown.maps.map((map: { id: number }) => map.id));
  expect(shown.line_info.length).toBeGreaterThan(50);
  expect(shown.line_info[0]).toMatchObject({ insn_off: 0, orig_insn_off: 0, jited: null });
  expect(shown.why_interpreted).toBe('loaded without a compiler to native code');
  expect(shown.trace).toBeUndefined();
});

test('tags are those of the kernel that is told', async () => {
  const vector = vectors[0];
  const hex = file('vector.hex', vector?.insns ?? '');
  const shown = await cli(['tag', hex, '--kernel', '5.10', '--json']);
  const old = JSON.parse(shown.stdout).tag;
  expect((await inspect(SMALL)).tag).not.toBe((await inspect(SMALL, '--kernel', '5.10')).tag);
  expect(old).not.toBe(vector?.tag);
});

test('--blind: more instructions, and the flags say so', async () => {
  const plain = await inspect(SMALL);
  const blind = await inspect(SMALL, '--blind');
  expect(plain.xlated_insns).toBe(5);
  expect(blind.xlated_insns).toBe(7);
  expect(blind.flags).toEqual({ jit_requested: true, blinding_requested: true, blinded: true });
  expect(blind.line_info.map((line: { insn_off: number }) => line.insn_off)).toEqual([0, 3, 6]);
  expect(blind.line_info.map((line: { orig_insn_off: number }) => line.orig_insn_off)).toEqual([0, 1, 2]);
});

test('--trace: the calls from loading to freeing', async () => {
  const { trace } = await inspect(SMALL, '--trace');
  expect(trace.map((call: { name: string }) => call.name)).toEqual([
    'bpf_prog_load',
    'bpf_prog_alloc',
    'bpf_prog_alloc_no_stats',
    'bpf_prog_calc_tag',
    'convert_ctx_accesses',
    'bpf_patch_insn_single',
    'bpf_prog_realloc',
    'do_misc_fixups',
    'bpf_prog_select_runtime',
    'bpf_prog_alloc_jited_linfo',
    'bpf_int_jit_compile',
    'bpf_jit_blind_constants',
    'bpf_prog_jit_attempt_done',
    'bpf_prog_free',
    '__bpf_prog_free',
  ]);
});

test('--trace: every program that was loaded is freed, those in program arrays too', async () => {
  const head = '.map jumps, prog_array, 4, 4, 4\n.map_entry jumps, 0, main\n.map_entry jumps, 1, second\n';
  const main = '.section xdp\n.globl main\nmain:\nr2 = jumps ll\nr3 = 1\ncall bpf_tail_call\nr0 = 1\nexit\n';
  const path = file('arrays.bpf.s', `${head}${main}.globl second\nsecond:\nr0 = 3\nexit\n`);
  const { trace } = await inspect(path, '--prog', 'main', '--trace');
  const programs = (wanted: string): string[] =>
    trace.flatMap(({ name, detail }: { name: string; detail: string }) => (name === wanted ? [detail] : []));
  expect(programs('bpf_prog_load')).toEqual(['main', 'second']);
  expect(programs('bpf_prog_free')).toEqual(['main', 'second']);
  expect(programs('__bpf_prog_free')).toHaveLength(2);
});

test('for people', async () => {
  const { code, stdout } = await cli(['inspect', SMALL, '--trace']);
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^1: xdp {2}name small {2}tag [0-9a-f]{16}$/);
  expect(lines.slice(1, 4)).toEqual([
    '\txlated 40B  not jited  memlock 4096B',
    '\tnot jited: loaded without a compiler to native code',
    '\ttag by SHA-256, as Linux 6.18 does',
  ]);
  expect(stdout).toContain('flags jit_requested\n');
  expect(stdout).toContain('\tfunction small  0–4  stack 0B\n');
  expect(stdout).toContain('\nbpf_prog_alloc_no_stats  104 bytes → 1 page\n');
});

test('the first lines are those of bpftool for the same program', async () => {
  // recorded with `bpftool prog show` on Linux 6.18, without loaded_at, uid and btf_id, which are not simulated
  const shown = [
    '1: xdp  name firewall  tag 12942583157a9b50  gpl',
    '\txlated 760B  not jited  memlock 4096B  map_ids 1,2',
  ];
  const { stdout } = await cli(['inspect', FIREWALL]);
  expect(stdout.split('\n').slice(0, 2)).toEqual(shown);
});

test('a program that is refused says why, and its object was freed', async () => {
  const refused = file('refused.hex', '0f0b000000000000' + '9500000000000000');
  const { code, stdout } = await cli(['inspect', refused, '--trace', '--json']);
  expect(code).toBe(1);
  const shown = JSON.parse(stdout);
  expect(shown.refused).toEqual({ pc: 0, message: 'R11 is invalid' });
  expect(shown.trace.at(-1).name).toBe('__bpf_prog_free');
  const text = await cli(['inspect', refused]);
  expect(text.code).toBe(1);
  expect(text.stdout).toContain('R11 is invalid');
});

test('run --blind and blind_seed give the same results', async () => {
  const capture = `${ROOT}/examples/xdp-firewall/traffic.pcap`;
  const run = async (...more: string[]) => {
    const { code, stdout } = await cli([
      'run',
      FIREWALL,
      '--pcap',
      capture,
      '--packet',
      'all',
      '--json',
      ...more,
    ]);
    expect(code).toBe(0);
    return JSON.parse(stdout).results as { insns_executed: number; packet: number }[];
  };
  const plain = await run();
  const blind = await run('--blind', '--seed', '7');
  // Instructions are counted as loaded: blinding does not show.
  expect(blind).toEqual(plain);

  const some = vectors.filter((each) => each.map === null && each.data !== null).slice(0, 40);
  const stdin = some
    .flatMap(({ insns, prog_type, data }) => [
      { insns, prog_type, data },
      { insns, prog_type, data, blind_seed: 99 },
      { insns, prog_type, data, blind_seed: '0xffffffffffffffff' },
    ])
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
  const { stdout } = await cli(['run', '--jsonl'], { stdin });
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  some.forEach((vector, i) => {
    const [one, two, three] = answers.slice(i * 3, i * 3 + 3);
    if (vector.retval !== null) expect(one.retval, vector.name).toBe(vector.retval);
    expect(two.retval, vector.name).toBe(one.retval);
    expect(three.data_out, vector.name).toBe(one.data_out);
    expect(two.insns_executed, vector.name).toBeGreaterThanOrEqual(one.insns_executed);
  });
});

test.each([
  ['wasm', '0xffffffffa0'],
  ['x86-64', '0xffffffffc0'],
])('--engine %s: what its compiler makes of each function, and where lines lie in it', async (engine, at) => {
  const fib = `${ROOT}/examples/fib/fib.bpf.s`;
  const shown = await inspect(fib, '--engine', engine);
  expect(shown).toMatchObject({ jited: true, why_interpreted: null });
  const funcs: { jited: string; bytes_jited: number; start: number }[] = shown.subprograms;
  expect(funcs).toHaveLength(2);
  expect(shown.bytes_jited).toBe(funcs.reduce((sum, func) => sum + func.bytes_jited, 0));
  for (const { jited, bytes_jited: length, start } of funcs) {
    expect(jited.startsWith(at)).toBe(true);
    const lines = shown.line_info.map((line: { jited: string }) => BigInt(line.jited));
    const first = shown.line_info.findIndex((line: { insn_off: number }) => line.insn_off === start);
    expect(lines[first]).toBe(BigInt(jited));
    expect(lines[first + 1]).toBeGreaterThan(BigInt(jited));
    expect(lines[first + 1]).toBeLessThan(BigInt(jited) + BigInt(length));
  }
  const text = (await cli(['inspect', fib, '--engine', engine, '--linum'])).stdout;
  expect(text).toContain(`  jited ${shown.bytes_jited}B  memlock`);
  expect(text).toContain(
    `\tfunction fib  0–15  stack 16B  jited ${funcs[0]?.bytes_jited}B at ${funcs[0]?.jited}\n`,
  );
  expect(text).toMatch(new RegExp(`\t {5}1  ${shown.line_info[1]?.jited}  .*fib\\.bpf\\.s:13:9\n`));
});

test('--engine interp: no native code; --linum has the places without addresses', async () => {
  const { stdout } = await cli(['inspect', SMALL, '--engine', 'interp', '--linum']);
  expect(stdout).toContain('not jited: loaded without a compiler to native code');
  expect(stdout).toMatch(/\n\t {5}0 {2}\S+small\.bpf\.s:3:1\n/);
});

test('a program that is not compiled: why; a program array refuses it beside others that are', async () => {
  const long = `${'r1 += 1\n'.repeat(50_001)}exit\n`;
  const alone = await inspect(file('long.bpf.s', `.program raw\nlong:\n${long}`), '--engine', 'wasm');
  expect(alone).toMatchObject({
    jited: false,
    bytes_jited: 0,
    subprograms: [{ jited: null, bytes_jited: 0 }],
  });
  expect(alone.why_interpreted).toMatch(/too long; the wasm engine compiles up to 50000/);
  const both = file(
    'both.bpf.s',
    `.map jumps, prog_array, 4, 4, 2\n.map_entry jumps, 1, long\n.section xdp,"ax",@progbits\nmain:\nr2 = jumps ll\nr3 = 0\ncall bpf_tail_call\nr0 = 1\nexit\n.section xdp/long,"ax",@progbits\nlong:\n${long}`,
  );
  const { code, stdout } = await cli(['inspect', both, '--prog', 'main', '--engine', 'wasm']);
  expect(code).toBe(1);
  expect(stdout).toContain(
    'refused: map jumps is for programs of type xdp, native; this one is xdp (EINVAL)',
  );
});
