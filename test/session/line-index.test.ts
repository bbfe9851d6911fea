import { expect, test } from 'vitest';
import { indexLines } from '#core/session/line-index.ts';

const entry = (insnOff: number, file: number, line: number) => ({ insnOff, file, line, column: insnOff + 1 });

test('entries are found by slot and by line, in whatever order lines and files come', () => {
  const info = [
    entry(0, 0, 9),
    entry(1, 0, 3),
    entry(2, 1, 3),
    entry(3, 0, 9),
    entry(4, 0, 9),
    entry(6, 2, 1),
  ];
  const lines = indexLines(info, ['a.c', 'b.h', './a.c'], '/x/y.o');
  expect(lines.files).toEqual(['/x/a.c', '/x/b.h']);
  expect(lines.linesOf('/x/a.c')).toEqual([1, 3, 9]);
  expect(lines.linesOf('/x/b.h')).toEqual([3]);
  expect(lines.slotsOfLine('/x/a.c', 9)).toEqual([
    { slot: 0, column: 1, continues: false },
    { slot: 3, column: 4, continues: false },
    { slot: 4, column: 5, continues: true },
  ]);
  expect(lines.slotsOfLine('/x/b.h', 3)).toEqual([{ slot: 2, column: 3, continues: false }]);
  expect(lines.slotsOfLine('/x/a.c', 4)).toEqual([]);
  expect(lines.slotsOfLine('/x/c.h', 3)).toEqual([]);
  expect(lines.locationOf(5)).toEqual({ file: '/x/a.c', line: 9, column: 5 });
});
