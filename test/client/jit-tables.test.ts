import { describe, expect, test } from 'vitest';
import type { JitListing } from '#core/protocol/jit.ts';
import { Marks } from '../../client/webview/jit/marks.ts';
import { geometry, MAX_HEIGHT, ROW_HEIGHT, topToShow } from '../../client/webview/jit/scroll.ts';
import { firstLinked, isLinked, Tables } from '../../client/webview/jit/tables.ts';

const words = (...numbers: number[]) => Buffer.from(Int32Array.from(numbers).buffer).toString('base64');

/** `main`, two instructions of line 2, one of line 3, one of nowhere; the first one's native code is in two places. */
const LISTING: JitListing = {
  program: { id: 1, name: 'main', type: 'xdp' },
  nInsns: 4,
  nXlated: 4,
  files: [{ path: '/work/a.bpf.s' }],
  bpf: { count: 5, file: words(-1, 0, 0, 0, -1), line: words(0, 2, 2, 3, 0) },
  native: {
    count: 9,
    bytes: 20,
    end: 20,
    runStart: words(0, 2, 3, 5, 6, 8),
    runRow: words(-1, 1, 2, 1, 3, -1),
  },
};
const TEXT = 'main:\n\tr0 = 1\n\texit\n';
const tables = new Tables(LISTING, [{ name: 'a.bpf.s', text: TEXT }]);

describe('what belongs together', () => {
  test('a native row to its instruction and that to its line; all native code of the instruction', () => {
    const linked = tables.linked({ column: 'native', row: 2 });
    expect([...linked.source]).toEqual([1]);
    expect([...linked.bpf]).toEqual([1]);
    expect(linked.native).toEqual([
      [2, 3],
      [5, 6],
    ]);
    const rows = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    expect(rows.filter((row) => isLinked(linked, { column: 'native', row }))).toEqual([2, 5]);
  });

  test('a line to all that it has become', () => {
    const linked = tables.linked({ column: 'source', row: 1 });
    expect([...linked.bpf]).toEqual([1, 2]);
    expect(linked.native).toEqual([
      [2, 3],
      [3, 5],
      [5, 6],
    ]);
    expect([firstLinked(linked, 'bpf'), firstLinked(linked, 'native')]).toEqual([1, 2]);
    expect(firstLinked(tables.linked({ column: 'source', row: 0 }), 'bpf')).toBe(-1);
  });

  test('what frames a function belongs to nothing but itself', () => {
    const linked = tables.linked({ column: 'native', row: 8 });
    expect([linked.source.size, linked.bpf.size, linked.native]).toEqual([0, 0, [[8, 9]]]);
  });
});

describe('sources', () => {
  const two = new Tables(
    {
      ...LISTING,
      files: [{ path: 'a.c' }, { path: 'b.h' }],
      bpf: { count: 5, file: words(-1, 1, 1, 0, -1), line: words(0, 70, 9, 2, 0) },
    },
    [
      { name: 'a.c', text: 'one\ntwo' },
      { name: 'b.h', message: 'no such file' },
    ],
  );

  test('several have headings; of one that is not there only the lines that are named', () => {
    expect(two.counts.source).toBe(6);
    expect([0, 1, 2, 3, 4, 5].map((row) => two.sourceRow(row))).toEqual([
      { file: 0, line: 0, text: 'a.c' },
      { file: 0, line: 1, text: 'one' },
      { file: 0, line: 2, text: 'two' },
      { file: 1, line: 0, text: 'b.h: no such file' },
      { file: 1, line: 9, text: '' },
      { file: 1, line: 70, text: '' },
    ]);
    expect([1, 2, 3].map((row) => two.sourceOf(row))).toEqual([5, 4, 2]);
    expect([two.rowOfLine(1, 70), two.rowOfLine(1, 71), two.rowOfLine(0, 3), two.rowOfLine(7, 1)]).toEqual([
      5, -1, -1, -1,
    ]);
  });

  test('a line that is not in the text any more has no row', () => {
    const cut = new Tables(LISTING, [{ name: 'a', text: 'main:' }]);
    expect(cut.sourceOf(1)).toBe(-1);
    expect(cut.linked({ column: 'bpf', row: 1 }).source.size).toBe(0);
  });
});

describe('breakpoints', () => {
  const line = (enabled = true) => [{ file: 0, line: 2, enabled }];
  const remove = { kind: 'line-breakpoint', file: 0, line: 2, on: false };

  test('one on a line lies where the line begins, in every column', () => {
    const marks = new Marks(tables, [], line());
    expect(marks.at({ column: 'source', row: 1 })).toBe('set');
    expect([1, 2, 3].map((row) => marks.at({ column: 'bpf', row }))).toEqual(['here', undefined, undefined]);
    expect(marks.at({ column: 'native', row: 2 })).toBe('here');
    for (const place of [
      { column: 'source', row: 1 },
      { column: 'bpf', row: 1 },
      { column: 'native', row: 2 },
    ] as const)
      expect(marks.action(place, tables, '0x1')).toEqual(remove);
    expect(new Marks(tables, [], line(false)).at({ column: 'bpf', row: 1 })).toBeUndefined();
  });

  test('one at an address belongs to its column and lies in the others; the line can have its own', () => {
    const native = { column: 'native', address: '0x9', bpfRow: 3, nativeRow: 7 } as const;
    const marks = new Marks(tables, [native], []);
    expect(marks.at({ column: 'native', row: 7 })).toBe('set');
    expect(marks.at({ column: 'bpf', row: 3 })).toBe('here');
    expect(marks.at({ column: 'source', row: 2 })).toBe('here');
    expect(marks.action({ column: 'bpf', row: 3 }, tables, '0x1')).toEqual({
      kind: 'breakpoint',
      address: '0x9',
      on: false,
    });
    expect(marks.action({ column: 'source', row: 2 }, tables, undefined)).toEqual({
      ...remove,
      line: 3,
      on: true,
    });
    expect(marks.action({ column: 'bpf', row: 4 }, tables, '0x8')).toEqual({
      kind: 'breakpoint',
      address: '0x8',
      on: true,
    });
    expect(marks.action({ column: 'bpf', row: 4 }, tables, '0x9')).toMatchObject({
      address: '0x9',
      on: false,
    });
    expect(marks.action({ column: 'native', row: 0 }, tables, undefined)).toEqual({ kind: 'none' });
  });
});

describe('scrolling', () => {
  test('a list that fits into the limit is as tall as its rows', () => {
    const { height, isMapped, topAt, scrollTopAt, maxTop } = geometry(300_000, 400);
    expect([height, isMapped, maxTop]).toEqual([300_000 * ROW_HEIGHT, false, 300_000 * ROW_HEIGHT - 400]);
    expect([topAt(1234), scrollTopAt(1234)]).toEqual([1234, 1234]);
  });

  test.each([401_000, 6_000_000])('%i rows are mapped; both ends are reached', (count) => {
    const { height, isMapped, topAt, scrollTopAt, maxTop } = geometry(count, 400);
    expect([height, isMapped]).toEqual([MAX_HEIGHT, true]);
    expect([topAt(0), Math.round(topAt(MAX_HEIGHT - 400))]).toEqual([0, maxTop]);
    expect(Math.abs(topAt(scrollTopAt(maxTop / 3)) - maxTop / 3)).toBeLessThan(1e-3);
  });

  test('a row in sight stays where it is; others come into the middle or to the edge', () => {
    const at = (row: number, place: 'middle' | 'edge') => topToShow(row, { top: 1000, viewport: 200, place });
    expect([at(50, 'middle'), at(59, 'edge')]).toEqual([1000, 1000]);
    expect([at(49, 'edge'), at(60, 'edge')]).toEqual([980, 1020]);
    expect([at(100, 'middle'), at(0, 'middle')]).toEqual([1900, 0]);
  });
});
