import type { Code } from '../../wasm/code.ts';
import type { Locals } from '../../wasm/module.ts';
import { I32, OP } from '../../wasm/opcodes.ts';
import { type AccessContext, AccessEmitter } from './access-code.ts';
import { emitAlu, emitCondition } from './alu.ts';
import { MAX_STRETCH } from './breakpoint-flags.ts';
import { type CallContext, CallEmitter } from './call-code.ts';
import { CALLEE_SAVED, type CalleeFacts } from './callees.ts';
import type { Block, Flow } from './flow.ts';
import { FunctionState, type KeptRegisters } from './function-state.ts';
import * as local from './locals.ts';
import { AX, type JitOp } from './ops.ts';
import { initialisedOf, newFacts, PointerFacts, passFacts } from './pointer-facts.ts';
import { RegionCaches } from './region-caches.ts';
import { markAllWritten } from './shadow-code.ts';
import { findFrame, pushFramePointer } from './stack-frame.ts';
import { emitFlow } from './structure.ts';

const R10 = 10;
/** Where a callee keeps nothing apart: what callers must take it for. */
const ANYTHING: CalleeFacts = { quiet: false, touches: true, used: 0xfff, changed: 0xfff };

/** Where code begins that belongs to no instruction. */
export const NO_SLOT = -1;

/** What a function is compiled with. */
export interface FunctionContext extends AccessContext, CallContext {
  readonly flow: Flow;
  /** Value of a map load, by its words; undefined: it is done by the reference engine. */
  readonly mapAddress: (op: JitOp) => readonly [low: number, high: number] | undefined;
  /** Index of the function that does one instruction in the reference engine. */
  readonly step: number;
  /** Index of the function that leaves those which keep these registers, a bit each (`leaveCode`). */
  readonly leave: (registers: number) => number;
  /** What is known of the function that begins at a slot; undefined: nothing. */
  readonly facts: (slot: number) => CalleeFacts | undefined;
}

/** A compiled function. */
export interface EmittedFunction {
  readonly code: Code;
  readonly locals: Locals;
  /** By order of code: offset of each instruction's first byte, with its slot; NO_SLOT: what follows is no instruction's. */
  readonly offsets: readonly (readonly [slot: number, offset: number])[];
}

/** Type of every compiled function. */
export const FUNCTION_TYPE = { params: [I32, I32, I32, I32], results: [I32] } as const;

/** Compiles the function whose control flow is `context.flow`: `f(block, left, depth, init) → left`, or LEFT_EARLY. */
export function emitFunction(context: FunctionContext): EmittedFunction {
  return new FunctionEmitter(context).emit();
}

class FunctionEmitter {
  readonly #context: FunctionContext;
  readonly #state: FunctionState;
  readonly #code: Code;
  readonly #caches: RegionCaches;
  readonly #accesses: AccessEmitter;
  readonly #calls: CallEmitter;
  readonly #facts: PointerFacts;
  /** The facts at the place that is being written. */
  readonly #now = newFacts();
  readonly #offsets: [slot: number, offset: number][] = [];

  constructor(context: FunctionContext) {
    this.#context = context;
    this.#facts = new PointerFacts(context.flow, context);
    this.#state = newState(context);
    this.#code = this.#state.code;
    this.#caches = new RegionCaches(context, context.flow, this.#facts);
    this.#accesses = new AccessEmitter(context, this.#state, this.#caches);
    this.#calls = new CallEmitter(context, this.#state, this.#accesses);
  }

  emit(): EmittedFunction {
    const code = this.#code;
    const state = this.#state;
    const { flow } = this.#context;
    this.#prologue();
    this.#facts.read(0, this.#now);
    this.#accesses.findRegions('entry', this.#now);
    emitFlow(flow, code, {
      depth: () => state.depth,
      open: (begin) => state.open(begin),
      close: () => state.close(),
      body: (block, index) => this.#body(block, index),
      condition: (op) => emitCondition(code, op),
    });
    this.#offsets.push([NO_SLOT, code.length]);
    code.op(OP.unreachable);
    return { code, locals: local.localsWith(this.#caches.count), offsets: this.#offsets };
  }

  #prologue(): void {
    const code = this.#code;
    const { used } = this.#state.registers;
    this.#state.reload(used & ~(1 << R10));
    if (used & (1 << R10)) {
      pushFramePointer(code);
      code.localSet(local.reg(R10));
    }
    const { limit } = this.#context;
    if (accessesMemory(this.#context.flow)) findFrame(code);
    else if (limit !== undefined && used & (1 << R10)) findFrame(code);
    if (limit === undefined) return;
    // Stores are not noted: all of the frame is taken for written, so that the next one here begins with zeroes.
    if (used & (1 << R10)) markAllWritten(code);
    this.#accesses.forgetRegions();
  }

  #body(block: Block, index: number): void {
    const { flow } = this.#context;
    this.#facts.read(index, this.#now);
    this.#state.beginBlock(initialisedOf(this.#now));
    if (flow.isCheckPoint[index]) this.#checkPoint(block, flow.cost[index] ?? 0);
    this.#accesses.findRegions({ block: index }, this.#now);
    let slot = block.start;
    for (const [i, op] of block.ops.entries()) {
      this.#offsets.push([op.slot, this.#code.length]);
      if (i % MAX_STRETCH === 0) this.#flag(slot);
      this.#op(op, slot);
      slot = op.next;
    }
    const last = block.ops.at(-1);
    if (last !== undefined && last.flow !== 'trap' && last.flow !== 'exit') this.#state.settle();
  }

  #checkPoint(block: Block, cost: number): void {
    if (cost === 0) return;
    const code = this.#code;
    this.#offsets.push([NO_SLOT, code.length]);
    code.localGet(local.LEFT);
    code.i32Const(cost);
    code.op(OP.i32_lt_s);
    this.#state.open(() => code.if());
    this.#state.leaveAt(block.start);
    this.#state.close();
  }

  /** Leaves the function in front of `slot` where a breakpoint is set there or soon behind it. */
  #flag(slot: number): void {
    const { flagsAt } = this.#context;
    if (flagsAt === undefined) return;
    this.#code.i32Const(0);
    this.#code.access(OP.i32_load8_u, 0, flagsAt + slot);
    this.#state.open(() => this.#code.if());
    this.#state.leaveAmid(slot);
    this.#state.close();
  }

  #op(op: JitOp, slot: number): void {
    const state = this.#state;
    const lowering = op.lowering;
    state.count(op);
    const flow = op.flow;
    if (flow === 'trap') state.trap(op, slot);
    else if (flow === 'exit') state.exit(op);
    else if (flow === 'call') this.#calls.emit(op, calleeOf(this.#context, op));
    else if (lowering === 'step') this.#step(op);
    else if (op.isStray) {
      emitCondition(this.#code, op);
      state.trapIf(op);
    } else if (flow === 'next') this.#plain(op);
    if (lowering === 'lookup') state.loseArguments();
    if (lowering !== 'step' && flow !== 'call') state.give(op.writes);
    passFacts(this.#now, op, this.#context);
    if (flow !== 'trap' && flow !== 'exit') this.#accesses.findRegions({ behind: op.slot }, this.#now);
  }

  #plain(op: JitOp): void {
    if (this.#accesses.emit(op, this.#now) || emitAlu(this.#code, op, this.#context.progId)) return;
    const address = this.#context.mapAddress(op);
    if (address === undefined) throw new RangeError(`slot ${op.slot}: ${op.id} cannot be compiled`);
    this.#code.i64Const(...address);
    this.#code.localSet(local.reg(op.dst));
  }

  /** Has one instruction done by the reference engine and goes on behind it, where that is where it leads. */
  #step(op: JitOp): void {
    const code = this.#code;
    const state = this.#state;
    state.settle();
    state.leave();
    code.i32Const(op.slot);
    code.call(this.#context.step);
    state.open(() => code.if());
    code.i32Const(local.LEFT_EARLY);
    code.op(OP.return);
    state.close();
    state.reload((op.changes | 1 | (1 << AX)) & state.registers.used);
    state.reloadInit();
    this.#accesses.forgetRegions();
  }
}

function newState(context: FunctionContext): FunctionState {
  const registers = keptRegisters(context);
  return new FunctionState(registers, context.leave(registers.dirty));
}

function keptRegisters(context: FunctionContext): KeptRegisters {
  let used = 0;
  let dirty = 0;
  for (const { ops } of context.flow.blocks) {
    for (const op of ops) {
      used |= op.mentions;
      dirty |= op.changes;
      // What a callee changes of these is put back from the caller's locals.
      if (op.flow !== 'call') continue;
      dirty |= calleeOf(context, op).changed & CALLEE_SAVED;
      const inlined = context.inlined(op.target);
      used |= inlined?.used ?? 0;
      dirty |= inlined?.changed ?? 0;
    }
  }
  return { used: used | dirty, dirty: dirty & ~(1 << R10) };
}

function calleeOf(context: FunctionContext, call: JitOp): CalleeFacts {
  return context.facts(call.target) ?? ANYTHING;
}

function accessesMemory(flow: Flow): boolean {
  return flow.blocks.some(({ ops }) =>
    ops.some((op) => op.load !== undefined || op.store !== undefined || op.atomic !== undefined),
  );
}
