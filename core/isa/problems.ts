import { findRow, rowsOfOpcode, type TableRow, WIDE_OPCODE } from './decode.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn } from './insn.ts';
import { N_REGISTERS } from './registers.ts';

/** Kinds of problem that one slot can have by itself. */
export type InsnProblemCode =
  | 'unknown-opcode'
  | 'reserved-field'
  | 'register-range'
  | 'incomplete-wide'
  | 'rewritten-only';

/** What is wrong with an instruction as loaded. */
export interface InsnProblem {
  readonly code: InsnProblemCode;
  /** The verifier's text (Linux 6.18). */
  readonly message: string;
  /** The field that is to blame and what it must be, in our words. */
  readonly hint: string;
  /**
   * Found in the verifier's first look at all instructions (`resolve_pseudo_ldimm64`), before it follows
   * any path: of several problems in a program these are reported first.
   */
  readonly early: boolean;
}

/** The verifier's texts of that first look. */
const EARLY = /^unknown opcode|^BPF_LDX uses reserved fields$|bpf_ld_imm64 insn$/;

const LD = 0x00;
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const JMP = 0x05;
const JMP32 = 0x06;
const MODE_IMM = 0x00;
const MODE_MEM = 0x60;
const MODE_MEMSX = 0x80;
const MODE_ATOMIC = 0xc0;

const CAST_TEXT = 'addr_space_cast insn can only convert between address space 1 and 0';

/** Operations that an atomic instruction of 4 or 8 bytes may name (RFC 9669 section 5.3). */
const ATOMIC_OPS: ReadonlySet<number> = new Set([
  0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, 0x100, 0x110,
]);

/**
 * What makes the instruction at slot `index` illegal in a program as loaded, looking at nothing but
 * the instruction itself: opcode, reserved fields, register numbers, the second slot of a wide one.
 * Undefined when it is legal. Jump targets, the frame pointer and values are for others to judge.
 * The second slot of a wide instruction is not to be asked about.
 * Texts as the verifier's (kernel/bpf/verifier.c), recorded from Linux 6.18.
 */
export function insnProblem(bytes: Uint8Array, index: InsnIndex): InsnProblem | undefined {
  const found = findProblem(bytes, index);
  return found && { ...found, early: EARLY.test(found.message) };
}

type Found = Omit<InsnProblem, 'early'>;

function findProblem(bytes: Uint8Array, index: InsnIndex): Found | undefined {
  const insn = readInsn(bytes, index);
  const row = findRow(insn);
  if (row && !row.wide && !row.rewrittenOnly && row.id !== 'callx') {
    return row.id === 'addr_space_cast' && insn.imm !== 1 && insn.imm !== 0x10000
      ? { code: 'reserved-field', message: CAST_TEXT, hint: `imm is ${insn.imm}; it must be 1 or 0x10000` }
      : registersProblem(insn, row);
  }
  if (row?.rewrittenOnly) {
    const isMove = row.id === 'mov64_percpu' || row.id === 'mov32_zext';
    const message = isMove ? 'BPF_MOV uses reserved fields' : unknownOpcode(insn);
    return { code: 'rewritten-only', message, hint: `${row.id} exists only in rewritten programs` };
  }
  const known = rowsOfOpcode(insn.opcode).filter((r) => !r.rewrittenOnly && r.id !== 'callx');
  if (known.length === 0) {
    const hint =
      row?.id === 'callx'
        ? 'Linux has no call through a register; compile with optimisation so that the call is direct'
        : `no instruction has the opcode 0x${hex(insn.opcode)}`;
    return { code: 'unknown-opcode', message: unknownOpcode(insn), hint };
  }
  if (insn.opcode === WIDE_OPCODE) {
    const wide = wideProblem(bytes, index, insn);
    if (wide) return wide;
  }
  if (!row) {
    // Conditional jumps are the ones of which the verifier looks at the destination first.
    const first =
      known[0]?.flow === 'branch' ? registerProblem(insn.dst, known[0].dst, 'dst_reg') : undefined;
    return first ?? { code: 'reserved-field', message: reservedText(insn), hint: reservedHint(insn, known) };
  }
  return registersProblem(insn, row);
}

function registersProblem(insn: Insn, row: TableRow): Found | undefined {
  const dst = registerProblem(insn.dst, row.dst, 'dst_reg');
  const src = registerProblem(insn.src, row.src, 'src_reg');
  return row.flow === 'branch' ? (dst ?? src) : (src ?? dst);
}

function registerProblem(number: number, use: string | number, field: string): Found | undefined {
  if (typeof use === 'number' || number < N_REGISTERS) return undefined;
  const hint = `${field} is ${number}; a program may name R0 to R10`;
  return { code: 'register-range', message: `R${number} is invalid`, hint };
}

function wideProblem(bytes: Uint8Array, index: InsnIndex, insn: Insn): Found | undefined {
  if ((index + 2) * INSN_SIZE > bytes.length) {
    const hint = 'a wide instruction takes two slots; the second is missing';
    return { code: 'incomplete-wide', message: 'invalid bpf_ld_imm64 insn', hint };
  }
  const next = readInsn(bytes, index + 1);
  if (next.opcode !== 0 || next.dst !== 0 || next.src !== 0 || next.off !== 0) {
    const hint = 'opcode, registers and offset of the second slot must be 0';
    return { code: 'incomplete-wide', message: 'invalid bpf_ld_imm64 insn', hint };
  }
  if ((insn.src === 1 || insn.src === 5) && next.imm !== 0) {
    const hint = 'next_imm of a map load must be 0';
    return { code: 'reserved-field', message: 'unrecognized bpf_ld_imm64 insn', hint };
  }
  return undefined;
}

/** Of loads the verifier judges mode and `imm` before it asks whether there is such an opcode. */
function unknownOpcode({ opcode, imm }: Insn): string {
  const mode = opcode & 0xe0;
  if ((opcode & 7) === LDX && ((mode !== MODE_MEM && mode !== MODE_MEMSX) || imm !== 0)) {
    return 'BPF_LDX uses reserved fields';
  }
  return `unknown opcode ${hex(opcode)}`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** The verifier's complaint about an instruction whose opcode it knows but whose fields fit no row. */
function reservedText(insn: Insn): string {
  const cls = insn.opcode & 7;
  const mode = insn.opcode & 0xe0;
  const op = insn.opcode & 0xf0;
  switch (cls) {
    case LD:
      if (mode !== MODE_IMM) return 'BPF_LD_[ABS|IND] uses reserved fields';
      return insn.src > 6 ? 'unrecognized bpf_ld_imm64 insn' : 'BPF_LD_IMM64 uses reserved fields';
    case LDX:
      return 'BPF_LDX uses reserved fields';
    case ST:
      return 'BPF_ST uses reserved fields';
    case STX:
      if (mode !== MODE_ATOMIC) return 'BPF_STX uses reserved fields';
      if (!ATOMIC_OPS.has(insn.imm)) {
        return `BPF_ATOMIC uses invalid atomic opcode ${(insn.imm >>> 0).toString(16).padStart(2, '0')}`;
      }
      return 'invalid atomic operand size';
    case JMP:
    case JMP32:
      if (op === 0x00) return 'BPF_JA uses reserved fields';
      if (op === 0x80) return 'BPF_CALL uses reserved fields';
      if (op === 0x90) return 'BPF_EXIT uses reserved fields';
      if (op === 0xe0) return `invalid may_goto imm ${insn.imm}`;
      return 'BPF_JMP/JMP32 uses reserved fields';
    default:
      if (op === 0xd0) return 'BPF_END uses reserved fields';
      if (op === 0x80) return 'BPF_NEG uses reserved fields';
      return `${op === 0xb0 ? 'BPF_MOV' : 'BPF_ALU'} uses reserved fields`;
  }
}

/** Names the field that keeps `insn` from being the row that it comes closest to. */
function reservedHint(insn: Insn, rows: ReturnType<typeof rowsOfOpcode>): string {
  const fields = [
    ['dst_reg', 'dst'],
    ['src_reg', 'src'],
    ['off', 'off'],
    ['imm', 'imm'],
  ] as const;
  const wrongIn = (row: (typeof rows)[number]) =>
    fields.filter(([, key]) => typeof row[key] === 'number' && row[key] !== insn[key]);
  const fewest = Math.min(...rows.map((row) => wrongIn(row).length));
  const nearest = rows.filter((row) => wrongIn(row).length === fewest);
  const field = nearest[0] && wrongIn(nearest[0])[0];
  if (!field) return 'a reserved field is not 0';
  const [name, key] = field;
  const allowed = nearest
    .filter((row) => wrongIn(row)[0]?.[1] === key)
    .map((row) => Number(row[key]))
    .filter((value, i, all) => all.indexOf(value) === i);
  const words = allowed.map((value) => (value > 9 ? `0x${value.toString(16)}` : String(value)));
  return `${name} is ${insn[key]}; it must be ${words.join(', ')}`;
}
