import { basename } from 'node:path';
import { hexText } from '#core/bytes/hex.ts';
import type { InsnIndex } from '#core/isa/insn.ts';
import type { CompiledProgram } from '#core/jit/wasm/compile.ts';
import { WASM_IMAGES_AT } from '#core/jit/wasm/debug-image.ts';
import { jitedFuncs, wasmJitCompiler } from '#core/jit/wasm/jit-compiler.ts';
import { type ListedFunction, type WasmListing, wasmListing } from '#core/jit/wasm/listing.ts';
import type { LineInfo, LoadAttr } from '#core/object/object.ts';
import type { BpfProg } from '#core/prog/load.ts';
import { xlatedInsn } from '#core/prog/xlated-text.ts';
import type { Machine } from '#core/vm/machine.ts';
import {
  type JitTextOptions,
  lineInfoJson,
  linesByAddress,
  lineText,
  type NativeCompiler,
  objectWithList,
  originJson,
  programJson,
  symbolOf,
} from './jit-native.ts';
import { hex64 } from './json.ts';

/** Address of a machine's first module; here it has no other. */
const IMAGE_ADDR = WASM_IMAGES_AT;
/** Nesting that is shown by indentation: a function can have tens of thousands of nested blocks. */
const MAX_INDENT = 40;
/** Column at which the bytes of an instruction stand. */
const BYTES_COLUMN = 56;

/**
 * The compiler of the engine `wasm`, and its code in the text format of WebAssembly. `isPlain`: code that runs execute,
 * not that of debug sessions.
 */
export function wasmCompiler(machine: Machine, attr: LoadAttr, isPlain: boolean): NativeCompiler {
  let made: CompiledProgram | undefined;
  const jit = wasmJitCompiler({
    machine,
    attr,
    isPlain,
    compiled: (program) => {
      made = program;
    },
  });
  return {
    jit,
    shown(prog) {
      if (made === undefined) throw new RangeError(`${prog.name} was not compiled`);
      const module = new ShownModule(machine, prog, made);
      const { bytes } = made;
      return {
        text: (options) => module.text(options),
        json: () => module.json(),
        bytes: () => bytes,
      };
    },
  };
}

class ShownModule {
  readonly #machine: Machine;
  readonly #prog: BpfProg;
  readonly #program: CompiledProgram;
  readonly #listing: WasmListing;
  readonly #linesAt: ReadonlyMap<bigint, readonly LineInfo[]>;
  /** Line records by the slot that they begin at. */
  readonly #lineOf: ReadonlyMap<InsnIndex, LineInfo>;

  constructor(machine: Machine, prog: BpfProg, program: CompiledProgram) {
    this.#machine = machine;
    this.#prog = prog;
    this.#program = program;
    const names = new Map(prog.subprogs.map(({ start, name }) => [start, name]));
    this.#listing = wasmListing(program, { funcName: (start) => names.get(start) });
    this.#linesAt = linesByAddress(machine, prog);
    this.#lineOf = new Map(prog.xlatedLineInfo.map((line) => [line.insnOff, line]));
  }

  /** A module in the text format, with comments. The functions that every module has are behind those of the program. */
  *text(options: JitTextOptions): Iterable<string> {
    yield `;; ${this.#prog.name}: module of ${this.#program.bytes.length} bytes at ${hex64(IMAGE_ADDR)}\n(module\n`;
    for (const text of this.#listing.imports) yield `  ${text}\n`;
    const { functions } = this.#listing;
    const ordered = [
      ...functions.filter(({ start }) => start >= 0),
      ...functions.filter(({ start }) => start < 0),
    ];
    for (const func of ordered) {
      yield '\n';
      yield* this.#funcText(func, options);
    }
    yield ')\n';
  }

  *#funcText(func: ListedFunction, options: JitTextOptions): Iterable<string> {
    const { firstRow, endRow, head, locals, start } = func;
    const compiled = this.#program.functions.find((each) => each.start === start);
    const listing = this.#listing;
    yield `  ;; ${this.#about(func)}\n  ${head}\n`;
    for (const text of locals) yield `    ${text}\n`;
    let begun = 0;
    for (let row = firstRow; row < endRow; row++) {
      const at = listing.offset[row] ?? 0;
      const indent = '  '.repeat(Math.min(MAX_INDENT, 2 + (listing.depth[row] ?? 0)));
      if (options.linum) {
        for (const line of this.#linesAt.get(IMAGE_ADDR + BigInt(at)) ?? []) {
          yield `${indent};${lineText(this.#prog, line, options)}\n`;
        }
      }
      const offsets = compiled?.offsets ?? [];
      for (; begun < offsets.length && (offsets[begun]?.[1] ?? 0) <= at; begun++) {
        const slot = offsets[begun]?.[0] ?? -1;
        if (slot >= 0) yield `${indent};; ${this.#insnText(slot, options)}\n`;
      }
      // The text format closes a function by a parenthesis.
      const text = row === endRow - 1 ? '  )' : `${indent}${listing.text(row)}`;
      yield options.opcodes ? `${text.padEnd(BYTES_COLUMN)} ;; ${this.#bytesText(row)}\n` : `${text}\n`;
    }
  }

  #about({ start, name, firstRow, endRow }: ListedFunction): string {
    const { offset, length } = this.#listing;
    const from = offset[firstRow] ?? 0;
    const size = (offset[endRow - 1] ?? 0) + (length[endRow - 1] ?? 0) - from;
    const place = `${size} bytes at ${hex64(IMAGE_ADDR + BigInt(from))}`;
    const index = this.#prog.subprogs.findIndex((each) => each.start === start);
    const subprog = this.#prog.subprogs[index];
    if (subprog === undefined) return `${name}: ${place}`;
    const symbol = symbolOf(this.#machine, this.#prog, index, start);
    return `${symbol}: instructions ${start} to ${subprog.end - 1}, ${place}${this.#placeOf(start)}`;
  }

  #insnText(slot: InsnIndex, { linum }: JitTextOptions): string {
    const { text } = xlatedInsn(this.#prog, slot);
    return `${slot}: ${text}${linum ? '' : this.#placeOf(slot)}`;
  }

  #placeOf(slot: InsnIndex): string {
    const line = this.#lineOf.get(slot);
    return line === undefined ? '' : `   ${basename(this.#prog.attr.files[line.file] ?? '?')}:${line.line}`;
  }

  #bytesText(row: number): string {
    const at = this.#listing.offset[row] ?? 0;
    return `${at.toString(16)}: ${hexText(this.#bytesOf(row), ' ')}`;
  }

  #bytesOf(row: number): Uint8Array {
    const at = this.#listing.offset[row] ?? 0;
    return this.#program.bytes.subarray(at, at + (this.#listing.length[row] ?? 0));
  }

  json(): Iterable<string> {
    const head = {
      ...programJson(this.#prog, 'wasm'),
      module_addr: hex64(IMAGE_ADDR),
      module_length: this.#program.bytes.length,
    };
    const tail = { line_info: lineInfoJson(this.#machine, this.#prog) };
    return objectWithList(head, 'funcs', this.#funcsJson(), tail);
  }

  *#funcsJson(): Iterable<Iterable<string>> {
    const jited = jitedFuncs(this.#program, this.#prog.code, IMAGE_ADDR);
    for (const [index, { insnToJitOff, image, length }] of jited.entries()) {
      const subprog = this.#prog.subprogs[index];
      const listed = this.#listing.functions.find(({ start }) => start === subprog?.start);
      if (subprog === undefined || listed === undefined) continue;
      const codeStart = Number(image - IMAGE_ADDR);
      const func = {
        name: symbolOf(this.#machine, this.#prog, index, subprog.start),
        addr: hex64(image),
        start: subprog.start,
        end: subprog.end,
        length,
        jited: hexText(this.#program.bytes.subarray(codeStart, codeStart + length)),
        insn_to_jit_off: Array.from(insnToJitOff),
      };
      yield objectWithList(func, 'insns', this.#rowsJson(codeStart, listed));
    }
  }

  *#rowsJson(codeStart: number, { firstRow, endRow }: ListedFunction): Iterable<[string]> {
    const { offset, slot, depth } = this.#listing;
    for (let row = firstRow; row < endRow; row++) {
      const at = offset[row] ?? 0;
      const shown = {
        pc: `0x${(at - codeStart).toString(16)}`,
        operation: this.#listing.text(row),
        opcodes: hexText(this.#bytesOf(row)),
        depth: depth[row],
        ...originJson(this.#prog, slot[row] ?? -1, this.#linesAt.get(IMAGE_ADDR + BigInt(at)) ?? []),
      };
      yield [JSON.stringify(shown)];
    }
  }
}
