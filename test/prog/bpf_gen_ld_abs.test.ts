import { describe, expect, test } from 'vitest';
import { kernelFunctionImm } from '#core/isa/numbering.ts';
import { bpfGenLdAbs } from '#core/prog/bpf-gen-ld-abs.ts';
import { bytesOf as emitted } from '#core/prog/emit.ts';
import { EXIT, type Slot } from './build.ts';
import { loadSlots, run } from './rewrite.ts';

const loader = (bits: 8 | 16 | 32): string => {
  const imm = Buffer.alloc(4);
  imm.writeInt32LE(kernelFunctionImm(`bpf_skb_load_helper_${bits}_no_cache`));
  return `85000000${imm.toString('hex')}`;
};
const TO_SKB = 'bf61000000000000';
const ON_ERROR = '7500020000000000 ac00000000000000 9500000000000000';

/** As Linux 6.18 gave them through `bpftool prog dump xlated`. */
test.each<[string, Slot, string]>([
  ['r0 = *(u8 *)skb[0]', [0x30], `b702000000000000 ${TO_SKB} ${loader(8)} ${ON_ERROR}`],
  ['r0 = *(u16 *)skb[12]', [0x28, 0, 0, 0, 12], `b70200000c000000 ${TO_SKB} ${loader(16)} ${ON_ERROR}`],
  [
    'r0 = *(u32 *)skb[-1048576]',
    [0x20, 0, 0, 0, -0x100000],
    `b70200000000f0ff ${TO_SKB} ${loader(32)} ${ON_ERROR}`,
  ],
  ['r0 = *(u8 *)skb[r7]', [0x50, 0, 7], `bf72000000000000 ${TO_SKB} ${loader(8)} ${ON_ERROR}`],
  [
    'r0 = *(u16 *)skb[r2 + 3]',
    [0x48, 0, 2, 0, 3],
    `bf22000000000000 0702000003000000 ${TO_SKB} ${loader(16)} ${ON_ERROR}`,
  ],
  [
    'r0 = *(u32 *)skb[r1 - 5]',
    [0x40, 0, 1, 0, -5],
    `bf12000000000000 07020000fbffffff ${TO_SKB} ${loader(32)} ${ON_ERROR}`,
  ],
])(
  '%s becomes what the kernel makes of it',
  (_name, [opcode, dst = 0, src = 0, off = 0, imm = 0], xlated) => {
    const made = bpfGenLdAbs({ opcode, dst, src, off, imm });
    expect(made && Buffer.from(emitted(made)).toString('hex')).toBe(xlated.replaceAll(' ', ''));
  },
);

test('other loads are none', () => {
  expect(bpfGenLdAbs({ opcode: 0x61, dst: 0, src: 1, off: 0, imm: 0 })).toBeUndefined();
  expect(bpfGenLdAbs({ opcode: 0x18, dst: 0, src: 0, off: 0, imm: 0 })).toBeUndefined();
});

const PACKET = Uint8Array.from({ length: 60 }, (_, i) => 0xf0 ^ i);
const view = new DataView(PACKET.buffer);
const big = (offset: number, size: number): number =>
  size === 1 ? view.getUint8(offset) : size === 2 ? view.getUint16(offset) : view.getUint32(offset);

describe.each([
  { size: 1, abs: 0x30, ind: 0x50 },
  { size: 2, abs: 0x28, ind: 0x48 },
  { size: 4, abs: 0x20, ind: 0x40 },
])('$size bytes', ({ size, abs, ind }) => {
  const last = 60 - size;
  test.each([0, 1, 13, last])('at %i: the packet, in host order; one instruction', (offset) => {
    const direct = loadSlots('sched_cls', [[0xbf, 6, 1], [abs, 0, 0, 0, offset], EXIT]);
    const there = run(direct, PACKET);
    expect(there.r0).toBe(BigInt(big(offset, size)));
    expect(there.insnsExecuted).toBe(3n);
    const indirect = loadSlots('sched_cls', [[0xbf, 6, 1], [0xb7, 3, 0, 0, offset], [ind, 0, 3], EXIT]);
    expect(run(indirect, PACKET).r0).toBe(BigInt(big(offset, size)));
  });

  test.each([last + 1, 60, 0x7fff_ffff])('at %i: the program returns 0', (offset) => {
    const loaded = loadSlots('sched_cls', [[0xbf, 6, 1], [abs, 0, 0, 0, offset], [0xb7, 0, 0, 0, 9], EXIT]);
    const { r0, fault, insnsExecuted } = run(loaded, PACKET);
    expect({ r0, fault, insnsExecuted }).toEqual({ r0: 0n, fault: undefined, insnsExecuted: 2n });
  });
});

test('in a function, outside the packet: the function returns 0, its caller goes on', () => {
  const loaded = loadSlots('sched_cls', [
    [0xbf, 6, 1],
    [0x85, 0, 1, 0, 2],
    [0x07, 0, 0, 0, 5],
    EXIT,
    [0xbf, 6, 1],
    [0x20, 0, 0, 0, 100],
    [0xb7, 0, 0, 0, 9],
    EXIT,
  ]);
  expect(run(loaded, PACKET)).toMatchObject({ r0: 5n, insnsExecuted: 6n });
});

test('R6 that holds no socket buffer is a fault at the load, not in its middle', () => {
  const { fault } = run(loadSlots('sched_cls', [[0xb7, 6], [0x30], EXIT]), PACKET);
  expect(fault).toMatchObject({ kind: 'helper_argument', pc: 1 });
  expect(fault?.message).toContain('r6 must hold the context');
});

test('R1 to R5 have no value afterwards', () => {
  const { prog } = loadSlots('sched_cls', [[0xbf, 6, 1], [0x30], [0xbf, 0, 2], EXIT]);
  expect([...prog.uninitialisedReads.values()]).toEqual([2]);
  const { machine, prog: other } = loadSlots('sched_cls', [[0xbf, 6, 1], [0x30], EXIT]);
  run({ machine, prog: other }, PACKET);
  expect(machine.cpu(0).regInitialised & 0xffe).toBe((1 << 6) | (1 << 10));
});
