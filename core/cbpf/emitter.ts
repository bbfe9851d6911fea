import { rowById } from '../isa/decode.ts';
import { INSN_SIZE, type Insn, writeInsn } from '../isa/insn.ts';
import type { InsnId } from '../isa/table.ts';
import type { ClassicRefusal } from './check.ts';

/** Fields of an eBPF instruction that its row leaves open; 0 where not told. */
export interface Fields {
  readonly dst?: number;
  readonly src?: number;
  readonly off?: number;
  /** Signed or unsigned 32 bits. */
  readonly imm?: number;
}

/** Farthest jump of eBPF's 16-bit offset. */
const MAX_JUMP = 0x7fff;

/** Collects eBPF instructions, each jump with the number of the classic instruction that it goes to. */
export class Emitter {
  readonly #slots: Insn[] = [];
  readonly #jumps: { readonly slot: number; readonly target: number }[] = [];
  readonly #first: number[] = [];
  readonly #nClassic: number;

  /** @param nClassic how many classic instructions there are. */
  constructor(nClassic: number) {
    this.#nClassic = nClassic;
  }

  /** Slots so far. */
  get length(): number {
    return this.#slots.length;
  }

  /** What follows stands for the classic instruction `pc`. */
  begin(pc: number): void {
    this.#first[pc] = this.#slots.length;
  }

  emit(id: InsnId, fields: Fields = {}): void {
    const row = rowById(id);
    const fixed = (required: unknown, given: number | undefined): number =>
      typeof required === 'number' ? required : (given ?? 0);
    this.#slots.push({
      opcode: row.opcode,
      dst: fixed(row.dst, fields.dst),
      src: fixed(row.src, fields.src),
      off: fixed(row.off, fields.off),
      imm: fixed(row.imm, fields.imm) | 0,
    });
  }

  /** A jump to the classic instruction `target`. */
  jump(id: InsnId, target: number, fields: Fields = {}): void {
    this.#jumps.push({ slot: this.#slots.length, target });
    this.emit(id, fields);
  }

  /** Sets the offset of the jump at `slot` so that it goes to `target`, both slots of this program. */
  patch(slot: number, target: number): void {
    const insn = this.#slots[slot];
    if (insn !== undefined) this.#slots[slot] = { ...insn, off: target - slot - 1 };
  }

  /** The program with all jumps resolved; a refusal where one is too long for eBPF. */
  finish():
    | {
        readonly insns: Uint8Array<ArrayBuffer>;
        readonly firstSlot: readonly number[];
        readonly setUp: number;
      }
    | ClassicRefusal {
    for (const { slot, target } of this.#jumps) {
      const to = this.#first[target] ?? this.#slots.length;
      if (to - slot - 1 > MAX_JUMP) {
        const pc = this.#first.findLastIndex((first) => first <= slot);
        const message = `the jump over ${to - slot - 1} eBPF instructions is too long; ${MAX_JUMP} is the limit`;
        return { pc, code: 'jump-too-far', message };
      }
      this.patch(slot, to);
    }
    const insns = new Uint8Array(this.#slots.length * INSN_SIZE);
    for (const [slot, insn] of this.#slots.entries()) writeInsn(insns, slot, insn);
    // the instructions that set up the registers belong to the first line of the program
    const firstSlot = this.#first.slice(0, this.#nClassic);
    const setUp = firstSlot[0] ?? 0;
    if (firstSlot.length > 0) firstSlot[0] = 0;
    return { insns, firstSlot, setUp };
  }
}
