import { INSN_SIZE, type InsnIndex, readInsn } from '../isa/insn.ts';
import { BPF_PSEUDO_CALL, OP_CALL } from '../isa/opcodes.ts';
import { SHF_EXECINSTR } from './elf-constants.ts';
import { groupBy } from './group-by.ts';
import type { BpfObject, ObjReloc, ObjSymbol } from './object.ts';

/**
 * What linking asks of an object again and again, each answered without looking through the whole: an object
 * may have thousands of functions, and each is linked into each program that calls it.
 */
export class ObjectIndex {
  readonly #object: BpfObject;
  readonly #relocs = new Map<number, ReadonlyMap<number, ObjReloc>>();
  #symbols: ReadonlyMap<string, readonly ObjSymbol[]> | undefined;
  #starts: ReadonlyMap<number, readonly InsnIndex[]> | undefined;
  #maps: ReadonlyMap<string, number> | undefined;

  constructor(object: BpfObject) {
    this.#object = object;
  }

  /** The relocation at a byte of a section; the last where there are several. */
  relocAt(section: number, offset: number): ObjReloc | undefined {
    let map = this.#relocs.get(section);
    if (!map) {
      map = new Map(this.#object.sections[section]!.relocs.map((r) => [r.offset, r]));
      this.#relocs.set(section, map);
    }
    return map.get(offset);
  }

  /** The symbol that names the function at a byte of a section; a declared function goes before a label. */
  functionSymbol(section: number, offset: number): ObjSymbol | undefined {
    const here = this.#symbolsAt(section, offset);
    return here.find((s) => s.type === 'func') ?? here.find((s) => s.type === 'notype');
  }

  /** The symbol of the map that is defined at a byte of a section. */
  mapSymbol(section: number, offset: number): ObjSymbol | undefined {
    return this.#symbolsAt(section, offset).find((s) => s.type !== 'section');
  }

  /** Index of the object's first map of that name. */
  mapIndex(name: string): number | undefined {
    this.#maps ??= new Map(this.#object.maps.map((map, i) => [map.name, i] as const).reverse());
    return this.#maps.get(name);
  }

  /** Slots of a section where a function begins, ascending: function symbols, programs and targets of calls. */
  functionStarts(section: number): readonly InsnIndex[] {
    this.#starts ??= this.#allStarts();
    return this.#starts.get(section) ?? [];
  }

  #symbolsAt(section: number, offset: number): readonly ObjSymbol[] {
    this.#symbols ??= groupBy(this.#object.symbols, (s) => `${s.section}:${s.value}`);
    return this.#symbols.get(`${section}:${offset}`) ?? [];
  }

  #allStarts(): Map<number, InsnIndex[]> {
    const { symbols, programs, sections } = this.#object;
    const all = new Map<number, Set<InsnIndex>>();
    const add = (section: number, slot: InsnIndex): void => {
      const known = all.get(section);
      if (known) known.add(slot);
      else all.set(section, new Set([slot]));
    };
    for (const s of symbols) if (s.type === 'func') add(s.section, Number(s.value) / INSN_SIZE);
    for (const p of programs) add(p.section, p.start);
    for (const [i, { bytes, flags }] of sections.entries()) {
      if ((flags & SHF_EXECINSTR) === 0) continue;
      for (let slot = 0; (slot + 1) * INSN_SIZE <= bytes.length; slot++) {
        const insn = readInsn(bytes, slot);
        if (insn.opcode !== OP_CALL || insn.src !== BPF_PSEUDO_CALL) continue;
        const reloc = this.relocAt(i, slot * INSN_SIZE);
        const symbol = reloc ? symbols[reloc.symbol] : undefined;
        if (symbol) add(symbol.section, Number(symbol.value) / INSN_SIZE + insn.imm + 1);
        else if (!reloc) add(i, slot + insn.imm + 1);
      }
    }
    return new Map([...all].map(([section, slots]) => [section, [...slots].sort((a, b) => a - b)]));
  }
}

/** The index of an object, made once: every program of the object asks it. */
export function objectIndex(object: BpfObject): ObjectIndex {
  let index = indexes.get(object);
  if (!index) {
    index = new ObjectIndex(object);
    indexes.set(object, index);
  }
  return index;
}

const indexes = new WeakMap<BpfObject, ObjectIndex>();

/** How many of `sorted` have a key below `limit`. */
export function countBelow<T>(sorted: readonly T[], limit: number, key: (one: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(sorted[middle]!) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
