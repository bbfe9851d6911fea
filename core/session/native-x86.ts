import { lastUpTo } from '../bytes/ascending.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { X86Config } from '../jit/x86-64/config.ts';
import { decodeX86 } from '../jit/x86-64/decode.ts';
import { kernelName, x86Rows } from '../jit/x86-64/listing.ts';
import { printX86 } from '../jit/x86-64/print.ts';
import { lineOffset } from '../prog/bpf-prog-fill-jited-linfo.ts';
import type { Machine } from '../vm/machine.ts';
import type { NativeFunc } from '../x86-sim/native-func.ts';
import type { NativeProg } from '../x86-sim/native-text.ts';
import { nativeBacktrace, type PatchSite, patchSites } from '../x86-sim/view.ts';
import { x86Sim } from '../x86-sim/x86-sim.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import type { NativeCode, NativeCodeResult, NativeFunction, NativeRows } from './native-code.ts';

const codes = new WeakMap<NativeProg, X86Code>();

/** How patch sites are marked; docs/debugging.md tells what the kernel patches in there. */
const SITE_TEXTS: Readonly<Record<PatchSite['kind'], string>> = {
  entry: 'patch site: entry',
  'tail-call': 'patch site: tail call',
  bypass: 'patch site: bypass',
};

/** The machine code that the x86-64 JIT makes of `program`, where the simulated processor executes it. */
export function x86Code({ machine, cpu }: Loaded, { prog }: DebugProgram): NativeCodeResult {
  const text = x86Sim.text(machine);
  const native = text.of(prog);
  if (native === undefined) return { message: text.whyNot(prog) };
  let code = codes.get(native);
  if (code === undefined) {
    code = new X86Code(machine, cpu.index, native, text.config);
    codes.set(native, code);
  }
  return code;
}

class X86Code implements NativeCode {
  readonly arch = 'x86-64';
  readonly funcs: readonly NativeFunction[];
  readonly address: bigint;
  readonly rows: NativeRows;
  readonly #machine: Machine;
  readonly #cpu: number;
  readonly #native: NativeProg;
  readonly #config: X86Config;
  readonly #sites = new Map<NativeFunc, ReadonlyMap<number, PatchSite['kind']>>();

  constructor(machine: Machine, cpu: number, native: NativeProg, config: X86Config) {
    this.#machine = machine;
    this.#cpu = cpu;
    this.#native = native;
    this.#config = config;
    const { subprogs } = native.main.prog;
    this.funcs = native.funcs.map(({ code }) => ({
      name: subprogs.find(({ start }) => start === code.start)?.name ?? `func_${code.start}`,
      start: code.start,
      address: code.addr,
      length: code.image.length,
    }));
    this.address = native.main.code.addr;
    const images = native.funcs.map(({ code }) => code);
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
    const site = this.#patchSitesOf(place.func).get(place.at);
    return site === undefined ? text : `${text} ; ${SITE_TEXTS[site]}`;
  }

  rowAt(address: bigint): number {
    const { offset, length, count } = this.rows;
    const wanted = Number(address - this.address);
    const row = lastUpTo(count, wanted, (at) => offset[at] ?? 0);
    return row >= 0 && wanted < (offset[row] ?? 0) + (length[row] ?? 0) ? row : -1;
  }

  addressOf(slot: InsnIndex): bigint | undefined {
    const func = this.#native.funcs.find(({ code }) => slot >= code.start && slot < code.end);
    return func && func.code.addr + BigInt(lineOffset(func.code, slot));
  }

  currentAddress(frameIndex: number): bigint | undefined {
    const cpu = this.#machine.cpu(this.#cpu);
    const processor = cpu.progOrNone === undefined ? undefined : x86Sim.at(this.#machine, this.#cpu);
    const frame = processor && nativeBacktrace(processor)[frameIndex];
    return frame?.prog === this.#native.main.prog ? frame.addr : undefined;
  }

  isPatched(row: number): boolean {
    const place = this.#place(row);
    return place?.func.isPatched(place.at) ?? false;
  }

  /** By offset; what the kernel patches there depends on the moment, the code shown is as compiled. */
  #patchSitesOf(func: NativeFunc): ReadonlyMap<number, PatchSite['kind']> {
    let sites = this.#sites.get(func);
    if (sites === undefined) {
      sites = new Map(patchSites(func).map(({ offset, kind }) => [offset, kind]));
      this.#sites.set(func, sites);
    }
    return sites;
  }

  #place(row: number) {
    const offset = this.rows.offset[row];
    if (offset === undefined) return undefined;
    const addr = this.address + BigInt(offset);
    const func = this.#funcAt(addr);
    if (func === undefined) return undefined;
    const at = Number(addr - func.code.addr);
    return { func, image: func.code.image, at, length: this.rows.length[row] ?? 0, addr };
  }

  #funcAt(addr: bigint): NativeFunc | undefined {
    return this.#native.funcs.find(
      ({ code }) => addr >= code.addr && addr < code.addr + BigInt(code.image.length),
    );
  }

  /** Where a jump or call leads; what lies outside of the function has a name. */
  #target(addr: bigint, func: NativeFunc): string {
    const hex = `0x${addr.toString(16)}`;
    const inside = this.#funcAt(addr);
    if (inside === func) return hex;
    const known = this.funcs.find(({ address }) => address === addr)?.name ?? kernelName(this.#config, addr);
    return known === undefined ? hex : `${hex} <${known}>`;
  }
}
