import { ByteReader } from './leb128.ts';
import type { FuncType } from './module.ts';
import { FUNC_TYPE, I32, I64, type ValType } from './opcodes.ts';

/** A function of a module that was read. */
export interface ReadFunction {
  /** Among all functions, imported ones first. */
  readonly index: number;
  /** Number of its type; −1: the module does not tell. */
  readonly type: number;
  /** Its locals beyond the parameters, by runs of one type. */
  readonly locals: readonly (readonly [count: number, type: number])[];
  /** Offsets in the module: its first instruction, and behind its last `end`. */
  readonly start: number;
  readonly end: number;
}

/** A memory that a module imports. */
export interface ReadMemory {
  readonly module: string;
  readonly name: string;
  readonly min: number;
  /** Undefined: the module does not tell. */
  readonly max: number | undefined;
  readonly shared: boolean;
}

/** What a module consists of, as far as its bytes can be understood. */
export interface ReadModule {
  readonly types: readonly FuncType[];
  /** Imported functions: where from, and number of the type. */
  readonly funcImports: readonly { readonly module: string; readonly name: string; readonly type: number }[];
  readonly functions: readonly ReadFunction[];
  /** Imported memories: sizes in pages. */
  readonly memoryImports: readonly ReadMemory[];
  /** By the function's index. */
  readonly funcExports: ReadonlyMap<number, string>;
  /** Names by the `name` section. */
  readonly funcNames: ReadonlyMap<number, string>;
}

const HEADER_SIZE = 8;
const KIND_FUNC = 0;
const KIND_MEMORY = 2;
const KIND_TABLE = 1;
const FUNC_NAMES = 1;

/**
 * Reads a module as `ModuleBuilder` writes it; sections and imports of other kinds are passed over. Never throws:
 * where the bytes end early or make no sense, what was read until then is told. Time is linear in the bytes.
 */
export function readModule(bytes: Uint8Array): ReadModule {
  const reader = new ModuleReader();
  const sections = new ByteReader(bytes, HEADER_SIZE);
  while (sections.at < sections.end) {
    const id = sections.byte();
    const size = sections.u32();
    reader.section(id, new ByteReader(bytes, sections.at, sections.at + size));
    sections.at += size;
  }
  return reader.result();
}

class ModuleReader {
  readonly #types: FuncType[] = [];
  readonly #funcImports: { module: string; name: string; type: number }[] = [];
  readonly #funcTypes: number[] = [];
  readonly #bodies: Omit<ReadFunction, 'index' | 'type'>[] = [];
  readonly #memories: ReadMemory[] = [];
  readonly #exports = new Map<number, string>();
  readonly #names = new Map<number, string>();

  section(id: number, from: ByteReader): void {
    if (id === 0) this.#custom(from);
    else if (id === 1) each(from, () => this.#type(from));
    else if (id === 2) each(from, () => this.#import(from));
    else if (id === 3) each(from, () => this.#funcTypes.push(from.u32()));
    else if (id === 7) each(from, () => this.#export(from));
    else if (id === 10) each(from, () => this.#body(from));
  }

  result(): ReadModule {
    const functions = this.#bodies.map((body, i) => ({
      ...body,
      index: this.#funcImports.length + i,
      type: this.#funcTypes[i] ?? -1,
    }));
    return {
      types: this.#types,
      funcImports: this.#funcImports,
      functions,
      memoryImports: this.#memories,
      funcExports: this.#exports,
      funcNames: this.#names,
    };
  }

  #type(from: ByteReader): void {
    if (from.byte() !== FUNC_TYPE) from.at = from.end;
    const params: ValType[] = [];
    const results: ValType[] = [];
    each(from, () => params.push(valType(from)));
    each(from, () => results.push(valType(from)));
    this.#types.push({ params, results });
  }

  #import(from: ByteReader): void {
    const module = from.name();
    const name = from.name();
    const kind = from.byte();
    if (kind === KIND_FUNC) this.#funcImports.push({ module, name, type: from.u32() });
    else if (kind === KIND_MEMORY || kind === KIND_TABLE) {
      if (kind === KIND_TABLE) from.byte();
      const flags = from.byte();
      const min = from.u32();
      const max = flags & 1 ? from.u32() : undefined;
      if (kind === KIND_MEMORY) this.#memories.push({ module, name, min, max, shared: (flags & 2) !== 0 });
    } else from.at = from.end;
  }

  #export(from: ByteReader): void {
    const name = from.name();
    const kind = from.byte();
    const index = from.u32();
    if (kind === KIND_FUNC) this.#exports.set(index, name);
  }

  #body(from: ByteReader): void {
    const size = from.u32();
    const end = Math.min(from.at + size, from.end);
    const locals: (readonly [number, number])[] = [];
    const inside = new ByteReader(from.bytes, from.at, end);
    each(inside, () => locals.push([inside.u32(), inside.byte()]));
    this.#bodies.push({ locals, start: Math.min(inside.at, end), end });
    from.at += size;
  }

  #custom(from: ByteReader): void {
    if (from.name() !== 'name') return;
    while (from.at < from.end) {
      const id = from.byte();
      const size = from.u32();
      const part = new ByteReader(from.bytes, from.at, Math.min(from.at + size, from.end));
      if (id === FUNC_NAMES) each(part, () => this.#names.set(part.u32(), part.name()));
      from.at += size;
    }
  }
}

/** Reads the items of a vector, those that are there. */
function each(from: ByteReader, item: () => void): void {
  const count = from.u32();
  for (let i = 0; i < count && from.at < from.end; i++) item();
}

function valType(from: ByteReader): ValType {
  return from.byte() === I64 ? I64 : I32;
}
