/** A small reader of ELF64 little-endian objects, for comparing with what other tools wrote. */

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly align: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly bytes: Buffer;
}

export interface ElfSymbol {
  readonly name: string;
  readonly value: bigint;
  readonly size: number;
  readonly info: number;
  readonly other: number;
  readonly shndx: number;
}

export interface ElfReloc {
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
}

export interface ElfFile {
  readonly machine: number;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** Relocations by the section that they change. */
  readonly relocs: ReadonlyMap<number, readonly ElfReloc[]>;
}

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_REL = 9;

/** Reads an object; throws on anything that is not one. */
export function readElf(data: Buffer): ElfFile {
  if (data.readUInt32BE(0) !== 0x7f454c46) throw new Error('not an ELF file');
  const shoff = Number(data.readBigUInt64LE(40));
  const shnum = data.readUInt16LE(60);
  const shstrndx = data.readUInt16LE(62);
  const raw = Array.from({ length: shnum }, (_, i) => {
    const at = shoff + i * 64;
    const type = data.readUInt32LE(at + 4);
    const offset = Number(data.readBigUInt64LE(at + 24));
    const size = Number(data.readBigUInt64LE(at + 32));
    return {
      nameAt: data.readUInt32LE(at),
      type,
      flags: Number(data.readBigUInt64LE(at + 8)),
      size,
      link: data.readUInt32LE(at + 40),
      info: data.readUInt32LE(at + 44),
      align: Number(data.readBigUInt64LE(at + 48)),
      bytes: type === SHT_NOBITS ? Buffer.alloc(0) : data.subarray(offset, offset + size),
    };
  });
  const sections = raw.map(({ nameAt, ...s }) => ({ ...s, name: cString(raw[shstrndx]!.bytes, nameAt) }));
  const symtab = sections.find((s) => s.type === SHT_SYMTAB);
  const symbols: ElfSymbol[] = [];
  if (symtab) {
    const strings = sections[symtab.link]!.bytes;
    for (let at = 0; at < symtab.size; at += 24) {
      const b = symtab.bytes;
      symbols.push({
        name: cString(strings, b.readUInt32LE(at)),
        info: b.readUInt8(at + 4),
        other: b.readUInt8(at + 5),
        shndx: b.readUInt16LE(at + 6),
        value: b.readBigUInt64LE(at + 8),
        size: Number(b.readBigUInt64LE(at + 16)),
      });
    }
  }
  const relocs = new Map<number, ElfReloc[]>();
  for (const s of sections) {
    if (s.type !== SHT_REL) continue;
    const list: ElfReloc[] = [];
    for (let at = 0; at < s.size; at += 16) {
      list.push({
        offset: Number(s.bytes.readBigUInt64LE(at)),
        type: s.bytes.readUInt32LE(at + 8),
        symbol: s.bytes.readUInt32LE(at + 12),
      });
    }
    relocs.set(s.info, list);
  }
  return { machine: data.readUInt16LE(18), sections, symbols, relocs };
}

function cString(bytes: Buffer, at: number): string {
  return bytes.toString('utf8', at, bytes.indexOf(0, at));
}
