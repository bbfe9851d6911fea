import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bpfConvertFilter, type Converted } from '#core/cbpf/convert.ts';
import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { EXTENSIONS } from '#core/cbpf/extensions.ts';
import { classicObject } from '#core/cbpf/object.ts';
import { packetInput, seccompInput } from '#core/cbpf/packet-input.ts';
import { filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { SKF_AD_OFF, type SockFilter, sockFilter } from '#core/cbpf/sock-filter.ts';
import type { RunInput } from '#core/ctx/input.ts';
import { BUILTIN_PACKETS } from '#core/input/builtin.ts';
import { linkProgram } from '#core/object/link.ts';
import { objectFromInsns } from '#core/object/raw.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { EVERY_WAY } from '../engines.ts';
import { anyFilter } from './arbitrary.ts';

/** Every engine, blinded and not; the reference engine first. */
const sides = EVERY_WAY.map(({ engine, options }) => ({
  engine,
  machine: new Machine({ shared: false, ...options }),
}));
const isCompiler = ({ engine }: Side): boolean => engine.name === 'wasm' || engine.name === 'x86-64';
const compilers = sides.filter(isCompiler);
const interpreters = sides.filter((side) => !isCompiler(side));
let turn = 0;

type Side = (typeof sides)[number];

/** They take turns, compilers in one run of eight: to compile costs many times what such a filter does. */
function nextSide(): Side | undefined {
  turn++;
  const among = turn % 8 === 0 ? compilers : interpreters;
  return among[(turn >> (turn % 8 === 0 ? 3 : 0)) % among.length];
}

const filtersIn = (text: string): readonly SockFilter[] => {
  const { value, diagnostics } = readClassic(text);
  expect(diagnostics).toEqual([]);
  return filtersOf(value);
};

const convert = (
  filters: readonly SockFilter[],
  attach: 'socket_filter' | 'seccomp' = 'socket_filter',
): Converted => {
  const converted = bpfConvertFilter(filters, attach);
  if ('message' in converted) throw new Error(converted.message);
  return converted;
};

/** What the converted program returns. */
function runConverted(
  filters: readonly SockFilter[],
  input: RunInput,
  progType: 'socket_filter' | 'raw' = 'socket_filter',
  side = sides[0],
) {
  const { insns } = convert(filters, progType === 'raw' ? 'seccomp' : 'socket_filter');
  const { value: attr } = linkProgram(objectFromInsns(insns, { name: 'f', progType }));
  if (attr === undefined) throw new Error('not linked');
  if (side === undefined) throw new Error('no engine');
  const { engine, machine } = side;
  const loaded = bpfProgLoad(machine, attr);
  if (!loaded.ok) throw new Error(`refused at ${loaded.refusal.pc}: ${loaded.refusal.message}`);
  const result = runProgram(machine, loaded.prog, engine, input);
  bpfProgFree(machine, loaded.prog);
  if (result.fault !== undefined) throw new Error(result.fault.message);
  expect(result.inputProblems).toEqual([]);
  expect(result.r0).toBe(BigInt(result.retval));
  return result.retval;
}

const ETH_HLEN = 14;

/** The same packet as the evaluator sees it. */
function modelOf({ data, ctx, attach }: RunInput) {
  const etherType = ((data[12] ?? 0) << 8) | (data[13] ?? 0);
  const multicast = ((data[0] ?? 0) & 1) === 1;
  const broadcast = data.subarray(0, 6).every((byte) => byte === 0xff);
  const vlan = [ctx?.vlan_tci ?? 0n, ctx?.vlan_proto ?? 0n].map(Number);
  const swap = (value: number) => ((value & 0xff) << 8) | (value >> 8);
  return packetInput({
    bytes: data,
    dataAt: attach === 'test_run' ? ETH_HLEN : 0,
    networkAt: ETH_HLEN,
    extensions: {
      SKF_AD_PROTOCOL: etherType >= 0x600 ? etherType : data[14] === 0xff && data[15] === 0xff ? 1 : 4,
      SKF_AD_PKTTYPE: multicast ? (broadcast ? 1 : 2) : 0,
      SKF_AD_IFINDEX: Number(ctx?.ifindex ?? 1n),
      SKF_AD_MARK: Number(ctx?.mark ?? 0n),
      SKF_AD_QUEUE: Number(ctx?.queue_mapping ?? 0n),
      SKF_AD_RXHASH: Number(ctx?.hash ?? 0n),
      SKF_AD_CPU: 0,
      SKF_AD_VLAN_TAG: vlan[0] ?? 0,
      SKF_AD_VLAN_TAG_PRESENT: vlan.some((value) => value !== 0) ? 1 : 0,
      SKF_AD_VLAN_TPID: swap(vlan[1] ?? 0),
    },
  });
}

const u32 = fc.integer({ min: 0, max: 0xffffffff }).map(BigInt);
const u16 = fc.integer({ min: 0, max: 0xffff }).map(BigInt);
const anyPacket = fc.record({
  data: fc.oneof(
    fc.constantFrom(...BUILTIN_PACKETS.map((packet) => packet.data)),
    fc.uint8Array({ minLength: ETH_HLEN + 2, maxLength: 90 }),
    // short runs of small numbers look like netlink attributes
    fc
      .array(fc.constantFrom(0, 1, 2, 4, 5, 8, 12, 16), { minLength: 20, maxLength: 60 })
      .map((bytes) => Uint8Array.from(bytes)),
  ),
  ctx: fc.record(
    {
      mark: u32,
      hash: u32,
      queue_mapping: u16,
      vlan_tci: u16,
      vlan_proto: u16,
      ifindex: fc.constantFrom(1n, 7n),
    },
    { requiredKeys: [] },
  ),
});

describe('the converted program returns what the evaluator does', () => {
  test('random filters on random packets', () => {
    let accepted = 0;
    const runs = 6000;
    fc.assert(
      fc.property(anyFilter, anyPacket, (filters, input) => {
        const want = evaluateClassic(filters, modelOf(input));
        expect(want.kind).toBe('return');
        if (want.kind !== 'return') return;
        if (want.value !== 0) accepted++;
        expect(runConverted(filters, input, 'socket_filter', nextSide())).toBe(want.value);
      }),
      { seed: 20260601, numRuns: runs },
    );
    // a generator that rejects everything would compare nothing
    expect(accepted).toBeGreaterThan(runs / 5);
  });

  test('random filters on seccomp_data', () => {
    const seccomp = anyFilter.map((filters) =>
      filters.map((filter) => {
        if (filter.code === 0x20) return sockFilter(0x20, (filter.k % 16) * 4);
        // what seccomp does not know becomes something that it does
        if ([0x28, 0x30, 0x40, 0x48, 0x50, 0xb1, 0x94, 0x9c].includes(filter.code)) return sockFilter(0x07);
        return filter;
      }),
    );
    fc.assert(
      fc.property(seccomp, fc.uint8Array({ minLength: 64, maxLength: 64 }), (filters, data) => {
        const want = evaluateClassic(filters, seccompInput(data));
        expect(want.kind).toBe('return');
        if (want.kind === 'return')
          expect(runConverted(filters, { data }, 'raw', nextSide())).toBe(want.value);
      }),
      { seed: 5, numRuns: 2000 },
    );
  });
});

const SYN = BUILTIN_PACKETS.find((packet) => packet.name === 'tcp-syn')?.data ?? new Uint8Array();

test.each<[string, string, number]>([
  ['a byte', 'ldb [0]\nret a', SYN[0] ?? -1],
  ['a word, network order', 'ld [0]\nret a', 0],
  ['the EtherType', 'ldh [12]\nret a', 0x0800],
  ['proto', 'ld #proto\nret a', 0x0800],
  ['the length', 'ld #len\nret a', SYN.length],
  ['X from the IP header', 'ldxb 4*([14]&0xf)\ntxa\nret a', 20],
  ['A survives ldxb', 'ld #7\nldxb 4*([14]&0xf)\nret a', 7],
  ['the network header', 'ldb [0xfff00000]\nret a', 0x45],
  ['the MAC header', 'ldh [0xffe0000c]\nret a', 0x0800],
  ['beyond the packet', 'ld #9\nldb [4000]\nret #1', 0],
  ['division by X = 0 returns 0', 'ld #9\nldx #0\ndiv x\nret #1', 0],
  ['remainder by X = 0 returns 0', 'ld #9\nldx #0\nmod x\nret #1', 0],
  ['a shift by X counts modulo 32', 'ld #1\nldx #33\nlsh x\nret a', 2],
  ['an unsigned comparison', 'ld #0xffffffff\njgt #0x7fffffff, l1\nret #1\nl1: ret #2', 2],
  ['a constant with the sign bit', 'ld #0x80000000\njeq #0x80000000, l1\nret #1\nl1: ret #2', 2],
  ['the CPU', 'ld #cpu\nret a', 0],
])('%s', (_, text, want) => {
  const filters = filtersIn(text);
  const value =
    want || (text.startsWith('ld [0]') ? new DataView(SYN.buffer, SYN.byteOffset).getUint32(0) : 0);
  expect(runConverted(filters, { data: SYN })).toBe(value);
  const evaluated = evaluateClassic(filters, modelOf({ data: SYN }));
  expect(evaluated).toMatchObject({ kind: 'return', value });
});

test('offset 0 of a test run lies behind the Ethernet header', () => {
  const filters = filtersIn('ldb [0]\nret a');
  expect(runConverted(filters, { data: SYN, attach: 'test_run' })).toBe(0x45);
});

test('netlink attributes are found, nested ones too', () => {
  const attribute = (type: number, body: readonly number[]) => [
    body.length + 4,
    0,
    type,
    0,
    ...body,
    ...Array.from({ length: -body.length & 3 }, () => 0),
  ];
  const inner = [...attribute(7, [1]), ...attribute(9, [2, 2])];
  const data = Uint8Array.from([...attribute(1, [5, 5, 5]), ...attribute(2, inner), ...attribute(3, [])]);
  const search = (word: string, from: number, type: number) =>
    runConverted(filtersIn(`ld #${from}\nldx #${type}\nld #${word}\nret a`), { data });
  expect(search('nla', 0, 1)).toBe(0);
  expect(search('nla', 0, 2)).toBe(8);
  expect(search('nla', 0, 3)).toBe(28);
  expect(search('nla', 0, 4)).toBe(0);
  expect(search('nla', 4000, 2)).toBe(0);
  expect(search('nlan', 8, 7)).toBe(12);
  expect(search('nlan', 8, 9)).toBe(20);
  expect(search('nlan', 8, 3)).toBe(0);
});

test('rand is the machine’s random number, 32 bits of it', () => {
  const filters = filtersIn('ld #rand\nret a');
  const values = [1, 2, 3, 4].map(() => runConverted(filters, { data: SYN }));
  expect(new Set(values).size).toBeGreaterThan(1);
});

test('every extension of the kernel can be converted and loaded', () => {
  for (const { constant, offset } of EXTENSIONS) {
    const filters = [sockFilter(0x20, SKF_AD_OFF + offset), sockFilter(0x16)];
    expect([constant, typeof runConverted(filters, { data: SYN })]).toEqual([constant, 'number']);
  }
});

test.each([
  ['packet', 1],
  ['test_run', 772],
] as const)('hatype is the type of the device: %s → %i', (attach, type) => {
  const filters = filtersIn('ldx #4\nld #hatype\nadd x\nsub #4\nret a');
  expect(runConverted(filters, { data: SYN, attach })).toBe(type);
});

test('line info leads from each eBPF instruction to its classic one', () => {
  const text = '; first\n  ldh [12]\njne #0x806, drop\nret #-1 ; all\ndrop: ret #0\n';
  const { object, diagnostics } = classicObject(text, { fileName: 'arp.cbpf', name: 'arp' });
  expect(diagnostics).toEqual([]);
  expect(object?.files).toEqual(['arp.cbpf']);
  expect(object?.programs).toMatchObject([{ name: 'arp', progType: 'socket_filter' }]);
  // three slots of set-up and the load, a jump, two slots each for both returns
  expect(object?.sections[0]?.lineInfo).toEqual([
    { insnOff: 0, file: 0, line: 2, column: 3 },
    { insnOff: 4, file: 0, line: 3, column: 1 },
    { insnOff: 5, file: 0, line: 4, column: 1 },
    { insnOff: 7, file: 0, line: 5, column: 7 },
  ]);
});

test('the longest program converts, and jumps that eBPF cannot reach are refused', () => {
  const ret = sockFilter(0x06);
  const long = [sockFilter(0x05, 4094), ...Array.from({ length: 4094 }, () => sockFilter(0x04, 1)), ret];
  expect(runConverted(long, { data: SYN })).toBe(0);
  const nested = sockFilter(0x20, 0xfffff010);
  const tooLong = [sockFilter(0x05, 4094), ...Array.from({ length: 4094 }, () => nested), ret];
  expect(bpfConvertFilter(tooLong, 'socket_filter')).toMatchObject({ pc: 0, code: 'jump-too-far' });
});

test.each([
  ['packet', 14 + 20 + 20],
  ['test_run', 20 + 20],
] as const)('poff is where the payload of a TCP packet lies: %s → %i', (attach, offset) => {
  const filters = filtersIn('ldx #7\nld #poff\nadd x\nsub #7\nret a');
  const data = new Uint8Array(80);
  data.set(SYN);
  data[46] = 0x50;
  expect(runConverted(filters, { data, attach })).toBe(offset);
});
