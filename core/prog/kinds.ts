import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { ProgType } from '../object/object.ts';
import { subprogStarts } from './check.ts';
import { endsPath, type FlowGraph, flowGraph, isLocalCall, unreachableSlots } from './flow.ts';
import { type CtxUse, judgeCtxAccess, missingRegisters } from './judge.ts';
import {
  constant,
  ctxAt,
  fpOwner,
  isPointer,
  join,
  KIND_FP,
  KIND_FP_VAR,
  kindOf,
  NONE,
  PTR,
  SCALAR,
  type Value,
} from './lattice.ts';
import type { Refusal } from './refusal.ts';
import { checkStackDepths } from './stack-depth.ts';
import { copyState, EMPTY_SLOTS, joinInto, newState, type Slots, type State } from './state.ts';
import {
  branchTaken,
  clobberArgs,
  lend,
  type MapSizes,
  type Observer,
  regValue,
  setResult,
  type TransferContext,
  transfer,
} from './transfer.ts';

/** A register read where it may have no value. */
export interface UninitialisedRead {
  readonly pc: InsnIndex;
  /** R0 … R9. */
  readonly reg: number;
  /** No path gives it a value; otherwise some do. */
  readonly always: boolean;
}

/** A helper call's map argument. */
export interface MapArg {
  readonly pc: InsnIndex;
  /** Register of the argument, 1 … 5. */
  readonly reg: number;
  /** Index into the program's maps; undefined: different maps on different paths. */
  readonly map: number | undefined;
}

/** A function of the program, in slots of the program as loaded. */
export interface SubprogKinds {
  readonly start: InsnIndex;
  readonly end: InsnIndex;
  /** Bytes of stack from the frame pointer down that are accessed at known offsets, a multiple of 8, 0 … 512; 16 more with `may_goto`. */
  readonly stackDepth: number;
  /** Starts of the functions it calls, in order of the calls. */
  readonly calls: readonly { readonly pc: InsnIndex; readonly callee: number }[];
}

/** What the data-flow pass finds. All lists ascend by `pc`. */
export interface KindsResult {
  /** Why the program cannot be rewritten faithfully, for the lowest slot; undefined: it can. */
  readonly refusal: Refusal | undefined;
  readonly ctxAccesses: readonly CtxUse[];
  readonly mapArgs: readonly MapArg[];
  readonly subprogs: readonly SubprogKinds[];
  readonly uninitialisedReads: readonly UninitialisedRead[];
  /** Slots that no path reaches. */
  readonly unreachable: readonly InsnIndex[];
  /** Slots that write R10 (`checkProgram` refuses them). */
  readonly writesR10: readonly InsnIndex[];
}

/** What the program is analysed as. */
export interface KindsOptions {
  readonly progType: ProgType;
  /** The program's maps, as map loads count them. */
  readonly maps: readonly MapSizes[];
}

const MAX_STACK = 512;
const OP_MAY_GOTO = 0xe5;
/** Stack that the kernel adds for a function's `may_goto` counter and time stamp. */
const MAY_GOTO_STACK = 16;
const ARGS = [1, 2, 3, 4, 5];
const CTX_START = ctxAt(0);

/**
 * Finds, by data flow over registers, stack slots, subprogram arguments and returns: which instructions
 * access the context, which map each helper call uses, how deep each stack is, and which registers are
 * read without a value. Paths are joined where they meet, so that the time is linear in the program's
 * length for real programs; the lattice is bounded, so that it ends for all.
 *
 * `insns` must have passed `checkProgram`. Refusals carry the verifier's text (kernel/bpf/verifier.c).
 */
export function analyseKinds(insns: Uint8Array, options: KindsOptions): KindsResult {
  const starts = subprogStarts(insns);
  if ('message' in starts) throw new RangeError(`unchecked program: ${starts.message}`);
  return new KindsPass(insns, flowGraph(insns, starts), options).run();
}

class KindsPass {
  readonly #insns: Uint8Array;
  readonly #view: DataView;
  readonly #graph: FlowGraph;
  readonly #options: KindsOptions;
  readonly #ctx: TransferContext;
  /** State before each block's first slot; undefined until a path comes there. */
  readonly #states: (State | undefined)[];
  readonly #queued: Uint8Array;
  readonly #queue: InsnIndex[] = [];
  /** Per function: what its `exit`s leave in R0 (bit 1 of `mustMay`: on all paths, bit 2: on some). */
  readonly #returns: ({ value: Value; must: boolean; may: boolean } | undefined)[];
  /** Per function: blocks that end in a call of it. */
  readonly #callers: Set<InsnIndex>[];
  /** Per function: blocks of other functions that look into its frame. */
  readonly #borrowers: Set<InsnIndex>[];
  readonly #scratch = newState();

  constructor(insns: Uint8Array, graph: FlowGraph, options: KindsOptions) {
    this.#insns = insns;
    this.#view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
    this.#graph = graph;
    this.#options = options;
    const functions = graph.starts.length;
    this.#ctx = {
      view: this.#view,
      progType: options.progType,
      maps: options.maps,
      lent: Array.from({ length: functions }, (): Slots => EMPTY_SLOTS),
      lentChanged: new Set(),
    };
    this.#states = new Array<State | undefined>(graph.n + 1).fill(undefined);
    this.#queued = new Uint8Array(graph.n + 1);
    this.#returns = new Array(functions).fill(undefined);
    this.#callers = Array.from({ length: functions }, () => new Set<InsnIndex>());
    this.#borrowers = Array.from({ length: functions }, () => new Set<InsnIndex>());
  }

  run(): KindsResult {
    this.#flowTo(0, entryState(this.#options.progType));
    let next = 0;
    while (next < this.#queue.length) {
      const block = this.#queue[next++] ?? 0;
      this.#queued[block] = 0;
      this.#runBlock(block);
      // The queue is a list with a moving head; give the spent part back now and then.
      if (next > 4096 && next * 2 > this.#queue.length) {
        this.#queue.splice(0, next);
        next = 0;
      }
    }
    return this.#report();
  }

  #flowTo(block: InsnIndex, state: State): void {
    const known = this.#states[block];
    if (known === undefined) {
      const fresh = newState();
      copyState(fresh, state);
      this.#states[block] = fresh;
    } else if (!joinInto(known, state)) {
      return;
    }
    this.#enqueue(block);
  }

  #enqueue(block: InsnIndex): void {
    if (this.#queued[block]) return;
    this.#queued[block] = 1;
    this.#queue.push(block);
  }

  /** Runs a block from its entry state and hands the result on to whatever follows it. */
  #runBlock(block: InsnIndex): void {
    const entry = this.#states[block];
    if (entry === undefined) return;
    const state = this.#scratch;
    copyState(state, entry);
    const fn = this.#graph.functionOf[block] ?? 0;
    const { n, leader } = this.#graph;
    let pc = block;
    for (;;) {
      const opcode = this.#insns[pc * INSN_SIZE] ?? 0;
      if (this.#leaves(pc, opcode)) {
        this.#leave(block, pc, opcode, fn, state);
        break;
      }
      this.#noteBorrowing(block, pc, opcode, fn, state);
      this.#noteFunction(pc, opcode);
      transfer(this.#ctx, state, pc, fn);
      pc += opcode === WIDE_OPCODE ? 2 : 1;
      if (pc >= n) break;
      if (leader[pc]) {
        this.#flowTo(pc, state);
        break;
      }
    }
    if (this.#ctx.lentChanged.size > 0) this.#wakeBorrowers();
  }

  #leaves(pc: InsnIndex, opcode: number): boolean {
    return (this.#graph.target[pc] ?? -1) >= 0 || endsPath(opcode);
  }

  #leave(block: InsnIndex, pc: InsnIndex, opcode: number, fn: number, state: State): void {
    const target = this.#graph.target[pc] ?? -1;
    const regs = this.#insns[pc * INSN_SIZE + 1] ?? 0;
    if (opcode === 0x95) {
      this.#return(fn, state);
    } else if (isLocalCall(opcode, regs >> 4)) {
      this.#call(block, pc, fn, this.#graph.functionOf[target] ?? 0, state);
    } else if (endsPath(opcode)) {
      this.#flowTo(target, state);
    } else {
      const imm = this.#view.getInt32(pc * INSN_SIZE + 4, true);
      const operand = opcode & 8 ? regValue(state, regs >> 4, fn) : constant(imm);
      const taken = branchTaken(opcode, regValue(state, regs & 15, fn), operand);
      if (taken !== false) this.#flowTo(target, state);
      if (taken !== true) this.#flowTo(pc + 1, state);
    }
  }

  #return(fn: number, state: State): void {
    const value = state.regs[0] ?? NONE;
    const must = (state.must & 1) !== 0;
    const may = (state.may & 1) !== 0;
    const before = this.#returns[fn];
    // A pointer into the returning frame is stale: it must not pass for the caller's.
    const own = (kindOf(value) === KIND_FP || kindOf(value) === KIND_FP_VAR) && fpOwner(value) === fn;
    const given = own ? PTR : value;
    const after = before
      ? { value: join(before.value, given), must: before.must && must, may: before.may || may }
      : { value: given, must, may };
    if (before && before.value === after.value && before.must === after.must && before.may === after.may) {
      return;
    }
    this.#returns[fn] = after;
    for (const block of this.#callers[fn] ?? []) this.#enqueue(block);
  }

  #call(block: InsnIndex, pc: InsnIndex, fn: number, callee: number, state: State): void {
    const entry = newState();
    for (const r of ARGS) {
      const value = state.regs[r] ?? NONE;
      const kind = kindOf(value);
      const stack = kind === KIND_FP || kind === KIND_FP_VAR;
      // Recursion: another activation's frame is not the one that the callee's own slots describe.
      entry.regs[r] = stack && fpOwner(value) === callee ? PTR : value;
      if (stack && fpOwner(value) === fn && state.slots.length > 0) lend(this.#ctx, fn, state.slots);
    }
    entry.must = state.must & 0b111110;
    entry.may = state.may & 0b111110;
    this.#flowTo(this.#graph.starts[callee] ?? 0, entry);
    this.#callers[callee]?.add(block);
    const result = this.#returns[callee];
    if (result === undefined) return;
    clobberArgs(state);
    setResult(state, result.value);
    state.must = (state.must & ~1) | (result.must ? 1 : 0);
    state.may = (state.may & ~1) | (result.may ? 1 : 0);
    this.#flowTo(pc + 1, state);
  }

  /** A function whose address is taken may be called back with anything. */
  #noteFunction(pc: InsnIndex, opcode: number): void {
    if (opcode !== WIDE_OPCODE || (this.#insns[pc * INSN_SIZE + 1] ?? 0) >> 4 !== 4) return;
    const start = pc + 1 + this.#view.getInt32(pc * INSN_SIZE + 4, true);
    const entry = newState();
    for (const r of ARGS) entry.regs[r] = SCALAR;
    entry.must = 0b111110;
    entry.may = 0b111110;
    this.#flowTo(start, entry);
  }

  #noteBorrowing(block: InsnIndex, pc: InsnIndex, opcode: number, fn: number, state: State): void {
    if ((opcode & 7) !== 1 && opcode !== 0xdb) return;
    const regs = this.#insns[pc * INSN_SIZE + 1] ?? 0;
    const base = regValue(state, regs >> 4, fn);
    if (!isPointer(base) || kindOf(base) !== KIND_FP) return;
    const owner = fpOwner(base);
    if (owner !== fn) this.#borrowers[owner]?.add(block);
  }

  #wakeBorrowers(): void {
    for (const owner of this.#ctx.lentChanged) {
      for (const block of this.#borrowers[owner] ?? []) this.#enqueue(block);
    }
    this.#ctx.lentChanged.clear();
  }

  /** The last pass: every reached block once more, now with its final state, telling what it sees. */
  #report(): KindsResult {
    const { n, starts, leader, functionOf, target } = this.#graph;
    const found: Found = {
      refusal: undefined,
      ctxAccesses: [],
      mapArgs: [],
      uninitialised: [],
      depths: new Array<number>(starts.length).fill(0),
      hasMayGoto: new Uint8Array(starts.length),
      calls: starts.map(() => []),
    };
    const observer = reportTo(found);
    const state = this.#scratch;
    for (let block = 0; block < n; block++) {
      const entry = leader[block] ? this.#states[block] : undefined;
      if (entry === undefined) continue;
      copyState(state, entry);
      const fn = functionOf[block] ?? 0;
      for (let pc = block; pc < n; ) {
        const opcode = this.#insns[pc * INSN_SIZE] ?? 0;
        missingRegisters(this.#insns, pc, fn, state, (reg, always) => {
          found.uninitialised.push({ pc, reg, always });
        });
        if (opcode === OP_MAY_GOTO) found.hasMayGoto[fn] = 1;
        if (isLocalCall(opcode, (this.#insns[pc * INSN_SIZE + 1] ?? 0) >> 4)) {
          found.calls[fn]?.push({ pc, callee: functionOf[target[pc] ?? 0] ?? 0 });
        }
        if (this.#leaves(pc, opcode)) break;
        const judged = judgeCtxAccess(this.#view, pc, fn, state, this.#options.progType);
        if (judged !== undefined && 'message' in judged) found.refusal ??= judged;
        else if (judged !== undefined) found.ctxAccesses.push(judged);
        transfer(this.#ctx, state, pc, fn, observer);
        pc += opcode === WIDE_OPCODE ? 2 : 1;
        if (leader[pc]) break;
      }
    }
    return this.#result(found);
  }

  #result(found: Found): KindsResult {
    const { n, starts } = this.#graph;
    const subprogs = starts.map((start, f) => ({
      start,
      end: starts[f + 1] ?? n,
      stackDepth: Math.ceil((found.depths[f] ?? 0) / 8) * 8 + (found.hasMayGoto[f] ? MAY_GOTO_STACK : 0),
      calls: found.calls[f] ?? [],
    }));
    const limited = this.#options.progType === 'raw' ? undefined : checkStackDepths(subprogs);
    return {
      refusal: found.refusal ?? limited,
      ctxAccesses: found.ctxAccesses,
      mapArgs: found.mapArgs,
      subprogs,
      uninitialisedReads: found.uninitialised,
      unreachable: unreachableSlots(this.#insns, this.#graph),
      writesR10: [],
    };
  }
}

interface Found {
  refusal: Refusal | undefined;
  readonly ctxAccesses: CtxUse[];
  readonly mapArgs: MapArg[];
  readonly uninitialised: UninitialisedRead[];
  readonly depths: number[];
  readonly hasMayGoto: Uint8Array;
  readonly calls: { pc: InsnIndex; callee: number }[][];
}

function reportTo(found: Found): Observer {
  return {
    stack(owner, off, size) {
      // Accesses outside the frame are faults at run time; they make no frame deeper.
      if (off >= 0 || off < -MAX_STACK || size <= 0) return;
      found.depths[owner] = Math.max(found.depths[owner] ?? 0, -off);
    },
    mapArg(pc, reg, map) {
      found.mapArgs.push({ pc, reg, map });
    },
  };
}

/** The state in which the kernel enters the main function. */
function entryState(progType: ProgType): State {
  const state = newState();
  state.regs[1] = progType === 'raw' ? PTR : CTX_START;
  state.must = 0b10;
  if (progType === 'raw') {
    state.regs[2] = SCALAR;
    state.must = 0b110;
  }
  state.may = state.must;
  return state;
}
