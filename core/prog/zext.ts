import { decodeInsn, insnReads, insnTarget, insnWrites, WIDE_OPCODE } from '../isa/decode.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn } from '../isa/insn.ts';
import { BPF_ALU, BPF_ALU64, BPF_JMP32, BPF_LDX, BPF_STX, OP_EXIT, OP_JA, OP_JA32 } from '../isa/opcodes.ts';

/** `BPF_STX | BPF_ATOMIC | BPF_W` and the operation that gives R0 the old value. */
const OP_ATOMIC32 = 0xc3;
const BPF_CMPXCHG = 0xf1;

const SIZE_DW = 0x18;
const OP_END = 0xd0;

/** The move that clears R0's upper half, as `bpf_verifier` marks it for compilers: its `imm` is 1. */
export const ZEXT_R0: Insn = { opcode: 0xbc, dst: 0, src: 0, off: 0, imm: 1 };

/** Is it a 32-bit compare-and-exchange? On machines it need not clear the upper half of R0. */
export function isCmpxchg32(insn: Insn): boolean {
  return insn.opcode === OP_ATOMIC32 && insn.imm === BPF_CMPXCHG;
}

/** Does an instruction that reads R0 read all 64 bits of it? */
function readsUpperHalf(insn: Insn): boolean {
  const { opcode, dst, src } = insn;
  switch (opcode & 7) {
    case BPF_ALU:
      return (opcode & 0xf0) === OP_END && insn.imm === 64;
    case BPF_ALU64:
      // bswap16 and bswap32 are of this class.
      return (opcode & 0xf0) !== OP_END || insn.imm === 64;
    case BPF_JMP32:
      return false;
    case BPF_LDX:
      return src === 0;
    case BPF_STX:
      // As an address it is read whole; as a value, as far as the store is wide.
      return dst === 0 || (opcode & SIZE_DW) === SIZE_DW;
    default:
      return true;
  }
}

/**
 * Slots of the 32-bit compare-and-exchanges of a checked program behind which the upper half of R0 may be read
 * before R0 gets another value: there the kernel puts `ZEXT_R0` (`opt_subreg_zext_lo32_rnd_hi32`,
 * kernel/bpf/verifier.c). Which paths are possible is not looked at. Linear in the program's length.
 */
export function wantingZext(insns: Uint8Array): ReadonlySet<InsnIndex> {
  const found = new Set<InsnIndex>();
  const starts: InsnIndex[] = [];
  const asking: InsnIndex[] = [];
  for (let pc = 0; pc * INSN_SIZE < insns.length; pc++) {
    const opcode = insns[pc * INSN_SIZE];
    starts.push(pc);
    if (opcode === OP_ATOMIC32 && isCmpxchg32(readInsn(insns, pc))) asking.push(pc);
    if (opcode === WIDE_OPCODE) pc++;
  }
  if (asking.length === 0) return found;
  const read = upperHalfRead(insns, starts);
  // A compare-and-exchange is never the last instruction.
  for (const pc of asking) if (read[pc + 1]) found.add(pc);
  return found;
}

/** By slot: 1 where the upper half of R0 may be read from here on, before R0 gets another value. */
function upperHalfRead(insns: Uint8Array, starts: readonly InsnIndex[]): Uint8Array {
  const read = new Uint8Array(insns.length / INSN_SIZE);
  /** Slots from which control comes, where the value of R0 is handed on. */
  const before = new Map<InsnIndex, InsnIndex[]>();
  const work: InsnIndex[] = [];
  const link = (from: InsnIndex, to: InsnIndex): void => {
    const list = before.get(to);
    if (list === undefined) before.set(to, [from]);
    else list.push(from);
  };
  for (const pc of starts) {
    const decoded = decodeInsn(insns, pc);
    const { insn, row } = decoded;
    const isCall = row?.flow === 'call';
    // What a function leaves in R0 is for its caller to read.
    const isRead = !isCall && insnReads(decoded).includes(0) && readsUpperHalf(insn);
    if (isRead) work.push(pc);
    if (isRead || insn.opcode === OP_EXIT || insnWrites(decoded).includes(0)) continue;
    const target = row?.flow === 'jump' || row?.flow === 'branch' ? insnTarget(decoded) : undefined;
    if (target !== undefined) link(pc, target);
    if (insn.opcode !== OP_JA && insn.opcode !== OP_JA32) link(pc, pc + decoded.length);
  }
  for (let pc = work.pop(); pc !== undefined; pc = work.pop()) {
    if (read[pc]) continue;
    read[pc] = 1;
    work.push(...(before.get(pc) ?? []));
  }
  return read;
}
