import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { disassembleText } from '#core/asm/disassemble.ts';
import { TABLE_ROWS } from '#core/isa/decode.ts';
import { writeInsn } from '#core/isa/insn.ts';

const SEED = 7;

/** Slots of any row with any operands, now and then a damaged byte. */
const program = fc
  .array(
    fc.record({
      row: fc.nat(TABLE_ROWS.length - 1),
      dst: fc.nat(11),
      src: fc.nat(11),
      off: fc.integer({ min: -0x8000, max: 0x7fff }),
      near: fc.integer({ min: -6, max: 6 }),
      imm: fc.oneof(fc.integer({ min: -300, max: 300 }), fc.integer({ min: -0x80000000, max: 0x7fffffff })),
      damage: fc.option(fc.tuple(fc.nat(7), fc.nat(255)), { freq: 20 }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((slots) => {
    const bytes = new Uint8Array(slots.length * 8);
    for (const [i, s] of slots.entries()) {
      const row = TABLE_ROWS[s.row]!;
      writeInsn(bytes, i, {
        opcode: row.opcode,
        dst: typeof row.dst === 'number' ? row.dst : s.dst,
        src: typeof row.src === 'number' ? row.src : s.src,
        off: typeof row.off === 'number' ? row.off : row.off === 'jump' ? s.near : s.off,
        imm:
          typeof row.imm === 'number' ? row.imm : row.imm === 'jump' || row.imm === 'func' ? s.near : s.imm,
      });
      if (s.damage) bytes[i * 8 + s.damage[0]] = s.damage[1];
    }
    return bytes;
  });

test.each(['pseudoc', 'gnu'] as const)(
  `what is disassembled to %s assembles to the same bytes (seed ${SEED})`,
  (dialect) => {
    fc.assert(
      fc.property(program, (bytes) => {
        const text = disassembleText(bytes, dialect).join('\n');
        for (const wanted of ['auto', dialect] as const) {
          const out = assemble(text, { fileName: 'x', dialect: wanted });
          expect(out.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
          expect(Buffer.from(out.value.sections[0]!.bytes).toString('hex')).toBe(
            Buffer.from(bytes).toString('hex'),
          );
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  },
);

test('every row has a text that assembles to it', () => {
  for (const row of TABLE_ROWS) {
    const bytes = new Uint8Array(row.wide ? 16 : 8);
    writeInsn(bytes, 0, {
      opcode: row.opcode,
      dst: typeof row.dst === 'number' ? row.dst : 3,
      src: typeof row.src === 'number' ? row.src : 4,
      off: typeof row.off === 'number' ? row.off : 0,
      imm: typeof row.imm === 'number' ? row.imm : 0,
    });
    for (const template of [row.pseudoc, ...(row.pseudocAlso ?? []), row.gnu, ...(row.gnuAlso ?? [])]) {
      if (template === '' || row.id === 'call_kfunc' || row.id === 'call_local') continue;
      const text = template.replace(/\{(\w+)\}/g, (_, operand: string) => OPERAND[operand] ?? '0');
      const out = assemble(text, { fileName: 'x' });
      expect([text, ...out.diagnostics.map((d) => d.message)]).toEqual([text]);
      expect([row.id, text, Buffer.from(out.value.sections[0]!.bytes).toString('hex')]).toEqual([
        row.id,
        text,
        Buffer.from(bytes).toString('hex'),
      ]);
    }
  }
});

const OPERAND: Readonly<Record<string, string>> = {
  dst: 'r3',
  src: 'r4',
  wdst: 'w3',
  wsrc: 'w4',
  mem: '+ 0',
  off: '+0',
  indoff: '',
};
