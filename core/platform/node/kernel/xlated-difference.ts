import { WIDE_OPCODE } from '../../../isa/decode.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn } from '../../../isa/insn.ts';
import { calledFunction } from '../../../isa/numbering.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, OP_CALL } from '../../../isa/opcodes.ts';

const OP_MOV64_IMM = 0xb7;
const OP_MOV64_REG = 0xbf;

/** Numbers that differ from machine to machine (addresses, ids): they must correspond one to one. */
export class Correspondence {
  readonly #ours = new Map<number, number>();
  readonly #theirs = new Map<number, number>();

  /** Does this pair agree with all pairs before? When it does, it is one of them from now on. */
  fits(theirs: number, ours: number): boolean {
    if (!this.#ours.has(theirs) && !this.#theirs.has(ours)) {
      this.#ours.set(theirs, ours);
      this.#theirs.set(ours, theirs);
    }
    return this.#ours.get(theirs) === ours && this.#theirs.get(ours) === theirs;
  }

  /** Our numbers that have a counterpart. */
  get ours(): number[] {
    return [...this.#theirs.keys()];
  }
}

/**
 * First slot in which two rewritten programs, as dumps have them (`bpfInsnPrepareDump`), differ; where one ends
 * earlier, its end. Undefined: they are equal. Addresses of functions, ids of maps and places in per-CPU memory
 * must correspond; `functions` holds those of programs that were compared before.
 */
export function xlatedDifference(
  ours: Uint8Array,
  theirs: Uint8Array,
  functions = new Correspondence(),
): InsnIndex | undefined {
  const maps = new Correspondence();
  const perCpu = new Correspondence();
  const nSlots = Math.min(ours.length, theirs.length) / INSN_SIZE;
  for (let slot = 0; slot < nSlots; slot++) {
    const [a, b] = [readInsn(ours, slot), readInsn(theirs, slot)];
    if (a.opcode !== b.opcode || a.dst !== b.dst || a.src !== b.src || a.off !== b.off) return slot;
    const names = meaningOf(a, slot + 1 < nSlots ? readInsn(ours, slot + 1) : undefined);
    const isSame =
      names === 'function'
        ? calledFunction(a.imm) !== undefined && functions.fits(b.imm, a.imm)
        : names === 'number'
          ? a.imm === b.imm
          : (names === 'map' ? maps : perCpu).fits(b.imm, a.imm);
    if (!isSame) return slot;
  }
  return ours.length === theirs.length ? undefined : nSlots;
}

/** What an instruction's `imm` stands for. */
function meaningOf(insn: Insn, next: Insn | undefined): 'function' | 'map' | 'per-CPU' | 'number' {
  const { opcode, src } = insn;
  if (opcode === OP_CALL && src === 0) return 'function';
  if (opcode === WIDE_OPCODE && (src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_VALUE)) return 'map';
  // A move with off −1 adds the CPU's offset: the constant before it is a place in per-CPU memory.
  const isPlace = opcode === OP_MOV64_IMM && next?.opcode === OP_MOV64_REG && next.off === -1;
  return isPlace ? 'per-CPU' : 'number';
}
