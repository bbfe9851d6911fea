import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn, writeInsn } from '../isa/insn.ts';
import {
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_VALUE,
  OP_CALL,
} from '../isa/opcodes.ts';
import {
  R_BPF_64_32,
  R_BPF_64_64,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_WRITE,
  SHT_NOBITS,
} from './elf-constants.ts';
import { countBelow, type ObjectIndex, objectIndex } from './link-index.ts';
import type {
  BpfObject,
  FuncInfo,
  LineInfo,
  LoadAttr,
  MapDef,
  ObjReloc,
  ObjSymbol,
  ProgramEntry,
  ProgType,
} from './object.ts';
import { attachNameOfSection } from './prog-types.ts';

/** Makes one program of an object ready to load, as libbpf does before BPF_PROG_LOAD. */

/** Options of `linkProgram`. */
export interface LinkOptions {
  /** Wins over what the section's name or `.program` says. */
  readonly progType?: ProgType;
  /** Wins over what the section's name tells (`LoadAttr.attachTo`). */
  readonly attachTo?: string;
}

/** `value` is missing when there is an error. */
export interface Linked {
  readonly value: LoadAttr | undefined;
  readonly errors: readonly string[];
}

const BPF_F_RDONLY_PROG = 0x80;
/** `BPF_COMPLEXITY_LIMIT_INSNS`: most slots that a program may have. */
export const MAX_INSNS = 1_000_000;

/**
 * Links `programName` (undefined: the only program, or the first): its slots first, then every function
 * that it calls, directly or not; calls resolved; map loads with `src_reg` 1 or 2 and, as `imm`, the
 * map's index in `maps`. Data sections become array maps, behind the object's own.
 */
export function linkProgram(object: BpfObject, programName?: string, options: LinkOptions = {}): Linked {
  const entry =
    programName === undefined ? firstProgram(object) : object.programs.find((p) => p.name === programName);
  if (!entry) {
    const names = object.programs.map((p) => p.name).join(', ');
    const error =
      programName === undefined
        ? 'there is no program: no section holds instructions'
        : names
          ? `there is no program called ${programName}; programs are ${names}`
          : `there is no program called ${programName}: no section holds instructions`;
    return { value: undefined, errors: [error] };
  }
  return new Linker(object, entry).link(options);
}

/** The first that can run by itself: extensions need another program. */
function firstProgram(object: BpfObject): ProgramEntry | undefined {
  return object.programs.find(({ progType }) => progType !== 'ext') ?? object.programs[0];
}

/** A run of slots of the object that was placed in the program. */
interface Piece {
  readonly section: number;
  readonly start: number;
  readonly length: number;
  readonly name: string;
  readonly isGlobal: boolean;
  /** Slot in the program. */
  at: number;
}

interface FuncName {
  readonly name: string;
  readonly isGlobal: boolean;
}

function funcInfo(insnOff: InsnIndex, { name, isGlobal }: FuncName): FuncInfo {
  return isGlobal ? { insnOff, name, isGlobal } : { insnOff, name };
}

class Linker {
  readonly #object: BpfObject;
  readonly #entry: ProgramEntry;
  readonly #errors: string[] = [];
  readonly #pieces: Piece[] = [];
  readonly #maps: MapDef[];
  readonly #dataMaps = new Map<number, number>();
  readonly #index: ObjectIndex;
  /** By section: the pieces in the order of their starts. */
  readonly #piecesOf = new Map<number, Piece[]>();
  #size = 0;

  constructor(object: BpfObject, entry: ProgramEntry) {
    this.#object = object;
    this.#entry = entry;
    this.#maps = [...object.maps];
    this.#index = objectIndex(object);
  }

  link(options: LinkOptions): Linked {
    const entry = this.#entry;
    this.#place({
      section: entry.section,
      start: entry.start,
      length: entry.length,
      name: entry.name,
      isGlobal: true,
      at: 0,
    });
    // pieces grow while they are looked through: a called function may call others
    for (let i = 0; i < this.#pieces.length && this.#errors.length === 0; i++)
      this.#findCalls(this.#pieces[i]!);
    if (this.#errors.length > 0) return { value: undefined, errors: this.#errors };
    const insns = new Uint8Array(this.#size * INSN_SIZE);
    const lineInfo: LineInfo[] = [];
    const funcs = new Map<number, FuncName>();
    for (const piece of this.#pieces) {
      const source = this.#object.sections[piece.section]!;
      const from = piece.start * INSN_SIZE;
      insns.set(source.bytes.subarray(from, from + piece.length * INSN_SIZE), piece.at * INSN_SIZE);
      funcs.set(piece.at, { name: piece.name, isGlobal: piece.isGlobal });
      const { lineInfo: lines } = source;
      const end = piece.start + piece.length;
      for (let i = countBelow(lines, piece.start, (l) => l.insnOff); (lines[i]?.insnOff ?? end) < end; i++) {
        const line = lines[i]!;
        lineInfo.push({ ...line, insnOff: line.insnOff - piece.start + piece.at });
      }
    }
    for (const piece of this.#pieces) this.#relocate(piece, insns, funcs);
    const rodata = this.#rodataMaps();
    if (this.#errors.length > 0) return { value: undefined, errors: this.#errors };
    return {
      value: {
        name: entry.name,
        progType: options.progType ?? entry.progType ?? 'raw',
        insns,
        lineInfo,
        files: this.#object.files,
        funcs: [...funcs].sort((a, b) => a[0] - b[0]).map(([insnOff, func]) => funcInfo(insnOff, func)),
        maps: this.#maps,
        license: licenseOf(this.#object),
        ...this.#attachTo(options.attachTo),
        ...(rodata.length === 0 ? {} : { rodata }),
        ...(entry.wasClassic === undefined ? {} : { wasClassic: entry.wasClassic }),
      },
      errors: [],
    };
  }

  #attachTo(told: string | undefined): { readonly attachTo?: string } {
    const attachTo = told ?? attachNameOfSection(this.#sectionName(this.#entry.section));
    return attachTo === undefined ? {} : { attachTo };
  }

  #place(piece: Piece): void {
    piece.at = this.#size;
    this.#size += piece.length;
    this.#pieces.push(piece);
    const there = this.#piecesOf.get(piece.section) ?? [];
    this.#piecesOf.set(piece.section, there);
    there.splice(
      countBelow(there, piece.start, (p) => p.start),
      0,
      piece,
    );
    if (this.#size > MAX_INSNS) this.#errors.push(`the program has more than ${MAX_INSNS} instruction slots`);
  }

  #pieceOf(section: number, slot: number): Piece | undefined {
    const there = this.#piecesOf.get(section) ?? [];
    const last = there[countBelow(there, slot + 1, (p) => p.start) - 1];
    return last && slot < last.start + last.length ? last : undefined;
  }

  #relocAt(section: number, slot: number): ObjReloc | undefined {
    return this.#index.relocAt(section, slot * INSN_SIZE);
  }

  /** Where a call or function load goes; undefined for what is none, or cannot be resolved (an error). */
  #functionAt(
    section: number,
    slot: number,
    insn: Insn,
    bytes: Uint8Array,
  ): { section: number; slot: number } | undefined {
    const isCall = insn.opcode === OP_CALL && insn.src === BPF_PSEUDO_CALL;
    const isLoad = insn.opcode === WIDE_OPCODE;
    const reloc = this.#relocAt(section, slot);
    if (isCall && reloc?.type === R_BPF_64_32) {
      const symbol = this.#object.symbols[reloc.symbol]!;
      if (symbol.section < 0) return this.#undefinedSymbol(symbol);
      return { section: symbol.section, slot: Number(symbol.value) / INSN_SIZE + insn.imm + 1 };
    }
    if (isLoad && reloc?.type === R_BPF_64_64) {
      const symbol = this.#object.symbols[reloc.symbol]!;
      const target = this.#object.sections[symbol.section];
      if (!target || (target.flags & SHF_EXECINSTR) === 0) return undefined;
      return { section: symbol.section, slot: (Number(symbol.value) + insn.imm) / INSN_SIZE };
    }
    if (isCall || (isLoad && insn.src === BPF_PSEUDO_FUNC && (slot + 2) * INSN_SIZE <= bytes.length)) {
      return { section, slot: slot + insn.imm + 1 };
    }
    return undefined;
  }

  #undefinedSymbol(symbol: ObjSymbol): undefined {
    this.#errors.push(`${symbol.name} is not defined in this object`);
    return undefined;
  }

  #findCalls(piece: Piece): void {
    const { bytes } = this.#object.sections[piece.section]!;
    for (let slot = piece.start; slot < piece.start + piece.length; slot++) {
      const insn = readInsn(bytes, slot);
      const target = this.#functionAt(piece.section, slot, insn, bytes);
      if (insn.opcode === WIDE_OPCODE) slot++;
      if (!target || this.#pieceOf(target.section, target.slot)) continue;
      const nSlots = Math.floor(this.#object.sections[target.section]!.size / INSN_SIZE);
      if (!Number.isInteger(target.slot) || target.slot < 0 || target.slot >= nSlots) {
        // left as it is when it never left its section: the loader refuses it with the kernel's words
        if (target.section !== piece.section || this.#relocAt(piece.section, slot)) {
          this.#errors.push(
            `the call in slot ${slot} of ${this.#sectionName(piece.section)} goes to no instruction`,
          );
        }
        continue;
      }
      this.#place(this.#functionPiece(target.section, target.slot));
    }
  }

  #sectionName(section: number): string {
    return this.#object.sections[section]?.name ?? `section ${section}`;
  }

  /** The function that begins at a slot: as long as its symbol says, else up to the next function. */
  #functionPiece(section: number, slot: number): Piece {
    const symbol = this.#index.functionSymbol(section, slot * INSN_SIZE);
    const name = symbol?.name ?? `func_${slot}`;
    const nSlots = Math.floor(this.#object.sections[section]!.size / INSN_SIZE);
    let length = symbol && symbol.size > 0 ? Math.floor(symbol.size / INSN_SIZE) : 0;
    if (length === 0) {
      const starts = this.#index.functionStarts(section);
      length = (starts[countBelow(starts, slot + 1, (start) => start)] ?? nSlots) - slot;
    }
    const there = this.#piecesOf.get(section) ?? [];
    const next = there[countBelow(there, slot + 1, (p) => p.start)]?.start ?? nSlots;
    const isGlobal = symbol !== undefined && symbol.binding !== 'local';
    return { section, start: slot, length: Math.min(length, next - slot), name, isGlobal, at: 0 };
  }

  #relocate(piece: Piece, insns: Uint8Array, funcs: Map<number, FuncName>): void {
    const { bytes } = this.#object.sections[piece.section]!;
    for (let slot = piece.start; slot < piece.start + piece.length; slot++) {
      const at: InsnIndex = slot - piece.start + piece.at;
      const insn = readInsn(bytes, slot);
      const target = this.#functionAt(piece.section, slot, insn, bytes);
      const found = target ? this.#pieceOf(target.section, target.slot) : undefined;
      if (target && found) {
        const to = target.slot - found.start + found.at;
        const src = insn.opcode === WIDE_OPCODE ? BPF_PSEUDO_FUNC : BPF_PSEUDO_CALL;
        writeInsn(insns, at, { ...insn, src, imm: to - at - 1 });
        if (!funcs.has(to)) {
          const symbol = this.#index.functionSymbol(target.section, target.slot * INSN_SIZE);
          const isGlobal = symbol !== undefined && symbol.binding !== 'local';
          funcs.set(to, { name: symbol?.name ?? `func_${to}`, isGlobal });
        }
      } else if (insn.opcode === WIDE_OPCODE && !target) {
        const reloc = this.#relocAt(piece.section, slot);
        if (reloc?.type === R_BPF_64_64) this.#relocateLoad(reloc, insn, insns, at);
      }
      if (insn.opcode === WIDE_OPCODE) slot++;
    }
  }

  #relocateLoad(reloc: ObjReloc, insn: Insn, insns: Uint8Array, at: InsnIndex): void {
    const symbol = this.#object.symbols[reloc.symbol]!;
    const section = this.#object.sections[symbol.section];
    if (!section) {
      if (symbol.binding === 'weak') writeInsn(insns, at, { ...insn, imm: 0 });
      else this.#undefinedSymbol(symbol);
      return;
    }
    const offset = Number(symbol.value) + insn.imm;
    if (section.name === 'maps' || section.name === '.maps') {
      const map = this.#index.mapSymbol(symbol.section, offset);
      const index = map && this.#index.mapIndex(map.name);
      if (index === undefined)
        this.#errors.push(
          `the definition of the map ${map?.name ?? `at ${section.name}+${offset}`} is not known`,
        );
      else writeInsn(insns, at, { ...insn, src: BPF_PSEUDO_MAP_FD, imm: index });
      return;
    }
    if ((section.flags & SHF_ALLOC) === 0 && section.name.startsWith('.')) {
      this.#errors.push(`${symbol.name} is in section ${section.name}, which is not loaded`);
      return;
    }
    writeInsn(insns, at, { ...insn, src: BPF_PSEUDO_MAP_VALUE, imm: this.#dataMap(symbol.section) });
    const second = readInsn(insns, at + 1);
    writeInsn(insns, at + 1, { ...second, imm: offset });
  }

  /** Maps of read-only data, also of that which no instruction names: it may be for whoever looks at the program. */
  #rodataMaps(): number[] {
    return this.#object.sections.flatMap((section, index) =>
      /^\.rodata(\.|$)/.test(section.name) && this.#isMap(index) ? [this.#dataMap(index)] : [],
    );
  }

  /** Data that nothing names and that cannot be loaded is left out; it is nobody's loss. */
  #isMap(index: number): boolean {
    const section = this.#object.sections[index]!;
    return this.#dataMaps.has(index) || (section.size > 0 && section.relocs.length === 0);
  }

  /** The array map that stands for a data section: one entry that holds the section. */
  #dataMap(index: number): number {
    const known = this.#dataMaps.get(index);
    if (known !== undefined) return known;
    const section = this.#object.sections[index]!;
    const value = new Uint8Array(Math.max(1, section.size));
    if (section.type !== SHT_NOBITS) value.set(section.bytes);
    this.#refusePointers(index);
    const number = this.#maps.push({
      name: section.name,
      type: 'array',
      keySize: 4,
      valueSize: value.length,
      maxEntries: 1,
      flags: section.flags & SHF_WRITE ? 0 : BPF_F_RDONLY_PROG,
      entries: [{ key: new Uint8Array(4), value }],
    });
    this.#dataMaps.set(index, number - 1);
    return number - 1;
  }

  /** Pointers in data need an address that only a running kernel knows: as in libbpf, an error. */
  #refusePointers(index: number): void {
    const section = this.#object.sections[index]!;
    for (const reloc of section.relocs) {
      const symbol = this.#object.symbols[reloc.symbol];
      this.#errors.push(
        `${section.name} holds the address of ${symbol?.name ?? 'something'} at offset ${reloc.offset}: pointers in data cannot be loaded`,
      );
      return;
    }
  }
}

function licenseOf(object: BpfObject): string {
  const section = object.sections.find((s) => s.name === 'license');
  if (!section) return '';
  const end = section.bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? section.bytes : section.bytes.subarray(0, end));
}
