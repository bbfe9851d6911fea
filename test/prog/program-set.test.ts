import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { linkProgram } from '#core/object/link.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { ProgramSet } from '#core/prog/program-set.ts';
import { Machine } from '#core/vm/machine.ts';

const SOURCE = `
	.map	jmp, prog_array, 4, 4, 4
	.map	hits, array, 4, 8, 1
	.map_entry jmp, 0, first
	.map_entry jmp, 3, second
	.section "xdp/first", "ax"
	.globl	first
	.type	first, @function
first:
	r2 = jmp ll
	r3 = hits ll
	r0 = 0
	exit
	.section "xdp/second", "ax"
	.globl	second
	.type	second, @function
second:
	r2 = hits ll
	r0 = 1
	exit
`;

const object = assemble(SOURCE, { fileName: 'set.bpf.s' });

function attrOf(name: string): LoadAttr {
  const { value, errors } = linkProgram(object.value, name);
  if (value === undefined) throw new Error(errors.join('\n'));
  return value;
}

test('programs of one object share maps, and one name is one program', () => {
  expect(object.diagnostics).toEqual([]);
  const set = new ProgramSet(new Machine({ shared: false }));
  const first = set.load(attrOf('first'));
  const second = set.load(attrOf('second'));
  if (!first.ok || !second.ok) throw new Error('refused');
  expect(set.load(attrOf('first'))).toBe(first);
  const hits = (prog: typeof first.prog) => prog.maps.find((map) => map.def.name === 'hits');
  expect(hits(second.prog)).toBe(hits(first.prog));
  expect(set.mapNamed('hits')).toBe(hits(first.prog));
  expect(set.mapNamed('nowhere')).toBeUndefined();
});

test('program arrays are created empty; their entries are told', () => {
  const set = new ProgramSet(new Machine({ shared: false }));
  const main = attrOf('first');
  expect([...set.programEntries(main)]).toEqual([]);
  set.load(main);
  const jmp = set.mapNamed('jmp');
  expect([...(jmp?.entries() ?? [['no map']])]).toEqual([]);
  expect([...set.programEntries(main)].map(({ map, key, index }) => [map === jmp, key[0], index])).toEqual([
    [true, 0, 0],
    [true, 3, 1],
  ]);
});
