import { expect, test } from 'vitest';
import { filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { CLASSIC_TABLE } from '#core/cbpf/table.ts';
import { mayBeWritten, WRITES_A, WRITES_X } from '#core/cbpf/written.ts';

const BOTH = WRITES_A | WRITES_X;

test.each([
  ['nothing at the start', 'ret a', [0]],
  ['A by a load, X by tax', 'ldh [12]\ntax\nret a', [0, WRITES_A, BOTH]],
  ['X alone', 'ldx #4\nst M[0]\nret a', [0, WRITES_X, WRITES_X]],
  ['neither by a store or a jump', 'stx M[1]\njeq #0, l1\nl1: ret a', [0, 0, 0]],
  ['on one path is enough', 'jeq #0, l1\nldh [12]\nl1: ret a', [0, 0, WRITES_A]],
  ['not what another path writes', 'jeq #0, l1\nldh [12]\nret a\nl1: ret a', [0, 0, WRITES_A, 0]],
])('%s', (_, text, want) => {
  expect([...mayBeWritten(filtersOf(readClassic(text).value))]).toEqual(want);
});

test.each(CLASSIC_TABLE.map((row) => [row.id, row] as const))('%s writes what its meaning says', (_, row) => {
  const filters = [
    { code: row.code, jt: 0, jf: 0, k: 1 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ];
  // a jump by 1 leads to the last instruction
  const after = mayBeWritten(filters)[row.mode === 'jump' ? 2 : 1];
  const written = /^A\b/.test(row.meaning) ? WRITES_A : /^X\b/.test(row.meaning) ? WRITES_X : 0;
  expect(after).toBe(written);
});
