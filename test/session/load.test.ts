import { describe, expect, test } from 'vitest';
import type { LoadArgs } from '#core/session/load-request.ts';
import { Bench } from './harness.ts';
import { pcapOf } from './pcap.ts';

const RAW = '.program raw\nmain:\n\tr0 = 0\n\texit\n';
const XDP = '\t.section xdp,"ax"\nmain:\n\tr0 = XDP_PASS\n\texit\n';
const capture = { name: 'two.pcap', bytes: pcapOf([new Uint8Array(60), new Uint8Array(60)]) };

describe('what is wrong with a launch is said', () => {
  const rows: readonly (readonly [
    name: string,
    source: string,
    args: Partial<LoadArgs>,
    kind: string,
    message: RegExp,
  ])[] = [
    [
      'a mistake in the text',
      'main:\n\tr0 = 0\n\tgoto nowere\nnowhere:\n\texit\n',
      {},
      'assembly',
      /^\/work\/program\.bpf\.s:3:7: .*nowere.*nowhere/,
    ],
    [
      'several mistakes',
      'a:\n\tr99 = 0\n\tfoo bar\n\texit\n',
      {},
      'assembly',
      /:2:\d+: .* \(and \d+ more\)$/,
    ],
    ['an empty file', '', {}, 'no-program', /holds no program|no program/],
    ['an unknown program', RAW, { prog: 'mian' }, 'no-program', /has no program "mian"; it has main/],
    [
      'a refused program',
      '\t.section xdp,"ax"\nmain:\n\tr0 = *(u32 *)(r1 + 2)\n\texit\n',
      {},
      'refused',
      /program\.bpf\.s:3:\d+: main is refused at load: invalid bpf_context access/,
    ],
    [
      'a program that runs over its end',
      RAW.replace('exit', 'r0 = 1'),
      {},
      'refused',
      /refused at load: last insn is not an exit or jmp/,
    ],
    [
      'an unknown type',
      RAW,
      { type: 'kprobe' as 'raw' },
      'bad-type',
      /"kprobe" is not supported; use xdp, socket_filter, sched_cls, raw/,
    ],
    ['an unknown engine', RAW, { engine: 'jit' }, 'bad-engine', /engine "jit" is not there/],
    ['a CPU that cannot be', RAW, { cpu: 64 }, 'bad-argument', /cpu 64: a whole number from 0 to 63/],
    ['half an instruction', RAW, { maxInsns: 0.5 }, 'bad-argument', /maxInsns 0.5: a whole number from 1/],
    [
      'a packet behind the last',
      XDP,
      { capture, packets: [1, 3] },
      'bad-packet',
      /packet 3: two\.pcap has packets 1 to 2/,
    ],
    ['no packet at all', XDP, { capture, packets: [] }, 'bad-packet', /list of packets is empty/],
    ['a packet number without a capture', XDP, { packets: [2] }, 'bad-packet', /there is no capture/],
    [
      'a capture that is none',
      XDP,
      { capture: { name: 'x', bytes: new Uint8Array(40) } },
      'bad-capture',
      /^x: /,
    ],
    [
      'capture and data',
      XDP,
      { capture, data: { kind: 'hex', text: '00' } },
      'bad-argument',
      /either "capture" or "data"/,
    ],
    [
      'an unknown built-in packet',
      XDP,
      { data: { kind: 'builtin', name: 'tpc' } },
      'bad-data',
      /"tpc"; there are .*tcp-syn/,
    ],
    ['bad hex', XDP, { data: { kind: 'hex', text: '00 0g' } }, 'bad-data', /^data, character \d+: /],
    [
      'an unknown field',
      XDP,
      { ctx: { mark: 1n } },
      'bad-context',
      /has no field mark; it has data, data_end/,
    ],
    ['a field that cannot be set', XDP, { ctx: { data: 1n } }, 'bad-context', /data follows from the packet/],
    ['a field in a raw program', RAW, { ctx: { mark: 1n } }, 'bad-context', /no context/],
    [
      'a program array that is none',
      XDP,
      { progArrays: { jmp: { '0': 'main' } } },
      'bad-argument',
      /jmp is no program array/,
    ],
  ];
  test.each(rows)('%s', (_, source, args, kind, message) => {
    const reply = new Bench().tryLoad(source, args);
    expect(reply).toMatchObject({ ok: false, problem: { kind, message: expect.stringMatching(message) } });
  });

  test('bytes that are no program', () => {
    const bench = new Bench();
    const source = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0);
    const reply = bench.session.request('load', { fileName: '/work/x.o', source });
    expect(reply).toMatchObject({ ok: false, problem: { message: expect.stringContaining('/work/x.o') } });
  });
});

describe('what is loaded', () => {
  test('a packet is used where none was chosen, and that is told', () => {
    const reply = new Bench().tryLoad(XDP);
    expect(reply).toMatchObject({
      ok: true,
      name: 'main',
      progType: 'xdp',
      nPackets: 1,
      messages: [
        expect.stringMatching(
          /^no packet given: the built-in packet "TCP SYN.*" is used; "capture" or "data" names one$/,
        ),
      ],
    });
  });

  test('a program of a type that is not there runs as raw, and that is told', () => {
    const text = (head: string) => `${head}\nmain:\n\tr0 = 0\n\texit\n`;
    const kprobe = /^section "kprobe\/do_sys_open" tells none of .* main runs as raw, with memory in r1/;
    expect(new Bench().tryLoad(text('.section kprobe/do_sys_open'))).toMatchObject({
      progType: 'raw',
      messages: expect.arrayContaining([expect.stringMatching(kprobe)]),
    });
    const told = (reply: object) => JSON.stringify(reply).includes('runs as raw');
    expect(told(new Bench().tryLoad(text('.text')))).toBe(false);
    expect(told(new Bench().tryLoad(text('.section kprobe/x\n.program raw')))).toBe(false);
    expect(told(new Bench().tryLoad(text('.section xdp')))).toBe(false);
  });

  test('the good packets of a damaged capture', () => {
    const bytes = capture.bytes.slice(0, capture.bytes.length - 10);
    const reply = new Bench().tryLoad(XDP, { capture: { name: 'cut.pcap', bytes }, packets: 'all' });
    expect(reply).toMatchObject({
      ok: true,
      nPackets: 1,
      messages: [expect.stringMatching(/^cut\.pcap: .*\d+/)],
    });
  });

  test.each([
    ['raw instructions', 'prog.bin', Uint8Array.of(0xb7, 0, 0, 0, 7, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0)],
    ['hex text', 'prog.hex', new TextEncoder().encode('b7 00 00 00 07 00 00 00\n95 00 00 00 00 00 00 00\n')],
  ])('%s run without line info', (_, fileName, source) => {
    const bench = new Bench();
    const reply = bench.session.request('load', { fileName, source, type: 'raw' });
    expect(reply).toMatchObject({ ok: true, progType: 'raw' });
    bench.start({ stopOnEntry: true });
    expect(bench.session.request('frames', null)).toMatchObject([
      { location: undefined, pc: 0, insn: 'r0 = 7' },
    ]);
    bench.to('over');
    expect(bench.session.request('frames', null)).toMatchObject([{ pc: 1, insn: 'exit' }]);
    expect(bench.resume({ kind: 'over', granularity: 'line' })?.verdict).toBe('0x7');
  });

  test('context fields and a seed reach the program', () => {
    const source = '.program sched_cls\nmain:\n\tr0 = *(u32 *)(r1 + 8)\n\texit\n';
    const bench = Bench.load(source, { ctx: { mark: 77n } });
    bench.start({ stopOnEntry: true });
    const rows = bench.session.request('children', { of: { kind: 'context' }, start: 0, count: 100 });
    expect(rows.find((row) => row.name === 'mark')).toMatchObject({ value: '0x4d (77)', type: 'u32' });
    expect(rows.find((row) => row.name === 'data')).toMatchObject({
      value: expect.stringMatching(/ packet$/),
    });
    expect(bench.to('over')).toBe('main:4');
    expect(bench.value('r0')).toBe('0x4d (77)');
  });
});
