import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { guardDivMod } from '#core/prog/div-mod.ts';
import { bytesOf as emitted } from '#core/prog/emit.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, bytesOf, EXIT, type Slot } from './build.ts';

const DIV = 0x30;
const MOD = 0x90;
const ALU = 0x04;
const ALU64 = 0x07;
const X = 0x08;

/** Rewritten forms of `r6 op r7` and `r6 op imm` as Linux 6.18 gave them through `bpftool prog dump xlated`. */
const SEQUENCES: readonly [name: string, insn: Slot, xlated: string | undefined][] = [
  ['r6 /= r7', [0x3f, 6, 7], '5507020000000000 ac66000000000000 0500010000000000 3f76000000000000'],
  ['r6 %= r7', [0x9f, 6, 7], '1507010000000000 9f76000000000000'],
  ['w6 /= w7', [0x3c, 6, 7], '5607020000000000 ac66000000000000 0500010000000000 3c76000000000000'],
  ['w6 %= w7', [0x9c, 6, 7], '1607020000000000 9c76000000000000 0500010000000000 bc66000000000000'],
  [
    'r6 s/= r7',
    [0x3f, 6, 7, 1],
    'bf7b000000000000 070b000001000000 250b040001000000 150b010000000000 b706000000000000 8706000000000000 0500010000000000 3f76010000000000',
  ],
  [
    'r6 s%= r7',
    [0x9f, 6, 7, 1],
    'bf7b000000000000 070b000001000000 250b030001000000 150b030001000000 b406000000000000 0500010000000000 9f76010000000000',
  ],
  [
    'w6 s/= w7',
    [0x3c, 6, 7, 1],
    'bf7b000000000000 040b000001000000 260b040001000000 160b010000000000 b406000000000000 8406000000000000 0500010000000000 3c76010000000000',
  ],
  [
    'w6 s%= w7',
    [0x9c, 6, 7, 1],
    'bf7b000000000000 040b000001000000 260b030001000000 160b040001000000 b406000000000000 0500010000000000 9c76010000000000 0500010000000000 bc66000000000000',
  ],
  ['r6 s/= -1', [0x37, 6, 0, 1, -1], '8706000000000000'],
  ['r6 s%= -1', [0x97, 6, 0, 1, -1], 'b406000000000000'],
  ['w6 s/= -1', [0x34, 6, 0, 1, -1], '8406000000000000'],
  ['w6 s%= -1', [0x94, 6, 0, 1, -1], 'b406000000000000'],
  ...[0x37, 0x97, 0x34, 0x94].flatMap((opcode): [string, Slot, undefined][] => [
    [`${opcode.toString(16)} by 7`, [opcode, 6, 0, 0, 7], undefined],
    [`${opcode.toString(16)} by -1`, [opcode, 6, 0, 0, -1], undefined],
    [`${opcode.toString(16)} by 0`, [opcode, 6, 0, 0, 0], undefined],
    [`signed ${opcode.toString(16)} by -2`, [opcode, 6, 0, 1, -2], undefined],
  ]),
  ['r6 += r7', [0x0f, 6, 7], undefined],
  ['r6 s>>= r7', [0xcf, 6, 7], undefined],
];

test.each(SEQUENCES)('%s becomes what the kernel makes of it', (_name, slot, xlated) => {
  const [opcode, dst = 0, src = 0, off = 0, imm = 0] = slot;
  const made = guardDivMod({ opcode, dst, src, off, imm });
  expect(made && Buffer.from(emitted(made)).toString('hex')).toBe(xlated?.replaceAll(' ', ''));
});

const NUMBERS = [
  0n,
  1n,
  2n,
  7n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  1n << 63n,
  (1n << 64n) - 1n,
  (1n << 64n) - 7n,
];

/** RFC 9669 section 4.1. */
function expected(op: number, isWide: boolean, isSigned: boolean, a: bigint, b: bigint): bigint {
  const bits = isWide ? 64 : 32;
  const cut = (n: bigint) => BigInt.asUintN(bits, n);
  const number = (n: bigint) => (isSigned ? BigInt.asIntN(bits, n) : cut(n));
  if (cut(b) === 0n) return op === DIV ? 0n : cut(a);
  return cut(op === DIV ? number(a) / number(b) : number(a) % number(b));
}

const FORMS = [DIV, MOD].flatMap((op) =>
  [true, false].flatMap((isWide) => [true, false].map((isSigned) => ({ op, isWide, isSigned }))),
);

test.each(FORMS)('results before and after are the same, blinded too: %o', ({ op, isWide, isSigned }) => {
  const opcode = op | X | (isWide ? ALU64 : ALU);
  for (const settings of [{}, { bpfJitHarden: 2 as const }]) {
    for (const [dst, src] of [
      [6, 7],
      [0, 2],
      [2, 0],
      [7, 7],
    ] as const) {
      const code: Slot[] = [
        [0x79, dst, 1],
        [0x79, src, 1, src === dst ? 0 : 8],
        [opcode, dst, src, isSigned ? 1 : 0],
        [0xbf, 0, dst],
        EXIT,
      ];
      const machine = new Machine({ shared: false, maxMemory: 2 ** 22, settings });
      const loaded = bpfProgLoad(machine, attrOf('raw', bytesOf(code)));
      if (!loaded.ok) throw new Error(loaded.refusal.message);
      for (const a of NUMBERS) {
        for (const b of src === dst ? [a] : NUMBERS) {
          const data = new Uint8Array(new BigUint64Array([a, b]).buffer);
          const { r0, fault, insnsExecuted } = runProgram(machine, loaded.prog, reference, { data });
          expect(fault).toBeUndefined();
          expect(r0, `r${dst} = ${a}, r${src} = ${b}`).toBe(expected(op, isWide, isSigned, a, b));
          expect(insnsExecuted).toBe(5n);
        }
      }
    }
  }
});
