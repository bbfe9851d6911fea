import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import { reference } from '#core/interp/reference.ts';
import { attachNameOfSection, progTypeOfSection } from '#core/object/prog-types.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, EXIT, unhex } from '../prog/build.ts';

/** What Linux 6.18.44 said to each access, and what TEST_RUN gave. */
interface Recorded {
  readonly cases: readonly {
    readonly insns: string;
    readonly xlated?: string;
    readonly pc?: number;
    readonly refused?: string;
  }[];
  readonly runs: readonly { readonly insns: string; readonly ctx: string; readonly retval: number }[];
}

const file = new URL('../testdata/prog/ctx-access-raw-tracepoint-6.18.json.gz', import.meta.url);
const { cases, runs }: Recorded = JSON.parse(gunzipSync(readFileSync(file)).toString());

function loaded(machine: Machine, insns: string) {
  const result = bpfProgLoad(machine, attrOf('raw_tracepoint', unhex(insns)));
  if (!result.ok) throw new Error(result.refusal.message);
  return result.prog;
}

test('every access to the arguments is refused or left as it is, as by Linux 6.18', () => {
  const machine = new Machine({ shared: false });
  const other: string[] = [];
  for (const row of cases) {
    const result = bpfProgLoad(machine, attrOf('raw_tracepoint', unhex(row.insns)));
    const ours = result.ok
      ? Buffer.from(result.prog.xlated).toString('hex')
      : `${result.refusal.pc}: ${result.refusal.message}`;
    const kernel = row.xlated ?? `${row.pc}: ${row.refused}`;
    if (ours !== kernel) other.push(`${row.insns}: ${ours}, the kernel: ${kernel}`);
  }
  expect(other).toEqual([]);
  expect(cases.filter((row) => row.xlated !== undefined).length).toBeGreaterThan(300);
  expect(cases.filter((row) => row.xlated === undefined).length).toBeGreaterThan(500);
});

test('the results are those of BPF_PROG_TEST_RUN, arguments given as bytes or by name', () => {
  expect(runs.length).toBe(120);
  const machine = new Machine({ shared: false });
  for (const { insns, ctx, retval } of runs) {
    const prog = loaded(machine, insns);
    const bytes = unhex(ctx);
    const view = new DataView(bytes.buffer);
    const named = Object.fromEntries(
      Array.from({ length: bytes.length / 8 }, (_, i) => [`args[${i}]`, view.getBigUint64(8 * i, true)]),
    );
    const asBytes = runProgram(machine, prog, reference, { data: bytes });
    const byName = runProgram(machine, prog, reference, { data: new Uint8Array(), ctx: named });
    expect([asBytes.retval, byName.retval], insns).toEqual([retval, retval]);
    expect(asBytes).toMatchObject({ dataOut: new Uint8Array(), ctxOut: {}, inputProblems: [] });
  }
});

describe('input', () => {
  const program = attrOf('raw_tracepoint', [[0x79, 0, 1, 88], EXIT]);
  const run = (input: Parameters<typeof runProgram>[3]) => {
    const machine = new Machine({ shared: false });
    const result = bpfProgLoad(machine, program);
    if (!result.ok) throw new Error(result.refusal.message);
    return runProgram(machine, result.prog, reference, input);
  };

  test('arguments that are not given are 0', () => {
    expect(run({ data: new Uint8Array() }).r0).toBe(0n);
  });

  test('an argument by name wins over its bytes; -1 is all ones', () => {
    const data = new Uint8Array(96).fill(7);
    expect(run({ data }).r0).toBe(0x0707_0707_0707_0707n);
    expect(run({ data, ctx: { args11: -1n } }).r0).toBe(2n ** 64n - 1n);
  });

  test.each([
    ['a thirteenth argument', { data: new Uint8Array(), ctx: { 'args[12]': 1n } }, 'has no field args[12]'],
    ['too many bytes', { data: new Uint8Array(97) }, 'at most 12 arguments of 8 bytes (EINVAL)'],
    [
      'a number beyond 64 bits',
      { data: new Uint8Array(), ctx: { 'args[0]': 2n ** 64n } },
      'does not fit in 64 bits',
    ],
  ])('%s is a problem', (_, input, text) => {
    expect(run(input).inputProblems.join()).toContain(text);
  });

  test('the arguments cannot be written, not even through a pointer the loader lost sight of', () => {
    // r2 = r1 * 1: a number for the loader, the context's address for the machine.
    const machine = new Machine({ shared: false });
    const prog = loaded(
      machine,
      'bf12000000000000 2702000001000000 7a02000001000000 b700000000000000 9500000000000000',
    );
    expect(runProgram(machine, prog, reference, { data: new Uint8Array() }).fault?.kind).toBe('permission');
  });
});

test.each([
  ['raw_tp/sched_switch', 'raw_tracepoint', 'sched_switch'],
  ['raw_tracepoint/sys_enter', 'raw_tracepoint', 'sys_enter'],
  ['raw_tp.w/bpf_test', 'raw_tracepoint', 'bpf_test'],
  ['raw_tracepoint.w/bpf_test', 'raw_tracepoint', 'bpf_test'],
  ['?raw_tp/sched_switch', 'raw_tracepoint', 'sched_switch'],
  ['raw_tp', 'raw_tracepoint', undefined],
  ['raw_tracepoint.w', 'raw_tracepoint', undefined],
  ['raw_tp/', 'raw_tracepoint', undefined],
  ['raw_tpx', undefined, undefined],
  ['raw_tp.x/a', undefined, undefined],
  ['raw/tp', undefined, undefined],
  ['xdp/devmap', 'xdp', undefined],
] as const)('section %s: type %s, attached to %s', (section, type, name) => {
  expect(progTypeOfSection(section)).toBe(type);
  expect(attachNameOfSection(section)).toBe(name);
});

test('the arguments are given back, once, and what another input has put in place stays', () => {
  const machine = new Machine({ shared: false });
  const prog = loaded(machine, 'b700000000000000 9500000000000000');
  const cpu = machine.cpu(0);
  const before = [machine.memory.takenBytes, machine.memory.takenBlocks];
  const first = prepareInput(machine, 0, prog, { data: new Uint8Array(8) });
  expect(cpu.current).toMatchObject({ kind: 'raw', packet: undefined });
  const second = prepareInput(machine, 0, prog, { data: new Uint8Array(8) });
  const { current } = cpu;
  first.dispose();
  first.dispose();
  expect(cpu.current).toBe(current);
  second.dispose();
  expect(cpu.current).toBeUndefined();
  expect([machine.memory.takenBytes, machine.memory.takenBlocks]).toEqual(before);
});
