import type { InsnIndex } from '../isa/insn.ts';
import type { ProgType } from '../object/object.ts';
import { subprogStarts } from './check.ts';
import type { EntryArgs } from './extension-args.ts';
import { flowGraph } from './flow.ts';
import type { CtxUse } from './judge.ts';
import { runToFixpoint } from './kinds-pass.ts';
import { reportKinds } from './kinds-report.ts';
import type { Refusal } from './refusal.ts';
import type { MapSizes } from './transfer.ts';

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
  /** Index into the program's maps; undefined: different maps, or something else, on different paths. */
  readonly map: number | undefined;
  /** It is this map on every path: the call can be changed for it. */
  readonly certain: boolean;
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
  /** Some instruction may store into the packet directly. */
  readonly writesPacket: boolean;
  /** Slots that no path reaches. */
  readonly unreachable: readonly InsnIndex[];
}

/** What the program is analysed as. */
export interface KindsOptions {
  readonly progType: ProgType;
  /** The program's maps, as map loads count them. */
  readonly maps: readonly MapSizes[];
  /** What the main function is given; as the program type says when not told. */
  readonly entry?: EntryArgs | undefined;
}

/**
 * Finds, by data flow over registers, stack slots, subprogram arguments and returns: which instructions
 * access the context, which map each helper call uses, how deep each stack is, and which registers are
 * read without a value. Paths are joined where they meet, so that the time is linear in the program's
 * length for real programs; the lattice is bounded, so that it ends for all. A function is looked at
 * anew for each call that leads to it, as the verifier does, up to a bound; behind that its calls are
 * joined.
 *
 * `insns` must have passed `checkProgram`. Refusals carry the verifier's text (kernel/bpf/verifier.c).
 */
export function analyseKinds(insns: Uint8Array, options: KindsOptions): KindsResult {
  const starts = subprogStarts(insns);
  if ('message' in starts) throw new RangeError(`unchecked program: ${starts.message}`);
  const graph = flowGraph(insns, starts);
  return reportKinds(insns, graph, options, runToFixpoint(insns, graph, options));
}
