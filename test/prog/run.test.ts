import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import type { ProgType } from '#core/object/object.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { readStats } from '#core/prog/stats.ts';
import { type RunOptions, runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, EXIT, R0_0, type Slot } from './build.ts';

const PACKET = Uint8Array.from({ length: 60 }, (_, i) => i);

function run(
  progType: ProgType,
  code: readonly Slot[],
  more: { ctx?: Record<string, bigint>; attach?: 'test_run' } & RunOptions = {},
) {
  const machine = new Machine({ shared: false, nCpus: 2 });
  const loaded = bpfProgLoad(machine, attrOf(progType, code));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const { ctx, attach, ...options } = more;
  const input = { data: PACKET, ...(ctx ? { ctx } : {}), ...(attach ? { attach } : {}) };
  const before = machine.space.regions().length;
  const result = runProgram(machine, loaded.prog, reference, input, options);
  expect(machine.space.regions().length, 'regions left behind').toBe(before);
  return { machine, prog: loaded.prog, result };
}

describe('a run', () => {
  test('of a raw program: R1 is the memory, R2 its length, nothing rewritten', () => {
    const { result } = run('raw', [[0x72, 1, 0, 3, 0xff], [0xbf, 0, 2], EXIT]);
    expect(result).toMatchObject({ r0: 60n, retval: 60, verdict: '0x3c' });
    expect(result.fault).toBeUndefined();
    expect(result.dataOut[3]).toBe(0xff);
    expect(result.insnsExecuted).toBe(3n);
  });

  test('of an XDP program over its packet', () => {
    // r0 = data[data_end - data - 1]: the last byte.
    const code: Slot[] = [[0x61, 2, 1, 4], [0x71, 0, 2, -1], EXIT];
    expect(run('xdp', code).result).toMatchObject({ r0: 59n, verdict: '59' });
  });

  test('one byte behind the packet is a fault that names the place', () => {
    const { result } = run('xdp', [[0x61, 2, 1, 4], [0x71, 0, 2, 0], EXIT]);
    expect(result.fault).toMatchObject({
      kind: 'out_of_bounds',
      pc: 1,
      xlatedPc: 1,
      size: 1,
      region: 'packet',
    });
    expect(result.fault?.message).toContain('packet + 60');
    expect(result.verdict).toBe('fault: out_of_bounds');
  });

  test('a fault in rewritten code names the instruction as loaded', () => {
    const { result } = run('xdp', [[0x61, 0, 1, 12], [0x61, 2, 1, 4], [0x71, 0, 2, 0], EXIT]);
    expect(result.fault).toMatchObject({ pc: 2, xlatedPc: 4 });
  });

  test('a register that no path gives a value is a fault', () => {
    const { result } = run('raw', [[0xbf, 0, 3], EXIT]);
    expect(result.fault).toMatchObject({ kind: 'uninitialised', pc: 0 });
    expect(result.fault?.message).toContain('R3 !read_ok');
  });

  test('an endless program stops at the limit, which the fault names', () => {
    const { result } = run('raw', [R0_0, [0x05, 0, 0, -1], EXIT], { maxInsns: 1000 });
    expect(result.fault).toMatchObject({ kind: 'insn_limit', pc: 1 });
    expect(result.fault?.message).toContain('1000');
    expect(result.insnsExecuted).toBe(1000n);
  });

  test('the limit is 1,000,000 when not told', () => {
    const { result } = run('raw', [R0_0, [0x05, 0, 0, -1], EXIT]);
    expect(result.insnsExecuted).toBe(1_000_000n);
  });

  test('recursion faults at the ninth frame', () => {
    const { result } = run('raw', [[0x85, 0, 1, 0, 1], EXIT, [0x85, 0, 1, 0, -1], EXIT]);
    expect(result.fault).toMatchObject({ kind: 'stack_overflow', pc: 2 });
  });

  test('gives the lines that it printed, of all repetitions and of no earlier run', () => {
    const machine = new Machine({ shared: false });
    // *(u16 *)(r10 - 8) = "A\0"; bpf_trace_printk(r10 - 8, 2)
    const code: Slot[] = [
      [0x7a, 10, 0, -8, 0x41],
      [0xbf, 1, 10],
      [0x07, 1, 0, 0, -8],
      [0xb7, 2, 0, 0, 2],
    ];
    const loaded = bpfProgLoad(machine, attrOf('xdp', [...code, [0x85, 0, 0, 0, 6], EXIT]));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const lines = [1, 3].map(
      (repeat) => runProgram(machine, loaded.prog, reference, { data: PACKET }, { repeat }).output.length,
    );
    expect(lines).toEqual([1, 3]);
  });

  test('is counted on its CPU, every repetition', () => {
    const { machine, prog } = run('raw', [R0_0, EXIT], { cpu: 1, repeat: 5 });
    expect(readStats(machine, prog)).toEqual([
      { cpu: 0, cnt: 0n, nsecs: 0n, misses: 0n, insns: 0n },
      { cpu: 1, cnt: 5n, nsecs: 10n, misses: 0n, insns: 10n },
    ]);
  });

  test('is not counted while statistics are off', () => {
    const machine = new Machine({ shared: false });
    machine.statsEnabled = false;
    const loaded = bpfProgLoad(machine, attrOf('raw', [R0_0, EXIT]));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    runProgram(machine, loaded.prog, reference, { data: PACKET });
    expect(readStats(machine, loaded.prog)[0]).toMatchObject({ cnt: 0n, insns: 0n });
  });
});

test('an input that does not fit into the machine leaves nothing behind', () => {
  for (const type of ['xdp', 'sched_cls', 'raw'] as const) {
    const machine = new Machine({ shared: false, maxMemory: 2 ** 20 });
    const loaded = bpfProgLoad(machine, attrOf(type, [R0_0, EXIT]));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    for (let size = 100_000; size < 2_000_000; size += 100_000) {
      const before = machine.memory.takenBytes;
      try {
        runProgram(machine, loaded.prog, reference, { data: new Uint8Array(size) });
      } catch (error) {
        expect(String(error)).toContain('do not fit');
      }
      expect(machine.memory.takenBytes).toBe(before);
    }
  }
});

describe('context fields', () => {
  const cases: [ProgType, string, number, bigint][] = [
    ['xdp', 'ingress_ifindex', 12, 7n],
    ['xdp', 'rx_queue_index', 16, 3n],
    ['sched_cls', 'mark', 8, 0xdeadbeefn],
    ['sched_cls', 'priority', 32, 6n],
    ['sched_cls', 'ifindex', 40, 9n],
    ['sched_cls', 'ingress_ifindex', 36, 4n],
    ['sched_cls', 'cb[2]', 56, 0x12345678n],
    ['sched_cls', 'hash', 68, 0x11223344n],
    ['sched_cls', 'queue_mapping', 12, 5n],
    ['sched_cls', 'tc_index', 44, 2n],
    ['sched_cls', 'gso_segs', 164, 8n],
    ['sched_cls', 'gso_size', 176, 1400n],
    ['socket_filter', 'vlan_tci', 24, 100n],
    ['socket_filter', 'napi_id', 84, 0x200n],
  ];

  test.each(cases)('%s %s can be set and is read by the program', (type, name, offset, value) => {
    const { result } = run(type, [[0x61, 0, 1, offset], EXIT], { ctx: { [name]: value } });
    expect(result.r0).toBe(value);
    expect(result.inputProblems).toEqual([]);
  });

  test('what a program writes comes back', () => {
    const code: Slot[] = [[0x62, 1, 0, 8, 42], [0x62, 1, 0, 64, 43], [0x7a, 1, 0, 152, 44], R0_0, EXIT];
    const { ctxOut, verdict } = run('sched_cls', code).result;
    expect(ctxOut).toMatchObject({ mark: 42n, 'cb[4]': 43n, tstamp: 44n });
    expect(verdict).toBe('TC_ACT_OK (0)');
  });

  test('what a socket filter cannot read can still be set, as BPF_PROG_TEST_RUN takes and gives it', () => {
    const attach = 'test_run';
    const set = run('socket_filter', [R0_0, EXIT], { attach, ctx: { tstamp: 5n, mark: 1n } }).result;
    expect(set.inputProblems).toEqual([]);
    // Measured on Linux 6.18: given a context, the length on the wire is that behind the Ethernet header.
    expect(set.ctxOut).toMatchObject({ tstamp: 5n, mark: 1n, wire_len: BigInt(PACKET.length - 14) });
    expect(run('socket_filter', [R0_0, EXIT], { attach }).result.ctxOut.wire_len).toBe(0n);
  });

  test('an XDP context as BPF_PROG_TEST_RUN takes it: the first bytes of the data are metadata', () => {
    const attach = 'test_run';
    // r0 = ((data - data_meta) << 8) + first byte of the metadata
    const code: Slot[] = [
      [0x61, 2, 1, 0],
      [0x61, 3, 1, 8],
      [0x71, 0, 3, 0],
      [0x1f, 2, 3],
      [0x67, 2, 0, 0, 8],
      [0x0f, 0, 2],
      EXIT,
    ];
    const size = BigInt(PACKET.length);
    const given = run('xdp', code, { attach, ctx: { data: 8n, data_end: size } }).result;
    expect(given.inputProblems).toEqual([]);
    expect(given.r0).toBe((8n << 8n) + BigInt(PACKET[0] ?? 0));
    expect(given.ctxOut).toMatchObject({ data: 8n, data_end: size, data_meta: 0n });
    expect(given.dataOut).toEqual(PACKET);
    // Refused with EINVAL by Linux 6.18.
    for (const ctx of [{ data: 7n }, { data: 220n }, { data: size }, { data_end: size + 1n }]) {
      expect(run('xdp', code, { attach, ctx }).result.inputProblems, Object.keys(ctx).join()).toHaveLength(1);
    }
    expect(run('xdp', code, { ctx: { data: 8n } }).result.inputProblems).toHaveLength(1);
  });

  test('an XDP packet with the interface 0 came by the loopback device under BPF_PROG_TEST_RUN', () => {
    const code: Slot[] = [[0x61, 0, 1, 12], EXIT];
    const { r0, ctxOut } = run('xdp', code, { attach: 'test_run', ctx: { ingress_ifindex: 0n } }).result;
    expect(r0).toBe(1n);
    expect(ctxOut.ingress_ifindex).toBe(0n);
  });

  test.each<[string, ProgType, Record<string, bigint>, string]>([
    [
      'an unknown name',
      'xdp',
      { speed: 1n },
      'struct xdp_md of xdp has no field speed; it has data, data_end',
    ],
    ['a field that follows from the packet', 'sched_cls', { len: 5n }, 'len follows from the packet'],
    ['a value that does not fit', 'sched_cls', { mark: 1n << 32n }, 'does not fit in 32 bits'],
    ['any field of a raw program', 'raw', { mark: 1n }, 'a raw program has no context'],
  ])('%s is told, and the run goes on', (_, type, ctx, text) => {
    const { result } = run(type, [R0_0, EXIT], { ctx });
    expect(result.inputProblems[0]).toContain(text);
    expect(result.fault).toBeUndefined();
  });
});
