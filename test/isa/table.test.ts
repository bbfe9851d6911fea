import { describe, expect, test } from 'vitest';
import { rowsOfOpcode, TABLE_ROWS } from '#core/isa/decode.ts';
import type { InsnRow } from '#core/isa/row.ts';
import { fillTemplate, type Operand, parseTemplate, templateOperands } from '#core/isa/template.ts';

const rows: readonly (readonly [string, InsnRow])[] = TABLE_ROWS.map((row) => [row.id, row]);

const templatesOf = (row: InsnRow) =>
  [row.pseudoc, row.gnu, row.kernel, ...(row.pseudocAlso ?? []), ...(row.gnuAlso ?? [])].filter(
    (t) => t !== '',
  );

/** Which operands may speak for a field of this kind. */
const OPERANDS_OF_IMM: Readonly<Record<string, readonly Operand[]>> = {
  s32: ['imm', 'ximm', 'indoff', 'as_dst', 'as_src'],
  jump: ['ltarget'],
  helper: ['helper'],
  func: ['func', 'relfunc'],
  kfunc: ['kfunc'],
  btfid: ['var', 'ximm64'],
  imm64: ['imm64', 'ximm64'],
  mapfd: ['mapfd'],
  mapvalue: ['mapfd', 'next_imm'],
  mapidx: ['mapidx'],
  mapidxvalue: ['mapidx', 'next_imm'],
  atomic_op: ['imm'],
};

describe('the table', () => {
  test('every id stands once', () => {
    expect(new Set(TABLE_ROWS.map((row) => row.id)).size).toBe(TABLE_ROWS.length);
  });

  test.each(rows)('%s: no other row matches the same slot', (_id, row) => {
    const overlapping = rowsOfOpcode(row.opcode).filter((other) => {
      const differs = (['dst', 'src', 'off', 'imm'] as const).some(
        (key) => typeof row[key] === 'number' && typeof other[key] === 'number' && row[key] !== other[key],
      );
      return other.id !== row.id && !differs;
    });
    expect(overlapping.map((other) => other.id)).toEqual([]);
  });

  test.each(rows)('%s: templates are whole and name each operand field', (_id, row) => {
    for (const template of templatesOf(row)) {
      expect(fillTemplate(template, (operand) => `{${operand}}`)).toBe(template);
    }
    for (const template of [row.pseudoc, row.gnu, row.kernel].filter((t) => t !== '')) {
      if (row.id === 'tail_call') continue;
      const operands = templateOperands(template);
      const has = (...names: Operand[]) => names.some((name) => operands.includes(name));
      expect(has('dst', 'wdst')).toBe(typeof row.dst === 'string');
      expect(has('src', 'wsrc')).toBe(typeof row.src === 'string');
      expect(has('mem', 'kmem', 'off')).toBe(row.off === 'mem');
      expect(has('target')).toBe(row.off === 'jump');
      if (template !== row.kernel) expect(has('kfd')).toBe(row.off === 'kfd');
      const ofImm = typeof row.imm === 'string' ? (OPERANDS_OF_IMM[row.imm] ?? []) : [];
      expect(has(...ofImm)).toBe(typeof row.imm === 'string');
    }
  });

  test.each(rows)('%s: operand kinds, access and group agree with the opcode', (_id, row) => {
    const cls = row.opcode & 7;
    const size = { 0: 4, 8: 2, 16: 1, 24: 8 }[row.opcode & 0x18];
    if (row.access !== undefined) expect(row.access).toBe(size);
    if (cls === 0x07 && row.group.endsWith('32')) expect(row.id).toMatch(/^bswap(16|32)$/);
    if (cls === 0x04 && row.group.endsWith('64')) expect(row.id).toMatch(/^(le|be)64$/);
    if (row.rewrittenOnly) expect(row.group).toBe('kernel');
    if (row.group === 'kernel') expect(row.source).not.toContain('RFC');
    else expect(row.source).toContain('RFC 9669');
    expect(Boolean(row.wide)).toBe(row.opcode === 0x18);
    expect(row.meaning).not.toMatch(/\.$/);
  });

  test('only rows that GNU as has no word for lack a GNU template', () => {
    const without = TABLE_ROWS.filter((row) => row.gnu === '').map((row) => row.id);
    const rfc = without.filter((id) => !/^(probe_|load_acquire_|store_release_)/.test(id));
    expect(rfc).toEqual([
      'addr_space_cast',
      'mov64_percpu',
      'mov32_zext',
      'call_kfunc',
      'may_goto',
      'tail_call',
      'lddw_map_fd',
      'lddw_map_value',
      'lddw_btf_id',
      'lddw_func',
      'lddw_map_idx',
      'lddw_map_idx_value',
      'nospec',
    ]);
  });

  test('sources text is unambiguous: no two rows share a spelling in one dialect', () => {
    // The kind of operand tells rows apart that the shape alone does not.
    const shape = (template: string) => fillTemplate(template, (operand) => `{${SORT[operand] ?? operand}}`);
    for (const dialect of ['pseudoc', 'gnu'] as const) {
      const seen = new Map<string, string>();
      for (const row of TABLE_ROWS) {
        const also = dialect === 'gnu' ? row.gnuAlso : row.pseudocAlso;
        for (const template of [row[dialect], ...(also ?? [])].filter((t) => t !== '')) {
          const key = shape(template);
          if (AMBIGUOUS.has(row.id)) continue;
          expect(seen.get(key) ?? row.id, `${key} is ${seen.get(key)} and ${row.id}`).toBe(row.id);
          seen.set(key, row.id);
        }
      }
    }
  });
});

/** Operands that look alike in source text. */
const SORT: Readonly<Partial<Record<Operand, string>>> = {
  dst: 'reg',
  src: 'reg',
  wdst: 'wreg',
  wsrc: 'wreg',
};

/** A call's name is a helper or a function, as symbols tell. */
const AMBIGUOUS = new Set(['call_local']);

describe('templates', () => {
  test('an operator with s is one token, and white space is kept apart', () => {
    expect(parseTemplate('if {dst} s>= {imm} goto {target}')).toEqual([
      { kind: 'word', text: 'if', space: false },
      { kind: 'operand', operand: 'dst', space: true },
      { kind: 'op', text: 's>=', space: true },
      { kind: 'operand', operand: 'imm', space: true },
      { kind: 'word', text: 'goto', space: true },
      { kind: 'operand', operand: 'target', space: true },
    ]);
  });

  test('an unknown operand is refused', () => {
    expect(() => parseTemplate('mov {dest}')).toThrow('no operand is called dest');
  });

  test('an unknown mark is refused', () => {
    expect(() => parseTemplate('{dst} ? 1')).toThrow('nothing fits at 6');
  });
});
