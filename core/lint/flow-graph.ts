import { type Decoded, insnTarget } from '../isa/decode.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { ObjSection } from '../object/object.ts';
import { type CodeFunction, relocationsBySlot } from './functions.ts';

/** Where control goes wrong. `at` is an index into `FlowGraph.insns`. */
export interface FlowProblem {
  readonly kind: 'jump-outside' | 'jump-into-wide' | 'runs-past-end';
  readonly at: number;
  /** Slot a jump goes to, from the section's start. */
  readonly target?: InsnIndex;
}

/** The instructions of one function and where control goes from each. */
export interface FlowGraph {
  readonly fn: CodeFunction;
  readonly insns: readonly Decoded[];
  /** Indices into `insns`. */
  readonly successors: readonly (readonly number[])[];
  /** One byte an instruction: can it be reached from the first? */
  readonly reachable: Uint8Array;
  readonly problems: readonly FlowProblem[];
}

/** Draws the flow graph of `fn`. Edges that lead nowhere become problems instead. */
export function flowGraph(section: ObjSection, fn: CodeFunction): FlowGraph {
  const { insns } = fn;
  const indexOfSlot = new Int32Array(fn.end - fn.start).fill(-1);
  insns.forEach(({ index }, at) => {
    indexOfSlot[index - fn.start] = at;
  });
  const relocated = relocationsBySlot(section);
  const problems: FlowProblem[] = [];
  const successors = insns.map((decoded, at) => {
    const next: number[] = [];
    const flow = decoded.row?.flow ?? 'next';
    if (flow !== 'exit' && flow !== 'jump') {
      if (at + 1 < insns.length) next.push(at + 1);
      // What no instruction is has been told already, and leads nowhere that is known.
      else if (decoded.row !== undefined) problems.push({ kind: 'runs-past-end', at });
    }
    if ((flow === 'jump' || flow === 'branch') && !relocated.has(decoded.index)) {
      const target = insnTarget(decoded) ?? decoded.index;
      const to = indexOfSlot[target - fn.start] ?? -1;
      if (to >= 0) next.push(to);
      else {
        const isInside = target >= fn.start && target < fn.end;
        problems.push({ kind: isInside ? 'jump-into-wide' : 'jump-outside', at, target });
      }
    }
    return next;
  });
  return { fn, insns, successors, reachable: reach(successors), problems };
}

function reach(successors: readonly (readonly number[])[]): Uint8Array {
  const reachable = new Uint8Array(successors.length);
  const waiting = successors.length > 0 ? [0] : [];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (reachable[at] !== 0) continue;
    reachable[at] = 1;
    waiting.push(...(successors[at] ?? []));
  }
  return reachable;
}
