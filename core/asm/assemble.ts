import type { InsnIndex } from '../isa/insn.ts';
import type { InsnId } from '../isa/table.ts';
import { SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS } from '../object/elf-constants.ts';
import { mapsOfSections } from '../object/map-defs.ts';
import type {
  BpfObject,
  Diagnostic,
  MapDef,
  ObjSection,
  ObjSymbol,
  Parsed,
  ProgramEntry,
  TextRange,
} from '../object/object.ts';
import { Builder, localName } from './builder.ts';
import { runDirective } from './directives.ts';
import { finishLebs } from './directives-data.ts';
import { assign } from './directives-symbols.ts';
import { emitInsn } from './emit-insn.ts';
import { rowByIndex } from './grammar.ts';
import { type AsmTree, parseText, type SourceDialect } from './parse.ts';
import { findPrograms } from './programs.ts';
import { collectReferences, definitionOf, type SymbolDef, type SymbolRef } from './references.ts';
import { MAX_SUGGESTIONS, type PendingReloc, resolveFixups } from './resolve.ts';
import type { LabelStatement } from './statement.ts';
import { suggest } from './suggest.ts';
import { ABSOLUTE, isTemporary, type Sym, UNDEFINED } from './symbols.ts';

/** Options of `assemble`. `fileName` becomes `files[0]` of the object. */
export interface AssembleOptions {
  readonly fileName: string;
  readonly dialect?: 'auto' | SourceDialect;
  /** Instructions that a newer LLVM version brought are reported; all are accepted without it. */
  readonly mcpu?: 'v1' | 'v2' | 'v3' | 'v4';
  /** Told now and then which part (0 … 1) is done. */
  readonly onProgress?: (done: number) => void;
}

/** An instruction of the assembled text. */
export interface AssembledInsn {
  /** Index into the object's sections. */
  readonly section: number;
  /** First slot, from the section's start. */
  readonly insnOff: InsnIndex;
  readonly range: TextRange;
  readonly row: InsnId;
}

/** An assembled text: the object, however damaged the text, and everything an editor asks about it. */
export interface Assembled extends Parsed<BpfObject> {
  readonly tree: AsmTree;
  /** All instructions in the order of the text. */
  readonly insnRanges: readonly AssembledInsn[];
  readonly definitions: ReadonlyMap<string, SymbolDef>;
  readonly references: readonly SymbolRef[];
  /** The instruction whose statement holds the UTF-16 offset. */
  insnAt(offset: number): AssembledInsn | undefined;
  /** Where the instruction at a slot of a section stands in the text. */
  rangeOfInsn(section: number, insnOff: InsnIndex): TextRange | undefined;
}

/** Part of the time that parsing takes, and after how many lines a pass tells how far it is. */
const PARSING = 0.6;
const LINES_A_REPORT = 0x2000;

/** Assembles a text. Never throws on its content: errors are diagnostics, and the rest is assembled. */
export function assemble(source: AsmTree | string, options: AssembleOptions): Assembled {
  const tree =
    typeof source === 'string'
      ? parseText(source, {
          dialect: options.dialect ?? 'auto',
          onProgress: (done) => options.onProgress?.(done * PARSING),
        })
      : source;
  const lebSizes = new Map<number, number>();
  let b = runPass(tree, options, lebSizes);
  // each further pass makes some LEB longer, up to ten bytes; in practice there are two
  for (let pass = 0; b.lebGrown && pass < 50; pass++) b = runPass(tree, options, lebSizes);
  const relocs = resolveFixups(b);
  const value = finish(b, relocs);
  return new Result(tree, value, sortDiagnostics([...tree.diagnostics, ...b.diagnostics]), b);
}

function sortDiagnostics(list: Diagnostic[]): Diagnostic[] {
  return list.sort((a, c) => a.range.start - c.range.start || a.range.end - c.range.end);
}

class Result implements Assembled {
  readonly tree: AsmTree;
  readonly value: BpfObject;
  readonly diagnostics: readonly Diagnostic[];
  readonly #b: Builder;
  #bySlot: Map<number, number>[] | undefined;
  #insnRanges: readonly AssembledInsn[] | undefined;
  #definitions: ReadonlyMap<string, SymbolDef> | undefined;
  #references: readonly SymbolRef[] | undefined;

  constructor(tree: AsmTree, value: BpfObject, diagnostics: readonly Diagnostic[], b: Builder) {
    this.tree = tree;
    this.value = value;
    this.diagnostics = diagnostics;
    this.#b = b;
  }

  get insnRanges(): readonly AssembledInsn[] {
    this.#insnRanges ??= this.#b.insnStart.map((_, i) => this.#insn(i));
    return this.#insnRanges;
  }

  get definitions(): ReadonlyMap<string, SymbolDef> {
    this.#definitions ??= new Map(
      [...this.#b.symbols.values()].flatMap((sym) => {
        const def = definitionOf(sym, this.#b);
        return def ? [[sym.name, def] as const] : [];
      }),
    );
    return this.#definitions;
  }

  get references(): readonly SymbolRef[] {
    this.#references ??= collectReferences(this.tree, this.definitions);
    return this.#references;
  }

  insnAt(offset: number): AssembledInsn | undefined {
    const starts = this.#b.insnStart;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    if (high < 0 || offset < starts[low]! || offset > this.#b.insnEnd[low]!) return undefined;
    return this.#insn(low);
  }

  rangeOfInsn(section: number, insnOff: InsnIndex): TextRange | undefined {
    if (!this.#bySlot) {
      this.#bySlot = this.#b.sections.map(() => new Map<number, number>());
      for (let i = 0; i < this.#b.insnOff.length; i++) {
        this.#bySlot[this.#b.insnSection[i]!]!.set(this.#b.insnOff[i]!, i);
      }
    }
    const i = this.#bySlot[section]?.get(insnOff);
    return i === undefined ? undefined : this.#insn(i).range;
  }

  #insn(i: number): AssembledInsn {
    const b = this.#b;
    return {
      section: b.insnSection[i]!,
      insnOff: b.insnOff[i]!,
      range: { start: b.insnStart[i]!, end: b.insnEnd[i]! },
      row: rowByIndex(b.insnRow[i]!).id,
    };
  }
}

function runPass(tree: AsmTree, options: AssembleOptions, lebSizes: Map<number, number>): Builder {
  const b = new Builder(tree.text, options.fileName, lebSizes);
  const nLines = tree.lines.length;
  for (const [index, line] of tree.lines.entries()) {
    if (index % LINES_A_REPORT === 0) options.onProgress?.(PARSING + (1 - PARSING) * (index / nLines));
    for (const statement of line.parsed.statements) {
      switch (statement.kind) {
        case 'insn':
          emitInsn(b, statement, line.start, line.number);
          if (options.mcpu) checkVersion(b, statement.terminal.row, options.mcpu, line.start, statement);
          break;
        case 'label':
          defineLabel(b, statement, line.start);
          break;
        case 'directive':
          runDirective({ b, statement, lineStart: line.start, lineNumber: line.number });
          break;
        case 'assign':
          assign(
            b,
            statement.name,
            statement.value,
            { start: line.start + statement.start, end: line.start + statement.nameEnd },
            {
              lineStart: line.start,
              statement: undefined,
              operand: 0,
              start: statement.nameEnd,
              end: statement.end,
            },
          );
          break;
        default:
          break;
      }
    }
  }
  finishLebs(b);
  return b;
}

function checkVersion(
  b: Builder,
  row: { isa: string; id: string },
  mcpu: string,
  lineStart: number,
  statement: { start: number; end: number },
): void {
  if (row.isa === 'kernel' || row.isa <= mcpu) return;
  b.report(
    { start: lineStart + statement.start, end: lineStart + statement.end },
    'isa-version',
    `this instruction needs -mcpu=${row.isa}; ${mcpu} was asked for`,
  );
}

function defineLabel(b: Builder, statement: LabelStatement, lineStart: number): void {
  let { name } = statement;
  const range = { start: lineStart + statement.start, end: lineStart + statement.nameEnd };
  if (statement.numeric) {
    const number = Number(name);
    const count = (b.localLabels.get(number) ?? 0) + 1;
    b.localLabels.set(number, count);
    name = localName(number, count);
  }
  const sym = b.symbol(name);
  if (sym.section !== UNDEFINED) {
    const line = sym.range ? 1 + lineOf(b.text, sym.range.start) : 0;
    b.report(range, 'duplicate-label', `\`${name}\` is already defined${line ? ` in line ${line}` : ''}`);
    return;
  }
  sym.section = b.section.index;
  sym.value = BigInt(b.section.size);
  sym.range = range;
}

function lineOf(text: string, offset: number): number {
  let n = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) n++;
  return n;
}

function finish(b: Builder, pending: readonly PendingReloc[]): BpfObject {
  for (const { sym, expr, where } of b.sizes) {
    const value = b.evaluate(expr, true);
    if (typeof value === 'object' && !value.plus && !value.minus) sym.size = value.addend;
    else
      b.report(b.rangeOf(where), 'not-absolute', 'a size must be a number or the difference of two labels');
  }
  for (const sym of b.symbols.values()) if (sym.alias && sym.size === 0n) sym.size = sym.alias.size;
  for (const section of b.sections) {
    if (!section.hasInsns) continue;
    if (section.align < 8 && !b.fromCompiler) section.align = 8;
    if (!section.flagsGiven) section.flags |= SHF_ALLOC | SHF_EXECINSTR;
  }
  const programs = findPrograms(b);
  if (!b.fromCompiler) sizeFunctions(b);
  const symbols = numberSymbols(b, pending);
  const sectionSymbol = new Map<number, number>();
  for (const [i, s] of symbols.entries()) if (s.type === 'section') sectionSymbol.set(s.section, i);
  for (const { section, offset, type, target, addend } of pending) {
    const symbol = typeof target === 'number' ? sectionSymbol.get(target)! : target.index;
    b.sections[section]!.relocs.push({ offset, type, symbol, addend });
  }
  const sections: ObjSection[] = b.sections.map((s) => ({
    name: s.name,
    type: s.type,
    flags: s.flags,
    align: s.align,
    bytes: s.type === SHT_NOBITS ? new Uint8Array(0) : s.bytes.slice(0, s.size),
    size: s.size,
    relocs: s.relocs.sort((a, c) => a.offset - c.offset),
    lineInfo: s.lineInfo,
    ...(s.locInfo.length ? { locInfo: s.locInfo } : {}),
  }));
  const found = mapsOfSections(sections, symbols).filter((m) => !b.mapIndex.has(m.name));
  return { files: b.files, sections, symbols, maps: [...mapsWithEntries(b, programs), ...found], programs };
}

/** The text's maps with what `.map_entry` puts into them; a program array's value is an index into `programs`. */
function mapsWithEntries(b: Builder, programs: readonly ProgramEntry[]): MapDef[] {
  if (b.mapEntries.length === 0) return b.maps;
  // backwards, so that the first of several programs of one name counts
  const indexOf = new Map(programs.map((program, i) => [program.name, i] as const).reverse());
  const entriesOf = new Map<string, { key: Uint8Array; value: Uint8Array }[]>();
  for (const { map, key, value } of b.mapEntries) {
    const bytes = value instanceof Uint8Array ? value : programIndex(b, value, indexOf);
    if (bytes === undefined) continue;
    const entries = entriesOf.get(map);
    if (entries) entries.push({ key, value: bytes });
    else entriesOf.set(map, [{ key, value: bytes }]);
  }
  return b.maps.map((map) => {
    const entries = entriesOf.get(map.name);
    return entries ? { ...map, entries } : map;
  });
}

/** The index of a program as an element of a program array; reported when there is no such program. */
function programIndex(
  b: Builder,
  { program, range }: { readonly program: string; readonly range: TextRange },
  indexOf: ReadonlyMap<string, number>,
): Uint8Array | undefined {
  const index = indexOf.get(program);
  if (index !== undefined) return Uint8Array.of(index, index >> 8, index >> 16, index >> 24);
  const near = b.nSuggestions++ < MAX_SUGGESTIONS ? suggest(program, indexOf.keys()) : undefined;
  const hint = near ? `; did you mean \`${near}\`?` : '';
  b.report(range, 'unknown-program', `there is no program \`${program}\`${hint}`);
  return undefined;
}

/** A function without `.size` ends where the next one, or its section, does. */
function sizeFunctions(b: Builder): void {
  const functions = [...b.symbols.values()].filter((s) => s.type === 'func' && s.section >= 0);
  functions.sort((a, c) => a.section - c.section || (a.value < c.value ? -1 : a.value > c.value ? 1 : 0));
  let next: Sym | undefined;
  for (const [i, sym] of [...functions.entries()].reverse()) {
    // several functions may begin at one place: the next one is the next that begins elsewhere
    const behind = functions[i + 1];
    if (behind && (behind.section !== sym.section || behind.value > sym.value)) next = behind;
    if (sym.size !== 0n) continue;
    let end = BigInt(b.sections[sym.section]!.size);
    if (next && next.section === sym.section && next.value < end) end = next.value;
    sym.size = end > sym.value ? end - sym.value : 0n;
  }
}

/** The symbol table: file, sections that relocations name, locals, then globals, each in order of the text. */
function numberSymbols(b: Builder, pending: readonly PendingReloc[]): ObjSymbol[] {
  const out: ObjSymbol[] = [];
  const add = (sym: Omit<ObjSymbol, 'visibility'> & { visibility?: ObjSymbol['visibility'] }) =>
    out.push({ visibility: 'default', ...sym }) - 1;
  if (b.sourceFile !== undefined) {
    add({ name: b.sourceFile, section: ABSOLUTE, value: 0n, size: 0, binding: 'local', type: 'file' });
  }
  const needed = new Set(pending.flatMap((r) => (typeof r.target === 'number' ? [r.target] : [])));
  for (const section of b.sections) {
    if (!needed.has(section.index)) continue;
    add({
      name: section.name,
      section: section.index,
      value: 0n,
      size: 0,
      binding: 'local',
      type: 'section',
    });
  }
  const named = new Set<Sym>(pending.flatMap((r) => (typeof r.target === 'number' ? [] : [r.target])));
  const locals: Sym[] = [];
  const globals: Sym[] = [];
  for (const sym of b.symbols.values()) {
    const undefinedHere = sym.section === UNDEFINED;
    if (undefinedHere && !named.has(sym) && sym.binding === undefined) continue;
    if (sym.name.charCodeAt(0) === 1) continue;
    if (isTemporary(sym.name) && !named.has(sym)) continue;
    const binding = sym.binding ?? (undefinedHere ? 'global' : 'local');
    (binding === 'local' ? locals : globals).push(sym);
  }
  for (const list of [locals, globals]) {
    for (const sym of list) {
      sym.index = add({
        name: sym.name,
        section: sym.section,
        value: sym.value,
        size: Number(sym.size),
        binding: sym.binding ?? (sym.section === UNDEFINED ? 'global' : 'local'),
        type: sym.type,
        visibility: sym.visibility,
      });
    }
  }
  return out;
}
