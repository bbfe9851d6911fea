import * as layout from '../../vm/layout.ts';
import { OP } from '../../wasm/opcodes.ts';
import type { AccessEmitter } from './access-code.ts';
import { emitAlu, emitCondition } from './alu.ts';
import type { CalleeFacts } from './callees.ts';
import type { FunctionState } from './function-state.ts';
import type { Inlined } from './inlining.ts';
import * as local from './locals.ts';
import { ARGUMENTS, AX, type JitOp } from './ops.ts';
import { pushCalleeDepth, pushFramePointer, pushStackEntry } from './stack-frame.ts';
import { emitFlow } from './structure.ts';

const R10 = 10;
/** What a call leaves as it was: R6 … R9 for the caller; all other registers are the callee's. */
const CALLER_SAVED = 1 | ARGUMENTS | (1 << AX);

/** What calls are compiled with. */
export interface CallContext {
  /** Index of the function that zeroes a frame. */
  readonly clear: number;
  /** Index of the compiled function that begins at a slot. */
  readonly callee: (slot: number) => number;
  /** The function at a slot, where it is to be written at its calls. */
  readonly inlined: (slot: number) => Inlined | undefined;
  readonly progId: number;
  /** Address of the breakpoint flags that it tests; undefined: it tests none. */
  readonly flagsAt: number | undefined;
}

/** Calls of program-local functions: what `call_local` and `leave` do in core/interp/calls.ts. */
export class CallEmitter {
  readonly #context: CallContext;
  readonly #state: FunctionState;
  readonly #accesses: AccessEmitter;

  constructor(context: CallContext, state: FunctionState, accesses: AccessEmitter) {
    this.#context = context;
    this.#state = state;
    this.#accesses = accesses;
  }

  /** Writes the call `op` of a function of which `callee` is known. */
  emit(op: JitOp, callee: CalleeFacts): void {
    const inlined = this.#context.inlined(op.target);
    if (inlined === undefined) {
      this.#call(op, callee);
      return;
    }
    const state = this.#state;
    const { code } = state;
    state.settle();
    state.open(() => code.block());
    const done = state.depth;
    state.open(() => code.block());
    // It is called where it would have to be left: at a breakpoint, or when too little is left, or too many frames are
    // there.
    this.#testFlags(inlined.flagged);
    code.localGet(local.LEFT);
    code.i32Const(inlined.cost);
    code.op(OP.i32_lt_s);
    code.brIf(0);
    code.localGet(local.DEPTH);
    code.i32Const(layout.MAX_CALL_FRAMES - inlined.height);
    code.op(OP.i32_ge_s);
    code.brIf(0);
    this.#writeInlined(inlined);
    // Of the callee's registers only R0 has a value.
    code.localGet(local.INIT);
    code.i32Const(~(ARGUMENTS | 1));
    code.op(OP.i32_and);
    code.i32Const(1);
    code.op(OP.i32_or);
    code.localSet(local.INIT);
    code.br(state.depth - done);
    state.close();
    this.#call(op, callee);
    state.close();
  }

  /** Branches to the innermost label where one of these breakpoint flags is set. */
  #testFlags(slots: readonly number[]): void {
    const { flagsAt } = this.#context;
    if (flagsAt === undefined) return;
    const { code } = this.#state;
    for (const [i, slot] of slots.entries()) {
      code.i32Const(0);
      code.access(OP.i32_load8_u, 0, flagsAt + slot);
      if (i > 0) code.op(OP.i32_or);
    }
    code.brIf(0);
  }

  /** Writes a function itself; LEFT is up to date before and behind it. */
  #writeInlined({ flow, changed }: Inlined): void {
    const state = this.#state;
    const { code } = state;
    const kept = [6, 7, 8, 9].filter((reg) => changed & (1 << reg));
    for (const reg of kept) {
      code.localGet(local.reg(reg));
      code.localSet(local.saved(reg));
    }
    state.open(() => code.block());
    const end = state.depth;
    emitFlow(flow, code, {
      depth: () => state.depth,
      open: (begin) => state.open(begin),
      close: () => state.close(),
      body: ({ ops }) => {
        for (const op of ops) this.#writeOp(op);
        state.settle();
        if (ops.at(-1)?.flow === 'exit') code.br(state.depth - end);
      },
      condition: (op) => emitCondition(code, op),
    });
    code.op(OP.unreachable);
    state.close();
    for (const reg of kept) {
      code.localGet(local.saved(reg));
      code.localSet(local.reg(reg));
    }
  }

  #writeOp(op: JitOp): void {
    const state = this.#state;
    state.count(op);
    if (op.flow === 'next') emitAlu(state.code, op, this.#context.progId);
    if (op.flow !== 'call') return;
    const inlined = this.#context.inlined(op.target);
    if (inlined === undefined) throw new RangeError(`slot ${op.slot}: its callee is not inlined`);
    state.settle();
    this.#writeInlined(inlined);
  }

  #call(op: JitOp, callee: CalleeFacts): void {
    const state = this.#state;
    const { code } = state;
    const { dirty } = state.registers;
    // In front of the call: where it is too deep, it has not been counted.
    code.localGet(local.DEPTH);
    code.i32Const(layout.MAX_CALL_FRAMES - 1);
    code.op(OP.i32_ge_s);
    state.trapIf(op);
    state.settle();
    state.spill(dirty & callee.used);
    if (callee.touches) this.#openFrame();
    if (!callee.quiet) this.#enter(op);
    code.localGet(local.BLOCK);
    code.localGet(local.LEFT);
    pushCalleeDepth(code);
    code.localGet(local.INIT);
    code.i32Const(ARGUMENTS);
    code.op(OP.i32_and);
    code.i32Const(1 << R10);
    code.op(OP.i32_or);
    code.call(this.#context.callee(op.target));
    code.localTee(local.LEFT);
    code.i32Const(0);
    code.op(OP.i32_lt_s);
    state.open(() => code.if());
    if (callee.quiet) this.#writeRecord(op, true);
    if (!callee.touches) this.#openFrame();
    state.spill(dirty & ~callee.used);
    code.i32Const(local.LEFT_EARLY);
    code.op(OP.return);
    state.close();
    this.#afterCall(callee);
  }

  /** Shows the call to whoever looks at the machine while the callee runs. */
  #enter(op: JitOp): void {
    const { code } = this.#state;
    this.#writeRecord(op, false);
    this.#state.storeField(layout.CPU_DEPTH, () => pushCalleeDepth(code));
    code.localGet(local.BLOCK);
    pushFramePointer(code);
    code.i64Const(0, 1);
    code.op(OP.i64_add);
    code.access(OP.i64_store, 3, layout.CPU_R10);
  }

  /** Makes the callee's frame accessible, zeroed. */
  #openFrame(): void {
    const { code } = this.#state;
    const entry = this.#calleeEntry();
    code.localGet(entry);
    code.access(OP.i32_load, 2, layout.REGION_SHADOW);
    code.access(OP.i64_load, 0, layout.SHADOW_GROUPS);
    code.op(OP.i64_eqz);
    code.op(OP.i32_eqz);
    this.#state.open(() => code.if());
    code.localGet(entry);
    code.call(this.#context.clear);
    this.#state.close();
    this.#state.storeField(layout.REGION_SIZE, () => code.i32Const(layout.MAX_BPF_STACK), entry);
  }

  /** Puts the address of the callee's frame's entry in the region table into a local, whose index it gives. */
  #calleeEntry(): number {
    const { code } = this.#state;
    pushStackEntry(code, () => pushCalleeDepth(code));
    code.localSet(local.LINEAR);
    return local.LINEAR;
  }

  /**
   * Writes the frame record of the callee. `isLate`: while it is being left; then what neither this function nor
   * its callees have in hand may still be in the locals of an outer one: the engine fills it in.
   */
  #writeRecord(op: JitOp, isLate: boolean): void {
    const state = this.#state;
    const { code } = state;
    const { used } = state.registers;
    const record = local.T0;
    const first = layout.frameRecord(0, 0);
    pushCalleeDepth(code);
    code.i32Const(layout.frameRecord(0, 1) - first);
    code.op(OP.i32_mul);
    code.localGet(local.BLOCK);
    code.op(OP.i32_add);
    code.i32Const(first);
    code.op(OP.i32_add);
    code.localSet(record);
    let unsaved = 0;
    for (let reg = 6; reg <= 9; reg++) {
      if (isLate && (used & (1 << reg)) === 0) {
        unsaved |= 1 << reg;
        continue;
      }
      code.localGet(record);
      if (used & (1 << reg)) code.localGet(local.reg(reg));
      else {
        code.localGet(local.BLOCK);
        code.access(OP.i64_load, 3, layout.regOffset(reg));
      }
      code.access(OP.i64_store, 3, layout.FRAME_SAVED + (reg - 6) * 8);
    }
    if (isLate) state.storeField(local.FRAME_UNSAVED, () => code.i32Const(unsaved), record);
    const pushProg = (): void => {
      code.localGet(local.BLOCK);
      code.access(OP.i32_load, 2, layout.CPU_PROG);
    };
    state.storeField(layout.FRAME_RETURN, () => code.i32Const(op.next), record);
    state.storeField(layout.FRAME_CALLER_PROG, pushProg, record);
    state.storeField(layout.FRAME_CALLER_INITIALISED, () => code.localGet(local.INIT), record);
    state.storeField(layout.FRAME_START, () => code.i32Const(op.target), record);
    state.storeField(layout.FRAME_MAY_GOTO, () => code.i32Const(layout.BPF_MAX_LOOPS), record);
  }

  #afterCall(callee: CalleeFacts): void {
    const state = this.#state;
    const { code } = state;
    if (callee.touches) {
      const entry = this.#calleeEntry();
      state.storeField(layout.REGION_SIZE, () => code.i32Const(0), entry);
    }
    if (!callee.quiet) {
      state.storeField(layout.CPU_DEPTH, () => code.localGet(local.DEPTH));
      code.localGet(local.BLOCK);
      pushFramePointer(code);
      code.access(OP.i64_store, 3, layout.CPU_R10);
      this.#accesses.forgetRegions();
    }
    // Of the callee's registers only R0 can have a value, where the callee gave it one.
    code.localGet(local.INIT);
    code.i32Const(~(ARGUMENTS | 1));
    code.op(OP.i32_and);
    code.localGet(local.BLOCK);
    code.access(OP.i32_load, 2, layout.CPU_INITIALISED);
    code.i32Const(1);
    code.op(OP.i32_and);
    code.op(OP.i32_or);
    code.localSet(local.INIT);
    state.forget(ARGUMENTS | 1);
    state.reload(CALLER_SAVED & callee.changed & state.registers.used);
  }
}
