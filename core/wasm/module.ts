import { Code } from './code.ts';
import { CODED, FUNC_TYPE, FUNCREF, type ValType } from './opcodes.ts';

const MAGIC_AND_VERSION = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** Section ids, in the order in which sections stand (names: a custom section, behind all others). */
const SECTION = { custom: 0, type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

/** What an import or export is. */
const KIND = { func: 0, table: 1, memory: 2, global: 3 } as const;

/** A function type. */
export interface FuncType {
  readonly params: readonly ValType[];
  readonly results: readonly ValType[];
}

/** Locals beyond the parameters, by runs of one type. */
export type Locals = readonly (readonly [count: number, type: ValType])[];

/** The finished module. */
export interface EncodedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * By order of `func`: offset in `bytes` of the first instruction of each function. A position that the
   * host names (in a trap's stack trace) minus this is an offset in that function's `Code`.
   */
  readonly codeStart: readonly number[];
}

interface Body {
  readonly type: number;
  readonly locals: Locals;
  readonly code: Code;
  readonly name: string | undefined;
}

/**
 * Collects what a module consists of and writes it. Imports come before functions, because both count in
 * one index space. Work and memory are linear in the code.
 */
export class ModuleBuilder {
  readonly #types: FuncType[] = [];
  readonly #typeIndex = new Map<string, number>();
  readonly #imports = new Code(256);
  #nImports = 0;
  #nFuncImports = 0;
  readonly #funcNames: (readonly [index: number, name: string])[] = [];
  readonly #bodies: Body[] = [];
  readonly #exports = new Code(256);
  #nExports = 0;

  /** Index of a function type; one that was given before is not written again. */
  type(type: FuncType): number {
    const key = `${type.params.join()}:${type.results.join()}`;
    const known = this.#typeIndex.get(key);
    if (known !== undefined) return known;
    this.#typeIndex.set(key, this.#types.length);
    return this.#types.push(type) - 1;
  }

  /** Imports a function; its index. Throws RangeError after the first `func`. */
  importFunc(module: string, name: string, type: FuncType): number {
    if (this.#bodies.length > 0) throw new RangeError(`import ${name}: imports come before functions`);
    this.#import(module, name, KIND.func);
    this.#imports.u32(this.type(type));
    this.#funcNames.push([this.#nFuncImports, name]);
    return this.#nFuncImports++;
  }

  /** Imports the memory. Sizes in pages; a shared one must name the maximum that it was made with. */
  importMemory(module: string, name: string, limits: { min: number; max: number; shared: boolean }): void {
    this.#import(module, name, KIND.memory);
    this.#imports.byte(limits.shared ? 3 : 1);
    this.#imports.u32(limits.min);
    this.#imports.u32(limits.max);
  }

  /** Imports a table of functions with at least `min` entries. */
  importTable(module: string, name: string, min: number): void {
    this.#import(module, name, KIND.table);
    this.#imports.byte(FUNCREF);
    this.#imports.byte(0);
    this.#imports.u32(min);
  }

  /** Adds a function; `code` without its last `end`. Gives its index; `name` is for people who read traces. */
  func(type: FuncType, locals: Locals, code: Code, name?: string): number {
    const index = this.#nFuncImports + this.#bodies.length;
    this.#bodies.push({ type: this.type(type), locals, code, name });
    if (name !== undefined) this.#funcNames.push([index, name]);
    return index;
  }

  /** Makes a function reachable from outside. */
  exportFunc(name: string, func: number): void {
    this.#exports.name(name);
    this.#exports.byte(KIND.func);
    this.#exports.u32(func);
    this.#nExports++;
  }

  /** Writes the module. `names`: with the names of its functions. */
  encode(options?: { readonly names?: boolean }): EncodedModule {
    const size = this.#bodies.reduce((sum, { code }) => sum + code.length + 32, 1024);
    const out = new Code(size);
    out.append(MAGIC_AND_VERSION);
    section(out, SECTION.type, this.#typeSection());
    counted(out, SECTION.import, this.#nImports, this.#imports);
    section(out, SECTION.function, this.#functionSection());
    counted(out, SECTION.export, this.#nExports, this.#exports);
    const codeStart = this.#writeCode(out);
    if (options?.names) section(out, SECTION.custom, this.#nameSection());
    return { bytes: out.bytes, codeStart };
  }

  #import(module: string, name: string, kind: number): void {
    this.#imports.name(module);
    this.#imports.name(name);
    this.#imports.byte(kind);
    this.#nImports++;
  }

  #typeSection(): Code {
    const out = new Code(64);
    out.u32(this.#types.length);
    for (const { params, results } of this.#types) {
      out.byte(FUNC_TYPE);
      out.u32(params.length);
      for (const type of params) out.byte(type);
      out.u32(results.length);
      for (const type of results) out.byte(type);
    }
    return out;
  }

  #functionSection(): Code {
    const out = new Code(this.#bodies.length + 8);
    out.u32(this.#bodies.length);
    for (const { type } of this.#bodies) out.u32(type);
    return out;
  }

  #writeCode(out: Code): number[] {
    const heads = this.#bodies.map(({ locals }) => localsOf(locals));
    const sizes = this.#bodies.map(({ code }, index) => (heads[index]?.length ?? 0) + code.length + 1);
    const total = sizes.reduce((sum, size) => sum + size + u32Size(size), u32Size(this.#bodies.length));
    out.byte(SECTION.code);
    out.u32(total);
    out.u32(this.#bodies.length);
    return this.#bodies.map(({ code }, index) => {
      out.u32(sizes[index] ?? 0);
      out.append(heads[index]?.bytes ?? new Uint8Array(0));
      const start = out.length;
      out.append(code.bytes);
      out.byte(CODED.end);
      return start;
    });
  }

  #nameSection(): Code {
    const names = new Code();
    names.u32(this.#funcNames.length);
    for (const [index, name] of this.#funcNames) {
      names.u32(index);
      names.name(name);
    }
    const out = new Code(names.length + 16);
    out.name('name');
    section(out, 1, names);
    return out;
  }
}

function section(out: Code, id: number, content: Code): void {
  out.byte(id);
  out.u32(content.length);
  out.append(content.bytes);
}

function counted(out: Code, id: number, count: number, content: Code): void {
  out.byte(id);
  out.u32(u32Size(count) + content.length);
  out.u32(count);
  out.append(content.bytes);
}

function localsOf(locals: Locals): Code {
  const out = new Code(16);
  out.u32(locals.length);
  for (const [count, type] of locals) {
    out.u32(count);
    out.byte(type);
  }
  return out;
}

/** Bytes of an unsigned LEB128 number. */
function u32Size(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}
