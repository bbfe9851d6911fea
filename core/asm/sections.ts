import {
  SHF_ALLOC,
  SHF_EXCLUDE,
  SHF_EXECINSTR,
  SHF_GNU_RETAIN,
  SHF_GROUP,
  SHF_LINK_ORDER,
  SHF_MERGE,
  SHF_STRINGS,
  SHF_TLS,
  SHF_WRITE,
  SHT_FINI_ARRAY,
  SHT_INIT_ARRAY,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_PREINIT_ARRAY,
  SHT_PROGBITS,
} from '../object/elf-constants.ts';
import type { LineInfo, ObjReloc } from '../object/object.ts';

/** Sections while they are being filled. */
export class SectionBuilder {
  readonly name: string;
  readonly index: number;
  type: number;
  flags: number;
  /** Flags were written in the source; otherwise what the section holds may add some. */
  flagsGiven: boolean;
  align: number;
  bytes: Uint8Array;
  view: DataView;
  size = 0;
  readonly relocs: ObjReloc[] = [];
  readonly lineInfo: LineInfo[] = [];
  readonly locInfo: LineInfo[] = [];
  /** Number of its first instruction in the text's order; -1: there is none. */
  firstInsn = -1;

  constructor(name: string, index: number, type: number, flags: number, flagsGiven: boolean) {
    this.name = name;
    this.index = index;
    this.type = type;
    this.flags = flags;
    this.flagsGiven = flagsGiven;
    this.align = name === '.text' || name === '.BTF' || name === '.BTF.ext' ? 4 : 1;
    this.bytes = new Uint8Array(64);
    this.view = new DataView(this.bytes.buffer);
  }

  get hasInsns(): boolean {
    return this.firstInsn >= 0;
  }

  /** Makes room for `n` more bytes, which are zero, and returns where they begin. */
  reserve(n: number): number {
    const at = this.size;
    this.size += n;
    if (this.type !== SHT_NOBITS && this.size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.size));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }
}

const SECTION_FLAGS: Readonly<Record<string, number>> = {
  a: SHF_ALLOC,
  w: SHF_WRITE,
  x: SHF_EXECINSTR,
  M: SHF_MERGE,
  S: SHF_STRINGS,
  G: SHF_GROUP,
  T: SHF_TLS,
  o: SHF_LINK_ORDER,
  R: SHF_GNU_RETAIN,
  e: SHF_EXCLUDE,
};

/** The `SHF_…` bits of a flag string such as `aw`; `unknown` is the first letter that means nothing. */
export function parseSectionFlags(text: string): { flags: number; unknown: string | undefined } {
  let flags = 0;
  for (const letter of text) {
    if (letter === '?') continue;
    const bit = SECTION_FLAGS[letter];
    if (bit === undefined) return { flags, unknown: letter };
    flags = (flags | bit) >>> 0;
  }
  return { flags, unknown: undefined };
}

const SECTION_TYPES: Readonly<Record<string, number>> = {
  progbits: SHT_PROGBITS,
  nobits: SHT_NOBITS,
  note: SHT_NOTE,
  init_array: SHT_INIT_ARRAY,
  fini_array: SHT_FINI_ARRAY,
  preinit_array: SHT_PREINIT_ARRAY,
  unwind: SHT_PROGBITS,
  llvm_addrsig: 0x6fff4c03,
  llvm_bb_addr_map: 0x6fff4c0a,
  llvm_linker_options: 0x6fff4c01,
};

/** The `SHT_…` of `@progbits` and its like; undefined for a word that is none. */
export function sectionTypeByName(name: string): number | undefined {
  return SECTION_TYPES[name];
}

/** Type and flags of a section whose directive gives none. */
export function defaultSection(name: string): { type: number; flags: number } {
  const is = (base: string) => name === base || name.startsWith(`${base}.`);
  if (is('.text')) return { type: SHT_PROGBITS, flags: SHF_ALLOC | SHF_EXECINSTR };
  if (is('.bss')) return { type: SHT_NOBITS, flags: SHF_ALLOC | SHF_WRITE };
  if (is('.rodata')) return { type: SHT_PROGBITS, flags: SHF_ALLOC };
  if (is('.data') || name === '.maps' || name === 'maps' || name === 'license' || name === 'version') {
    return { type: SHT_PROGBITS, flags: SHF_ALLOC | SHF_WRITE };
  }
  if (is('.note')) return { type: SHT_NOTE, flags: 0 };
  if (is('.init_array')) return { type: SHT_INIT_ARRAY, flags: SHF_ALLOC | SHF_WRITE };
  if (is('.fini_array')) return { type: SHT_FINI_ARRAY, flags: SHF_ALLOC | SHF_WRITE };
  return { type: SHT_PROGBITS, flags: 0 };
}
