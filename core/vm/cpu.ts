import type { InsnIndex } from '../isa/insn.ts';
import * as layout from './layout.ts';
import type { LinearMemory } from './memory.ts';
import type { ExecProg, Subprog } from './program.ts';
import type { Region } from './region.ts';

/** What the current run works on, for helpers. Set by whoever prepares the input. */
export interface RunEnv {
  /** `xdp`: `ctx` is a `struct xdp_buff`; `skb`: a `struct sk_buff`; `raw`: no packet (memory, a tracepoint's arguments). */
  readonly kind: 'xdp' | 'skb' | 'raw';
  /** What R1 points to at the start; undefined where it is not a context. */
  readonly ctx: Region | undefined;
  /** The packet; helpers that move its start put a new region here. */
  packet: Region | undefined;
}

/** One frame of a CPU's call chain. */
export interface FrameView {
  /** 0: the main function; counts up inwards. */
  readonly index: number;
  /** Slot of the rewritten program: where it stands; in outer frames the call that it waits in. */
  readonly pc: InsnIndex;
  /** Its R10: one past the highest byte of its 512. */
  readonly fp: bigint;
  readonly prog: ExecProg;
  readonly subprog: Subprog;
  /** Value of R`n` in this frame; undefined in outer frames for R0 … R5, which a call does not keep. */
  reg(n: number): bigint | undefined;
}

/** What a Cpu needs of its machine (which is one). */
export interface CpuHost {
  readonly memory: LinearMemory;
  readonly progs: ReadonlyMap<number, ExecProg>;
}

/** A typed view of one CPU block in linear memory: it holds no state of its own but `current`. */
export class Cpu {
  /** Its number, as `bpf_get_smp_processor_id` gives it. */
  readonly index: number;
  /** Byte address of its block; also that of its register block. */
  readonly block: number;
  current: RunEnv | undefined;
  readonly #host: CpuHost;

  constructor(host: CpuHost, index: number) {
    this.#host = host;
    this.index = index;
    this.block = layout.cpuBlock(index);
  }

  /** Value of register `n` (0 … 10; 11 is AX), unsigned. */
  readReg(n: number): bigint {
    return this.#view.getBigUint64(this.block + layout.regOffset(n), true);
  }

  /** Sets register `n` (cut to 64 bits); from now on it counts as having a value. */
  writeReg(n: number, value: bigint): void {
    this.#view.setBigUint64(this.block + layout.regOffset(n), BigInt.asUintN(64, value), true);
    this.#set(layout.CPU_INITIALISED, this.regInitialised | (1 << n));
  }

  /** Slot of the rewritten program that is executed next. */
  get pc(): InsnIndex {
    return this.#get(layout.CPU_PC);
  }

  set pc(slot: InsnIndex) {
    this.#set(layout.CPU_PC, slot);
  }

  /** The program it stands in; undefined before the first `Machine.enter`. */
  get progOrNone(): ExecProg | undefined {
    return this.#host.progs.get(this.#get(layout.CPU_PROG));
  }

  /** The program it stands in. Throws RangeError before the first `Machine.enter`. */
  get prog(): ExecProg {
    const prog = this.progOrNone;
    if (prog === undefined) throw new RangeError(`CPU ${this.index} is not in a program`);
    return prog;
  }

  /** Call depth: 0 in the main function, 7 at most. */
  get depth(): number {
    return this.#get(layout.CPU_DEPTH);
  }

  /** Tail calls made since `Machine.enter`. */
  get tailCalls(): number {
    return this.#get(layout.CPU_TAIL_CALLS);
  }

  /** Instructions executed since `Machine.enter`; a wide one and a faulting one count 1 and 0. */
  get insnsExecuted(): bigint {
    return this.#view.getBigUint64(this.block + layout.CPU_EXECUTED, true);
  }

  /** Bit n: Rn has been given a value in this frame and not lost it to a call since. */
  get regInitialised(): number {
    return this.#get(layout.CPU_INITIALISED);
  }

  /** Makes a running engine return `pause` soon; may be called by another thread when memory is shared. */
  requestPause(): void {
    Atomics.store(this.#host.memory.words, (this.block + layout.CPU_CONTROL) >> 2, layout.CONTROL_PAUSE);
  }

  clearPause(): void {
    Atomics.store(this.#host.memory.words, (this.block + layout.CPU_CONTROL) >> 2, layout.CONTROL_GO);
  }

  /** Region id of frame `depth`'s stack. */
  stackRegionId(depth: number): number {
    return this.#get(layout.CPU_STACK_REGION) + depth;
  }

  /** The call chain, innermost frame first. */
  frames(): readonly FrameView[] {
    const frames: FrameView[] = [];
    let pc = this.pc;
    for (let depth = this.depth; depth >= 0; depth--) {
      const prog = this.#progOfFrame(depth);
      if (prog === undefined) break;
      frames.push(this.#frame(depth, prog, pc));
      pc = this.#view.getUint32(layout.frameRecord(this.block, depth) + layout.FRAME_RETURN, true) - 1;
    }
    return frames;
  }

  /** Name of the stack of frame `depth` as messages give it: `stack of main`. */
  stackName(depth: number): string {
    const name = this.#functionName(depth);
    if (name === undefined) return `stack frame ${depth}`;
    for (let other = 0; other <= this.depth; other++) {
      if (other !== depth && this.#functionName(other) === name) return `stack of ${name} (frame ${depth})`;
    }
    return `stack of ${name}`;
  }

  #functionName(depth: number): string | undefined {
    const prog = depth > this.depth ? undefined : this.#progOfFrame(depth);
    return prog && subprogAt(prog, this.#functionStart(depth)).name;
  }

  /** Slot at which the function of frame `depth` begins. */
  #functionStart(depth: number): InsnIndex {
    return this.#view.getUint32(layout.frameRecord(this.block, depth) + layout.FRAME_START, true);
  }

  #progOfFrame(depth: number): ExecProg | undefined {
    if (depth === this.depth) return this.progOrNone;
    const inner = layout.frameRecord(this.block, depth + 1);
    return this.#host.progs.get(this.#view.getUint32(inner + layout.FRAME_CALLER_PROG, true));
  }

  #frame(depth: number, prog: ExecProg, pc: InsnIndex): FrameView {
    const fp = layout.WINDOW_BASE + (BigInt(this.stackRegionId(depth)) << 32n) + BigInt(layout.MAX_BPF_STACK);
    const innermost = this.depth;
    const reg = (n: number): bigint | undefined => {
      if (n === 10) return fp;
      if (depth === innermost) return this.readReg(n);
      if (n < 6 || n > 9) return undefined;
      const record = layout.frameRecord(this.block, depth + 1);
      return this.#view.getBigUint64(record + layout.FRAME_SAVED + (n - 6) * 8, true);
    };
    return { index: depth, pc, fp, prog, subprog: subprogAt(prog, this.#functionStart(depth)), reg };
  }

  get #view(): DataView {
    return this.#host.memory.view;
  }

  #get(field: number): number {
    return this.#view.getUint32(this.block + field, true);
  }

  #set(field: number, value: number): void {
    this.#view.setUint32(this.block + field, value, true);
  }
}

/** The function of `prog` that slot `pc` lies in; the whole program when it names none. */
export function subprogAt(prog: ExecProg, pc: InsnIndex): Subprog {
  let found: Subprog | undefined;
  for (const subprog of prog.subprogs) if (subprog.start <= pc) found = subprog;
  return (
    found ?? { name: prog.name, start: 0, end: prog.xlated.length >> 3, stackDepth: layout.MAX_BPF_STACK }
  );
}
