import type { EngineName } from '../interp/engine.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { WASM_IMAGES_AT } from '../jit/wasm/debug-image.ts';
import { IMAGES_AT } from '../jit/x86-64/jit-compiler.ts';
import type { NativeArch } from '../protocol/jit.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { wasmCode } from './native-wasm.ts';
import { x86Code, x86CodeForShow } from './native-x86.ts';

/** Native code of one function. */
export interface NativeFunction {
  readonly name: string;
  /** First slot of the rewritten program; −1: the compiler has added the function. */
  readonly start: InsnIndex;
  /** Of its first byte. */
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
}

/** Every native instruction of a program, ascending by offset: a few bytes each, texts are made on demand. */
export interface NativeRows {
  readonly count: number;
  /** Bytes from `NativeCode.address`. */
  readonly offset: Uint32Array;
  /** Bytes. */
  readonly length: Uint8Array | Uint32Array;
  /** Constructs that it stands in, for indentation; absent where code is flat. */
  readonly depth?: Uint32Array;
  /** Slot of the rewritten program that it belongs to; −1: to none (what functions begin with). */
  readonly slot: Int32Array;
}

/** Native code of a loaded program, as debuggers look at it. */
export interface NativeCode {
  readonly arch: NativeArch;
  /** Ascending by address. */
  readonly funcs: readonly NativeFunction[];
  /** Of the first byte: what offsets of rows count from. */
  readonly address: bigint;
  readonly rows: NativeRows;
  /** The bytes of a row (a copy); empty for a number that no row has. */
  bytes(row: number): Uint8Array;
  /** The instruction as people write it; empty for a number that no row has. */
  text(row: number): string;
  /** The row whose bytes hold the address; −1: none. */
  rowAt(address: bigint): number;
  /**
   * The address that a line record at `slot` of the rewritten program has by the rule of
   * `bpf_prog_fill_jited_linfo`: the image's start for a function's first slot, else where the code of the
   * slot before ends. Undefined: there is no such slot.
   */
  addressOf(slot: InsnIndex): bigint | undefined;
  /**
   * Where the frame stands at this moment (0: the innermost), in outer frames where it returns to. Undefined:
   * there is no such frame, or it is another program's.
   */
  currentAddress(frameIndex: number): bigint | undefined;
  /** A breakpoint is patched in there; absent where code is not patched. */
  isPatched?(row: number): boolean;
  /** Equal as long as the texts are, which tell what the kernel has patched in; absent where they never change. */
  readonly state?: string;
}

/** Native code, or one line that says why there is none. */
export type NativeCodeResult = NativeCode | { readonly message: string };

/** Code of `program` for the engine that runs now; `reference` and `interp` execute none. */
export function nativeCodeOf(loaded: Loaded, program: DebugProgram): NativeCodeResult {
  const arch = archOf(loaded.engine.name);
  if (arch === undefined) return { message: `the engine ${loaded.engine.name} executes no native code` };
  return nativeCodeFor(loaded, program, arch);
}

/** Code of `program` for `arch`, whichever engine runs: made when it is asked for first. */
export function nativeCodeFor(loaded: Loaded, program: DebugProgram, arch: NativeArch): NativeCodeResult {
  const code = codeOf(loaded, program, arch);
  const codes = loaded.shownCode;
  if ('message' in code || codes.has(code)) return code;
  for (const [old, its] of codes) if (its === program && old.arch === arch) codes.delete(old);
  codes.set(code, program);
  return code;
}

/** Code of a program that is loaded for show, which nothing executes: no more than that needs. */
export function nativeCodeForShow(
  loaded: Pick<Loaded, 'machine' | 'cpu'>,
  program: DebugProgram,
  arch: NativeArch,
): NativeCodeResult {
  return arch === 'x86-64' ? x86CodeForShow(loaded.machine, program) : wasmCode(loaded, program);
}

function codeOf(loaded: Loaded, program: DebugProgram, arch: NativeArch): NativeCodeResult {
  return arch === 'x86-64' ? x86Code(loaded, program) : wasmCode(loaded, program);
}

/** What the engine called `name` executes; undefined: it interprets. */
export function archOf(name: EngineName): NativeArch | undefined {
  return name === 'x86-64' || name === 'wasm' ? name : undefined;
}

/**
 * Makes the native code that an address is one of, where it is not known yet: a breakpoint that was set there before a
 * restart or with another engine lies there again.
 */
export function makeCodeAt(loaded: Loaded, address: bigint): void {
  if (address < WASM_IMAGES_AT || codeAtAddress(loaded, address) !== undefined) return;
  const arch = address < IMAGES_AT ? 'wasm' : 'x86-64';
  for (const program of loaded.programs.values()) nativeCodeFor(loaded, program, arch);
}

/** The program that has the address in its native code: that of the engine, or some that was asked for before. */
export function codeAtAddress(
  loaded: Loaded,
  address: bigint,
): { readonly program: DebugProgram; readonly code: NativeCode } | undefined {
  for (const program of loaded.programs.values()) nativeCodeOf(loaded, program);
  for (const [code, program] of loaded.shownCode) {
    const isInside = ({ address: first, length }: NativeFunction): boolean =>
      address >= first && address < first + BigInt(length);
    if (code.funcs.some(isInside)) return { program, code };
  }
  return undefined;
}
