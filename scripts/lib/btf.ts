/**
 * Reads structures out of BTF, a kernel's type information (Documentation/bpf/btf.rst): as much of it as it
 * takes to find fields by name.
 */

const BTF_MAGIC = 0xeb9f;
const KIND_ARRAY = 3;
const KIND_STRUCT = 4;
const KIND_UNION = 5;
const KIND_ENUM = 6;
const KIND_FUNC_PROTO = 13;
const KIND_DATASEC = 15;
const KIND_ENUM64 = 19;
const TYPE_SIZE = 12;
/** Bytes behind a type's head, fixed and for each of its members, by kind; nothing where a kind is not here. */
const EXTRA: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  1: [4, 0],
  [KIND_ARRAY]: [12, 0],
  [KIND_STRUCT]: [0, 12],
  [KIND_UNION]: [0, 12],
  [KIND_ENUM]: [0, 8],
  [KIND_FUNC_PROTO]: [0, 8],
  14: [4, 0],
  [KIND_DATASEC]: [0, 12],
  17: [4, 0],
  [KIND_ENUM64]: [0, 12],
};

interface Member {
  readonly name: string;
  readonly type: number;
  /** From the start of its structure. */
  readonly bit: number;
}

interface Composite {
  readonly size: number;
  readonly members: readonly Member[];
}

/** Structures and unions of one BTF blob. */
export class BtfStructs {
  readonly #byId = new Map<number, Composite>();
  readonly #byName = new Map<string, Composite>();

  /** Throws Error for bytes that are no BTF. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 24 || view.getUint16(0, true) !== BTF_MAGIC)
      throw new Error('no BTF: wrong magic number');
    const head = view.getUint32(4, true);
    const types = head + view.getUint32(8, true);
    const end = types + view.getUint32(12, true);
    const strings = head + view.getUint32(16, true);
    const text = (at: number): string => {
      const from = strings + at;
      return new TextDecoder().decode(bytes.subarray(from, bytes.indexOf(0, from)));
    };
    let id = 1;
    for (let at = types; at < end; id++) {
      const info = view.getUint32(at + 4, true);
      const kind = (info >>> 24) & 0x1f;
      const count = info & 0xffff;
      if (kind === KIND_STRUCT || kind === KIND_UNION) {
        const hasBitFields = info >>> 31 === 1;
        const members = Array.from({ length: count }, (_, i): Member => {
          const member = at + TYPE_SIZE + 12 * i;
          const offset = view.getUint32(member + 8, true);
          return {
            name: text(view.getUint32(member, true)),
            type: view.getUint32(member + 4, true),
            bit: hasBitFields ? offset & 0xff_ffff : offset,
          };
        });
        const found: Composite = { size: view.getUint32(at + 8, true), members };
        this.#byId.set(id, found);
        const name = text(view.getUint32(at, true));
        if (name !== '' && !this.#byName.has(name)) this.#byName.set(name, found);
      }
      const [fixed, each] = EXTRA[kind] ?? [0, 0];
      at += TYPE_SIZE + fixed + each * count;
    }
  }

  /** `sizeof(struct name)`. Throws Error when there is none. */
  sizeOf(name: string): number {
    return this.#named(name).size;
  }

  /**
   * `offsetof(struct name, field)` in bytes, fields of anonymous members included; of a bit field the byte
   * that its first bit lies in. Throws Error when there is none.
   */
  offsetOf(name: string, field: string): number {
    const bit = this.#bitOf(this.#named(name), field);
    if (bit === undefined) throw new Error(`struct ${name} has no field ${field}`);
    return Math.floor(bit / 8);
  }

  #named(name: string): Composite {
    const found = this.#byName.get(name);
    if (found === undefined) throw new Error(`this kernel's BTF has no struct ${name}`);
    return found;
  }

  #bitOf({ members }: Composite, field: string): number | undefined {
    for (const { name, type, bit } of members) {
      if (name === field) return bit;
      const inner = name === '' ? this.#byId.get(type) : undefined;
      const found = inner === undefined ? undefined : this.#bitOf(inner, field);
      if (found !== undefined) return bit + found;
    }
    return undefined;
  }
}
