import { type Decoded, decodeInsn, insnTarget } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { groupBy } from '../object/group-by.ts';
import type { BpfObject, ObjReloc, ObjSection, ObjSymbol, ProgramEntry, ProgType } from '../object/object.ts';

/** Flag of sections that hold instructions (gABI, `SHF_EXECINSTR`). */
const SHF_EXECINSTR = 4;
/** Relocation of a call's `imm` (Documentation/bpf/llvm_reloc.rst). */
const R_BPF_64_32 = 10;
/** `BPF_JMP | BPF_CALL | BPF_X` */
const OP_CALLX = 0x8d;

/** A stretch of instructions that is entered at its first slot and that no jump may leave. */
export interface CodeFunction {
  /** The symbol's name; for code in front of every symbol the section's. */
  readonly name: string;
  /** Index into `BpfObject.sections`. */
  readonly section: number;
  /** Slots, from the section's start; `end` is the first one behind it. */
  readonly start: InsnIndex;
  readonly end: InsnIndex;
  /** `program`: the kernel enters it; `function`: only calls do; `text`: could be either. */
  readonly role: 'program' | 'function' | 'text';
  readonly progType: ProgType | undefined;
  /** Its instructions in order, wide ones as one. */
  readonly insns: readonly Decoded[];
}

/** Twice what the kernel loads as one program; larger sections come from `.zero`, and nobody waits for them. */
const MAX_SECTION_BYTES = 2_000_000 * INSN_SIZE;

/** Indices of the sections that hold instructions, and not absurdly many. */
function codeSections(object: BpfObject): number[] {
  return object.sections.flatMap((section, at) =>
    (section.flags & SHF_EXECINSTR) !== 0 &&
    section.bytes.length >= INSN_SIZE &&
    section.bytes.length <= MAX_SECTION_BYTES
      ? [at]
      : [],
  );
}

/**
 * Cuts the code of an object into functions, as libbpf and the kernel do: at function symbols, at programs and
 * where local calls go. Ascending by section and slot.
 */
export function codeFunctions(object: BpfObject): CodeFunction[] {
  const decoded = new Map(codeSections(object).map((at) => [at, decodeSection(object.sections[at])]));
  const called = callTargets(object, decoded);
  const symbols = groupBy(object.symbols, (symbol) => symbol.section);
  const programs = groupBy(object.programs, (program) => program.section);
  return [...decoded].flatMap(([at, insns]) => {
    const section = object.sections[at];
    if (section === undefined) return [];
    const named = symbols.get(at) ?? [];
    return functionsOf(section, at, insns, called.get(at) ?? new Set(), named, programs.get(at) ?? []);
  });
}

function decodeSection(section: ObjSection | undefined): Decoded[] {
  if (section === undefined) return [];
  const insns: Decoded[] = [];
  const nSlots = Math.floor(section.bytes.length / INSN_SIZE);
  for (let slot = 0; slot < nSlots; ) {
    const decoded = decodeInsn(section.bytes, slot);
    insns.push(decoded);
    slot += decoded.length;
  }
  return insns;
}

/** `symbols` and `entries` are those of this section. */
function functionsOf(
  section: ObjSection,
  at: number,
  insns: readonly Decoded[],
  called: ReadonlySet<InsnIndex>,
  symbols: readonly ObjSymbol[],
  entries: readonly ProgramEntry[],
): CodeFunction[] {
  const nSlots = Math.floor(section.bytes.length / INSN_SIZE);
  const names = new Map<InsnIndex, string>();
  const typed = new Set<InsnIndex>();
  for (const symbol of symbols) {
    if (symbol.type !== 'func' && symbol.type !== 'notype') continue;
    const slot = Number(symbol.value) / INSN_SIZE;
    if (symbol.type === 'func') typed.add(slot);
    if (symbol.type === 'func' || !names.has(slot)) names.set(slot, symbol.name);
  }
  const programs = new Map(entries.map((p) => [p.start, p]));
  const starts = [...new Set([0, ...typed, ...programs.keys(), ...called])]
    .filter((slot) => Number.isInteger(slot) && slot >= 0 && slot < nSlots)
    .sort((a, b) => a - b);
  let next = 0;
  return starts.map((start, n) => {
    const end = starts[n + 1] ?? nSlots;
    const first = next;
    while (next < insns.length && (insns[next]?.index ?? end) < end) next++;
    const program = programs.get(start);
    const isTyped = typed.has(start) && program?.progType === undefined;
    return {
      name: program?.name ?? names.get(start) ?? section.name,
      section: at,
      start,
      end,
      role: called.has(start) ? 'function' : program === undefined || isTyped ? 'text' : 'program',
      progType: program?.progType,
      insns: insns.slice(first, next),
    };
  });
}

/**
 * A call through a register, in either of LLVM's encodings: before LLVM 19 the register's number stands in `imm`,
 * which fits no row of the table. Compilers emit it; Linux refuses it.
 */
export function isRegisterCall({ insn }: Decoded): boolean {
  return insn.opcode === OP_CALLX;
}

/** Where an instruction that names a program-local function goes. */
export interface Callee {
  readonly section: number;
  readonly slot: InsnIndex;
}

/**
 * The function that the instruction `decoded` of section `at` calls or takes the address of, by its relocation
 * where it has one; undefined for other instructions and for functions that are not in this object.
 */
export function calleeOf(object: BpfObject, at: number, decoded: Decoded): Callee | undefined {
  const isWideLoad = decoded.row?.id === 'lddw';
  if (decoded.row?.imm !== 'func' && !isWideLoad) return undefined;
  const section = object.sections[at];
  const reloc = section && relocationsBySlot(section).get(decoded.index);
  if (reloc === undefined) {
    const target = isWideLoad ? undefined : insnTarget(decoded);
    return target === undefined ? undefined : { section: at, slot: target };
  }
  const symbol = object.symbols[reloc.symbol];
  if (symbol === undefined || symbol.section < 0) return undefined;
  if (isWideLoad) {
    const isCode = ((object.sections[symbol.section]?.flags ?? 0) & SHF_EXECINSTR) !== 0;
    const offset = Number(symbol.value) + decoded.insn.imm;
    return isCode ? { section: symbol.section, slot: Math.floor(offset / INSN_SIZE) } : undefined;
  }
  if (reloc.type !== R_BPF_64_32) return undefined;
  const fromSection = symbol.type === 'section' ? decoded.insn.imm + 1 : 0;
  return { section: symbol.section, slot: Number(symbol.value) / INSN_SIZE + fromSection };
}

function callTargets(
  object: BpfObject,
  decoded: ReadonlyMap<number, readonly Decoded[]>,
): Map<number, Set<InsnIndex>> {
  const targets = new Map<number, Set<InsnIndex>>();
  for (const [at, insns] of decoded) {
    for (const one of insns) {
      const callee = calleeOf(object, at, one);
      if (callee === undefined) continue;
      const known = targets.get(callee.section);
      if (known === undefined) targets.set(callee.section, new Set([callee.slot]));
      else known.add(callee.slot);
    }
  }
  return targets;
}

/** The relocations of a section by the slot of the instruction that they change. */
export function relocationsBySlot(section: ObjSection): ReadonlyMap<InsnIndex, ObjReloc> {
  let known = relocationCache.get(section);
  if (known === undefined) {
    known = new Map(section.relocs.map((reloc) => [Math.floor(reloc.offset / INSN_SIZE), reloc]));
    relocationCache.set(section, known);
  }
  return known;
}

/** Asked once for each function of a section, of which there can be many. */
const relocationCache = new WeakMap<ObjSection, ReadonlyMap<InsnIndex, ObjReloc>>();
