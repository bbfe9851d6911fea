import type { Op } from '../../interp/op.ts';
import * as layout from '../../vm/layout.ts';
import { Code } from '../../wasm/code.ts';
import type { Locals } from '../../wasm/module.ts';
import { I32, OP } from '../../wasm/opcodes.ts';
import { emitAlu, emitCondition } from './alu.ts';
import { CALLEE_SAVED, type CalleeFacts } from './callees.ts';
import type { Block, Flow } from './flow.ts';
import { FrameFacts, frameOffset, initialisedOf, isWritten, newFacts, passFacts } from './frame-facts.ts';
import * as local from './locals.ts';
import { type Atomic, atomicOf, cacheKey, type Load, loadOf, type Store, storeOf } from './memory.ts';
import {
  ARGUMENTS,
  AX,
  changes,
  dstOf,
  flowOf,
  isStrayBranch,
  type Lowering,
  mentions,
  srcOf,
} from './ops.ts';
import { emitFlow } from './structure.ts';

const R10 = 10;
/** Labels outside all blocks: to be left at SLOT, and the same to have the instruction there interpreted. */
const OUT = 0;
const TRAP = 1;
/** What a call leaves as it was: R6 … R9 for the caller; all other registers are the callee's. */
const CALLER_SAVED = 1 | ARGUMENTS | (1 << AX);
/** Where a callee keeps nothing apart: what callers must take it for. */
const ANYTHING: CalleeFacts = { quiet: false, touches: true, used: 0xfff, changed: 0xfff };

/** What a function is compiled with. */
export interface FunctionContext {
  readonly progId: number;
  readonly flow: Flow;
  readonly lowering: (op: Op) => Lowering;
  /** Value of a map load, by its words; undefined: it is done by the reference engine. */
  readonly mapAddress: (op: Op) => readonly [low: number, high: number] | undefined;
  /** Index of the function that does one instruction in the reference engine, of `lookup` and of `clear`. */
  readonly step: number;
  readonly lookup: number;
  readonly clear: number;
  /** Index of the compiled function that begins at a slot. */
  readonly callee: (slot: number) => number;
  /** What is known of it; undefined: nothing. */
  readonly facts: (slot: number) => CalleeFacts | undefined;
}

/** A compiled function. */
export interface EmittedFunction {
  readonly code: Code;
  readonly locals: Locals;
  /** By order of code: offset of each instruction's first byte, with its slot. */
  readonly offsets: readonly (readonly [slot: number, offset: number])[];
}

/** Compiles the function whose control flow is `context.flow`: `f(block, left, depth, init) → left`, or LEFT_EARLY. */
export function emitFunction(context: FunctionContext): EmittedFunction {
  return new FunctionEmitter(context).emit();
}

class FunctionEmitter {
  readonly #context: FunctionContext;
  readonly #flow: Flow;
  readonly #code = new Code();
  readonly #facts: FrameFacts;
  readonly #caches = new Map<number, local.RegionCache>();
  readonly #offsets: [slot: number, offset: number][] = [];
  /** Registers that it keeps in locals, and those of them that may differ from memory; a bit each. */
  readonly #used: number;
  readonly #dirty: number;
  readonly #usesFrame: boolean;
  /** Constructs that are open. */
  #depth = 0;
  /** Instructions executed, and registers given a value, that the locals do not know of yet. */
  #pending = 0;
  #given = 0;
  /** Register bits that INIT has for certain. */
  #known = 0;
  readonly #now = newFacts();

  constructor(context: FunctionContext) {
    this.#context = context;
    this.#flow = context.flow;
    this.#facts = new FrameFacts(context.flow, context.lowering);
    let used = 0;
    let dirty = 0;
    let usesFrame = false;
    for (const { ops } of context.flow.blocks) {
      for (const op of ops) {
        used |= mentions(op);
        dirty |= changes(op);
        // What a callee changes of these is put back from the caller's locals.
        if (flowOf(op) === 'call') dirty |= this.#calleeFacts(op.target).changed & CALLEE_SAVED;
        usesFrame ||= loadOf(op) !== undefined || storeOf(op) !== undefined || atomicOf(op) !== undefined;
      }
    }
    this.#used = used | dirty;
    this.#dirty = dirty & ~(1 << R10);
    this.#usesFrame = usesFrame;
  }

  emit(): EmittedFunction {
    const code = this.#code;
    this.#collectCaches();
    this.#open(() => code.block());
    this.#open(() => code.block());
    this.#prologue();
    emitFlow(this.#flow, code, {
      depth: () => this.#depth,
      open: (begin) => this.#open(begin),
      close: () => this.#close(),
      body: (block, index) => this.#body(block, index),
      condition: (op) => emitCondition(code, op),
    });
    code.op(OP.unreachable);
    this.#close();
    this.#storeField(local.CPU_INTERPRET, () => code.i32Const(1));
    this.#close();
    this.#leave();
    this.#storeField(layout.CPU_PC, () => code.localGet(local.SLOT));
    this.#storeField(layout.CPU_DEPTH, () => code.localGet(local.DEPTH));
    code.localGet(local.BLOCK);
    this.#pushFramePointer();
    code.access(OP.i64_store, 3, layout.CPU_R10);
    code.i32Const(local.LEFT_EARLY);
    return { code, locals: local.localsWith(this.#caches.size), offsets: this.#offsets };
  }

  #open(begin: () => void): void {
    begin();
    this.#depth++;
  }

  #close(): void {
    this.#code.end();
    this.#depth--;
  }

  /** Every access may need one: a few too many cost nothing. */
  #collectCaches(): void {
    const add = (base: number, size: number, isWrite: boolean): void => {
      const key = cacheKey(base, size, isWrite);
      if (!this.#caches.has(key)) this.#caches.set(key, local.regionCache(this.#caches.size));
    };
    const facts = newFacts();
    this.#flow.blocks.forEach(({ ops }, index) => {
      this.#facts.read(index, facts);
      for (const op of ops) {
        const lowering = this.#context.lowering(op);
        const load = lowering === 'step' ? undefined : loadOf(op);
        const store = lowering === 'step' ? undefined : (storeOf(op) ?? atomicOf(op));
        const size = load?.size ?? store?.size;
        const base = load === undefined ? dstOf(op) : srcOf(op);
        if (size !== undefined && frameOffset(facts, base, op, size) === undefined) {
          add(base, size, load === undefined);
        }
        passFacts(facts, op, lowering);
      }
    });
  }

  #prologue(): void {
    const code = this.#code;
    this.#reload(this.#used & ~(1 << R10));
    if (this.#used & (1 << R10)) {
      this.#pushFramePointer();
      code.localSet(local.reg(R10));
    }
    if (!this.#usesFrame) return;
    this.#pushStackEntry(() => code.localGet(local.DEPTH));
    code.localTee(local.T0);
    code.access(OP.i32_load, 2, layout.REGION_BASE);
    code.localSet(local.FRAME);
    code.localGet(local.T0);
    code.access(OP.i32_load, 2, layout.REGION_SHADOW);
    code.localSet(local.SHADOW);
  }

  /** R10: the end of this frame. */
  #pushFramePointer(): void {
    const code = this.#code;
    code.localGet(local.BLOCK);
    code.access(OP.i32_load, 2, layout.CPU_STACK_REGION);
    code.localGet(local.DEPTH);
    code.op(OP.i32_add);
    code.i32Const(layout.WINDOW_HI);
    code.op(OP.i32_add);
    code.op(OP.i64_extend_i32_u);
    code.i64Const(32, 0);
    code.op(OP.i64_shl);
    code.i64Const(layout.MAX_BPF_STACK, 0);
    code.op(OP.i64_or);
  }

  #calleeFacts(slot: number): CalleeFacts {
    return this.#context.facts(slot) ?? ANYTHING;
  }

  /** Linear address of the region table's entry of a stack frame, whose depth `pushDepth` leaves on the stack. */
  #pushStackEntry(pushDepth: () => void): void {
    const code = this.#code;
    code.i32Const(0);
    code.access(OP.i32_load, 2, layout.HEADER_REGION_TABLE);
    code.localGet(local.BLOCK);
    code.access(OP.i32_load, 2, layout.CPU_STACK_REGION);
    pushDepth();
    code.op(OP.i32_add);
    code.i32Const(layout.REGION_ENTRY_SHIFT);
    code.op(OP.i32_shl);
    code.op(OP.i32_add);
  }

  #body(block: Block, index: number): void {
    this.#facts.read(index, this.#now);
    this.#known = initialisedOf(this.#now);
    this.#pending = 0;
    this.#given = 0;
    if (this.#flow.isCheckPoint[index]) this.#checkPoint(block, this.#flow.cost[index] ?? 0);
    for (const op of block.ops) this.#op(op);
    const last = block.ops.at(-1);
    if (last !== undefined && flowOf(last) !== 'trap' && flowOf(last) !== 'exit') this.#settle();
  }

  #checkPoint(block: Block, cost: number): void {
    if (cost === 0) return;
    const code = this.#code;
    code.localGet(local.LEFT);
    code.i32Const(cost);
    code.op(OP.i32_lt_s);
    this.#open(() => code.if());
    code.i32Const(block.start);
    code.localSet(local.SLOT);
    code.br(this.#depth - 1 - OUT);
    this.#close();
  }

  #op(op: Op): void {
    const { code, lowering } = { code: this.#code, lowering: this.#context.lowering(op) };
    this.#offsets.push([op.slot, code.length]);
    this.#pending += op.cost;
    const flow = flowOf(op);
    if (flow === 'trap') this.#trap(op);
    else if (flow === 'exit') this.#exit(op);
    else if (flow === 'call') this.#call(op);
    else if (lowering === 'step') this.#step(op);
    else if (isStrayBranch(op)) {
      emitCondition(code, op);
      this.#open(() => code.if());
      this.#trap(op);
      this.#close();
    } else if (flow === 'next') this.#plain(op);
    if (lowering === 'lookup') this.#loseArguments();
    if (lowering !== 'step' && flow !== 'call') this.#given |= op.writes;
    passFacts(this.#now, op, lowering);
  }

  #plain(op: Op): void {
    const load = loadOf(op);
    const store = storeOf(op);
    const atomic = atomicOf(op);
    if (load !== undefined) this.#load(op, load);
    else if (store !== undefined) this.#store(op, store);
    else if (atomic !== undefined) this.#atomic(op, atomic);
    else if (!emitAlu(this.#code, op, this.#context.progId)) this.#mapLoad(op);
  }

  #mapLoad(op: Op): void {
    const address = this.#context.mapAddress(op);
    if (address === undefined) throw new RangeError(`slot ${op.slot}: ${op.id} cannot be compiled`);
    this.#code.i64Const(...address);
    this.#code.localSet(local.reg(dstOf(op)));
  }

  #load(op: Op, { size, opcode }: Load): void {
    const code = this.#code;
    const offset = this.#address(op, srcOf(op), size, false);
    code.access(opcode, 0, offset);
    code.localSet(local.reg(dstOf(op)));
  }

  #store(op: Op, { size, opcode, isImm }: Store): void {
    const code = this.#code;
    const offset = this.#address(op, dstOf(op), size, true);
    if (isImm) code.i64Const(op.imm, op.immHi);
    else code.localGet(local.reg(srcOf(op)));
    code.access(opcode, 0, offset);
  }

  /** What is not aligned is done by the reference engine: WebAssembly traps there. */
  #atomic(op: Op, { size, opcode, kind }: Atomic): void {
    const code = this.#code;
    const offset = this.#address(op, dstOf(op), size, true);
    code.i32Const(offset);
    code.op(OP.i32_add);
    code.localTee(local.LINEAR);
    code.i32Const(size - 1);
    code.op(OP.i32_and);
    this.#open(() => code.if());
    this.#trap(op);
    this.#close();
    const push = (reg: number): void => {
      code.localGet(local.reg(reg));
      if (size === 4) code.op(OP.i32_wrap_i64);
    };
    code.localGet(local.LINEAR);
    if (kind === 'cmpxchg') push(0);
    push(srcOf(op));
    code.access(opcode, size === 4 ? 2 : 3, 0);
    if (kind === 'plain') {
      code.op(OP.drop);
      return;
    }
    if (size === 4) code.op(OP.i64_extend_i32_u);
    code.localSet(local.reg(kind === 'cmpxchg' ? 0 : srcOf(op)));
  }

  /**
   * Leaves the linear address of an access through `base` on the stack, to which the returned offset is to
   * be added. Not allowed: the reference engine does the instruction, and says why.
   */
  #address(op: Op, base: number, size: number, isWrite: boolean): number {
    const code = this.#code;
    const known = frameOffset(this.#now, base, op, size);
    if (known !== undefined) {
      if (isWrite && !isWritten(this.#now, known, size)) this.#markWritten(known, size);
      code.localGet(local.FRAME);
      return known;
    }
    const cache = this.#caches.get(cacheKey(base, size, isWrite));
    if (cache === undefined) throw new RangeError(`no region cache for slot ${op.slot}`);
    const pushDistance = (): void => {
      code.localGet(local.ADDR);
      code.localGet(cache.window);
      code.op(OP.i64_sub);
    };
    code.localGet(local.reg(base));
    if (op.off !== 0) {
      code.i64Const(op.off, op.off >> 31);
      code.op(OP.i64_add);
    }
    code.localSet(local.ADDR);
    pushDistance();
    code.localTee(local.DISTANCE);
    code.localGet(cache.count);
    code.op(OP.i64_ge_u);
    this.#open(() => code.if());
    code.localGet(local.BLOCK);
    code.localGet(local.ADDR);
    code.i32Const(size);
    code.i32Const(isWrite ? layout.PERM_WRITE : layout.PERM_READ);
    code.call(this.#context.lookup);
    code.op(OP.i32_eqz);
    this.#open(() => code.if());
    this.#trap(op);
    this.#close();
    const found: [opcode: number, align: number, at: number, into: number][] = [
      [OP.i64_load, 3, local.FOUND_WINDOW, cache.window],
      [OP.i64_load, 3, local.FOUND_COUNT, cache.count],
      [OP.i32_load, 2, local.FOUND_BASE, cache.base],
    ];
    if (isWrite) found.push([OP.i32_load, 2, local.FOUND_SHADOW, cache.shadow]);
    for (const [opcode, align, at, into] of found) {
      code.localGet(local.BLOCK);
      code.access(opcode, align, at);
      code.localSet(into);
    }
    pushDistance();
    code.localSet(local.DISTANCE);
    this.#close();
    if (isWrite) this.#markFound(cache.shadow, size);
    code.localGet(cache.base);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.op(OP.i32_add);
    return 0;
  }

  /** Notes a store at DISTANCE in the shadow of its region, where it has one. */
  #markFound(shadow: number, size: number): void {
    const code = this.#code;
    code.localGet(shadow);
    this.#open(() => code.if());
    code.localGet(shadow);
    code.localGet(local.DISTANCE);
    code.op(OP.i32_wrap_i64);
    code.op(OP.i32_add);
    code.i64Const(0x01010101, 0x01010101);
    code.access(storeOpcode(size), 0, 0);
    for (const byte of new Set([0, size - 1])) {
      code.localGet(local.DISTANCE);
      code.op(OP.i32_wrap_i64);
      code.i32Const(byte);
      code.op(OP.i32_add);
      code.i32Const(layout.SHADOW_GROUP_SHIFT);
      code.op(OP.i32_shr_u);
      code.localGet(shadow);
      code.op(OP.i32_add);
      code.i32Const(1);
      code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS);
    }
    this.#close();
  }

  #markWritten(offset: number, size: number): void {
    const code = this.#code;
    code.localGet(local.SHADOW);
    code.i64Const(0x01010101, 0x01010101);
    code.access(storeOpcode(size), 0, offset);
    const shift = layout.SHADOW_GROUP_SHIFT;
    for (const group of new Set([offset >> shift, (offset + size - 1) >> shift])) {
      code.localGet(local.SHADOW);
      code.i32Const(1);
      code.access(OP.i32_store8, 0, layout.SHADOW_GROUPS + group);
    }
  }

  /** Leaves the function in front of `op`, which faults or is rare: it is to be interpreted. */
  #trap(op: Op): void {
    const code = this.#code;
    code.i32Const(op.slot);
    code.localSet(local.SLOT);
    this.#subtract(this.#pending - op.cost);
    this.#add(this.#given & ~this.#known);
    code.br(this.#depth - 1 - TRAP);
  }

  /** Brings LEFT and INIT up to date. */
  #settle(): void {
    this.#subtract(this.#pending);
    this.#pending = 0;
    this.#add(this.#given & ~this.#known);
    this.#known |= this.#given;
    this.#given = 0;
  }

  #subtract(count: number): void {
    if (count === 0) return;
    const code = this.#code;
    code.localGet(local.LEFT);
    code.i32Const(count);
    code.op(OP.i32_sub);
    code.localSet(local.LEFT);
  }

  #add(bits: number): void {
    if (bits === 0) return;
    const code = this.#code;
    code.localGet(local.INIT);
    code.i32Const(bits);
    code.op(OP.i32_or);
    code.localSet(local.INIT);
  }

  #loseArguments(): void {
    const code = this.#code;
    this.#settle();
    code.localGet(local.INIT);
    code.i32Const(~ARGUMENTS);
    code.op(OP.i32_and);
    code.localSet(local.INIT);
    this.#known &= ~ARGUMENTS;
  }

  /** Has one instruction done by the reference engine and goes on behind it, where that is where it leads. */
  #step(op: Op): void {
    const code = this.#code;
    this.#settle();
    this.#leave();
    code.i32Const(op.slot);
    code.call(this.#context.step);
    this.#open(() => code.if());
    code.i32Const(local.LEFT_EARLY);
    code.op(OP.return);
    this.#close();
    this.#reload((changes(op) | 1 | (1 << AX)) & this.#used);
    this.#loadInit();
    this.#known = 1 << R10;
    this.#forgetRegions();
  }

  /** Writes registers, LEFT and INIT to their places in memory. */
  #leave(): void {
    const code = this.#code;
    this.#spill(this.#dirty);
    code.localGet(local.BLOCK);
    code.localGet(local.LEFT);
    code.access(OP.i32_store, 2, local.CPU_LEFT);
    this.#storeInit();
  }

  #spill(registers: number): void {
    const code = this.#code;
    for (let reg = 0; reg <= AX; reg++) {
      if ((registers & (1 << reg)) === 0) continue;
      code.localGet(local.BLOCK);
      code.localGet(local.reg(reg));
      code.access(OP.i64_store, 3, layout.regOffset(reg));
    }
  }

  #reload(registers: number): void {
    const code = this.#code;
    for (let reg = 0; reg <= AX; reg++) {
      if ((registers & (1 << reg)) === 0) continue;
      code.localGet(local.BLOCK);
      code.access(OP.i64_load, 3, layout.regOffset(reg));
      code.localSet(local.reg(reg));
    }
  }

  #loadInit(): void {
    const code = this.#code;
    code.localGet(local.BLOCK);
    code.access(OP.i32_load, 2, layout.CPU_INITIALISED);
    code.localSet(local.INIT);
  }

  #storeInit(): void {
    const code = this.#code;
    code.localGet(local.BLOCK);
    code.localGet(local.INIT);
    code.access(OP.i32_store, 2, layout.CPU_INITIALISED);
  }

  /** Helpers and callees may change the region table. */
  #forgetRegions(): void {
    const code = this.#code;
    for (const { count } of this.#caches.values()) {
      code.i64Const(0, 0);
      code.localSet(count);
    }
  }

  #exit(op: Op): void {
    const code = this.#code;
    this.#settle();
    this.#spill(this.#dirty);
    this.#storeInit();
    this.#storeField(layout.CPU_PC, () => code.i32Const(op.slot));
    code.localGet(local.LEFT);
    code.op(OP.return);
  }

  #storeField(field: number, push: () => void, base: number = local.BLOCK): void {
    this.#code.localGet(base);
    push();
    this.#code.access(OP.i32_store, 2, field);
  }

  /** Calls a program-local function: what `call_local` and `leave` do in core/interp/calls.ts. */
  #call(op: Op): void {
    const code = this.#code;
    const callee = this.#calleeFacts(op.target);
    // In front of the call: where it is too deep, it has not been counted.
    code.localGet(local.DEPTH);
    code.i32Const(layout.MAX_CALL_FRAMES - 1);
    code.op(OP.i32_ge_s);
    this.#open(() => code.if());
    this.#trap(op);
    this.#close();
    this.#settle();
    this.#spill(this.#dirty & callee.used);
    if (callee.touches) this.#openFrame();
    if (!callee.quiet) {
      this.#writeRecord(op, false);
      this.#storeField(layout.CPU_DEPTH, () => this.#pushCalleeDepth());
      code.localGet(local.BLOCK);
      this.#pushFramePointer();
      code.i64Const(0, 1);
      code.op(OP.i64_add);
      code.access(OP.i64_store, 3, layout.CPU_R10);
    }
    code.localGet(local.BLOCK);
    code.localGet(local.LEFT);
    this.#pushCalleeDepth();
    code.localGet(local.INIT);
    code.i32Const(ARGUMENTS);
    code.op(OP.i32_and);
    code.i32Const(1 << R10);
    code.op(OP.i32_or);
    code.call(this.#context.callee(op.target));
    code.localTee(local.LEFT);
    code.i32Const(0);
    code.op(OP.i32_lt_s);
    this.#open(() => code.if());
    if (callee.quiet) this.#writeRecord(op, true);
    if (!callee.touches) this.#openFrame();
    this.#spill(this.#dirty & ~callee.used);
    code.i32Const(local.LEFT_EARLY);
    code.op(OP.return);
    this.#close();
    this.#afterCall(callee);
  }

  #pushCalleeDepth(): void {
    this.#code.localGet(local.DEPTH);
    this.#code.i32Const(1);
    this.#code.op(OP.i32_add);
  }

  /** Makes the callee's frame accessible, zeroed. */
  #openFrame(): void {
    const code = this.#code;
    const entry = this.#setEntry(() => this.#pushCalleeDepth());
    code.localGet(entry);
    code.access(OP.i32_load, 2, layout.REGION_SHADOW);
    code.access(OP.i64_load, 0, layout.SHADOW_GROUPS);
    code.op(OP.i64_eqz);
    code.op(OP.i32_eqz);
    this.#open(() => code.if());
    code.localGet(entry);
    code.call(this.#context.clear);
    this.#close();
    this.#storeField(layout.REGION_SIZE, () => code.i32Const(layout.MAX_BPF_STACK), entry);
  }

  /**
   * Writes the frame record of the callee. `isLate`: while it is being left; then what neither this function nor
   * its callees have in hand may still be in the locals of an outer one: the engine fills it in.
   */
  #writeRecord(op: Op, isLate: boolean): void {
    const code = this.#code;
    const record = local.T0;
    const first = layout.frameRecord(0, 0);
    this.#pushCalleeDepth();
    code.i32Const(layout.frameRecord(0, 1) - first);
    code.op(OP.i32_mul);
    code.localGet(local.BLOCK);
    code.op(OP.i32_add);
    code.i32Const(first);
    code.op(OP.i32_add);
    code.localSet(record);
    let unsaved = 0;
    for (let reg = 6; reg <= 9; reg++) {
      if (isLate && (this.#used & (1 << reg)) === 0) {
        unsaved |= 1 << reg;
        continue;
      }
      code.localGet(record);
      if (this.#used & (1 << reg)) code.localGet(local.reg(reg));
      else {
        code.localGet(local.BLOCK);
        code.access(OP.i64_load, 3, layout.regOffset(reg));
      }
      code.access(OP.i64_store, 3, layout.FRAME_SAVED + (reg - 6) * 8);
    }
    if (isLate) this.#storeField(local.FRAME_UNSAVED, () => code.i32Const(unsaved), record);
    const pushProg = (): void => {
      code.localGet(local.BLOCK);
      code.access(OP.i32_load, 2, layout.CPU_PROG);
    };
    this.#storeField(layout.FRAME_RETURN, () => code.i32Const(op.next), record);
    this.#storeField(layout.FRAME_CALLER_PROG, pushProg, record);
    this.#storeField(layout.FRAME_CALLER_INITIALISED, () => code.localGet(local.INIT), record);
    this.#storeField(layout.FRAME_START, () => code.i32Const(op.target), record);
    this.#storeField(layout.FRAME_MAY_GOTO, () => code.i32Const(layout.BPF_MAX_LOOPS), record);
  }

  #afterCall(callee: CalleeFacts): void {
    const code = this.#code;
    if (callee.touches) {
      const entry = this.#setEntry(() => this.#pushCalleeDepth());
      this.#storeField(layout.REGION_SIZE, () => code.i32Const(0), entry);
    }
    if (!callee.quiet) {
      this.#storeField(layout.CPU_DEPTH, () => code.localGet(local.DEPTH));
      code.localGet(local.BLOCK);
      this.#pushFramePointer();
      code.access(OP.i64_store, 3, layout.CPU_R10);
      this.#forgetRegions();
    }
    code.localGet(local.INIT);
    code.i32Const(~(ARGUMENTS | 1));
    code.op(OP.i32_and);
    code.localGet(local.BLOCK);
    code.access(OP.i32_load, 2, layout.CPU_INITIALISED);
    code.i32Const(1);
    code.op(OP.i32_and);
    code.op(OP.i32_or);
    code.localSet(local.INIT);
    this.#known &= ~(ARGUMENTS | 1);
    this.#reload(CALLER_SAVED & callee.changed & this.#used);
  }

  #setEntry(pushDepth: () => void): number {
    this.#pushStackEntry(pushDepth);
    this.#code.localSet(local.LINEAR);
    return local.LINEAR;
  }
}

function storeOpcode(size: number): number {
  return { 1: OP.i64_store8, 2: OP.i64_store16, 4: OP.i64_store32 }[size] ?? OP.i64_store;
}

/** Type of every compiled function. */
export const FUNCTION_TYPE = { params: [I32, I32, I32, I32], results: [I32] } as const;
