import type { InsnIndex } from '../isa/insn.ts';
import type { CompiledProgram } from '../jit/wasm/compile.ts';
import { wasmImage, whyNotCompiled } from '../jit/wasm/engine.ts';
import { jitedFuncs } from '../jit/wasm/jit-compiler.ts';
import { type WasmListing, wasmListing } from '../jit/wasm/listing.ts';
import { type JitedFunc, lineOffset } from '../prog/bpf-prog-fill-jited-linfo.ts';
import type { BpfProg } from '../prog/prog.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import { isJustEntered } from '../wasm-sim/rebuild.ts';
import { wasmSim } from '../wasm-sim/wasm-sim.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import type { NativeCode, NativeCodeResult, NativeFunction, NativeRows } from './native-code.ts';

/** What is looked at of the session that a program is loaded in. */
type Session = Pick<Loaded, 'machine' | 'cpu'>;

const codes = new WeakMap<CompiledProgram, WasmCode>();

/** The WebAssembly code that debug sessions execute for `program`. */
export function wasmCode(loaded: Session, { prog }: DebugProgram): NativeCodeResult {
  const { machine } = loaded;
  const why = whyNotCompiled(machine, prog);
  if (why !== undefined) return { message: why };
  const image = wasmImage(machine, prog);
  if ('reason' in image) return { message: image.reason };
  let code = codes.get(image.program);
  if (code === undefined) {
    code = new WasmCode(loaded, prog, image.program, image.imageAddr);
    codes.set(image.program, code);
  }
  return code;
}

/** Offsets of rows are those in the module, as hosts name them in stack traces. */
class WasmCode implements NativeCode {
  readonly arch = 'wasm';
  readonly funcs: readonly NativeFunction[];
  readonly address: bigint;
  readonly rows: NativeRows;
  readonly #prog: BpfProg;
  readonly #machine: Machine;
  readonly #cpu: Cpu;
  readonly #bytes: Uint8Array;
  readonly #listing: WasmListing;
  readonly #jited: readonly JitedFunc[];

  constructor({ machine, cpu }: Session, prog: BpfProg, program: CompiledProgram, imageAddr: bigint) {
    const { subprogs } = prog;
    const names = new Map(subprogs.map(({ start, name }) => [start, name]));
    this.#prog = prog;
    this.#machine = machine;
    this.#cpu = cpu;
    this.#bytes = program.bytes;
    this.#listing = wasmListing(program, { funcName: (start) => names.get(start) });
    this.address = imageAddr;
    const { count } = this.#listing;
    // There may be room behind the last row.
    const offset = this.#listing.offset.subarray(0, count);
    const length = this.#listing.length.subarray(0, count);
    const depth = this.#listing.depth.subarray(0, count);
    this.funcs = this.#listing.functions.map(({ name, start, firstRow, endRow }) => {
      const first = offset[firstRow] ?? 0;
      const end = endRow > firstRow ? (offset[endRow - 1] ?? 0) + (length[endRow - 1] ?? 0) : first;
      return { name, start, address: imageAddr + BigInt(first), length: end - first };
    });
    this.rows = { count, offset, length, depth, slot: this.#listing.slot.subarray(0, count) };
    const starts = { funcs: subprogs.map(({ start }) => start), origIdx: prog.origIdx };
    this.#jited = jitedFuncs(program, starts, imageAddr);
  }

  bytes(row: number): Uint8Array {
    const at = this.rows.offset[row];
    return at === undefined ? new Uint8Array() : this.#bytes.slice(at, at + (this.rows.length[row] ?? 0));
  }

  text(row: number): string {
    return row in this.rows.offset ? this.#listing.text(row) : '';
  }

  rowAt(address: bigint): number {
    const offset = address - this.address;
    return offset < 0n || offset > BigInt(this.#bytes.length) ? -1 : this.#listing.rowAt(Number(offset));
  }

  addressOf(slot: InsnIndex): bigint | undefined {
    const index = this.#prog.subprogs.findIndex(({ start, end }) => slot >= start && slot < end);
    const func = this.#jited[index];
    const start = this.#prog.subprogs[index]?.start;
    if (func === undefined || start === undefined) return undefined;
    return func.image + BigInt(lineOffset({ start, insnToJitOff: func.insnToJitOff }, slot));
  }

  /**
   * Where native steps have led, else WebAssembly stands at a BPF instruction; in outer frames at the call: that is what
   * hosts' stack traces name.
   */
  currentAddress(frameIndex: number): bigint | undefined {
    if (this.#cpu.progOrNone === undefined) return undefined;
    const frame = this.#cpu.frames()[frameIndex];
    if (frame?.prog !== this.#prog) return undefined;
    const stepped = frameIndex === 0 ? wasmSim.stepped(this.#machine, this.#cpu) : undefined;
    if (stepped !== undefined) return stepped.address;
    if (frameIndex === 0 && frame.pc === frame.subprog.start && !isJustEntered(this.#cpu)) {
      return this.#beginOf(frame.pc);
    }
    return frameIndex === 0 ? this.addressOf(frame.pc) : this.#beginOf(frame.pc);
  }

  /** Where the code of the slot itself begins, not what its function begins with. */
  #beginOf(slot: InsnIndex): bigint | undefined {
    const row = this.rows.slot.indexOf(slot);
    return row < 0 ? this.addressOf(slot) : this.address + BigInt(this.rows.offset[row] ?? 0);
  }
}
