import { lastUpTo } from '../bytes/ascending.ts';
import type { CompiledFunction, CompiledProgram } from '../jit/wasm/compile.ts';
import { Constructs } from '../jit/wasm/constructs.ts';
import { NO_SLOT } from '../jit/wasm/emit-function.ts';
import { ByteReader } from '../wasm/leb128.ts';
import { CODED } from '../wasm/opcodes.ts';
import { type Names, readInsn, type WasmInsn } from '../wasm/print.ts';
import { type ReadFunction, type ReadModule, readModule } from '../wasm/read-module.ts';
import { type CodeRows, RowCollector } from '../wasm/rows.ts';

/** Texts are not asked for. */
const NO_NAMES: Names = { func: () => '', local: () => '', type: () => '' };

/** A module, and which of its functions were compiled from a program's. */
export type CompiledModule = Pick<CompiledProgram, 'bytes' | 'functions' | 'flagsAt'>;

/** A compiled program's module, taken apart function by function as they are asked for. */
export class ModuleCode {
  readonly program: CompiledModule;
  readonly #module: ReadModule;
  readonly #funcs = new Map<number, FuncCode>();

  constructor(program: CompiledModule) {
    this.program = program;
    this.#module = readModule(program.bytes);
  }

  /** The function with this index among all; undefined: it is imported, or there is none. */
  func(index: number): FuncCode | undefined {
    const known = this.#funcs.get(index);
    if (known !== undefined) return known;
    const read = this.#module.functions.find((each) => each.index === index);
    const type = read && this.#module.types[read.type];
    if (read === undefined || type === undefined) return undefined;
    const compiled = this.program.functions.find(({ codeStart }) => codeStart === read.start);
    const name = this.#module.funcNames.get(index) ?? `func${index}`;
    const func = new FuncCode(this, read, compiled, name, type);
    this.#funcs.set(index, func);
    return func;
  }

  /** The compiled function that begins at a slot; undefined: none does. */
  funcOfSlot(start: number): FuncCode | undefined {
    const compiled = this.program.functions.find((each) => each.start === start);
    const read = this.#module.functions.find((each) => each.start === compiled?.codeStart);
    return read && this.func(read.index);
  }

  /** The module's own function `name`; undefined: it has none. */
  funcOfName(name: string): FuncCode | undefined {
    for (const [index, its] of this.#module.funcNames) if (its === name) return this.func(index);
    return undefined;
  }

  /** Whether a function's index is that of the one which is imported: it does an instruction in the reference engine. */
  isStep(index: number): boolean {
    return index < this.#module.funcImports.length;
  }
}

/** A function's code by its rows. */
export class FuncCode {
  readonly module: ModuleCode;
  readonly index: number;
  /** What it was compiled from; undefined: it is the module's own (`lookup`). */
  readonly compiled: CompiledFunction | undefined;
  readonly name: string;
  readonly nParams: number;
  readonly nResults: number;
  /** Types of its locals beyond the parameters, by runs. */
  readonly locals: ReadFunction['locals'];
  readonly rows: CodeRows;
  readonly constructs: Constructs;
  readonly #bytes: Uint8Array;
  #usedLocals: readonly number[] | undefined;

  constructor(
    module: ModuleCode,
    read: ReadFunction,
    compiled: CompiledFunction | undefined,
    name: string,
    type: { readonly params: readonly unknown[]; readonly results: readonly unknown[] },
  ) {
    this.module = module;
    this.index = read.index;
    this.compiled = compiled;
    this.name = name;
    this.nParams = type.params.length;
    this.nResults = type.results.length;
    this.locals = read.locals;
    this.#bytes = module.program.bytes;
    const collector = new RowCollector(Math.max(64, (read.end - read.start) >> 1));
    collector.add(this.#bytes, read.start, read.end);
    this.rows = collector.rows;
    this.constructs = new Constructs(this.#bytes, this.rows, 0, this.rows.count);
  }

  /** The instruction in a row; undefined: none. */
  insn(row: number): WasmInsn | undefined {
    const at = this.offset(row);
    return readInsn(this.#bytes, at, at + (this.rows.length[row] ?? 0), NO_NAMES);
  }

  /** Offset of a row in the module. */
  offset(row: number): number {
    return this.rows.offset[row] ?? 0;
  }

  /** Slots whose code begins at a row, in the order of the code: all but the last have none. */
  slotsAt(row: number): readonly number[] {
    const offsets = this.compiled?.offsets ?? [];
    const at = this.offset(row);
    const slots: number[] = [];
    for (let i = lastUpTo(offsets.length, at, (n) => offsets[n]?.[1] ?? 0); i >= 0; i--) {
      const [slot, offset] = offsets[i] ?? [NO_SLOT, -1];
      if (offset !== at) break;
      if (slot !== NO_SLOT) slots.unshift(slot);
    }
    return slots;
  }

  /** The first row of a slot's code, and the row behind its last; undefined: it has none here. */
  rowsOf(slot: number): { readonly first: number; readonly end: number } | undefined {
    const offsets = this.compiled?.offsets ?? [];
    const at = offsets.findIndex(([each]) => each === slot);
    const begin = offsets[at]?.[1];
    if (begin === undefined) return undefined;
    const behind = offsets[at + 1]?.[1];
    return { first: this.#rowAt(begin), end: behind === undefined ? this.rows.count : this.#rowAt(behind) };
  }

  /** Rows of the constructs that are open in front of a row, outermost first. */
  openersOf(row: number): readonly number[] {
    const opcode = this.#bytes[this.offset(row)];
    const isInside = opcode === CODED.end || opcode === CODED.else;
    const depth = (this.rows.depth[row] ?? 0) + (isInside ? 1 : 0);
    const openers = Array.from({ length: depth }, (_, level) => this.constructs.openerAt(row, level));
    return openers.filter((opener) => opener !== undefined);
  }

  /** Locals that its code names, ascending. */
  get usedLocals(): readonly number[] {
    if (this.#usedLocals !== undefined) return this.#usedLocals;
    const used = new Set<number>();
    for (let row = 0; row < this.rows.count; row++) {
      const at = this.offset(row);
      const opcode = this.#bytes[at];
      if (opcode !== CODED.local_get && opcode !== CODED.local_set && opcode !== CODED.local_tee) continue;
      used.add(new ByteReader(this.#bytes, at + 1).u32());
    }
    this.#usedLocals = [...used].sort((a, b) => a - b);
    return this.#usedLocals;
  }

  #rowAt(offset: number): number {
    return lastUpTo(this.rows.count, offset, (row) => this.offset(row));
  }
}
