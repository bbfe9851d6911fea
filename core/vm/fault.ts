import type { InsnIndex } from '../isa/insn.ts';
import type { ExecProg } from './program.ts';

/** Kinds of faults, by the names that `run --json` prints. */
export type FaultKind =
  | 'out_of_bounds'
  | 'uninitialised'
  | 'permission'
  | 'bad_helper'
  | 'helper_argument'
  | 'stack_overflow'
  | 'insn_limit'
  | 'bad_pc';

/** Why a run ended before `exit`: a value, never an exception. The text is the same in every engine. */
export interface Fault {
  readonly kind: FaultKind;
  /** Original instruction. */
  readonly pc: InsnIndex;
  /** Instruction of the rewritten program. */
  readonly xlatedPc: InsnIndex;
  /** Address accessed, unsigned 64 bits; undefined where no memory is involved. */
  readonly address: bigint | undefined;
  /** Bytes accessed; 0 where no memory is involved. */
  readonly size: number;
  /** Name of the nearest region, as the message names it. */
  readonly region: string | undefined;
  /** What, where, and what would be right. */
  readonly message: string;
}

/** A fault without its place in the program: what the part that notices it knows. */
export interface Problem {
  readonly kind: FaultKind;
  readonly message: string;
  /** Unsigned 64 bits. */
  readonly address?: bigint;
  readonly size?: number;
  readonly region?: string | undefined;
}

/** `problem` at slot `xlatedPc` of `prog`. */
export function faultAt(prog: ExecProg, xlatedPc: InsnIndex, problem: Problem): Fault {
  return {
    kind: problem.kind,
    pc: prog.origIdx[xlatedPc] ?? xlatedPc,
    xlatedPc,
    address: problem.address,
    size: problem.size ?? 0,
    region: problem.region,
    message: problem.message,
  };
}
