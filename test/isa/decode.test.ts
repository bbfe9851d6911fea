import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Decoded,
  decodeInsn,
  decodeProgram,
  findRow,
  insnReads,
  insnTarget,
  insnWrites,
  rowById,
  rowsOfOpcode,
  TABLE_ROWS,
} from '#core/isa/decode.ts';
import { encodeRow } from '#core/isa/encode.ts';
import { readInsn, writeInsn } from '#core/isa/insn.ts';
import { bytesOf, hexOf } from './recorded.ts';

const SEED = 20261122;
const s32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const s16 = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
const reg = fc.integer({ min: 0, max: 10 });

const decode = (hex: string): Decoded => decodeInsn(bytesOf(hex), 0);

describe('decode', () => {
  test('decode(encode(x)) = x for every row and operands', () => {
    const row = fc.constantFrom(...TABLE_ROWS);
    const operands = fc.record({ dst: reg, src: reg, off: s16, imm: s32, nextImm: s32 });
    fc.assert(
      fc.property(row, operands, (r, given) => {
        const decoded = decodeInsn(encodeRow(r, given), 0);
        // Random numbers may happen to be another row's required value: then that row is the right one.
        const expected = findRow(decoded.insn);
        expect(decoded.row).toBe(expected);
        for (const key of ['dst', 'src', 'off', 'imm'] as const) {
          const field = r[key];
          expect(decoded.insn[key]).toBe(typeof field === 'number' ? field : given[key]);
        }
        expect(decoded.nextImm).toBe(r.wide ? given.nextImm : undefined);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  test('any eight bytes match at most one row, and reading then writing keeps them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (bytes) => {
        const insn = readInsn(bytes, 0);
        const copy = new Uint8Array(8);
        writeInsn(copy, 0, insn);
        expect(hexOf(copy)).toBe(hexOf(bytes));
        const matching = rowsOfOpcode(insn.opcode).filter((row) =>
          (['dst', 'src', 'off', 'imm'] as const).every(
            (key) => typeof row[key] === 'string' || row[key] === insn[key],
          ),
        );
        expect(matching).toEqual(matching.length > 0 ? [findRow(insn)] : []);
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });

  test('a program of any bytes is cut into instructions without a gap', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const slots = Math.floor(bytes.length / 8);
        let next = 0;
        for (const decoded of decodeProgram(bytes)) {
          expect(decoded.index).toBe(next);
          next += decoded.length;
        }
        expect(next).toBe(slots);
      }),
      { seed: SEED },
    );
  });

  test('a wide instruction joins its halves without sign', () => {
    const decoded = decode('1801000001000080000000000200ffff');
    expect(decoded.imm64).toBe(0xffff000280000001n);
    expect(decoded.nextImm).toBe(-65534);
    expect(decoded.length).toBe(2);
  });

  test('a wide instruction at the end of the program has one slot', () => {
    const decoded = decode('1801000001000000');
    expect(decoded.length).toBe(1);
    expect(decoded.imm64).toBeUndefined();
  });

  test('a slot that is not inside is refused', () => {
    expect(() => decodeInsn(new Uint8Array(8), 1)).toThrow(RangeError);
  });

  test('a name that is no row is refused', () => {
    expect(() => rowById('nothing' as never)).toThrow('no instruction is called nothing');
  });
});

describe('registers read and written', () => {
  test.each([
    ['r1 += r2', '0f21000000000000', [1, 2], [1]],
    ['r1 = r2', 'bf21000000000000', [2], [1]],
    ['r1 = 5', 'b701000005000000', [], [1]],
    ['r3 = *(u32 *)(r2 + 4)', '6123040000000000', [2], [3]],
    ['*(u32 *)(r10 - 8) = r3', '633af8ff00000000', [3, 10], []],
    ['lock += (no fetch)', 'db3af8ff00000000', [3, 10], []],
    ['atomic_fetch_add', 'db3af8ff01000000', [3, 10], [3]],
    ['cmpxchg', 'db3af8fff1000000', [0, 3, 10], [0]],
    ['if r1 > r2', '2d21010000000000', [1, 2], []],
    ['goto', '0500010000000000', [], []],
    ['call helper', '8500000001000000', [1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]],
    ['exit', '9500000000000000', [0], []],
    ['skb[r2 + 1]', '4020000001000000', [2, 6], [0, 1, 2, 3, 4, 5]],
    ['load_acquire', 'db21000000010000', [2], [1]],
    ['store_release', 'db21000010010000', [1, 2], []],
    ['no instruction', 'ff00000000000000', [], []],
  ])('%s', (_text, hex, reads, writes) => {
    expect(insnReads(decode(hex))).toEqual(reads);
    expect(insnWrites(decode(hex))).toEqual(writes);
  });
});

describe('targets', () => {
  test.each([
    ['goto +1', '0500010000000000', 2],
    ['goto -1: itself', '0500ffff00000000', 0],
    ['gotol +70000', '0600000070110100', 70001],
    ['if r1 == 0 goto +3', '1501030000000000', 4],
    ['call local -2: outside', '85100000feffffff', -1],
    ['function address', '18410000040000000000000000000000', 5],
    ['helper call', '8500000001000000', undefined],
  ])('%s', (_text, hex, slot) => {
    expect(insnTarget(decode(hex))).toBe(slot);
  });
});

describe('encoding', () => {
  test('both halves of a 64-bit number are written', () => {
    expect(hexOf(encodeRow(rowById('lddw'), { dst: 3, imm64: -2n }))).toBe(
      '18030000feffffff00000000ffffffff',
    );
    expect(hexOf(encodeRow(rowById('lddw'), { dst: 3, imm64: 0x1122334455667788n }))).toBe(
      '18030000887766550000000044332211',
    );
  });
});
