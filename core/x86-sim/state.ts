import type { ExecState, Op } from '../interp/op.ts';
import { BPF_REG_AX, BPF_REG_FP } from '../isa/registers.ts';
import { BPF_TO_X86, RSP } from '../jit/x86-64/registers.ts';
import * as layout from '../vm/layout.ts';
import type { NativeFunc, SlotInfo } from './native-func.ts';
import type { NativeStack } from './native-stack.ts';
import type { NativeText } from './native-text.ts';

/** A simulated x86-64 processor that runs the program of one CPU of the machine. */
export interface Native {
  /** What the interpreters keep, which the machine's functions (helpers, frames) work on. */
  readonly s: ExecState;
  /** Where the machine's machine code lies. */
  readonly text: NativeText;
  readonly stack: NativeStack;
  /** General registers: low word of register r at 2r, high word behind it; signed. */
  readonly regs: Int32Array;
  /**
   * Flags as CMP, TEST, arithmetic and shifts leave them. IMUL and DIV, behind which nothing that is emitted reads
   * flags, leave them alone.
   */
  zf: boolean;
  sf: boolean;
  cf: boolean;
  of: boolean;
  /** The value that was read or computed last. */
  lo: number;
  hi: number;
  /** The function and the offset in it of the next instruction: rip. */
  func: NativeFunc;
  at: number;
  /** The BPF instruction that the machine code belongs to, and what is known of it. */
  cur: Op;
  info: SlotInfo;
  /** Slot that is to begin at rip; −1: in the middle of `cur`. */
  arrive: number;
  /** The last instruction jumped: the next offset alone does not tell, where code of no length lies between. */
  jumped: boolean;
  /**
   * Bit n: on the way into a function machine code keeps something else where Rn lives (the tail-call count, what a
   * tail call gave back to the caller), and on the way out the caller's; the register block holds its value.
   */
  hidden: number;
  /** An access that faults is passed over (exception table) instead of ending the run. */
  skip: boolean;
  /** The program arrived in has no machine code: somebody else goes on from `arrive`. */
  handOver: boolean;
  /** Native instructions that may still be executed. */
  steps: number;
  /** Breakpoints stop. */
  obeys: boolean;
  /** Offset of a breakpoint that was decided on: the instruction below it is executed next; −1: none. */
  over: number;
  /** A native instruction was executed since the run began at a breakpoint that was gone over. */
  hasMoved: boolean;
  /** The function was entered at its first byte, or the breakpoint there was gone over. */
  entered: boolean;
  /**
   * The registers when `cur` began: until it ends its machine code may have use for others than its result, and what
   * BPF registers hold are these. Kept only where a run can end in the middle of an instruction (`keeps`).
   */
  readonly before: Int32Array;
  keeps: boolean;
  /** Registers that a debugger changed amid `cur`, which may give them old values back: set again when it ends. */
  edited: Map<number, readonly [lo: number, hi: number]> | undefined;
}

/** Executes one instruction; the offset of the next one in `Native.func`, or STOP. */
export type Exec = (n: Native) => number;

const FP = 1 << BPF_REG_FP;

/**
 * Registers that go to and fro, by bit. On the way into a function rbp is the caller's, while R10 in the register
 * block is that of the frame already.
 */
function keptRegisters(n: Native): number {
  return n.at < n.func.tailCallEntry ? ~(n.hidden | FP) : ~n.hidden;
}

/** Writes the registers that BPF registers live in to the register block. */
export function syncOut(n: Native): void {
  const { view, block } = n.s;
  const kept = keptRegisters(n);
  for (let bpf = 0; bpf <= BPF_REG_AX; bpf++) {
    if (((kept >> bpf) & 1) === 0) continue;
    const at = block + layout.regOffset(bpf);
    const reg = BPF_TO_X86[bpf] ?? 0;
    view.setInt32(at, n.regs[reg * 2] ?? 0, true);
    view.setInt32(at + 4, n.regs[reg * 2 + 1] ?? 0, true);
  }
}

/** In the middle of a BPF instruction, where its machine code may have registers in use. */
function isAmid(n: Native): boolean {
  return n.arrive < 0 && n.hidden === 0 && n.at >= n.func.code.prologueLen;
}

/** As `syncOut`, for others to see: the registers as they are between two BPF instructions. */
export function showRegisters(n: Native): void {
  if (!isAmid(n)) {
    syncOut(n);
    return;
  }
  const { view, block } = n.s;
  for (let bpf = 0; bpf <= BPF_REG_AX; bpf++) {
    const at = block + layout.regOffset(bpf);
    const reg = BPF_TO_X86[bpf] ?? 0;
    view.setInt32(at, n.before[reg * 2] ?? 0, true);
    view.setInt32(at + 4, n.before[reg * 2 + 1] ?? 0, true);
  }
}

/** As `syncIn`, of what others may have changed since `showRegisters`. */
export function takeRegisters(n: Native): void {
  if (!isAmid(n)) {
    syncIn(n);
    return;
  }
  const { view, block } = n.s;
  const { before, regs } = n;
  for (let bpf = 0; bpf <= BPF_REG_AX; bpf++) {
    const at = block + layout.regOffset(bpf);
    const i = (BPF_TO_X86[bpf] ?? 0) * 2;
    const value = [view.getInt32(at, true), view.getInt32(at + 4, true)] as const;
    if (value[0] === before[i] && value[1] === before[i + 1]) continue;
    if (regs[i] === before[i] && regs[i + 1] === before[i + 1]) regs.set(value, i);
    n.edited = (n.edited ?? new Map()).set(bpf, value);
    before.set(value, i);
  }
}

/** Gives registers what a debugger set them to amid the instruction, but for those that it wrote. */
export function giveEdited(n: Native): void {
  for (const [bpf, [lo, hi]] of n.edited ?? []) {
    if (((n.cur.writes >> bpf) & 1) === 0) setReg(n, BPF_TO_X86[bpf] ?? 0, lo, hi);
  }
  n.edited = undefined;
}

/** Takes them from there. */
export function syncIn(n: Native): void {
  const { view, block } = n.s;
  const kept = keptRegisters(n);
  for (let bpf = 0; bpf <= BPF_REG_AX; bpf++) {
    if (((kept >> bpf) & 1) === 0) continue;
    const at = block + layout.regOffset(bpf);
    setReg(n, BPF_TO_X86[bpf] ?? 0, view.getInt32(at, true), view.getInt32(at + 4, true));
  }
}

/** Sets a 64-bit register. */
export function setReg(n: Native, reg: number, lo: number, hi: number): void {
  n.regs[reg * 2] = lo;
  n.regs[reg * 2 + 1] = hi;
}

/** Adds a small number to a 64-bit register; flags stay. */
export function addToReg(n: Native, reg: number, by: number): void {
  const lo = (n.regs[reg * 2] ?? 0) >>> 0;
  const sum = lo + by;
  const carry = sum < 0 ? -1 : sum >= 2 ** 32 ? 1 : 0;
  setReg(n, reg, sum | 0, ((n.regs[reg * 2 + 1] ?? 0) + carry) | 0);
}

/** Pushes 64 bits. */
export function push(n: Native, lo: number, hi: number): void {
  addToReg(n, RSP, -8);
  n.stack.store(n.regs[RSP * 2] ?? 0, n.regs[RSP * 2 + 1] ?? 0, 8, lo, hi);
}

/** Pops 64 bits into `lo` and `hi`. */
export function pop(n: Native): void {
  n.stack.load(n.regs[RSP * 2] ?? 0, n.regs[RSP * 2 + 1] ?? 0, 8);
  n.lo = n.stack.lo;
  n.hi = n.stack.hi;
  addToReg(n, RSP, 8);
}
