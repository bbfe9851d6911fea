import { WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { OP_CALL, OP_EXIT, OP_JA, OP_JA32 } from '../isa/opcodes.ts';
import { branchField } from './patch.ts';

/** A checked program cut into functions and basic blocks. All tables are by slot, −1 or 0 where not told otherwise. */
export interface FlowGraph {
  readonly n: number;
  /** First slots of the functions, ascending. */
  readonly starts: readonly InsnIndex[];
  /** Slot → index of its function. */
  readonly functionOf: Uint32Array;
  /** Slot → 1 where a basic block begins. */
  readonly leader: Uint8Array;
  /** Slot → target of its jump, branch or local call; −1: none. */
  readonly target: Int32Array;
}

/**
 * Cuts a program that `checkProgram` has passed into functions and blocks. A block ends at a jump,
 * a branch, `exit` or a local call, and before whatever one of those leads to.
 */
export function flowGraph(insns: Uint8Array, starts: readonly InsnIndex[]): FlowGraph {
  const n = insns.length / INSN_SIZE;
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const leader = new Uint8Array(n + 1);
  const target = new Int32Array(n).fill(-1);
  const functionOf = new Uint32Array(n);
  starts.forEach((start, f) => {
    leader[start] = 1;
    functionOf.fill(f, start, starts[f + 1] ?? n);
  });
  for (let pc = 0; pc < n; pc++) {
    const at = pc * INSN_SIZE;
    const opcode = view.getUint8(at);
    if (opcode === WIDE_OPCODE) {
      pc++;
      continue;
    }
    const field = branchField(opcode, view.getUint8(at + 1) >> 4);
    if (field !== 'none') {
      const to = pc + 1 + (field === 'imm' ? view.getInt32(at + 4, true) : view.getInt16(at + 2, true));
      target[pc] = to;
      leader[to] = 1;
      leader[pc + 1] = 1;
    } else if (opcode === OP_EXIT) {
      leader[pc + 1] = 1;
    }
  }
  return { n, starts, functionOf, leader, target };
}

/** Does control leave this opcode only by its jump (or not at all)? */
export function endsPath(opcode: number): boolean {
  return opcode === OP_EXIT || opcode === OP_JA || opcode === OP_JA32;
}

/** Is this a call of a program-local function? */
export function isLocalCall(opcode: number, src: number): boolean {
  return opcode === OP_CALL && src === 1;
}
