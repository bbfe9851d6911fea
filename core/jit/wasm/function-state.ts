import * as layout from '../../vm/layout.ts';
import { Code } from '../../wasm/code.ts';
import { OP } from '../../wasm/opcodes.ts';
import { registersOf } from './leave-code.ts';
import * as local from './locals.ts';
import { ARGUMENTS, AX, type JitOp } from './ops.ts';

const R10 = 10;
/** Registers that a function keeps in locals, and those of them that may differ from memory; a bit each. */
export interface KeptRegisters {
  readonly used: number;
  readonly dirty: number;
}

/**
 * The code of one function while it is written, and what its state is at the place that is being written: the
 * constructs that are open, and what LEFT and INIT do not tell yet. Every way out of the function goes through it.
 */
export class FunctionState {
  readonly code = new Code();
  readonly registers: KeptRegisters;
  /** What stands at the end of each way out. */
  readonly #leave: Uint8Array;
  /** Constructs that are open. */
  #depth = 0;
  /** Instructions executed, and registers given a value, that the locals do not know of yet. */
  #pending = 0;
  #given = 0;
  /** Register bits that INIT has for certain. */
  #known = 0;

  /** `leave`: index of the function that leaves it (`leaveCode`). */
  constructor(registers: KeptRegisters, leave: number) {
    this.registers = registers;
    const end = new Code(64);
    for (const reg of registersOf(registers.dirty)) end.localGet(local.reg(reg));
    end.call(leave);
    end.op(OP.return);
    this.#leave = end.bytes;
  }

  /** Constructs that are open. */
  get depth(): number {
    return this.#depth;
  }

  /** Begins a construct: `begin` writes its first instruction. */
  open(begin: () => void): void {
    begin();
    this.#depth++;
  }

  /** Ends the innermost construct. */
  close(): void {
    this.code.end();
    this.#depth--;
  }

  /** A block begins, in which INIT has the bits of `known` for certain. */
  beginBlock(known: number): void {
    this.#known = known;
    this.#pending = 0;
    this.#given = 0;
  }

  /** `op` is executed from here on. */
  count(op: JitOp): void {
    this.#pending += op.cost;
  }

  /** Registers got a value, a bit each. */
  give(bits: number): void {
    this.#given |= bits;
  }

  /** Brings LEFT and INIT up to date. */
  settle(): void {
    this.#subtract(this.#pending);
    this.#pending = 0;
    this.#add(this.#given & ~this.#known);
    this.#known |= this.#given;
    this.#given = 0;
  }

  /** INIT is not certain to have these bits any more. */
  forget(bits: number): void {
    this.#known &= ~bits;
  }

  /** R1 … R5 have no value behind a call. */
  loseArguments(): void {
    const { code } = this;
    this.settle();
    code.localGet(local.INIT);
    code.i32Const(~ARGUMENTS);
    code.op(OP.i32_and);
    code.localSet(local.INIT);
    this.forget(ARGUMENTS);
  }

  /** Leaves the function in front of the instruction at `slot`; LEFT and INIT are up to date. */
  leaveAt(slot: number): void {
    this.#leaveAt(slot, 0, 0, 0);
  }

  /** Leaves the function in front of the instruction at `slot`, which has not been counted; LEFT and INIT may be behind. */
  leaveAmid(slot: number): void {
    this.#leaveAt(slot, this.#pending, this.#given & ~this.#known, 0);
  }

  /**
   * Leaves the function in front of `op`, which faults or is rare: it is to be interpreted. `slot`: where it stands, if
   * not where it says (what catches a program that runs past its end says that it is the last instruction).
   */
  trap(op: JitOp, slot: number = op.slot): void {
    this.#leaveAt(slot, this.#pending - op.cost, this.#given & ~this.#known, 1);
  }

  /**
   * By a call, not by a jump to one place: with thousands of jumps there the host's optimising compiler takes minutes
   * and gigabytes to bring the locals of all together.
   */
  #leaveAt(slot: number, count: number, given: number, interpret: 0 | 1): void {
    const { code } = this;
    code.localGet(local.BLOCK);
    this.#pushLeft(count);
    code.localGet(local.DEPTH);
    this.#pushInit(given);
    code.i32Const(slot);
    code.i32Const(interpret);
    code.append(this.#leave);
  }

  #pushLeft(count: number): void {
    const { code } = this;
    code.localGet(local.LEFT);
    if (count === 0) return;
    code.i32Const(count);
    code.op(OP.i32_sub);
  }

  #pushInit(given: number): void {
    const { code } = this;
    code.localGet(local.INIT);
    if (given === 0) return;
    code.i32Const(given);
    code.op(OP.i32_or);
  }

  /** Traps where what is on the stack is not 0. */
  trapIf(op: JitOp): void {
    this.open(() => this.code.if());
    this.trap(op);
    this.close();
  }

  /** Writes registers, LEFT and INIT to their places in memory. */
  leave(): void {
    const { code } = this;
    this.spill(this.registers.dirty);
    code.localGet(local.BLOCK);
    code.localGet(local.LEFT);
    code.access(OP.i32_store, 2, local.CPU_LEFT);
    this.#storeInit();
  }

  /** Returns at the exit instruction `op`, whose place and count are noted. */
  exit(op: JitOp): void {
    const { code } = this;
    this.settle();
    this.spill(this.registers.dirty);
    this.#storeInit();
    this.storeField(layout.CPU_PC, () => code.i32Const(op.slot));
    code.localGet(local.LEFT);
    code.op(OP.return);
  }

  /** Writes these registers, a bit each, to memory. */
  spill(registers: number): void {
    const { code } = this;
    for (let reg = 0; reg <= AX; reg++) {
      if ((registers & (1 << reg)) === 0) continue;
      code.localGet(local.BLOCK);
      code.localGet(local.reg(reg));
      code.access(OP.i64_store, 3, layout.regOffset(reg));
    }
  }

  /** Reads these registers, a bit each, from memory. */
  reload(registers: number): void {
    const { code } = this;
    for (let reg = 0; reg <= AX; reg++) {
      if ((registers & (1 << reg)) === 0) continue;
      code.localGet(local.BLOCK);
      code.access(OP.i64_load, 3, layout.regOffset(reg));
      code.localSet(local.reg(reg));
    }
  }

  /** Reads INIT from memory: only R10 is certain to have a value then. */
  reloadInit(): void {
    const { code } = this;
    code.localGet(local.BLOCK);
    code.access(OP.i32_load, 2, layout.CPU_INITIALISED);
    code.localSet(local.INIT);
    this.#known = 1 << R10;
  }

  /** Stores the 32 bits that `push` leaves on the stack at offset `field` of what the local `base` points to. */
  storeField(field: number, push: () => void, base: number = local.BLOCK): void {
    this.code.localGet(base);
    push();
    this.code.access(OP.i32_store, 2, field);
  }

  #storeInit(): void {
    this.storeField(layout.CPU_INITIALISED, () => this.code.localGet(local.INIT));
  }

  #subtract(count: number): void {
    if (count === 0) return;
    this.#pushLeft(count);
    this.code.localSet(local.LEFT);
  }

  #add(bits: number): void {
    if (bits === 0) return;
    this.#pushInit(bits);
    this.code.localSet(local.INIT);
  }
}
