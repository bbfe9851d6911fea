import { decodeProg } from '../interp/decode.ts';
import type { Op } from '../interp/op.ts';
import { trap } from '../interp/op.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { compileX86 } from '../jit/x86-64/compile-x86.ts';
import type { X86Config } from '../jit/x86-64/config.ts';
import { fillMapAddresses, IMAGES_AT, layOut, x86JitCompiler } from '../jit/x86-64/jit-compiler.ts';
import type { X86Func, X86Program } from '../jit/x86-64/program.ts';
import type { LoadAttr } from '../object/object.ts';
import type { JitCompiler } from '../prog/bpf-int-jit-compile.ts';
import type { BpfProg } from '../prog/prog.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import { NativeFunc } from './native-func.ts';

/** Machine code of a loaded program. */
export interface NativeProg {
  readonly funcs: readonly NativeFunc[];
  readonly main: NativeFunc;
  /** Where code of a slot begins, behind the prologue for a function's first; undefined: there is no such slot. */
  codeAddress(slot: InsnIndex): bigint | undefined;
}

/** Programs start on a page; where images end: in front of what the kernel keeps fixed. */
const PAGE = 4096n;
const IMAGES_END = 0xffffffff_ff000000n;
const PAGE_MASK = PAGE - 1n;
const NO_OFFSETS: ReadonlySet<number> = new Set();
/** Functions after whose entry those of freed programs are forgotten. */
const MANY_FUNCS = 1024;

/** The machine code in one machine: images, each at an address of its own, and which program they belong to. */
export class NativeText {
  readonly config: X86Config;
  /** A run may end in the middle of a BPF instruction. */
  hasAddressBreakpoints = false;
  readonly #machine: Machine;
  /** By the rewritten instructions that they were made of; null: there is none. */
  readonly #made = new WeakMap<Uint8Array, readonly X86Func[] | null>();
  readonly #progs = new WeakMap<ExecProg, NativeProg | null>();
  /** Why there is no machine code, by the rewritten instructions. */
  readonly #refused = new WeakMap<Uint8Array, string>();
  /** By address. */
  #funcs: NativeFunc[] = [];
  #next = IMAGES_AT;

  constructor(machine: Machine, config: X86Config) {
    this.#machine = machine;
    this.config = config;
  }

  /** The compiler for `LoadOptions.jit`: the program's code is then executed from where it puts it. */
  compiler(attr: LoadAttr): JitCompiler {
    return (code) => {
      const compiled = (funcs: readonly X86Func[]): void => this.#keep(code.insns, funcs);
      const input = { machine: this.#machine, attr, config: this.config };
      return x86JitCompiler({ ...input, imageAddr: this.#next, compiled })(code);
    };
  }

  /** Machine code of `prog`, made now where it was loaded without; undefined: the JIT refuses it. */
  of(prog: ExecProg): NativeProg | undefined {
    let known = this.#progs.get(prog);
    if (known === undefined) {
      known = this.#make(prog) ?? null;
      this.#progs.set(prog, known);
    }
    return known ?? undefined;
  }

  /** Why `of` gives none of `prog`: one line for people. */
  whyNot(prog: ExecProg): string {
    return this.#refused.get(prog.xlated) ?? 'a path leads out of one of its functions';
  }

  /** The function whose image holds the address. */
  funcAt(addr: bigint): NativeFunc | undefined {
    return addr >> 32n === 0xffff_ffffn ? this.funcAtLo(Number(addr & 0xffff_ffffn)) : undefined;
  }

  /** The same by the low word; the high word is 0xffffffff. */
  funcAtLo(lo: number): NativeFunc | undefined {
    const unsigned = lo >>> 0;
    let low = 0;
    let high = this.#funcs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#funcs[middle]?.lo ?? 0) <= unsigned) low = middle + 1;
      else high = middle;
    }
    const func = this.#funcs[low - 1];
    return func !== undefined && unsigned < func.lo + func.code.image.length ? func : undefined;
  }

  #keep(insns: Uint8Array, funcs: readonly X86Func[]): void {
    const last = funcs.at(-1);
    if (last !== undefined) {
      const end = last.addr + BigInt(last.image.length);
      this.#next = (end + PAGE_MASK) & ~PAGE_MASK;
      if (this.#next >= IMAGES_END) this.#next = IMAGES_AT;
    }
    this.#made.set(insns, funcs);
  }

  #make(prog: ExecProg): NativeProg | undefined {
    const ops = decodeProg(prog);
    if (!isLoaded(prog) && !staysInside(prog, ops)) return undefined;
    if (!this.#made.has(prog.xlated)) this.#compile(prog);
    const made = this.#made.get(prog.xlated);
    if (!made) return undefined;
    const funcs = made.map((code, index) => new NativeFunc(prog, code, index === 0, ops));
    const [main] = funcs;
    if (main === undefined) return undefined;
    this.#forgetFreed();
    // Addresses are given out again when all have been: what lay there has been freed long since.
    const [first, end] = [main.lo, (funcs.at(-1) ?? main).lo];
    this.#funcs = this.#funcs.filter(({ lo }) => lo < first || lo > end);
    this.#funcs.push(...funcs);
    this.#funcs.sort((a, b) => a.lo - b.lo);
    for (const func of funcs) func.patchSlots();
    const codeAddress = (slot: InsnIndex): bigint | undefined => {
      const func = funcs.find(({ code }) => slot >= code.start && slot < code.end);
      return func && func.code.addr + BigInt(func.startOf(slot));
    };
    return { funcs, main, codeAddress };
  }

  /** Patches the breakpoints that the programs' bytes tell now. */
  patchSlots(): void {
    for (const func of this.#funcs) func.patchSlots();
  }

  /**
   * Breakpoints by address, in place of those of before; an address is that of an instruction's first byte, others are
   * left out.
   */
  setAddressBreakpoints(addresses: Iterable<bigint>): void {
    const byFunc = new Map<NativeFunc, Set<number>>();
    for (const address of addresses) {
      const func = this.funcAt(address);
      if (func === undefined) continue;
      byFunc.set(func, (byFunc.get(func) ?? new Set()).add(Number(address - func.code.addr)));
    }
    for (const func of this.#funcs) func.patches.setAddresses(byFunc.get(func) ?? NO_OFFSETS);
    this.hasAddressBreakpoints = byFunc.size > 0;
  }

  #forgetFreed(): void {
    if (this.#funcs.length < MANY_FUNCS) return;
    this.#funcs = this.#funcs.filter(({ prog }) => this.#machine.progs.get(prog.id) === prog);
  }

  #compile(prog: ExecProg): void {
    if (isLoaded(prog)) {
      const outcome = this.compiler(prog.attr)(prog.code);
      if (!outcome.ok) this.#refuse(prog, outcome.message);
      return;
    }
    const at = this.#next;
    const program: X86Program = {
      insns: prog.xlated,
      funcs: prog.subprogs.map(({ start }) => start),
      stackDepths: prog.subprogs.map(({ stackDepth }) => stackDepth),
      // An arena begins at a multiple of 2^32; its addresses in user space are their low words.
      ...(prog.arenaAddr === undefined ? {} : { arena: { kernVmStart: prog.arenaAddr, userVmStart: 0n } }),
      imageAddrs: prog.subprogs.map(() => at),
      layOut: (lengths) => layOut(lengths, at),
    };
    const outcome = compileX86(program, this.config);
    if (!outcome.ok) {
      const { slot, message } = outcome;
      this.#refuse(prog, slot === undefined ? message : `instruction ${slot}: ${message}`);
      return;
    }
    for (const func of outcome.funcs) fillMapAddresses(this.#machine, { insns: prog.xlated }, func);
    this.#keep(prog.xlated, outcome.funcs);
  }

  #refuse({ xlated }: ExecProg, message: string): void {
    this.#made.set(xlated, null);
    this.#refused.set(xlated, message);
  }
}

/** It came through `bpf_prog_load` and says what it was loaded from. */
function isLoaded(prog: ExecProg): prog is BpfProg {
  return 'attr' in prog && 'code' in prog;
}

/**
 * Whether no path leads out of a function or into the middle of an instruction: the loader sees to it, programs that
 * were never loaded may get it wrong.
 */
function staysInside(prog: ExecProg, ops: readonly Op[]): boolean {
  const isInsn = (slot: number): boolean => ops[slot] !== undefined && ops[slot]?.exec !== trap;
  return prog.subprogs.every(({ start, end }) => {
    let last = start;
    for (let slot = start; slot < end; slot = ops[slot]?.next ?? end) {
      const op = ops[slot];
      if (op === undefined || !isInsn(slot)) return false;
      if (op.target !== op.next && (op.target < 0 || !isInsn(op.target))) return false;
      last = slot;
    }
    const id = ops[last]?.id;
    return id === 'exit' || id === 'ja' || id === 'jal';
  });
}
