import { lastUpTo } from '../../bytes/ascending.ts';
import type { InsnIndex } from '../../isa/insn.ts';
import { CODED } from '../../wasm/opcodes.ts';
import {
  BAD,
  funcTypeText,
  insnText,
  type Names,
  readInsn,
  typeName,
  type WasmInsn,
} from '../../wasm/print.ts';
import { type ReadFunction, type ReadModule, readModule } from '../../wasm/read-module.ts';
import { type CodeRows, RowCollector } from '../../wasm/rows.ts';
import type { CompiledFunction, CompiledProgram } from './compile.ts';
import { Constructs } from './constructs.ts';
import { NO_SLOT } from './emit-function.ts';
import { fieldNote } from './field-notes.ts';
import { localNames } from './local-names.ts';
import { BLOCK } from './locals.ts';

/** A function of a listing: a run of rows. */
export interface ListedFunction {
  /** Name without the `$`. */
  readonly name: string;
  /** Slot of the rewritten program that it begins at; −1: it was made by the compiler (`lookup`). */
  readonly start: InsnIndex | -1;
  /** First row, and behind the last. */
  readonly firstRow: number;
  readonly endRow: number;
  /** Its head in the text format: `(func $at_0 (export "at_0") (param $block i32) … (result i32)`. */
  readonly head: string;
  /** Declarations of its locals: `(local $r0 i64)`, those of one type together. */
  readonly locals: readonly string[];
}

/** Every instruction of a compiled program's module, ascending by offset; texts are made on demand. */
export interface WasmListing extends CodeRows {
  /** Rewritten slot whose code it belongs to; −1: to none. */
  readonly slot: Int32Array;
  readonly functions: readonly ListedFunction[];
  /** What the module imports, in the text format: `(import "engine" "memory" (memory 1 16384 shared))`. */
  readonly imports: readonly string[];
  /** The instruction as text: `br_if 2 ;; loop @12`. Empty for a number that no row has. */
  text(row: number): string;
  /** The row whose bytes hold this offset of the module; −1: none. */
  rowAt(offset: number): number;
}

/** How a listing names things. */
export interface ListingOptions {
  /** Name of the function that begins at a slot; undefined: that of its export. */
  readonly funcName?: (start: InsnIndex) => string | undefined;
}

/** Locals that a function of a module can have. */
const MAX_LOCALS = 50_000;

/** Reads the code of a compiled program. Some 40 ns an instruction of WebAssembly; never throws, whatever the bytes are. */
export function wasmListing(program: CompiledProgram, options: ListingOptions = {}): WasmListing {
  return new Listing(program, options);
}

interface Part extends ListedFunction {
  readonly read: ReadFunction;
  readonly compiled: CompiledFunction | undefined;
  readonly names: Names;
  /** The local that holds the address of the CPU block; a function without one: empty. */
  readonly blockName: string;
}

class Listing implements WasmListing {
  readonly functions: readonly Part[];
  readonly imports: readonly string[];
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  readonly depth: Uint32Array;
  readonly slot: Int32Array;
  readonly count: number;
  readonly #program: CompiledProgram;
  readonly #bytes: Uint8Array;
  /** Maps by the constant that is their address. */
  readonly #mapOf: ReadonlyMap<string, string>;
  readonly #constructs = new Map<Part, Constructs>();

  constructor(program: CompiledProgram, options: ListingOptions) {
    this.#program = program;
    this.#bytes = program.bytes;
    const maps = [...program.maps.values()];
    this.#mapOf = new Map(maps.map(({ addr, def }) => [String(BigInt.asIntN(64, addr)), `map ${def.name}`]));
    const module = readModule(program.bytes);
    const byStart = new Map(program.functions.map((each) => [each.codeStart, each]));
    const funcName = namesOfFunctions(module, byStart, options);
    const collector = new RowCollector(Math.max(64, program.bytes.length >> 1));
    this.functions = module.functions.map((read) => {
      const firstRow = collector.count;
      collector.add(program.bytes, read.start, read.end);
      const compiled = byStart.get(read.start);
      return partOf(module, read, compiled, { firstRow, endRow: collector.count }, funcName);
    });
    this.imports = importTexts(module, funcName);
    const { offset, length, depth, count } = collector.rows;
    this.offset = offset;
    this.length = length;
    this.depth = depth;
    this.count = count;
    this.slot = new Int32Array(count).fill(-1);
    for (const part of this.functions) this.#fillSlots(part);
  }

  text(row: number): string {
    const part = this.#partOf(row);
    const insn = part && this.#insn(part, row);
    if (part === undefined) return '';
    if (insn === undefined) return BAD;
    const note = this.#note(part, row, insn);
    return note === '' ? insnText(insn) : `${insnText(insn)} ;; ${note}`;
  }

  rowAt(offset: number): number {
    const row = lastUpTo(this.count, offset, (at) => this.offset[at] ?? 0);
    return row >= 0 && offset < (this.offset[row] ?? 0) + (this.length[row] ?? 0) ? row : -1;
  }

  #insn({ names }: Part, row: number): WasmInsn | undefined {
    const at = this.offset[row] ?? 0;
    return readInsn(this.#bytes, at, at + (this.length[row] ?? 0), names);
  }

  #partOf(row: number): Part | undefined {
    const index = lastUpTo(this.functions.length, row, (at) => this.functions[at]?.firstRow ?? 0);
    const part = this.functions[index];
    return part !== undefined && row >= 0 && row < part.endRow ? part : undefined;
  }

  /** Of each row the instruction whose code began last. */
  #fillSlots({ compiled, firstRow, endRow }: Part): void {
    const offsets = compiled?.offsets ?? [];
    let next = 0;
    let slot = -1;
    for (let row = firstRow; row < endRow; row++) {
      const at = this.offset[row] ?? 0;
      for (; next < offsets.length && (offsets[next]?.[1] ?? 0) <= at; next++)
        slot = offsets[next]?.[0] ?? -1;
      this.slot[row] = slot;
    }
  }

  /** Where a branch leads; what an access is of; a map's address. */
  #note(part: Part, row: number, insn: WasmInsn): string {
    const { operands } = insn.mnemonic;
    if (operands === 'label') return this.#targetNote(part, row, insn.operand);
    if (operands === 'i64') return this.#mapOf.get(insn.text) ?? '';
    const before = (n: number) => (row - n < part.firstRow ? undefined : this.#insn(part, row - n));
    return this.#flagNote(insn, before(1)) ?? fieldNote(insn, before, part.blockName) ?? '';
  }

  /** The slot whose breakpoint flag is read (`BreakpointFlags`). */
  #flagNote({ mnemonic, operand }: WasmInsn, address: WasmInsn | undefined): string | undefined {
    const { flagsAt, entries } = this.#program;
    const slot = operand - (flagsAt ?? operand + 1);
    if (mnemonic.text !== 'i32.load8_u' || slot < 0 || slot >= entries.length) return undefined;
    return address?.mnemonic.text === 'i32.const' ? `breakpoint at @${slot}?` : undefined;
  }

  #targetNote(part: Part, row: number, label: number): string {
    let constructs = this.#constructs.get(part);
    if (constructs === undefined) {
      constructs = new Constructs(this.#bytes, this, part.firstRow, part.endRow);
      this.#constructs.set(part, constructs);
    }
    const target = constructs.target(row, label);
    if (target === undefined) return '';
    const slot = this.#firstSlotFrom(part, this.offset[target.row] ?? 0);
    const isLoop = this.#bytes[this.offset[target.row] ?? 0] === CODED.loop;
    if (slot === undefined) return '';
    return isLoop ? `loop @${slot}` : `@${slot}`;
  }

  /** The first slot whose code begins at `offset` or behind it. */
  #firstSlotFrom({ compiled }: Part, offset: number): number | undefined {
    const offsets = compiled?.offsets ?? [];
    let next = lastUpTo(offsets.length, offset - 1, (at) => offsets[at]?.[1] ?? 0) + 1;
    while (offsets[next]?.[0] === NO_SLOT) next++;
    return offsets[next]?.[0];
  }
}

/** Names of all functions by index, without the `$`. */
function namesOfFunctions(
  module: ReadModule,
  byStart: ReadonlyMap<number, CompiledFunction>,
  { funcName }: ListingOptions,
): (index: number) => string {
  const names = new Map(module.funcNames);
  const used = new Set(names.values());
  for (const { index, start } of module.functions) {
    const compiled = byStart.get(start);
    const told = compiled && funcName?.(compiled.start);
    if (told !== undefined) names.set(index, used.has(told) ? `${told}.${index}` : told);
  }
  return (index) => names.get(index) ?? `func${index}`;
}

function importTexts(
  { types, funcImports, memoryImports }: ReadModule,
  funcName: (index: number) => string,
): string[] {
  const memories = memoryImports.map(({ module, name, min, max, shared }) => {
    const limits = [min, ...(max === undefined ? [] : [max]), ...(shared ? ['shared'] : [])].join(' ');
    return `(import "${module}" "${name}" (memory ${limits}))`;
  });
  const funcs = funcImports.map(({ module, name, type }, index) => {
    const func = `func $${funcName(index)} ${funcTypeText(types[type])}`.trim();
    return `(import "${module}" "${name}" (${func}))`;
  });
  return [...memories, ...funcs];
}

function partOf(
  module: ReadModule,
  read: ReadFunction,
  compiled: CompiledFunction | undefined,
  rows: Pick<ListedFunction, 'firstRow' | 'endRow'>,
  funcName: (index: number) => string,
): Part {
  const name = funcName(read.index);
  const localName = localNames(compiled === undefined ? name : undefined);
  const names: Names = {
    func: (index) => `$${funcName(index)}`,
    local: (index) => `$${localName(index)}`,
    type: (index) => funcTypeText(module.types[index]),
  };
  const first = names.local(BLOCK);
  const blockName = first === '$block' ? first : '';
  const type = module.types[read.type];
  const signature = funcTypeText(type, (each, index) => `(param ${names.local(index)} ${typeName(each)})`);
  const exported = module.funcExports.get(read.index);
  const exportText = exported === undefined ? '' : ` (export "${exported}")`;
  const head = `(func ${names.func(read.index)}${exportText} ${signature}`.trim();
  const locals = localTexts(type?.params.length ?? 0, read, names);
  return { name, start: compiled?.start ?? -1, ...rows, head, locals, read, compiled, names, blockName };
}

/** Declarations of locals, a line for each run of one type; a run that is too long for a module is cut off. */
function localTexts(nParams: number, { locals }: ReadFunction, names: Names): string[] {
  const lines: string[] = [];
  let index = nParams;
  for (const [count, type] of locals) {
    const shown = Math.min(count, MAX_LOCALS - index);
    if (shown <= 0) break;
    const each = Array.from(
      { length: shown },
      (_, i) => `(local ${names.local(index + i)} ${typeName(type)})`,
    );
    lines.push(each.join(' '));
    index += shown;
  }
  return lines;
}
