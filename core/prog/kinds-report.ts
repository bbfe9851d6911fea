import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { OP_MAY_GOTO } from '../isa/opcodes.ts';
import { MAX_BPF_STACK } from '../vm/layout.ts';
import { type FlowGraph, isLocalCall } from './flow.ts';
import { accessesOther, type CtxUse, judgeCtxAccess, missingRegisters } from './judge.ts';
import type { KindsOptions, KindsResult, MapArg, UninitialisedRead } from './kinds.ts';
import { type Activation, type Fixpoint, leavesBlock } from './kinds-pass.ts';
import { MAY_GOTO_STACK } from './may-goto.ts';
import type { Refusal } from './refusal.ts';
import { checkStackDepths } from './stack-depth.ts';
import { copyState, newState, type State } from './state.ts';
import { type Observer, transfer } from './transfer.ts';

/** Goes over every reached block once more, now with its final state, and tells what it sees. */
export function reportKinds(
  insns: Uint8Array,
  graph: FlowGraph,
  options: KindsOptions,
  fixpoint: Fixpoint,
): KindsResult {
  const report = new KindsReport(insns, graph, options, fixpoint);
  for (const activation of fixpoint.activations) report.look(activation);
  return report.result();
}

/** How often an instruction's register was found without a value, in how many visits of the instruction. */
interface Missing {
  always: number;
  maybe: number;
}

class KindsReport {
  readonly #insns: Uint8Array;
  readonly #view: DataView;
  readonly #graph: FlowGraph;
  readonly #options: KindsOptions;
  readonly #fixpoint: Fixpoint;
  readonly #refusals: Refusal[] = [];
  readonly #ctxAccesses = new Map<InsnIndex, CtxUse>();
  readonly #mapArgs = new Map<number, MapArg>();
  readonly #missing = new Map<number, Missing>();
  /** Per slot: activations in which it was visited. */
  readonly #visits: Uint16Array;
  /** Per slot: 1 where it accesses memory that is not the context. */
  readonly #other: Uint8Array;
  readonly #depths: number[];
  readonly #hasMayGoto: Uint8Array;
  readonly #calls: Map<InsnIndex, number>[];
  readonly #observer: Observer;
  #pcNow: InsnIndex = 0;
  #writesPacket = false;

  constructor(insns: Uint8Array, graph: FlowGraph, options: KindsOptions, fixpoint: Fixpoint) {
    this.#insns = insns;
    this.#view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
    this.#graph = graph;
    this.#options = options;
    this.#fixpoint = fixpoint;
    this.#visits = new Uint16Array(graph.n);
    this.#other = new Uint8Array(graph.n);
    this.#depths = new Array<number>(graph.starts.length).fill(0);
    this.#hasMayGoto = new Uint8Array(graph.starts.length);
    this.#calls = graph.starts.map(() => new Map<InsnIndex, number>());
    this.#observer = {
      stack: (owner, off, size) => this.#sawStack(owner, off, size),
      mapArg: (...seen) => this.#sawMap(...seen),
      packetWrite: () => {
        this.#writesPacket = true;
      },
    };
  }

  look(activation: Activation): void {
    const state = newState();
    activation.states.forEach((entry, i) => {
      if (entry === undefined) return;
      copyState(state, entry);
      this.#lookAtBlock(activation, activation.start + i, state);
    });
  }

  #lookAtBlock(activation: Activation, block: InsnIndex, state: State): void {
    const { n, leader, functionOf, target } = this.#graph;
    const { fn, id } = activation;
    for (let pc = block; pc < n; ) {
      const opcode = this.#insns[pc * INSN_SIZE] ?? 0;
      this.#visits[pc] = Math.min(0xffff, (this.#visits[pc] ?? 0) + 1);
      this.#pcNow = pc;
      missingRegisters(this.#insns, pc, fn, state, (reg, always) => this.#sawMissing(reg, always));
      // The kernel removes one that leads to the next instruction.
      if (opcode === OP_MAY_GOTO && target[pc] !== pc + 1) this.#hasMayGoto[fn] = 1;
      if (isLocalCall(opcode, (this.#insns[pc * INSN_SIZE + 1] ?? 0) >> 4)) {
        this.#calls[fn]?.set(pc, functionOf[target[pc] ?? 0] ?? 0);
      }
      if (leavesBlock(this.#graph, pc, opcode)) return;
      const judged = judgeCtxAccess(this.#view, pc, id, state, this.#options.progType);
      if (judged === undefined) this.#other[pc] ||= accessesOther(this.#view, pc, id, state) ? 1 : 0;
      else if ('message' in judged) this.#refusals.push(judged);
      else this.#ctxAccesses.set(pc, judged);
      transfer(this.#fixpoint.context, state, pc, id, this.#observer);
      pc += opcode === WIDE_OPCODE ? 2 : 1;
      if (leader[pc]) return;
    }
  }

  #sawStack(owner: number, off: number, size: number): void {
    // Accesses outside the frame are faults at run time; they make no frame deeper.
    if (off >= 0 || off < -MAX_BPF_STACK || size <= 0) return;
    const fn = this.#fixpoint.activations[owner]?.fn ?? 0;
    this.#depths[fn] = Math.max(this.#depths[fn] ?? 0, -off);
  }

  #sawMap(pc: InsnIndex, reg: number, map: number | undefined, certain: boolean): void {
    const key = pc * 16 + reg;
    const before = this.#mapArgs.get(key);
    if (before === undefined) this.#mapArgs.set(key, { pc, reg, map, certain });
    else if (before.map !== map) this.#mapArgs.set(key, { pc, reg, map: undefined, certain: false });
    else this.#mapArgs.set(key, { ...before, certain: before.certain && certain });
  }

  #sawMissing(reg: number, always: boolean): void {
    const key = this.#pcNow * 16 + reg;
    const before = this.#missing.get(key) ?? { always: 0, maybe: 0 };
    if (always) before.always++;
    else before.maybe++;
    this.#missing.set(key, before);
  }

  #uninitialisedReads(): UninitialisedRead[] {
    return [...this.#missing]
      .sort(([a], [b]) => a - b)
      .map(([key, { always }]) => {
        const pc = Math.floor(key / 16);
        return { pc, reg: key % 16, always: always === this.#visits[pc] };
      });
  }

  /** Instructions that no path comes to, those behind a branch whose way is known among them. */
  #unvisited(): InsnIndex[] {
    const found: InsnIndex[] = [];
    for (let pc = 0; pc < this.#graph.n; pc++) {
      if (this.#visits[pc] === 0) found.push(pc);
      if (this.#insns[pc * INSN_SIZE] === WIDE_OPCODE) pc++;
    }
    return found;
  }

  /** Bytes of stack that function `f` itself accesses. */
  #depth(f: number): number {
    return Math.ceil((this.#depths[f] ?? 0) / 8) * 8;
  }

  result(): KindsResult {
    const { n, starts } = this.#graph;
    const ctxAccesses = [...this.#ctxAccesses.values()].sort((a, b) => a.pc - b.pc);
    for (const { pc } of ctxAccesses) {
      if (!this.#other[pc]) continue;
      this.#refusals.push({ pc, message: 'same insn cannot be used with different pointers' });
    }
    const subprogs = starts.map((start, f) => ({
      start,
      end: starts[f + 1] ?? n,
      stackDepth: this.#depth(f) + (this.#hasMayGoto[f] ? MAY_GOTO_STACK : 0),
      calls: [...(this.#calls[f] ?? [])].map(([pc, callee]) => ({ pc, callee })).sort((a, b) => a.pc - b.pc),
    }));
    // What rewriting adds is not counted, as in the kernel.
    const own = subprogs.map((subprog, f) => ({ ...subprog, stackDepth: this.#depth(f) }));
    const limited = this.#options.progType === 'raw' ? undefined : checkStackDepths(own);
    const first = this.#refusals.sort((a, b) => (a.pc ?? 0) - (b.pc ?? 0))[0];
    return {
      refusal: first ?? limited,
      ctxAccesses,
      mapArgs: [...this.#mapArgs.values()].sort((a, b) => a.pc - b.pc),
      subprogs,
      uninitialisedReads: this.#uninitialisedReads(),
      writesPacket: this.#writesPacket,
      unreachable: this.#unvisited(),
    };
  }
}
