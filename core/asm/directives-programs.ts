import { uapiConstant } from '../isa/constants.ts';
import { MAP_TYPES, mapTypeByName } from '../object/map-types.ts';
import { PROG_TYPES } from '../object/prog-types.ts';
import { type Builder, MAX_FILL } from './builder.ts';
import {
  bad,
  type DirectiveContext,
  directive,
  nameOf,
  noMoreThan,
  numberOf,
  raw,
} from './directive-registry.ts';
import { dataRangeMessage, fitsData, MAX_SUGGESTIONS } from './resolve.ts';
import type { DirectiveArg } from './statement.ts';
import { stringBytes } from './strings.ts';
import { suggest } from './suggest.ts';
import { ABSOLUTE, UNDEFINED } from './symbols.ts';

/** Directives for programs and maps, and those of compilers for debug information. */

directive('.file', '.file [N] ["DIR"] "NAME"', 'names a source file', (c) => {
  const { b, statement } = c;
  const [first] = statement.args;
  if (first?.kind === 'string') {
    b.fromCompiler = true;
    b.sourceFile = new TextDecoder().decode(stringBytes(raw(c, first)).bytes);
    return;
  }
  if (first?.kind !== 'expr' || typeof first.value !== 'number')
    return bad(c, first, '.file needs a name: .file "prog.c"');
  const strings = statement.args
    .filter((a) => a.kind === 'string')
    .map((a) => new TextDecoder().decode(stringBytes(raw(c, a)).bytes));
  const [dir, name] = strings.length > 1 ? strings : [undefined, strings[0] ?? ''];
  const path = dir && !name!.startsWith('/') ? `${dir}/${name}` : name!;
  let index = b.files.indexOf(path, 1);
  if (index < 0) index = b.files.push(path) - 1;
  b.fileNumbers.set(first.value, index);
});
directive(
  '.loc',
  '.loc FILE LINE [COLUMN] …',
  'says which source line the next instruction comes from',
  (c) => {
    const [file, line, column] = c.statement.args;
    const number = (a: DirectiveArg | undefined) =>
      a?.kind === 'expr' && typeof a.value === 'number' ? a.value : undefined;
    const f = number(file);
    const l = number(line);
    if (f === undefined || l === undefined)
      return bad(c, c.statement, '.loc needs a file number and a line: .loc 1 10 3');
    c.b.pendingLoc = { file: c.b.fileNumbers.get(f) ?? 0, line: l, column: number(column) ?? 0 };
  },
);
directive(
  '.ident .addrsig .addrsig_sym .cg_profile .line .ln .version .weakref .symver .bundle_align_mode .end_data_region .lto_discard .pseudoprobe .stabs .stabn',
  '% …',
  'read and ignored',
  (c) => {
    if (c.statement.name !== '.line') c.b.fromCompiler = true;
  },
);

directive(
  '.program',
  '.program TYPE',
  'says the type of the program in this section: xdp, sched_cls, socket_filter, raw_tracepoint, ext, raw',
  (c) => {
    const arg = c.statement.args[0];
    const name = nameOf(c, arg);
    if (name === undefined) return;
    const known = PROG_TYPES.find(
      (t) => t === name.toLowerCase() || `bpf_prog_type_${t}` === name.toLowerCase(),
    );
    if (!known) {
      const near = suggest(name, PROG_TYPES);
      return bad(
        c,
        arg,
        `unknown program type \`${name}\`; ${near ? `did you mean \`${near}\`?` : `types are ${PROG_TYPES.join(', ')}`}`,
        'unknown-program-type',
      );
    }
    c.b.programTypes.push({ section: c.b.section, offset: c.b.section.size, type: known });
    noMoreThan(c, 1);
  },
);

const MAP_DEF_SIZE = 20;

directive('.map', '.map NAME, TYPE, KEY_SIZE, VALUE_SIZE, MAX_ENTRIES[, FLAGS]', 'defines a map', (c) => {
  const { b, statement } = c;
  const [nameArg, typeArg, keyArg, valueArg, maxArg, flagsArg] = statement.args;
  const name = nameOf(c, nameArg);
  if (name === undefined || !nameArg) return;
  if (statement.args.length < 5) {
    return bad(
      c,
      undefined,
      `.map needs five arguments: .map ${name}, hash, 4, 8, 1024 (name, type, key size, value size, entries)`,
    );
  }
  noMoreThan(c, 6);
  const typeName =
    typeArg?.kind === 'expr' && typeof typeArg.value === 'object' && typeArg.value.kind === 'symbol'
      ? typeArg.value.name
      : '';
  const type = mapTypeByName(typeName) ?? mapTypeByName(typeArg ? `${uapiNumber(c, typeArg)}` : '');
  if (!type) {
    const near = suggest(
      typeName,
      MAP_TYPES.map((t) => t.name),
    );
    return bad(
      c,
      typeArg,
      `unknown map type \`${typeArg ? raw(c, typeArg) : ''}\`; ${near ? `did you mean \`${near}\`?` : 'types are hash, array, prog_array …'}`,
      'unknown-map-type',
    );
  }
  const sizes: number[] = [];
  for (const [arg, what] of [
    [keyArg, 'the key size'],
    [valueArg, 'the value size'],
    [maxArg, 'the number of entries'],
  ] as const) {
    const n = numberOf(c, arg, what);
    if (n === undefined) return;
    if (n < 0n || n > 0xffffffffn)
      return bad(c, arg, `${what} must be 0 to 4294967295, not ${n}`, 'size-range');
    sizes.push(Number(n));
  }
  const flags = flagsArg ? numberOf(c, flagsArg, 'the flags') : 0n;
  if (flags === undefined) return;
  const sym = b.symbol(name);
  const range = { start: c.lineStart + nameArg.start, end: c.lineStart + nameArg.end };
  if (sym.section !== UNDEFINED) return b.report(range, 'duplicate-symbol', `\`${name}\` is already defined`);
  const section = b.sectionNamed('maps');
  if (section.align < 4) section.align = 4;
  const at = section.reserve(MAP_DEF_SIZE);
  for (const [i, v] of [type.id, ...sizes, Number(BigInt.asUintN(32, flags))].entries())
    section.view.setUint32(at + 4 * i, v, true);
  Object.assign(sym, {
    section: section.index,
    value: BigInt(at),
    size: BigInt(MAP_DEF_SIZE),
    type: 'object',
    map: true,
    range,
    binding: 'global',
  });
  b.mapIndex.set(name, b.maps.length);
  b.maps.push({
    name,
    type: type.name,
    keySize: sizes[0]!,
    valueSize: sizes[1]!,
    maxEntries: sizes[2]!,
    flags: Number(BigInt.asUintN(32, flags)),
  });
});

directive(
  '.map_entry',
  '.map_entry MAP, KEY, VALUE',
  'an element that the map holds before the program runs: numbers, little endian, in the sizes of the map; in a program array the name of a program',
  (c) => {
    const { b, statement } = c;
    const [nameArg, keyArg, valueArg] = statement.args;
    const name = nameOf(c, nameArg);
    if (name === undefined) return;
    noMoreThan(c, 3);
    const def = b.maps[b.mapIndex.get(name) ?? -1];
    if (!def) {
      const near = b.nSuggestions++ < MAX_SUGGESTIONS ? suggest(name, b.mapIndex.keys()) : undefined;
      const hint = near ? `did you mean \`${near}\`?` : 'define it with .map before this line';
      return bad(c, nameArg, `there is no map \`${name}\`; ${hint}`, 'unknown-map');
    }
    const index = numberOf(c, keyArg, 'the key');
    const key = index === undefined ? undefined : elementBytes(c, keyArg, index, def.keySize, 'the key');
    if (index === undefined || !key) return;
    if (def.type.endsWith('array') && BigInt.asUintN(32, index) >= BigInt(def.maxEntries)) {
      const last = def.maxEntries - 1;
      return bad(c, keyArg, `\`${name}\` has elements 0 to ${last}, not ${index}`, 'key-range');
    }
    const value = entryValue(c, valueArg, def);
    if (!value) return;
    const keys = b.mapKeys.get(name) ?? new Set();
    const keyText = BigInt.asUintN(def.keySize * 8, index).toString(16);
    if (keys.size >= def.maxEntries && !keys.has(keyText)) {
      return bad(c, keyArg, `\`${name}\` has room for ${def.maxEntries} elements`, 'too-many-entries');
    }
    b.mapKeys.set(name, keys.add(keyText));
    b.mapEntries.push({ map: name, key, value });
  },
);

type EntryValue = Builder['mapEntries'][number]['value'];

function entryValue(
  c: DirectiveContext,
  arg: DirectiveArg | undefined,
  def: Builder['maps'][number],
): EntryValue | undefined {
  if (def.type === 'prog_array') {
    const program = nameOf(c, arg);
    if (program === undefined || !arg) return undefined;
    return { program, range: { start: c.lineStart + arg.start, end: c.lineStart + arg.end } };
  }
  const number = numberOf(c, arg, 'the value');
  return number === undefined ? undefined : elementBytes(c, arg, number, def.valueSize, 'the value');
}

/** Larger elements are not for text; an attack on memory could ask for gigabytes. */
const MAX_ELEMENT = 1 << 20;

/** A number as `size` bytes; sizes above 8 are filled up with its sign. */
function elementBytes(
  c: DirectiveContext,
  arg: DirectiveArg | undefined,
  value: bigint,
  size: number,
  what: string,
): Uint8Array | undefined {
  if (size > MAX_ELEMENT) {
    bad(c, arg, `${what} has ${size} bytes; at most ${MAX_ELEMENT} can be given here`, 'size-range');
    return undefined;
  }
  if (size < 8 && !fitsData(value, size)) {
    bad(c, arg, `${what} ${dataRangeMessage(value, size)}`, 'size-range');
    return undefined;
  }
  if (!c.b.takeBytes(size)) {
    bad(c, arg, `the elements of the maps have more than ${MAX_FILL} bytes`, 'size-range');
    return undefined;
  }
  const bytes = new Uint8Array(size);
  if (value < 0n) bytes.fill(0xff);
  const sign = value < 0n ? -1n : 0n;
  for (let i = 0, left = value; i < size && left !== sign; i++, left >>= 8n) bytes[i] = Number(left & 0xffn);
  return bytes;
}

function uapiNumber(c: DirectiveContext, arg: DirectiveArg): bigint | undefined {
  if (arg.kind !== 'expr') return undefined;
  if (typeof arg.value === 'object' && arg.value.kind === 'symbol') {
    const { name } = arg.value;
    const sym = c.b.symbols.get(name);
    return sym?.section === ABSOLUTE ? sym.value : uapiConstant(name)?.value;
  }
  const v = c.b.evaluate(c.b.bind(arg.value), true);
  return typeof v === 'object' && !v.plus && !v.minus ? v.addend : undefined;
}
