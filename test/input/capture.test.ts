import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCapture } from '#core/input/capture.ts';
import {
  block,
  concat,
  enhancedPacket,
  interfaceBlock,
  oldPacket,
  pcap,
  sectionHeader,
  simplePacket,
} from './captures.ts';

const A = Uint8Array.of(1, 2, 3, 4, 5);
const B = Uint8Array.of(9, 8, 7);

describe('pcap', () => {
  test.each([
    ['little endian, microseconds', true, false, 1_000_000_500_000n],
    ['little endian, nanoseconds', true, true, 1_000_000_000_500n],
    ['big endian, microseconds', false, false, 1_000_000_500_000n],
    ['big endian, nanoseconds', false, true, 1_000_000_000_500n],
  ])('%s', (_, little, nanos, timestampNs) => {
    const file = pcap([{ data: A, seconds: 1000, fraction: 500, original: 60 }, { data: B }], {
      little,
      nanos,
    });
    expect(readCapture(file)).toEqual({
      packets: [
        { data: A, originalLength: 60, timestampNs, linkType: 1 },
        { data: B, originalLength: 3, timestampNs: 0n, linkType: 1 },
      ],
      linkType: 1,
    });
  });

  test('the bits above the link type are no part of it', () => {
    expect(readCapture(pcap([], { linkType: 0x50000065 })).linkType).toBe(101);
  });

  const two = pcap([{ data: A }, { data: B }]);
  test.each([
    ['in the header', two.slice(0, 20), 0, 'byte 20: the file ends inside the pcap header'],
    [
      'in a packet header',
      two.slice(0, 24 + 16 + 5 + 7),
      1,
      'byte 45: the file ends inside a packet header of 16 bytes; the last 7 bytes are lost',
    ],
    [
      'in a packet',
      two.slice(0, -1),
      1,
      'byte 45: the packet has 3 bytes, of which 2 are there; the last 18 bytes are lost',
    ],
  ])('cut %s: what is whole is given, and where the rest is lost', (_, file, packets, message) => {
    const capture = readCapture(file);
    expect(capture.packets.length).toBe(packets);
    expect(capture.message).toContain(message);
  });

  test('a length that no packet has is damage', () => {
    const file = pcap([{ data: A }, { data: B }]);
    new DataView(file.buffer).setUint32(45 + 8, 0x7fffffff, true);
    const capture = readCapture(file);
    expect(capture.packets.length).toBe(1);
    expect(capture.message).toContain('byte 53: a packet of 2147483647 bytes');
  });

  test('another version is told', () => {
    const file = pcap([]);
    file[4] = 3;
    expect(readCapture(file).message).toBe('byte 4: pcap version 3; only version 2 can be read');
  });
});

describe('pcapng', () => {
  test('enhanced, simple and obsolete packets, unknown blocks skipped', () => {
    const file = concat(
      sectionHeader(),
      interfaceBlock(),
      enhancedPacket(A, { ticks: 1_500_000, original: 99 }),
      block(0x0bad, Uint8Array.of(1, 2, 3)),
      simplePacket(B),
      oldPacket(A),
    );
    const { packets, message, linkType } = readCapture(file);
    expect(message).toBeUndefined();
    expect(linkType).toBe(1);
    expect(packets).toEqual([
      { data: A, originalLength: 99, timestampNs: 1_500_000_000n, linkType: 1 },
      { data: B, originalLength: 3, timestampNs: 0n, linkType: 1 },
      { data: A, originalLength: 5, timestampNs: 5000n, linkType: 1 },
    ]);
  });

  test.each([
    ['nanoseconds', 9, 1_500n, 1_500],
    ['microseconds', 6, 1_500_000n, 1_500],
    ['powers of two', 0x80 | 1, 750_000_000_000n, 1_500],
  ])('time stamps in %s', (_, tsresol, timestampNs, ticks) => {
    const file = concat(sectionHeader(), interfaceBlock({ tsresol }), enhancedPacket(A, { ticks }));
    expect(readCapture(file).packets[0]?.timestampNs).toBe(timestampNs);
  });

  test('big endian, then a little-endian section with interfaces of its own', () => {
    const file = concat(
      sectionHeader(false),
      interfaceBlock({ little: false, linkType: 101 }),
      enhancedPacket(A, { little: false, ticks: 7 }),
      sectionHeader(),
      interfaceBlock({ linkType: 1 }),
      enhancedPacket(B),
    );
    const { packets, linkType } = readCapture(file);
    expect(packets.map((packet) => packet.linkType)).toEqual([101, 1]);
    expect(packets[0]?.timestampNs).toBe(7000n);
    expect(linkType).toBe(101);
  });

  test('a simple packet is cut to the snap length', () => {
    const file = concat(sectionHeader(), interfaceBlock({ snapLen: 2 }), simplePacket(A));
    expect(readCapture(file).packets[0]).toMatchObject({ data: A.slice(0, 2), originalLength: 5 });
  });

  const start = concat(sectionHeader(), interfaceBlock(), enhancedPacket(A));
  test.each([
    ['cut in a block', concat(start, enhancedPacket(B).slice(0, 20)), 'of which 20 are there'],
    [
      'cut in a block header',
      concat(start, Uint8Array.of(6, 0, 0, 0)),
      'the file ends inside a block header',
    ],
    [
      'a length that is no multiple of 4',
      concat(start, Uint8Array.of(6, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
      'a block length of 13',
    ],
    [
      'an unknown interface',
      concat(start, enhancedPacket(B, { interfaceId: 4 })),
      'interface 4, which no block describes',
    ],
    [
      'a packet longer than its block',
      concat(start, block(6, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0))),
      'a packet of 9 bytes in a block with room for 0',
    ],
  ])('%s: what is whole is given, and where the rest is lost', (_, file, message) => {
    const capture = readCapture(file);
    expect(capture.packets.length).toBe(1);
    expect(capture.message).toContain(`byte ${start.length}: `);
    expect(capture.message).toContain(message);
  });

  test('two lengths that differ are damage', () => {
    const damaged = concat(start, enhancedPacket(B));
    damaged[damaged.length - 4] = 99;
    expect(readCapture(damaged).message).toContain("the block's two lengths differ");
  });
});

test.each([
  ['nothing', new Uint8Array(), 'the file is empty'],
  ['three bytes', Uint8Array.of(1, 2, 3), 'begins with 4 bytes of magic'],
  ['something else', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), '0x7f454c46 is the magic of neither pcap'],
])('%s is no capture', (_, bytes, message) => {
  expect(readCapture(bytes)).toMatchObject({ packets: [] });
  expect(readCapture(bytes).message).toContain(message);
});

describe('damaged captures never throw, and give a prefix of the packets', () => {
  const whole = [
    pcap([{ data: A }, { data: B }, { data: A }]),
    concat(sectionHeader(), interfaceBlock({ tsresol: 9 }), enhancedPacket(A), simplePacket(B), oldPacket(A)),
  ];

  test.each(whole.map((file, i) => [i === 0 ? 'pcap' : 'pcapng', file] as const))(
    '%s cut anywhere',
    (_, file) => {
      const all = readCapture(file).packets;
      for (let end = 0; end < file.length; end++) {
        const { packets } = readCapture(file.slice(0, end));
        expect(packets).toEqual(all.slice(0, packets.length));
      }
    },
  );

  test('random bytes and random damage', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 });
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        damage,
        fc.uint8Array({ maxLength: 200 }),
        (file, hits, tail) => {
          const bytes = concat(file, tail);
          for (const [at, value] of hits) bytes[at % bytes.length] = value;
          readCapture(bytes);
          readCapture(tail);
        },
      ),
      { seed: 7, numRuns: 3000 },
    );
  });
});
