/**
 * The shape of one row of the instruction table (`table.ts`).
 *
 * An instruction is 64 bits, little endian (RFC 9669 section 3.1):
 *
 *     byte  0        1          2..3      4..7
 *          +--------+----+----+----------+----------------------+
 *          | opcode |src |dst | off (s16)| imm (s32)            |
 *          +--------+----+----+----------+----------------------+
 *                    7..4 3..0
 *
 * A wide instruction (`wide`) is followed by a second slot whose opcode, registers and offset are
 * zero and whose `imm` is called `next_imm`.
 */

/** How a register field is used: read, written, both; a number is a required value (reserved or pseudo). */
export type RegField = 'r' | 'w' | 'rw' | number;

/**
 * The 16-bit `off` field: `mem` signed byte offset of an access, `jump` slots relative to the next
 * instruction, `kfd` index into the fd array (kfunc calls), or a required value.
 */
export type OffField = 'mem' | 'jump' | 'kfd' | number;

/**
 * The 32-bit `imm` field: `s32` a signed number; `jump` slots relative to the next instruction;
 * `helper` a helper's number; `func` slots to a program-local function relative to the next
 * instruction; `kfunc` and `btfid` BTF ids; `imm64` the low half of a 64-bit number; the `map…` kinds
 * name a map (`mapfd`: in `core/object` the index into `LoadAttr.maps`); `atomic_op` the operation of a
 * rewritten arena atomic; or a required value.
 */
export type ImmField =
  | 's32'
  | 'jump'
  | 'helper'
  | 'func'
  | 'kfunc'
  | 'btfid'
  | 'imm64'
  | 'mapfd'
  | 'mapvalue'
  | 'mapidx'
  | 'mapidxvalue'
  | 'atomic_op'
  | number;

/** What happens to the program counter after the instruction. */
export type Flow = 'next' | 'jump' | 'branch' | 'call' | 'exit';

/**
 * The first `-mcpu` version for which LLVM's code generator uses the instruction; `kernel`: Linux only.
 * No assembler refuses an instruction for its version (llvm-mc checks none of them), and GNU as counts
 * 32-bit arithmetic and stores of an immediate as v1: the version is something to show, not to enforce.
 */
export type IsaVersion = 'v1' | 'v2' | 'v3' | 'v4' | 'kernel';

/**
 * Conformance group (RFC 9669 section 2.4), or `kernel` for what Linux adds. Where the text of the RFC
 * decides, it holds (64-bit arithmetic and jumps, `DW` accesses and 64-bit byte swaps are `base64`, all
 * calls and unconditional jumps `base32`); `exit`, which the text leaves open, is `base32` as in the IANA
 * registry. A 64-bit group includes its 32-bit one.
 */
export type ConformanceGroup =
  | 'base32'
  | 'base64'
  | 'divmul32'
  | 'divmul64'
  | 'atomic32'
  | 'atomic64'
  | 'packet'
  | 'kernel';

/**
 * One instruction. Parser, printer, reserved-field check, diagnostics, completion, hover, grammar and
 * the ISA reference are derived from it; engines are total maps over `InsnId`.
 */
export interface InsnRow {
  readonly id: string;
  readonly opcode: number;
  readonly dst: RegField;
  readonly src: RegField;
  readonly off: OffField;
  readonly imm: ImmField;
  /** Template in LLVM's pseudo-C dialect; the placeholders in braces are `OPERANDS` of `template.ts`. */
  readonly pseudoc: string;
  /** Template in the GNU dialect; empty where that dialect has no word for it. */
  readonly gnu: string;
  /** Template as verifier logs and bpftool print it. */
  readonly kernel: string;
  /**
   * Further accepted spellings (never printed): older ones, and those of other tools. One operand may be
   * missing in them (`ld_pseudo` has no `next_imm`): its field is 0.
   */
  readonly pseudocAlso?: readonly string[];
  readonly gnuAlso?: readonly string[];
  /** Registers read and written beyond the operands. */
  readonly reads?: readonly number[];
  readonly writes?: readonly number[];
  /** Width in bytes of the memory access, where there is one. */
  readonly access?: 1 | 2 | 4 | 8;
  /** Two slots long. */
  readonly wide?: true;
  /** Exists only in rewritten (xlated) programs; refused at load. */
  readonly rewrittenOnly?: true;
  readonly flow: Flow;
  readonly isa: IsaVersion;
  readonly group: ConformanceGroup;
  /** What it does, in the field's words, one line. */
  readonly meaning: string;
  /** Where that is specified. */
  readonly source: string;
}
