import type { InsnId } from '../isa/table.ts';

/**
 * The form in which the WebAssembly interpreter reads a program: 16 bytes a slot in linear memory, by slot,
 * so that pc and address are one another's function; one entry more stands behind the last slot.
 *
 *     +0   dense opcode (`DenseCode`)                                     u16
 *     +2   byte offset of the destination register in the register block  u8
 *     +3   byte offset of the source register                             u8
 *     +4   immediate                                                      i32   (a wide one: i64, +4 … +11)
 *     +8   offset of an access; or bytes from here to what a jump leads to  i32
 *     +12  registers that get a value from here to the end of the run     u16   (bit n: Rn)
 *     +14  instructions as loaded that begin from here to the end of the run  u16
 *
 * A *run* is what is executed in a row: it ends with a jump, a branch, a call, an exit, or anything that
 * TypeScript executes. Counts and register bits are kept by the run: what its last op writes is not among
 * the bits.
 */
export const OP_SHIFT = 4;
export const OP_SIZE = 1 << OP_SHIFT;
export const OP_CODE = 0;
export const OP_DST = 2;
export const OP_SRC = 3;
export const OP_IMM = 4;
export const OP_OFF = 8;
export const OP_WRITES = 12;
export const OP_COST = 14;

/** Instructions that a run can have; a longer one is cut. */
export const MAX_RUN_COST = 0xffff;

/** What a dense opcode stands for: an instruction, or one of what no table has. */
export type DenseCode = InsnId | 'leave' | 'stop' | 'ldxw_inlined';

/**
 * Words in the CPU block that only mean something while the interpreter runs: how TypeScript and the
 * module hand values to one another. From byte 0xc0 of the block, each u32.
 */
export const SCRATCH_LEFT = 0xc0;
export const SCRATCH_INITIALISED = 0xc4;
/** Address of the current program's first op. */
export const SCRATCH_OPS = 0xc8;
/** Not 0: functions of the current program are replaced by others. */
export const SCRATCH_EXTENDED = 0xcc;
/** Upper word of the address of the current program's arena; 0: it has none. */
export const SCRATCH_ARENA_HI = 0xd0;
/** Where the module stopped. */
export const SCRATCH_AT = 0xd4;
