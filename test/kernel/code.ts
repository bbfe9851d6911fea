import { rowById } from '#core/isa/decode.ts';
import { INSN_SIZE, type Insn, writeInsn } from '#core/isa/insn.ts';
import type { InsnId } from '#core/isa/table.ts';

/** Operands of an instruction; those that its row requires a value of need not be told. */
export interface Operands {
  readonly dst?: number;
  readonly src?: number;
  readonly off?: number;
  readonly imm?: number;
  /** `imm` of the second slot of a wide instruction. */
  readonly next?: number;
}

/** A branch whose target is told later. */
export interface Branch {
  readonly slot: number;
}

/** Instructions one after the other, with branches to be told later. */
export class Code {
  readonly #insns: Insn[] = [];

  /** Slot of the next instruction. */
  get here(): number {
    return this.#insns.length;
  }

  /** Adds the instruction called `id`. */
  emit(id: InsnId, operands: Operands = {}): Branch {
    const row = rowById(id);
    const slot = this.here;
    const pick = (field: string | number, told: number | undefined): number =>
      typeof field === 'number' ? field : (told ?? 0);
    this.#insns.push({
      opcode: row.opcode,
      dst: pick(row.dst, operands.dst),
      src: pick(row.src, operands.src),
      off: pick(row.off, operands.off),
      imm: pick(row.imm, operands.imm),
    });
    if (row.wide) this.#insns.push({ opcode: 0, dst: 0, src: 0, off: 0, imm: operands.next ?? 0 });
    return { slot };
  }

  /** Points a branch or local call to slot `target`, by default the next one. */
  land({ slot }: Branch, target = this.here): void {
    const insn = this.#insns[slot];
    if (insn === undefined) throw new RangeError(`no slot ${slot}`);
    const distance = target - slot - 1;
    const far = insn.opcode === 0x06 || insn.opcode === 0x85;
    this.#insns[slot] = far ? { ...insn, imm: distance } : { ...insn, off: distance };
  }

  /** All of it as the kernel reads it. */
  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#insns.length * INSN_SIZE);
    for (const [slot, insn] of this.#insns.entries()) writeInsn(bytes, slot, insn);
    return bytes;
  }
}
