import type { Decoded } from '../isa/decode.ts';
import type { RegField } from '../isa/row.ts';
import type { FlowGraph } from './flow-graph.ts';
import { isRegisterCall } from './functions.ts';

/** A register that is read where it has, or may have, no value. */
export interface UnsetRead {
  /** Index into `FlowGraph.insns`. */
  readonly at: number;
  /** 0 … 10. */
  readonly register: number;
  /** No path gives it a value. */
  readonly always: boolean;
  /** The call that made the value unusable, as an index into `insns`, where one did. */
  readonly lostIn: number | undefined;
}

/** What the flow needs to know of calls and of the function's own arguments; registers as bits 0 … 10. */
export interface RegisterFlowOptions {
  /** Registers with a value at the function's start. */
  readonly entry: number;
  /** Argument registers that a call reads. */
  argumentsOf(call: Decoded): number;
  /** Does `exit` need R0? Not in a function whose callers may ignore it. */
  readonly exitReadsR0: boolean;
}

/** R1 to R5: a call leaves them without a usable value. */
export const CALLER_SAVED_ARGUMENTS = 0b111110;

/**
 * Finds reads of registers without a value: forward data flow with two sets a point, the registers that have a
 * value on every path and those that have one on some path. Works on one function of a program that need not be
 * whole. A register is reported once a path: after its first bad read it counts as set.
 */
export function unsetReads(graph: FlowGraph, options: RegisterFlowOptions): UnsetRead[] {
  const { insns, successors } = graph;
  const every = new Int32Array(insns.length).fill(-1);
  const some = new Int32Array(insns.length);
  if (insns.length === 0) return [];
  const uses = insns.map((decoded) => usesOf(decoded, options));
  every[0] = options.entry;
  some[0] = options.entry;
  const waiting = [0];
  const isWaiting = new Uint8Array(insns.length);
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    isWaiting[at] = 0;
    const use = uses[at];
    if (use === undefined) continue;
    const everyOut = (((every[at] ?? 0) | use.reads) & ~use.loses) | use.sets;
    const someOut = (((some[at] ?? 0) | use.reads) & ~use.loses) | use.sets;
    for (const next of successors[at] ?? []) {
      const everyIn = (every[next] ?? -1) & everyOut;
      const someIn = (some[next] ?? 0) | someOut;
      if (everyIn === every[next] && someIn === some[next]) continue;
      every[next] = everyIn;
      some[next] = someIn;
      if (isWaiting[next] === 0) waiting.push(next);
      isWaiting[next] = 1;
    }
  }
  const found: UnsetRead[] = [];
  // Walking back is for messages only: most functions need none.
  let comesFrom: number[][] | undefined;
  for (let at = 0; at < insns.length; at++) {
    if (graph.reachable[at] === 0) continue;
    const unset = (uses[at]?.reads ?? 0) & ~(every[at] ?? 0);
    for (let register = 0; unset >> register !== 0; register++) {
      if (((unset >> register) & 1) === 0) continue;
      const always = (((some[at] ?? 0) >> register) & 1) === 0;
      comesFrom ??= predecessors(successors);
      found.push({ at, register, always, lostIn: callThatLost(uses, comesFrom, at, register) });
    }
  }
  return found;
}

/** Argument registers (bits 1 … 5) that a function reads before it writes them, on some path. */
export function argumentsRead(graph: FlowGraph, argumentsOf: (call: Decoded) => number): number {
  const options: RegisterFlowOptions = { entry: 1 << 10, argumentsOf, exitReadsR0: false };
  const atEntry = unsetReads(graph, options).filter(({ register, lostIn }) => {
    return lostIn === undefined && ((CALLER_SAVED_ARGUMENTS >> register) & 1) === 1;
  });
  return atEntry.reduce((bits, { register }) => bits | (1 << register), 0);
}

interface Uses {
  readonly reads: number;
  readonly sets: number;
  readonly loses: number;
}

function usesOf(decoded: Decoded, options: RegisterFlowOptions): Uses {
  const flow = decoded.row?.flow;
  if (flow === 'call' || isRegisterCall(decoded)) {
    const target = decoded.row?.dst === 'r' ? 1 << decoded.insn.dst : 0;
    return { reads: target | options.argumentsOf(decoded), sets: 1, loses: CALLER_SAVED_ARGUMENTS };
  }
  if (flow === 'exit') return { reads: options.exitReadsR0 ? 1 : 0, sets: 0, loses: 0 };
  const { row, insn } = decoded;
  const writes = bits(row?.writes) | fieldBits(row?.dst, 'w', insn.dst) | fieldBits(row?.src, 'w', insn.src);
  const reads = bits(row?.reads) | fieldBits(row?.dst, 'r', insn.dst) | fieldBits(row?.src, 'r', insn.src);
  // LD_ABS and LD_IND behave as calls do: R0 is the result, R1 to R5 are lost.
  const isPacketLoad = decoded.row?.group === 'packet';
  const loses = isPacketLoad ? CALLER_SAVED_ARGUMENTS : 0;
  return { reads, sets: writes & ~loses, loses };
}

/** A register field as a bit, when it is used in this way. */
function fieldBits(field: RegField | undefined, use: 'r' | 'w', register: number): number {
  return typeof field === 'string' && field.includes(use) ? 1 << register : 0;
}

function bits(registers: readonly number[] = []): number {
  return registers.reduce((all, register) => all | (1 << register), 0);
}

function predecessors(successors: readonly (readonly number[])[]): number[][] {
  const comesFrom: number[][] = successors.map(() => []);
  successors.forEach((all, at) => {
    for (const next of all) comesFrom[next]?.push(at);
  });
  return comesFrom;
}

/** Walks back from `at` to the nearest call that took the register's value away. */
function callThatLost(
  uses: readonly Uses[],
  comesFrom: readonly (readonly number[])[],
  at: number,
  register: number,
): number | undefined {
  const seen = new Set<number>();
  const waiting = [...(comesFrom[at] ?? [])];
  for (let from = waiting.shift(); from !== undefined; from = waiting.shift()) {
    if (seen.has(from)) continue;
    seen.add(from);
    const use = uses[from];
    if (use === undefined) continue;
    if (((use.loses >> register) & 1) === 1) return from;
    if (((use.sets >> register) & 1) === 0) waiting.push(...(comesFrom[from] ?? []));
  }
  return undefined;
}
