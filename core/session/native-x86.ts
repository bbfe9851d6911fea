import { lastUpTo } from '../bytes/ascending.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { X86Config } from '../jit/x86-64/config.ts';
import { decodeX86 } from '../jit/x86-64/decode.ts';
import { x86JitCompiler } from '../jit/x86-64/jit-compiler.ts';
import { kernelName, x86Rows } from '../jit/x86-64/listing.ts';
import { printX86 } from '../jit/x86-64/print.ts';
import type { X86Func } from '../jit/x86-64/program.ts';
import { lineOffset } from '../prog/bpf-prog-fill-jited-linfo.ts';
import type { BpfProg } from '../prog/prog.ts';
import type { Machine } from '../vm/machine.ts';
import type { NativeProg } from '../x86-sim/native-text.ts';
import { nativeBacktrace } from '../x86-sim/view.ts';
import { x86Sim } from '../x86-sim/x86-sim.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import type { NativeCode, NativeCodeResult, NativeFunction, NativeRows } from './native-code.ts';
import { PatchSites } from './patch-sites.ts';

const codes = new WeakMap<NativeProg, ExecutedX86>();
const shown = new WeakMap<BpfProg, NativeCodeResult>();

/** The machine code that the x86-64 JIT makes of `program`, where the simulated processor executes it. */
export function x86Code({ machine, cpu }: Loaded, { prog }: DebugProgram): NativeCodeResult {
  const text = x86Sim.text(machine);
  const native = text.of(prog);
  if (native === undefined) return { message: text.whyNot(prog) };
  let code = codes.get(native);
  if (code === undefined) {
    code = new ExecutedX86(machine, cpu.index, prog, native, text.config);
    codes.set(native, code);
  }
  return code;
}

/** The same for a program that nothing executes: images only, which takes half of the memory. */
export function x86CodeForShow(machine: Machine, { prog }: DebugProgram): NativeCodeResult {
  let code = shown.get(prog);
  if (code === undefined) {
    const { config } = x86Sim.text(machine);
    let funcs: readonly X86Func[] = [];
    const compile = x86JitCompiler({
      machine,
      attr: prog.attr,
      config,
      compiled: (made) => {
        funcs = made;
      },
    });
    const outcome = compile(prog.code);
    code = outcome.ok
      ? new X86Code(prog, funcs, config, new PatchSites(machine, prog, false))
      : { message: outcome.message };
    shown.set(prog, code);
  }
  return code;
}

class X86Code implements NativeCode {
  readonly arch = 'x86-64';
  readonly funcs: readonly NativeFunction[];
  readonly address: bigint;
  readonly rows: NativeRows;
  readonly #images: readonly X86Func[];
  readonly #config: X86Config;
  readonly #sites: PatchSites;

  constructor(prog: BpfProg, images: readonly X86Func[], config: X86Config, sites: PatchSites) {
    this.#images = images;
    this.#config = config;
    this.#sites = sites;
    const names = new Map(prog.subprogs.map(({ start, name }) => [start, name]));
    this.funcs = images.map(({ start, addr, image }) => ({
      name: names.get(start) ?? `func_${start}`,
      start,
      address: addr,
      length: image.length,
    }));
    this.address = images[0]?.addr ?? 0n;
    this.rows = x86Rows(images, this.address);
  }

  bytes(row: number): Uint8Array {
    const place = this.#place(row);
    return place === undefined ? new Uint8Array() : place.image.slice(place.at, place.at + place.length);
  }

  text(row: number): string {
    const place = this.#place(row);
    if (place === undefined) return '';
    const insn = decodeX86(place.image, place.at);
    if (insn === undefined) return '(bad)';
    const text = printX86(insn, { addr: place.addr, target: (addr) => this.#target(addr, place.func) });
    const site = this.#sites.text(place.func, insn, { at: place.at, slot: this.rows.slot[row] ?? -1 });
    return site === undefined ? text : `${text} ; ${site}`;
  }

  get state(): string {
    return this.#sites.state;
  }

  rowAt(address: bigint): number {
    const { offset, length, count } = this.rows;
    const wanted = Number(address - this.address);
    const row = lastUpTo(count, wanted, (at) => offset[at] ?? 0);
    return row >= 0 && wanted < (offset[row] ?? 0) + (length[row] ?? 0) ? row : -1;
  }

  addressOf(slot: InsnIndex): bigint | undefined {
    const func = this.#images.find(({ start, end }) => slot >= start && slot < end);
    return func && func.addr + BigInt(lineOffset(func, slot));
  }

  /** Nothing executes it. */
  currentAddress(_frameIndex: number): bigint | undefined {
    return undefined;
  }

  #place(row: number) {
    const offset = this.rows.offset[row];
    if (offset === undefined) return undefined;
    const addr = this.address + BigInt(offset);
    const func = this.#funcAt(addr);
    if (func === undefined) return undefined;
    const at = Number(addr - func.addr);
    return { func, image: func.image, at, length: this.rows.length[row] ?? 0, addr };
  }

  #funcAt(at: bigint): X86Func | undefined {
    return this.#images.find(({ addr, image }) => at >= addr && at < addr + BigInt(image.length));
  }

  /** Where a jump or call leads; what lies outside of the function has a name. */
  #target(addr: bigint, func: X86Func): string {
    const hex = `0x${addr.toString(16)}`;
    const inside = this.#funcAt(addr);
    if (inside === func) return hex;
    const known = this.funcs.find(({ address }) => address === addr)?.name ?? kernelName(this.#config, addr);
    return known === undefined ? hex : `${hex} <${known}>`;
  }
}

/** Code that the simulated processor may execute, with the breakpoints that are patched in. */
class ExecutedX86 extends X86Code {
  readonly #machine: Machine;
  readonly #cpu: number;
  readonly #native: NativeProg;
  readonly #prog: BpfProg;

  constructor(machine: Machine, cpu: number, prog: BpfProg, native: NativeProg, config: X86Config) {
    const images = native.funcs.map(({ code }) => code);
    super(prog, images, config, new PatchSites(machine, prog, true));
    this.#machine = machine;
    this.#cpu = cpu;
    this.#native = native;
    this.#prog = prog;
  }

  override currentAddress(frameIndex: number): bigint | undefined {
    const cpu = this.#machine.cpu(this.#cpu);
    const processor = cpu.progOrNone === undefined ? undefined : x86Sim.at(this.#machine, this.#cpu);
    const frame = processor && nativeBacktrace(processor)[frameIndex];
    return frame?.prog === this.#prog ? frame.addr : undefined;
  }

  isPatched(row: number): boolean {
    const address = this.address + BigInt(this.rows.offset[row] ?? 0);
    const func = this.#native.funcs.find(
      ({ code }) => address >= code.addr && address < code.addr + BigInt(code.image.length),
    );
    return func?.isPatched(Number(address - func.code.addr)) ?? false;
  }
}
