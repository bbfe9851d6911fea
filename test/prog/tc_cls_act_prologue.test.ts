import { expect, test } from 'vitest';
import { kernelFunctionImm } from '#core/isa/numbering.ts';
import type { ProgType } from '#core/object/object.ts';
import { EXIT, R0_0, type Slot } from './build.ts';
import { dumped, loadSlots, run } from './rewrite.ts';

const imm = Buffer.alloc(4);
imm.writeInt32LE(kernelFunctionImm('bpf_skb_pull_data'));

/** As Linux 6.18 gave it through `bpftool prog dump xlated`. */
const PROLOGUE = [
  '71167e0000000000',
  '5406000001000000',
  '1506070000000000',
  'bf16000000000000',
  'af22000000000000',
  `85000000${imm.toString('hex')}`,
  '1500020000000000',
  'b400000002000000',
  '9500000000000000',
  'bf61000000000000',
];
const OPEN: Slot[] = [
  [0x61, 2, 1, 76],
  [0x61, 3, 1, 80],
  [0xbf, 4, 2],
  [0x07, 4, 0, 0, 8],
];
/** Writes packet byte 0 when there are 8. */
const WRITE: Slot[] = [...OPEN, [0x2d, 4, 3, 1], [0x72, 2, 0, 0, 5], R0_0, EXIT];
const READ: Slot[] = [...OPEN, [0x2d, 4, 3, 1], [0x71, 5, 2], R0_0, EXIT];
const PACKET = new Uint8Array(60);

test('a tc program that writes to the packet begins with what makes it writable', () => {
  const loaded = loadSlots('sched_cls', WRITE);
  expect(dumped(loaded).slice(0, 11)).toEqual([...PROLOGUE, '7912c80000000000']);
  const { dataOut, fault, insnsExecuted } = run(loaded, PACKET);
  expect(fault).toBeUndefined();
  expect(dataOut[0]).toBe(5);
  // What the program's author did not write is not counted.
  expect(insnsExecuted).toBe(8n);
});

test.each<[string, ProgType, Slot[]]>([
  ['a program that only reads it', 'sched_cls', READ],
  ['one that writes to its stack', 'sched_cls', [[0x7a, 10, 0, -8, 1], R0_0, EXIT]],
  ['one that writes to the context', 'sched_cls', [[0x62, 1, 0, 8, 1], R0_0, EXIT]],
  [
    'XDP',
    'xdp',
    [
      [0x61, 2, 1, 0],
      [0x61, 3, 1, 4],
      [0xbf, 4, 2],
      [0x07, 4, 0, 0, 8],
      [0x2d, 4, 3, 1],
      [0x72, 2],
      R0_0,
      EXIT,
    ],
  ],
])('%s does not', (_name, progType, slots) => {
  expect(dumped(loadSlots(progType, slots))[0]?.slice(0, 8)).not.toBe('71167e00');
});

test('a loop to the first instruction does not come by it again, with may_goto in front of it', () => {
  const loop: Slot[] = [
    ...OPEN,
    [0x2d, 4, 3, 3],
    [0x72, 2, 0, 0, 5],
    [0xe5, 0, 0, 1],
    [0x05, 0, 0, -8],
    R0_0,
    EXIT,
  ];
  const loaded = loadSlots('sched_cls', loop);
  const xlated = dumped(loaded);
  expect(xlated.slice(0, 2)).toEqual(['7a0af0ffffff0000', '7a0af8ff00000000']);
  expect(xlated.slice(2, 12)).toEqual(PROLOGUE);
  // Slot 25 jumps to slot 12.
  expect(xlated[25]).toBe('0500f2ff00000000');
  expect([...loaded.prog.firstXlated.slice(0, 2)]).toEqual([12, 13]);
});

test('through a function that is given the packet', () => {
  const slots: Slot[] = [
    ...OPEN,
    [0x2d, 4, 3, 2],
    [0xbf, 1, 2],
    [0x85, 0, 1, 0, 2],
    R0_0,
    EXIT,
    [0x72, 1, 0, 0, 5],
    R0_0,
    EXIT,
  ];
  expect(dumped(loadSlots('sched_cls', slots)).slice(0, 10)).toEqual(PROLOGUE);
});
