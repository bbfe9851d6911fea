import {
  EM_BPF,
  SHF_INFO_LINK,
  SHF_MERGE,
  SHF_STRINGS,
  SHT_NOBITS,
  SHT_PROGBITS,
  SHT_REL,
  SHT_STRTAB,
  SHT_SYMTAB,
} from '../object/elf-constants.ts';
import type { BpfObject, ObjSection, ObjSymbol } from '../object/object.ts';

/**
 * Writes an object as a relocatable ELF64 little-endian file for machine `BPF`:
 *
 *     ELF header | section contents | .rel… | .symtab | .strtab | section headers
 */

const EHDR_SIZE = 64;
const SHDR_SIZE = 64;
const SYM_SIZE = 24;
const REL_SIZE = 16;
const SHN_ABS = 0xfff1;
const SHN_COMMON = 0xfff2;

const BINDING = { local: 0, global: 1, weak: 2 } as const;
const TYPE = { notype: 0, object: 1, func: 2, section: 3, file: 4, tls: 6 } as const;
const VISIBILITY = { default: 0, internal: 1, hidden: 2, protected: 3 } as const;

interface OutSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly align: number;
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly entsize: number;
}

/** The file's bytes. Sections keep their order; those with relocations are followed by `.rel<name>`. */
export function writeElf(object: BpfObject): Uint8Array<ArrayBuffer> {
  const kept = object.sections.filter(isKept);
  const numberOf = new Map<ObjSection, number>();
  let next = 1;
  for (const section of kept) {
    numberOf.set(section, next++);
    if (section.relocs.length > 0) next++;
  }
  const symtabIndex = next;
  const strings = new StringTable();
  const { bytes: symbols, order, nLocal } = symbolTable(object, numberOf, strings);
  const out: OutSection[] = [];
  for (const section of kept) {
    out.push({
      ...section,
      link: 0,
      info: 0,
      entsize: section.flags & SHF_MERGE ? mergeEntrySize(section) : 0,
    });
    if (section.relocs.length === 0) continue;
    out.push({
      name: `.rel${section.name}`,
      type: SHT_REL,
      flags: SHF_INFO_LINK,
      align: 8,
      bytes: relocations(section, order),
      size: section.relocs.length * REL_SIZE,
      link: symtabIndex,
      info: numberOf.get(section)!,
      entsize: REL_SIZE,
    });
  }
  const table = { align: 8, flags: 0 };
  out.push({
    name: '.symtab',
    type: SHT_SYMTAB,
    ...table,
    bytes: symbols,
    size: symbols.length,
    link: symtabIndex + 1,
    info: nLocal,
    entsize: SYM_SIZE,
  });
  for (const section of out) strings.add(section.name);
  strings.add('.strtab');
  const text = strings.bytes();
  out.push({
    name: '.strtab',
    type: SHT_STRTAB,
    flags: 0,
    align: 1,
    bytes: text,
    size: text.length,
    link: 0,
    info: 0,
    entsize: 0,
  });
  return layOut(out, strings);
}

/** Empty sections that nothing is in are left out, save `.text`, which every object has. */
function isKept(section: ObjSection): boolean {
  return section.size > 0 || section.name === '.text' || section.type !== SHT_PROGBITS;
}

/** `.rodata.cst16` and `.rodata.str1.1` tell their entry's size in their names. */
function mergeEntrySize(section: ObjSection): number {
  const size = Number(/\.(?:cst|str)(\d+)/.exec(section.name)?.[1] ?? 0);
  return size > 0 ? size : section.flags & SHF_STRINGS ? 1 : section.align;
}

function layOut(sections: readonly OutSection[], strings: StringTable): Uint8Array<ArrayBuffer> {
  const offsets: number[] = [];
  let at = EHDR_SIZE;
  for (const section of sections) {
    at = alignUp(at, Math.max(1, section.align));
    offsets.push(at);
    if (section.type !== SHT_NOBITS) at += section.bytes.length;
  }
  const shoff = alignUp(at, 8);
  const file = new Uint8Array(shoff + (sections.length + 1) * SHDR_SIZE);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  view.setUint16(16, 1, true);
  view.setUint16(18, EM_BPF, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(shoff), true);
  view.setUint16(52, EHDR_SIZE, true);
  view.setUint16(58, SHDR_SIZE, true);
  view.setUint16(60, sections.length + 1, true);
  view.setUint16(62, sections.length, true);
  for (const [i, section] of sections.entries()) {
    if (section.type !== SHT_NOBITS) file.set(section.bytes, offsets[i]!);
    const h = shoff + (i + 1) * SHDR_SIZE;
    view.setUint32(h, strings.add(section.name), true);
    view.setUint32(h + 4, section.type, true);
    view.setBigUint64(h + 8, BigInt(section.flags >>> 0), true);
    view.setBigUint64(h + 24, BigInt(offsets[i]!), true);
    view.setBigUint64(h + 32, BigInt(section.size), true);
    view.setUint32(h + 40, section.link, true);
    view.setUint32(h + 44, section.info, true);
    view.setBigUint64(h + 48, BigInt(section.align), true);
    view.setBigUint64(h + 56, BigInt(section.entsize), true);
  }
  return file;
}

function relocations(section: ObjSection, order: ReadonlyMap<number, number>): Uint8Array {
  const bytes = new Uint8Array(section.relocs.length * REL_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [i, reloc] of section.relocs.entries()) {
    view.setBigUint64(i * REL_SIZE, BigInt(reloc.offset), true);
    view.setUint32(i * REL_SIZE + 8, reloc.type, true);
    view.setUint32(i * REL_SIZE + 12, order.get(reloc.symbol)!, true);
  }
  return bytes;
}

/** Locals first, as the gABI wants; `order` maps the object's numbers to the file's. */
function symbolTable(
  object: BpfObject,
  numberOf: ReadonlyMap<ObjSection, number>,
  strings: StringTable,
): { bytes: Uint8Array; order: Map<number, number>; nLocal: number } {
  const usable = object.symbols.flatMap((symbol, number) => {
    const shndx = sectionNumber(object, symbol, numberOf);
    return shndx === undefined ? [] : [{ symbol, number, shndx }];
  });
  const sorted = [
    ...usable.filter((s) => s.symbol.binding === 'local'),
    ...usable.filter((s) => s.symbol.binding !== 'local'),
  ];
  const order = new Map<number, number>();
  const bytes = new Uint8Array((sorted.length + 1) * SYM_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [i, { symbol, number, shndx }] of sorted.entries()) {
    order.set(number, i + 1);
    const at = (i + 1) * SYM_SIZE;
    view.setUint32(at, symbol.type === 'section' ? 0 : strings.add(symbol.name), true);
    view.setUint8(at + 4, (BINDING[symbol.binding] << 4) | TYPE[symbol.type]);
    view.setUint8(at + 5, VISIBILITY[symbol.visibility]);
    view.setUint16(at + 6, shndx, true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, symbol.value), true);
    view.setBigUint64(at + 16, BigInt(symbol.size), true);
  }
  return { bytes, order, nLocal: 1 + usable.filter((s) => s.symbol.binding === 'local').length };
}

/** Undefined for a symbol of a section that is left out, which nothing can refer to. */
function sectionNumber(
  object: BpfObject,
  symbol: ObjSymbol,
  numberOf: ReadonlyMap<ObjSection, number>,
): number | undefined {
  if (symbol.section === -1) return 0;
  if (symbol.section === -2) return SHN_ABS;
  if (symbol.section === -3) return SHN_COMMON;
  return numberOf.get(object.sections[symbol.section]!);
}

function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}

class StringTable {
  readonly #offsets = new Map<string, number>([['', 0]]);
  readonly #parts: Uint8Array[] = [new Uint8Array(1)];
  #size = 1;

  /** Offset of a name, which is added when it is new. */
  add(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const at = this.#size;
    const bytes = new TextEncoder().encode(`${name}\0`);
    this.#offsets.set(name, at);
    this.#parts.push(bytes);
    this.#size += bytes.length;
    return at;
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
