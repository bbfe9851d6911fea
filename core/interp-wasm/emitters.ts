import { TABLE_ROWS } from '../isa/decode.ts';
import type { InsnId } from '../isa/table.ts';
import { ALU } from './alu.ts';
import { ATOMICS } from './atomics.ts';
import { CALLS, leaveLast, stop } from './calls.ts';
import type { DenseCode } from './code-layout.ts';
import type { EmitOp } from './emitter.ts';
import { JUMPS } from './jumps.ts';
import { inlinedLoad, LOAD_STORE } from './load-store.ts';

/** What the interpreter does for each instruction of the table: a row without an emitter does not compile. */
const INSNS: Readonly<Record<InsnId, EmitOp>> = {
  ...ALU,
  ...JUMPS,
  ...CALLS,
  ...LOAD_STORE,
  ...ATOMICS,
};

/** What TypeScript executes: such an op ends its run. */
export function isLeft(id: InsnId): boolean {
  return INSNS[id] === leaveLast;
}

const NATIVE = TABLE_ROWS.map(({ id }) => id).filter((id) => !isLeft(id));

/** The dense opcodes in their order: the instructions that the module executes, then those of its own. */
export const DENSE: readonly (readonly [code: DenseCode, emit: EmitOp])[] = [
  ...NATIVE.map((id): readonly [DenseCode, EmitOp] => [id, INSNS[id]]),
  ['ldxw_inlined', inlinedLoad],
  ['stop', stop],
  ['leave', leaveLast],
];

const numbers = new Map<DenseCode, number>(DENSE.map(([code], number) => [code, number]));

/** Number of a dense opcode. */
export function denseNumber(code: DenseCode): number {
  const number = numbers.get(code);
  if (number === undefined) throw new RangeError(`no dense opcode ${code}`);
  return number;
}
