import { describe, expect, test } from 'vitest';
import { XDP_BUFF } from '#core/ctx/offsets.ts';
import { prepareInput } from '#core/ctx/setup.ts';
import { HELPER_IMPLS } from '#core/helpers/helpers.ts';
import type { Insn } from '#core/isa/insn.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import { E2BIG, EACCES, EFAULT, EINVAL, ENOENT, EPERM } from '#core/maps/errno.ts';
import type { MapDef } from '#core/object/object.ts';
import type { Fault } from '#core/vm/fault.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { EXIT, go, insn, lddw, load, newMachine, type Ran, runSlots } from '../interp/build.ts';

const call = (imm: number): Insn[] => insn('call_helper', { imm });
const mov = (dst: number, imm: number): Insn[] => insn('mov64_imm', { dst, imm });
const reg = (dst: number, src: number): Insn[] => insn('mov64_reg', { dst, src });
const unsigned = (n: number): bigint => BigInt.asUintN(64, BigInt(n));

function faultOf(ran: Ran): Fault {
  if (ran.stop.kind !== 'fault') throw new Error(`expected a fault, got ${ran.stop.kind}`);
  return ran.stop.fault;
}

/** Runs a program of type `progType` on a packet. */
function onPacket(
  progType: 'xdp' | 'sched_cls' | 'socket_filter',
  data: Uint8Array,
  slots: readonly Insn[],
  attach: 'packet' | 'test_run' = 'packet',
): Ran & { dataOut: Uint8Array; ctxBase: number } {
  const machine = newMachine();
  const prog = load(machine, slots, { progType });
  const prepared = prepareInput(machine, 0, prog, { data, attach });
  machine.enter(0, prog, prepared.r1, prepared.r2);
  const ran = go(machine, 10_000);
  return { ...ran, dataOut: prepared.dataOut(), ctxBase: machine.cpu(0).current?.ctx?.base ?? 0 };
}

const packet = Uint8Array.from({ length: 60 }, (_, i) => i + 1);

describe('maps', () => {
  const HASH: MapDef = { name: 'ports', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 };
  const ARRAY: MapDef = {
    name: 'counters',
    type: 'array',
    keySize: 4,
    valueSize: 8,
    maxEntries: 2,
    flags: 0,
  };
  const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);

  function withMap(def: MapDef): { machine: Machine; map: BpfMap } {
    const machine = newMachine();
    const map = createMap(machine, def);
    if (isRefusal(map)) throw new Error(map.message);
    return { machine, map };
  }

  /** key = *(u32 *)(fp - 4) = `key`, value = *(u64 *)(fp - 16) = 77; R1 … R4 set. */
  const args = (map: BpfMap, key: number, flags = 0): Insn[] => [
    ...insn('stw', { dst: 10, off: -4, imm: key }),
    ...insn('stdw', { dst: 10, off: -16, imm: 77 }),
    ...insn('lddw_map_fd', { dst: 1, imm: map.id }),
    ...reg(2, 10),
    ...insn('add64_imm', { dst: 2, imm: -4 }),
    ...reg(3, 10),
    ...insn('add64_imm', { dst: 3, imm: -16 }),
    ...mov(4, flags),
  ];

  test('update, lookup and delete from a program', () => {
    const { machine, map } = withMap(HASH);
    const slots = [
      ...args(map, 5),
      ...call(2),
      ...args(map, 5),
      ...call(1),
      ...insn('jeq64_imm', { dst: 0, imm: 0, off: 3 }),
      ...insn('ldxdw', { dst: 6, src: 0 }),
      ...insn('add64_imm', { dst: 6, imm: 1 }),
      ...insn('stxdw', { dst: 0, src: 6 }),
      ...reg(0, 6),
      ...EXIT,
    ];
    expect(runSlots(slots, { machine }).r0).toBe(78n);
    expect(map.lookup(u32(5))?.[0]).toBe(78);
    expect(runSlots([...args(map, 5), ...call(3), ...EXIT], { machine }).r0).toBe(0n);
    expect(runSlots([...args(map, 5), ...call(1), ...EXIT], { machine }).r0).toBe(0n);
  });

  test.each<[string, MapDef, number, number, number, number]>([
    ['a full hash', HASH, 2, 6, 0, -E2BIG],
    ['a key that is not there', HASH, 2, 6, 2, -ENOENT],
    ['deleting what is not there', HASH, 3, 6, 0, -ENOENT],
    ['bad flags', HASH, 2, 5, 9, -EINVAL],
    ['an index past the end', ARRAY, 2, 2, 0, -E2BIG],
    ['deleting from an array', ARRAY, 3, 0, 0, -EINVAL],
    ['writing a map that is read-only for programs', { ...ARRAY, flags: 0x80 }, 2, 0, 0, -EPERM],
  ])('%s gives its errno', (_, def, helper, key, flags, errno) => {
    const { machine, map } = withMap(def);
    if (def === HASH) map.update(u32(5), new Uint8Array(8), 0n);
    expect(runSlots([...args(map, key, flags), ...call(helper), ...EXIT], { machine }).r0).toBe(
      unsigned(errno),
    );
  });

  test.each<[string, Insn[], string]>([
    ['no map', mov(1, 3), 'bpf_map_lookup_elem: argument 1 (map) must be a map, is 0x3'],
    ['a null map', mov(1, 0), 'bpf_map_lookup_elem: argument 1 (map) must be a map, is null'],
    [
      'the stack as map',
      reg(1, 10),
      'bpf_map_lookup_elem: argument 1 (map) must be a map, is stack of main: fp',
    ],
    [
      'a key that is null',
      mov(2, 0),
      'bpf_map_lookup_elem: argument 2 (key) key of map ports: points to null, needs 4 readable bytes; read of 4 bytes at 0x0: a null pointer; compare it with 0 before using it',
    ],
    [
      'a key that is cut off',
      insn('add64_imm', { dst: 2, imm: 2 }),
      'bpf_map_lookup_elem: argument 2 (key) key of map ports: points to stack of main: fp - 2, needs 4 readable bytes; read of 4 bytes at stack of main: fp - 2: a stack frame has 512 bytes (fp - 512 … fp - 1)',
    ],
  ])('%s is a helper_argument fault', (_, spoil, message) => {
    const { machine, map } = withMap(HASH);
    const ran = runSlots([...args(map, 5), ...spoil, ...call(1), ...EXIT], { machine });
    expect(faultOf(ran)).toMatchObject({
      kind: 'helper_argument',
      pc: args(map, 5).length + spoil.length,
      message,
    });
  });

  test('a helper cannot look into a program array', () => {
    const { machine, map } = withMap({ ...ARRAY, name: 'jumps', type: 'prog_array', valueSize: 4 });
    expect(faultOf(runSlots([...args(map, 0), ...call(1), ...EXIT], { machine })).message).toBe(
      'bpf_map_lookup_elem: argument 1 (map) is jumps, a map of type prog_array, which programs cannot use this helper on',
    );
  });

  test('direct value access', () => {
    const { machine, map } = withMap(ARRAY);
    map.update(u32(1), Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0), 0n);
    const slots = [
      ...insn('lddw_map_value', { dst: 1, imm: map.id, hi: 8 }),
      ...insn('ldxdw', { dst: 0, src: 1 }),
      ...EXIT,
    ];
    expect(runSlots(slots, { machine }).r0).toBe(9n);
    const byIndex = [
      ...insn('lddw_map_idx_value', { dst: 1, imm: 0, hi: 8 }),
      ...insn('ldxdw', { dst: 0, src: 1 }),
      ...EXIT,
    ];
    expect(runSlots(byIndex, { machine, mapIds: [map.id] }).r0).toBe(9n);
    const pointer = [...insn('lddw_map_idx', { dst: 0, imm: 0 }), ...EXIT];
    expect(runSlots(pointer, { machine, mapIds: [map.id] }).r0).toBe(map.addr);
    expect(faultOf(runSlots(pointer, { machine })).message).toBe(
      'map load: the machine has no map with id (not in the fd array)',
    );
  });

  test('the memory of a map itself is out of reach', () => {
    const { machine, map } = withMap(ARRAY);
    const slots = [
      ...insn('lddw_map_fd', { dst: 1, imm: map.id }),
      ...insn('ldxw', { dst: 0, src: 1 }),
      ...EXIT,
    ];
    expect(faultOf(runSlots(slots, { machine }))).toMatchObject({
      kind: 'permission',
      message: 'read of 4 bytes at map counters: programs cannot access map counters directly',
    });
  });
});

describe('time, chance, CPU', () => {
  test('one instruction is a nanosecond', () => {
    const slots = [
      ...call(5),
      ...reg(6, 0),
      ...mov(1, 0),
      ...call(5),
      ...insn('sub64_reg', { dst: 0, src: 6 }),
      ...EXIT,
    ];
    expect(runSlots(slots).r0).toBe(3n);
  });

  test.each([5, 125, 160])('helper %d reads the same clock', (helper) => {
    expect(runSlots([...mov(1, 0), ...call(helper), ...EXIT]).r0).toBe(3_600_000_000_001n);
  });

  test('time goes on from run to run, and is the same in every machine', () => {
    const slots = [...call(125), ...EXIT];
    const machine = newMachine();
    const first = runSlots(slots, { machine }).r0;
    expect(first).toBe(3_600_000_000_000n);
    expect(runSlots(slots, { machine }).r0).toBe(first + 2n);
  });

  test('random numbers are 32 bits of the seeded generator', () => {
    const machine = newMachine({ seed: 3 });
    const expected = BigInt(newMachine({ seed: 3 }).random.next(0));
    expect(runSlots([...call(7), ...EXIT], { machine }).r0).toBe(expected);
  });

  test('the number of the CPU', () => {
    expect(runSlots([...mov(0, 9), ...call(8), ...EXIT]).r0).toBe(0n);
  });

  test('R1 … R5 keep their values', () => {
    const set = [1, 2, 3, 4, 5].flatMap((n) => mov(n, n));
    const { machine } = runSlots([...set, ...call(8), ...EXIT]);
    expect([1, 2, 3, 4, 5].map((n) => machine.cpu(0).readReg(n))).toEqual([1n, 2n, 3n, 4n, 5n]);
  });
});

describe('bpf_trace_printk', () => {
  const print = (text: string, size: number, args: number[] = []): Insn[] => [
    ...lddw(6, BigInt(`0x${Buffer.from(text.padEnd(8, '\0')).reverse().toString('hex')}`)),
    ...insn('stxdw', { dst: 10, src: 6, off: -8 }),
    ...reg(1, 10),
    ...insn('add64_imm', { dst: 1, imm: -8 }),
    ...mov(2, size),
    ...[3, 4, 5].flatMap((n, i) => mov(n, args[i] ?? 0)),
    ...call(6),
    ...EXIT,
  ];

  test.each<[string, number, number[], number, string[]]>([
    ['a=%d', 8, [-5], 4, ['a=-5']],
    ['hi\n', 4, [], 3, ['hi']],
    ['x%dy', 3, [], -EINVAL, []],
    ['%z', 8, [], -EINVAL, []],
    ['', 0, [], -EINVAL, []],
    ['', 1, [], 0, ['']],
  ])('%j of %d bytes', (text, size, args, result, output) => {
    const ran = runSlots(print(text, size, args));
    expect(ran.r0).toBe(unsigned(result));
    expect(ran.machine.output).toEqual(output);
  });

  test('a format outside memory is a fault', () => {
    expect(faultOf(runSlots(print('abc', 9)))).toMatchObject({ kind: 'helper_argument' });
  });
});

// The results are those of Linux 6.18.44.
describe('bpf_csum_diff', () => {
  /** from: 8 bytes at fp - 16, to: 8 bytes at fp - 8. */
  const diff = (from: bigint, fromSize: number, to: bigint, toSize: number, seed: number): Insn[] => [
    ...lddw(6, from),
    ...insn('stxdw', { dst: 10, src: 6, off: -16 }),
    ...lddw(6, to),
    ...insn('stxdw', { dst: 10, src: 6, off: -8 }),
    ...reg(1, 10),
    ...insn('add64_imm', { dst: 1, imm: -16 }),
    ...mov(2, fromSize),
    ...reg(3, 10),
    ...insn('add64_imm', { dst: 3, imm: -8 }),
    ...mov(4, toSize),
    ...mov(5, seed),
    ...call(28),
    ...EXIT,
  ];

  test.each<[string, Insn[], number]>([
    ['only new bytes', diff(0n, 0, 0x0004_0003_0002_0001n, 8, 0), 10],
    ['with a seed', diff(0n, 0, 0x0004_0003_0002_0001n, 4, 5), 8],
    ['a carry that goes round', diff(0n, 0, 0xffff_ffff_ffff_fffen, 8, 0), 0xfffe],
    ['old bytes out, new bytes in', diff(7n, 4, 12n, 4, 100), 105],
    ['the same bytes', diff(7n, 4, 7n, 4, 100), 100],
    ['only old bytes', diff(7n, 4, 0n, 0, 100), 93],
    ['nothing at all', diff(0n, 0, 0n, 0, 0x1_2345), 0x2346],
    ['the difference of equal bytes without a seed', diff(7n, 4, 7n, 4, 0), 0xffff],
    ['only old bytes, no seed', diff(7n, 4, 0n, 0, 0), 0xfff8],
    ['a seed of all ones', diff(0n, 0, 7n, 4, -1), 7],
    ['three bytes', diff(0n, 0, 0x030201n, 3, 0), 0x0201 + 3],
    ['one byte out, four in', diff(1n, 1, 0x04030201n, 4, 0), 0x0201 + 0x0403 - 1],
  ])('%s', (_, slots, result) => {
    expect(runSlots(slots).r0).toBe(unsigned(result));
  });
});

describe('bpf_skb_load_bytes and bpf_skb_store_bytes', () => {
  /** Loads `size` bytes at `offset` to fp - 8, which holds -1 before; r0 = result, r7 = the bytes. */
  const loadBytes = (offset: number, size: number): Insn[] => [
    ...insn('stdw', { dst: 10, off: -8, imm: -1 }),
    ...mov(2, offset),
    ...reg(3, 10),
    ...insn('add64_imm', { dst: 3, imm: -8 }),
    ...mov(4, size),
    ...call(26),
    ...insn('ldxdw', { dst: 7, src: 10, off: -8 }),
    ...EXIT,
  ];

  test.each<[string, number, number, number, bigint]>([
    ['inside', 0, 4, 0, 0xffffffff_04030201n],
    ['up to the end', 56, 4, 0, 0xffffffff_3c3b3a39n],
    ['past the end', 57, 4, -EFAULT, 0xffffffff_00000000n],
    ['a negative offset', -1, 2, -EFAULT, 0xffffffff_ffff0000n],
  ])('load %s', (_, offset, size, result, bytes) => {
    const ran = onPacket('sched_cls', packet, loadBytes(offset, size));
    expect(ran.stop.kind).toBe('exit');
    expect([ran.r0, ran.machine.cpu(0).readReg(7)]).toEqual([unsigned(result), bytes]);
  });

  test('as TEST_RUN attaches a socket filter, offset 0 is behind the Ethernet header', () => {
    const ran = onPacket('socket_filter', packet, loadBytes(0, 1), 'test_run');
    expect(ran.machine.cpu(0).readReg(7) & 0xffn).toBe(15n);
  });

  test('too large a destination is a fault', () => {
    const ran = onPacket('sched_cls', packet, loadBytes(0, 16));
    expect(faultOf(ran)).toMatchObject({ kind: 'helper_argument', region: 'stack of main' });
    expect(faultOf(ran).message).toContain(
      'bpf_skb_load_bytes: argument 3 (to) destination: points to stack of main: fp - 8, needs 16 writable bytes',
    );
  });

  test('R1 must be the context', () => {
    const ran = onPacket('sched_cls', packet, [...mov(1, 0), ...loadBytes(0, 1)]);
    expect(faultOf(ran).message).toBe(
      'bpf_skb_load_bytes: argument 1 (skb) must be the context of a sched_cls or socket_filter program, is null',
    );
  });

  test.each<[string, number, number, number, number]>([
    ['inside', 2, 2, 0, 0],
    ['past the end', 59, 2, 0, -EFAULT],
    ['unknown flags', 2, 2, 64, -EINVAL],
  ])('store %s', (_, offset, size, flags, result) => {
    const store = [
      ...insn('sth', { dst: 10, off: -8, imm: 0x6655 }),
      ...mov(2, offset),
      ...reg(3, 10),
      ...insn('add64_imm', { dst: 3, imm: -8 }),
      ...mov(4, size),
      ...mov(5, flags),
      ...call(9),
      ...EXIT,
    ];
    const ran = onPacket('sched_cls', packet, store);
    expect(ran.r0).toBe(unsigned(result));
    const want = packet.slice();
    if (result === 0) want.set([0x55, 0x66], offset);
    expect(ran.dataOut).toEqual(want);
  });
});

describe('legacy packet access', () => {
  const NET = -0x100000;
  const LL = -0x200000;
  const prologue = reg(6, 1);

  test.each<[string, Insn[], bigint]>([
    ['a byte', insn('ldabsb', { imm: 3 }), 0x04n],
    ['a half word, network order', insn('ldabsh', { imm: 3 }), 0x0405n],
    ['a word', insn('ldabsw', { imm: 0 }), 0x01020304n],
    ['the last word', insn('ldabsw', { imm: 56 }), 0x393a3b3cn],
    ['by register', [...mov(2, 10), ...insn('ldindb', { src: 2, imm: 5 })], 0x10n],
    ['by register, a sum that wraps', [...mov(2, -1), ...insn('ldindh', { src: 2, imm: 1 })], 0x0102n],
    [
      'by register, the upper half ignored',
      [...lddw(2, 0x7_00000001n), ...insn('ldindw', { src: 2, imm: 0 })],
      0x02030405n,
    ],
    ['the network header', insn('ldabsb', { imm: NET }), 0x0fn],
    ['the link layer', insn('ldabsw', { imm: LL + 4 }), 0x05060708n],
  ])('%s', (_, slots, r0) => {
    const ran = onPacket('socket_filter', packet, [...prologue, ...slots, ...EXIT]);
    expect([ran.stop.kind, ran.r0]).toEqual(['exit', r0]);
  });

  test.each<[string, Insn[]]>([
    ['past the end', insn('ldabsw', { imm: 57 })],
    ['a negative offset of no area', insn('ldabsb', { imm: -1 })],
    ['below the link layer', insn('ldabsb', { imm: LL - 1 })],
    ['past the end from the network header', insn('ldabsb', { imm: NET + 46 })],
    ['past the end from the link layer', insn('ldabsh', { imm: LL + 59 })],
  ])('%s ends the program with 0', (_, slots) => {
    const ran = onPacket('socket_filter', packet, [
      ...prologue,
      ...mov(0, 9),
      ...slots,
      ...mov(0, 7),
      ...EXIT,
    ]);
    expect([ran.stop.kind, ran.r0]).toEqual(['exit', 0n]);
    expect(ran.executed).toBe(3n);
  });

  test('TEST_RUN: offset 0 is behind the Ethernet header, the link layer is still there', () => {
    const at = (imm: number): bigint =>
      onPacket('socket_filter', packet, [...prologue, ...insn('ldabsb', { imm }), ...EXIT], 'test_run').r0;
    expect([at(0), at(NET), at(LL), at(45), at(46)]).toEqual([15n, 15n, 1n, 60n, 0n]);
  });

  test('R6 must hold the context', () => {
    const ran = onPacket('socket_filter', packet, [...mov(6, 0), ...insn('ldabsb', { imm: 0 }), ...EXIT]);
    expect(faultOf(ran).message).toContain(
      'r6 must hold the context of a socket_filter or sched_cls program, is 0x0',
    );
    expect(faultOf(runSlots([...insn('ldabsb', { imm: 0 }), ...EXIT])).kind).toBe('helper_argument');
  });
});

// Limits and errno values are those of Linux 6.18.44 on the same 60 bytes.
describe('bpf_xdp_adjust_…', () => {
  const HEAD = 44;
  const META = 54;
  const TAIL = 65;
  /** r6 = ctx; calls in turn, results added to r7 with the sign; exit with r0 = r7. */
  const calls = (...steps: [helper: number, delta: number][]): Insn[] => [
    ...reg(6, 1),
    ...mov(7, 0),
    ...steps.flatMap(([helper, delta]) => [
      ...reg(1, 6),
      ...mov(2, delta),
      ...call(helper),
      ...insn('add64_reg', { dst: 7, src: 0 }),
    ]),
    ...reg(0, 7),
    ...EXIT,
  ];

  test.each<[string, [number, number][], number, (data: Uint8Array) => number[]]>([
    ['cut the head', [[HEAD, 14]], 0, (data) => [...data.slice(14)]],
    ['grow the head', [[HEAD, -4]], 0, (data) => [0, 0, 0, 0, ...data]],
    [
      'cut and grow back',
      [
        [HEAD, 10],
        [HEAD, -10],
      ],
      0,
      (data) => [...data],
    ],
    ['all the head room', [[HEAD, -216]], 0, (data) => [...new Uint8Array(216), ...data]],
    ['too much head room', [[HEAD, -217]], -EINVAL, (data) => [...data]],
    ['down to an Ethernet header', [[HEAD, 46]], 0, (data) => [...data.slice(46)]],
    ['less than an Ethernet header', [[HEAD, 47]], -EINVAL, (data) => [...data]],
    ['cut the tail', [[TAIL, -10]], 0, (data) => [...data.slice(0, 50)]],
    [
      'grow the tail, zeroed',
      [
        [TAIL, -4],
        [TAIL, 8],
      ],
      0,
      (data) => [...data.slice(0, 56), ...new Uint8Array(8)],
    ],
    ['too short a tail', [[TAIL, -47]], -EINVAL, (data) => [...data]],
    ['no more tail room', [[TAIL, 3461]], -EINVAL, (data) => [...data]],
    ['all the tail room', [[TAIL, 3460]], 0, (data) => [...data, ...new Uint8Array(3460)]],
    ['metadata leaves the packet alone', [[META, -8]], 0, (data) => [...data]],
    ['metadata must be a multiple of 4', [[META, -6]], -EACCES, (data) => [...data]],
    [
      'metadata of more than 252 bytes',
      [
        [HEAD, 44],
        [META, -256],
      ],
      -EACCES,
      (data) => [...data.slice(44)],
    ],
    ['metadata behind the data', [[META, 4]], -EINVAL, (data) => [...data]],
    ['metadata beyond the head room', [[META, -220]], -EINVAL, (data) => [...data]],
    [
      'metadata and back',
      [
        [META, -8],
        [META, 8],
      ],
      0,
      (data) => [...data],
    ],
  ])('%s', (_, steps, result, data) => {
    const ran = onPacket('xdp', packet, calls(...steps));
    expect(ran.stop.kind).toBe('exit');
    expect(ran.r0).toBe(unsigned(result));
    expect([...ran.dataOut]).toEqual(data(packet));
  });

  test('metadata moves with the head', () => {
    const slots = [
      ...calls([META, -4]).slice(0, -2),
      ...insn('ldxdw', { dst: 1, src: 6, off: XDP_BUFF.data_meta }),
      ...insn('stw', { dst: 1, imm: 0x11223344 }),
      ...reg(1, 6),
      ...mov(2, 20),
      ...call(HEAD),
      ...insn('ldxdw', { dst: 2, src: 6, off: XDP_BUFF.data_meta }),
      ...insn('ldxdw', { dst: 3, src: 6, off: XDP_BUFF.data }),
      ...insn('ldxw', { dst: 0, src: 2 }),
      ...insn('ldxb', { dst: 4, src: 3 }),
      ...insn('sub64_reg', { dst: 3, src: 2 }),
      ...EXIT,
    ];
    const ran = onPacket('xdp', packet, slots);
    const cpu = ran.machine.cpu(0);
    expect([ran.r0, cpu.readReg(3), cpu.readReg(4)]).toEqual([0x11223344n, 4n, 21n]);
    const data = ran.machine.memory.view.getBigUint64(ran.ctxBase + XDP_BUFF.data, true);
    expect([ran.machine.space.describe(data), ran.machine.space.describe(data - 4n)]).toEqual([
      'packet',
      'packet - 4',
    ]);
  });

  test('a pointer taken before the head moved faults and says why', () => {
    const slots = [
      ...insn('ldxdw', { dst: 8, src: 1 }),
      ...calls([HEAD, 2]).slice(0, -2),
      ...insn('ldxb', { dst: 0, src: 8 }),
      ...EXIT,
    ];
    expect(faultOf(onPacket('xdp', packet, slots)).message).toBe(
      'read of 1 byte at packet: this pointer is stale, packet has been freed or moved since; take its address again',
    );
  });

  test('bytes behind a tail that was cut fault', () => {
    const slots = [
      ...insn('ldxdw', { dst: 8, src: 1 }),
      ...calls([TAIL, -10]).slice(0, -2),
      ...insn('ldxb', { dst: 0, src: 8, off: 50 }),
      ...EXIT,
    ];
    expect(faultOf(onPacket('xdp', packet, slots)).message).toBe(
      'read of 1 byte at packet + 50: packet has 50 bytes (0 … 49)',
    );
  });

  test('only an xdp context will do', () => {
    expect(faultOf(onPacket('sched_cls', packet, calls([HEAD, 2]))).message).toBe(
      'bpf_xdp_adjust_head: argument 1 (xdp_md) must be the context of an xdp program, is ctx',
    );
  });
});

test('bpf_tail_call is no helper function: engines do it themselves', () => {
  expect(HELPER_IMPLS.has(12)).toBe(false);
});
