import { mapTypeById } from './map-types.ts';
import type { MapDef, ObjSection, ObjSymbol } from './object.ts';

/** The maps that an object's `.maps` section (BTF) and `maps` section (`struct bpf_map_def`) define. */

/** Definitions in the order of the sections' contents; what is damaged is left out. Never throws. */
export function mapsOfSections(sections: readonly ObjSection[], symbols: readonly ObjSymbol[]): MapDef[] {
  const out: MapDef[] = [];
  const legacy = sections.findIndex((s) => s.name === 'maps');
  if (legacy >= 0) out.push(...legacyMaps(sections[legacy]!, legacy, symbols));
  const btf = sections.find((s) => s.name === '.BTF');
  if (btf && sections.some((s) => s.name === '.maps')) {
    try {
      out.push(...btfMaps(new Btf(btf.bytes)));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return out;
}

function legacyMaps(section: ObjSection, index: number, symbols: readonly ObjSymbol[]): MapDef[] {
  const view = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.byteLength);
  return symbols
    .filter(
      (s) => s.section === index && s.type !== 'section' && Number(s.value) + 16 <= section.bytes.length,
    )
    .sort((a, b) => Number(a.value - b.value))
    .flatMap((symbol) => {
      const at = Number(symbol.value);
      const type = mapTypeById(view.getUint32(at, true));
      if (!type) return [];
      return [
        {
          name: symbol.name,
          type: type.name,
          keySize: view.getUint32(at + 4, true),
          valueSize: view.getUint32(at + 8, true),
          maxEntries: view.getUint32(at + 12, true),
          flags: at + 20 <= section.bytes.length ? view.getUint32(at + 16, true) : 0,
        },
      ];
    });
}

// Documentation/bpf/btf.rst, "Type Encoding"
const BTF_KIND_INT = 1;
const BTF_KIND_PTR = 2;
const BTF_KIND_ARRAY = 3;
const BTF_KIND_STRUCT = 4;
const BTF_KIND_UNION = 5;
const BTF_KIND_ENUM = 6;
const BTF_KIND_TYPEDEF = 8;
const BTF_KIND_VOLATILE = 9;
const BTF_KIND_CONST = 10;
const BTF_KIND_RESTRICT = 11;
const BTF_KIND_FUNC_PROTO = 13;
const BTF_KIND_VAR = 14;
const BTF_KIND_DATASEC = 15;
const BTF_KIND_FLOAT = 16;
const BTF_KIND_DECL_TAG = 17;
const BTF_KIND_TYPE_TAG = 18;
const BTF_KIND_ENUM64 = 19;
const BTF_MAGIC = 0xeb9f;

interface BtfType {
  readonly name: string;
  readonly kind: number;
  readonly vlen: number;
  /** `size` or `type`, by kind. */
  readonly word: number;
  /** Offset of what follows the common part. */
  readonly extra: number;
}

/** The types of a `.BTF` section; reading beyond its end throws RangeError. */
class Btf {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly types: readonly (BtfType | undefined)[];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#view.getUint16(0, true) !== BTF_MAGIC) throw new RangeError('not BTF');
    const header = this.u32(4);
    const typesAt = header + this.u32(8);
    const end = typesAt + this.u32(12);
    const strings = header + this.u32(16);
    const types: (BtfType | undefined)[] = [undefined];
    for (let at = typesAt; at < end; ) {
      const info = this.u32(at + 4);
      const kind = (info >>> 24) & 31;
      const vlen = info & 0xffff;
      types.push({
        name: this.#string(strings + this.u32(at)),
        kind,
        vlen,
        word: this.u32(at + 8),
        extra: at + 12,
      });
      at += 12 + extraSize(kind, vlen);
    }
    this.types = types;
    this.#strings = strings;
  }
  readonly #strings: number;

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  nameAt(at: number): string {
    return this.#string(this.#strings + this.u32(at));
  }

  #string(at: number): string {
    const end = this.#bytes.indexOf(0, at);
    if (end < 0) throw new RangeError('a name has no end');
    return new TextDecoder().decode(this.#bytes.subarray(at, end));
  }

  /** The type behind names and qualifiers. */
  plain(id: number): BtfType | undefined {
    let type = this.types[id];
    for (let depth = 0; depth < 32 && type; depth++) {
      const through =
        type.kind === BTF_KIND_TYPEDEF ||
        type.kind === BTF_KIND_VOLATILE ||
        type.kind === BTF_KIND_CONST ||
        type.kind === BTF_KIND_RESTRICT ||
        type.kind === BTF_KIND_TYPE_TAG;
      if (!through) return type;
      type = this.types[type.word];
    }
    return undefined;
  }

  /** Size in bytes; 0 when it has none. */
  sizeOf(id: number, depth = 0): number {
    const type = this.plain(id);
    if (!type || depth > 16) return 0;
    switch (type.kind) {
      case BTF_KIND_INT:
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_ENUM:
      case BTF_KIND_ENUM64:
      case BTF_KIND_FLOAT:
        return type.word;
      case BTF_KIND_PTR:
        return 8;
      case BTF_KIND_ARRAY:
        return this.u32(type.extra + 8) * this.sizeOf(this.u32(type.extra), depth + 1);
      default:
        return 0;
    }
  }
}

function extraSize(kind: number, vlen: number): number {
  switch (kind) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
      return 4;
    case BTF_KIND_ARRAY:
      return 12;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_DATASEC:
    case BTF_KIND_ENUM64:
      return 12 * vlen;
    case BTF_KIND_ENUM:
    case BTF_KIND_FUNC_PROTO:
      return 8 * vlen;
    default:
      return 0;
  }
}

/**
 * Reads the variables of `.maps`: each is a struct whose members say by the length of an array
 * (`int (*type)[BPF_MAP_TYPE_HASH]`) or by a pointed-to type (`struct key *key`) what the map is.
 */
function* btfMaps(btf: Btf): Generator<MapDef> {
  const datasec = btf.types.find((t) => t?.kind === BTF_KIND_DATASEC && t.name === '.maps');
  if (!datasec) return;
  for (let i = 0; i < datasec.vlen; i++) {
    const variable = btf.types[btf.u32(datasec.extra + 12 * i)];
    if (variable?.kind !== BTF_KIND_VAR) continue;
    const struct = btf.plain(variable.word);
    if (struct?.kind !== BTF_KIND_STRUCT) continue;
    const numbers = new Map<string, number>();
    for (let m = 0; m < struct.vlen; m++) {
      const at = struct.extra + 12 * m;
      const name = btf.nameAt(at);
      const pointer = btf.plain(btf.u32(at + 4));
      if (pointer?.kind !== BTF_KIND_PTR) continue;
      if (name === 'key' || name === 'value') {
        numbers.set(`${name}_size`, btf.sizeOf(pointer.word));
        continue;
      }
      const array = btf.plain(pointer.word);
      if (array?.kind === BTF_KIND_ARRAY) numbers.set(name, btf.u32(array.extra + 8));
    }
    const type = mapTypeById(numbers.get('type') ?? 0);
    if (!type) continue;
    yield {
      name: variable.name,
      type: type.name,
      keySize: numbers.get('key_size') ?? 0,
      valueSize: numbers.get('value_size') ?? 0,
      maxEntries: numbers.get('max_entries') ?? 0,
      flags: numbers.get('map_flags') ?? 0,
    };
  }
}
