import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { BPF_PSEUDO_FUNC, OP_EXIT } from '../isa/opcodes.ts';
import { BPF_REG_CTX } from '../isa/registers.ts';
import { branchTaken } from './branch.ts';
import { endsPath, type FlowGraph, isLocalCall } from './flow.ts';
import type { KindsOptions } from './kinds.ts';
import {
  constant,
  ctxAt,
  fpOwner,
  join,
  KIND_FP,
  KIND_FP_VAR,
  kindOf,
  NONE,
  PTR,
  SCALAR,
  type Value,
} from './lattice.ts';
import { copyState, EMPTY_SLOTS, joinInto, joinSlots, newState, type State } from './state.ts';
import { clobberArgs, lend, regValue, setResult, type TransferContext, transfer } from './transfer.ts';

/** One way to come into a function: stacks belong to activations, not to functions. */
export interface Activation {
  /** Its index; `owner` of the stack values that point into its frame. */
  readonly id: number;
  /** Index of its function. */
  readonly fn: number;
  /** First slot of the function. */
  readonly start: InsnIndex;
  /** By slot − start: state before a block's first slot; undefined where no path comes. */
  readonly states: (State | undefined)[];
}

/** The activations with their final states, and the context that the transfer functions need. */
export interface Fixpoint {
  readonly activations: readonly Activation[];
  readonly context: TransferContext;
}

/** Call depth beyond which activations of a function are joined. */
const MAX_DEPTH = 8;
/** Slots in all activations together, beside four times the program's. */
const SPARE_SLOTS = 20_000;
/** Activations beyond which further calls of a function are joined. */
const MAX_ACTIVATIONS = 4096;
/** Key of the main function's activation: no call has this work number. */
const MAIN = 0.5;
const ARGS = [1, 2, 3, 4, 5];
const MASK_ARGS = 0b111110;
const OP_STORE_RELEASE_OR_ATOMIC = 0xdb;

/** Runs the transfer functions over all blocks until nothing changes any more. */
export function runToFixpoint(insns: Uint8Array, graph: FlowGraph, options: KindsOptions): Fixpoint {
  return new KindsPass(insns, graph, options).run();
}

/** An activation with what only the pass needs. */
interface Running extends Activation {
  readonly depth: number;
  readonly queued: Uint8Array;
  /** What its `exit`s leave in R0; undefined before the first. */
  result: { readonly value: Value; readonly must: boolean; readonly may: boolean } | undefined;
  /** Blocks that end in a call that leads here. */
  readonly callers: Set<Work>;
  /** Blocks of other activations that look into its frame, and its own that let others do so. */
  readonly borrowers: Set<Work>;
}

/** A block to run: activation id · (slots + 1) + slot. */
type Work = number;

class KindsPass {
  readonly #insns: Uint8Array;
  readonly #view: DataView;
  readonly #graph: FlowGraph;
  readonly #options: KindsOptions;
  readonly #ctx: TransferContext;
  readonly #activations: Running[] = [];
  /** Activation by the block's work number of the call's slot, or by −1 − function where they are joined. */
  readonly #known = new Map<number, Running>();
  #slots = 0;
  #queue: Work[] = [];
  readonly #scratch = newState();
  readonly #entry = newState();

  constructor(insns: Uint8Array, graph: FlowGraph, options: KindsOptions) {
    this.#insns = insns;
    this.#view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
    this.#graph = graph;
    this.#options = options;
    const { progType, maps } = options;
    this.#ctx = { view: this.#view, progType, maps, lent: [], given: [], lentChanged: new Set() };
  }

  run(): Fixpoint {
    const main = this.#activate(MAIN, 0, 0);
    this.#flowTo(main, 0, entryState(this.#options));
    let next = 0;
    while (next < this.#queue.length) {
      const work = this.#queue[next++] ?? 0;
      this.#runBlock(work);
      // The queue is a list with a moving head; give the spent part back now and then.
      if (next > 4096 && next * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(next);
        next = 0;
      }
    }
    return { activations: this.#activations, context: this.#ctx };
  }

  #activate(key: number, fn: number, depth: number): Running {
    const known = this.#known.get(key);
    if (known) return known;
    const start = this.#graph.starts[fn] ?? 0;
    const length = (this.#graph.starts[fn + 1] ?? this.#graph.n) - start;
    const made: Running = {
      id: this.#activations.length,
      fn,
      start,
      depth,
      states: new Array<State | undefined>(length).fill(undefined),
      queued: new Uint8Array(length),
      result: undefined,
      callers: new Set(),
      borrowers: new Set(),
    };
    this.#slots += length;
    this.#activations.push(made);
    this.#ctx.lent.push(EMPTY_SLOTS);
    this.#ctx.given.push(EMPTY_SLOTS);
    this.#known.set(key, made);
    return made;
  }

  /** The activation that the call at `pc` of `caller` leads to. */
  #activationOf(caller: Running, pc: InsnIndex, callee: number): Running {
    const length = (this.#graph.starts[callee + 1] ?? this.#graph.n) - (this.#graph.starts[callee] ?? 0);
    const key = this.#work(caller, pc);
    const room =
      this.#activations.length < MAX_ACTIVATIONS && this.#slots + length <= 4 * this.#graph.n + SPARE_SLOTS;
    const own = this.#known.has(key) || (caller.depth + 1 < MAX_DEPTH && room);
    return own
      ? this.#activate(key, callee, caller.depth + 1)
      : this.#activate(-1 - callee, callee, MAX_DEPTH);
  }

  #work(act: Running, block: InsnIndex): Work {
    return act.id * (this.#graph.n + 1) + block;
  }

  #flowTo(act: Running, block: InsnIndex, state: State): void {
    const known = act.states[block - act.start];
    if (known === undefined) {
      const fresh = newState();
      copyState(fresh, state);
      act.states[block - act.start] = fresh;
    } else if (!joinInto(known, state)) {
      return;
    }
    this.#enqueue(this.#work(act, block));
  }

  #enqueue(work: Work): void {
    const { act, block } = this.#split(work);
    if (act === undefined || act.queued[block - act.start]) return;
    act.queued[block - act.start] = 1;
    this.#queue.push(work);
  }

  #split(work: Work): { act: Running | undefined; block: InsnIndex } {
    const span = this.#graph.n + 1;
    return { act: this.#activations[Math.floor(work / span)], block: work % span };
  }

  /** Runs a block from its entry state and hands the result on to whatever follows it. */
  #runBlock(work: Work): void {
    const { act, block } = this.#split(work);
    const entry = act?.states[block - act.start];
    if (act === undefined || entry === undefined) return;
    act.queued[block - act.start] = 0;
    const state = this.#scratch;
    copyState(state, entry);
    const { n, leader } = this.#graph;
    let pc = block;
    for (;;) {
      const opcode = this.#insns[pc * INSN_SIZE] ?? 0;
      if (leavesBlock(this.#graph, pc, opcode)) {
        this.#leave(act, work, pc, opcode, state);
        break;
      }
      this.#noteBorrowing(act, work, pc, opcode, state);
      this.#noteFunction(pc, opcode);
      transfer(this.#ctx, state, pc, act.id);
      pc += opcode === WIDE_OPCODE ? 2 : 1;
      if (pc >= n) break;
      if (leader[pc]) {
        this.#flowTo(act, pc, state);
        break;
      }
    }
    if (this.#ctx.lentChanged.size > 0) this.#wakeBorrowers();
  }

  #leave(act: Running, work: Work, pc: InsnIndex, opcode: number, state: State): void {
    const target = this.#graph.target[pc] ?? -1;
    const regs = this.#insns[pc * INSN_SIZE + 1] ?? 0;
    if (opcode === OP_EXIT) {
      this.#return(act, state);
    } else if (isLocalCall(opcode, regs >> 4)) {
      this.#call(act, work, pc, this.#graph.functionOf[target] ?? 0, state);
    } else if (endsPath(opcode)) {
      this.#flowTo(act, target, state);
    } else {
      const imm = this.#view.getInt32(pc * INSN_SIZE + 4, true);
      const operand = opcode & 8 ? regValue(state, regs >> 4, act.id) : constant(imm);
      const taken = branchTaken(opcode, regValue(state, regs & 15, act.id), operand);
      if (taken !== false) this.#flowTo(act, target, state);
      if (taken !== true) this.#flowTo(act, pc + 1, state);
    }
  }

  #return(act: Running, state: State): void {
    const value = state.regs[0] ?? NONE;
    const must = (state.must & 1) !== 0;
    const may = (state.may & 1) !== 0;
    const before = act.result;
    // A pointer into the returning frame is stale: it must not pass for the caller's.
    const given = isStack(value) && fpOwner(value) === act.id ? PTR : value;
    const after = before
      ? { value: join(before.value, given), must: before.must && must, may: before.may || may }
      : { value: given, must, may };
    if (before && before.value === after.value && before.must === after.must && before.may === after.may) {
      return;
    }
    act.result = after;
    for (const work of act.callers) this.#enqueue(work);
  }

  #call(act: Running, work: Work, pc: InsnIndex, callee: number, state: State): void {
    const called = this.#activationOf(act, pc, callee);
    const entry = this.#entry;
    for (const r of ARGS) {
      const value = state.regs[r] ?? NONE;
      // Joined activations: another frame is not the one that the callee's own slots describe.
      entry.regs[r] = isStack(value) && fpOwner(value) === called.id ? PTR : value;
      if (isStack(value) && fpOwner(value) === act.id && state.slots.length > 0) {
        lend(this.#ctx, act.id, state.slots);
      }
      if (isStack(value) && fpOwner(value) === act.id) act.borrowers.add(work);
    }
    entry.must = state.must & MASK_ARGS;
    entry.may = state.may & MASK_ARGS;
    this.#flowTo(called, called.start, entry);
    called.callers.add(work);
    const { result } = called;
    if (result === undefined) return;
    clobberArgs(state);
    setResult(state, result.value);
    state.slots = joinSlots(state.slots, this.#ctx.given[act.id] ?? EMPTY_SLOTS);
    state.must = (state.must & ~1) | (result.must ? 1 : 0);
    state.may = (state.may & ~1) | (result.may ? 1 : 0);
    this.#flowTo(act, pc + 1, state);
  }

  /** A function whose address is taken may be called back with anything. */
  #noteFunction(pc: InsnIndex, opcode: number): void {
    if (opcode !== WIDE_OPCODE || (this.#insns[pc * INSN_SIZE + 1] ?? 0) >> 4 !== BPF_PSEUDO_FUNC) return;
    const fn = this.#graph.functionOf[pc + 1 + this.#view.getInt32(pc * INSN_SIZE + 4, true)] ?? 0;
    const called = this.#activate(-1 - fn, fn, MAX_DEPTH);
    const entry = newState();
    for (const r of ARGS) entry.regs[r] = SCALAR;
    entry.must = MASK_ARGS;
    entry.may = MASK_ARGS;
    this.#flowTo(called, called.start, entry);
  }

  #noteBorrowing(act: Running, work: Work, pc: InsnIndex, opcode: number, state: State): void {
    if ((opcode & 7) !== 1 && opcode !== OP_STORE_RELEASE_OR_ATOMIC) return;
    const base = regValue(state, (this.#insns[pc * INSN_SIZE + 1] ?? 0) >> 4, act.id);
    if (kindOf(base) !== KIND_FP) return;
    const owner = fpOwner(base);
    if (owner !== act.id) this.#activations[owner]?.borrowers.add(work);
  }

  #wakeBorrowers(): void {
    for (const owner of this.#ctx.lentChanged) {
      for (const work of this.#activations[owner]?.borrowers ?? []) this.#enqueue(work);
    }
    this.#ctx.lentChanged.clear();
  }
}

/** Does the block end with the instruction at `pc`, whatever follows? */
export function leavesBlock(graph: FlowGraph, pc: InsnIndex, opcode: number): boolean {
  return (graph.target[pc] ?? -1) >= 0 || endsPath(opcode);
}

function isStack(value: Value): boolean {
  const kind = kindOf(value);
  return kind === KIND_FP || kind === KIND_FP_VAR;
}

/** The state in which the kernel enters the main function. */
export function entryState({ progType, entry }: Pick<KindsOptions, 'progType' | 'entry'>): State {
  const state = newState();
  if (entry !== undefined) {
    state.regs.set(entry.regs);
    state.must = entry.must;
    state.may = entry.may;
    return state;
  }
  state.regs[BPF_REG_CTX] = progType === 'raw' ? PTR : ctxAt(0);
  state.must = 0b10;
  if (progType === 'raw') {
    state.regs[2] = SCALAR;
    state.must = 0b110;
  }
  state.may = state.must;
  return state;
}
