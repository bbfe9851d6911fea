import {
  type Decoded,
  decodeInsn,
  decodeProgram,
  insnReads,
  insnTarget,
  insnWrites,
} from '#core/isa/decode.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn } from '#core/isa/insn.ts';
import { isBlindable } from '#core/prog/bpf-jit-blind-constants.ts';

const AX = 11;
/** Operations of ALU classes, and the source bit. */
const MOV = 0xb0;
const XOR = 0xa0;
const X = 0x08;
const ALU = 4;
const ALU64 = 7;
const WIDE = 0x18;
const LSH64_IMM = 0x67;
const MOV64_X = 0xbf;
const OR64_X = 0x4f;

/** What reading a blinded program beside the one before has found. */
export interface Unblinded {
  /** What is wrong, one line each, the slot of the blinded program in front; empty: nothing. */
  readonly problems: string[];
  /** Keys, and constants under their keys, that stand in the blinded program. */
  readonly shown: ReadonlySet<number>;
  /** Constants of the program before that had to be hidden. */
  readonly hidden: ReadonlySet<number>;
  /** Instructions that were left as they were. */
  readonly kept: number;
}

/**
 * Reads a blinded program instruction by instruction beside the program before: each blindable one must be
 * the sequence that gives exactly its constant, every other one must be there unchanged, branches must lead to
 * the same places. So AX is written and read by those sequences, by what used it before, and by nothing else.
 */
export function unblind(plain: Uint8Array, blinded: Uint8Array): Unblinded {
  const reader = new Reader(blinded);
  reader.read(plain);
  return reader;
}

class Reader implements Unblinded {
  readonly problems: string[] = [];
  readonly shown = new Set<number>();
  readonly hidden = new Set<number>();
  kept = 0;
  readonly #blinded: Uint8Array;
  #at: InsnIndex = 0;

  constructor(blinded: Uint8Array) {
    this.#blinded = blinded;
  }

  read(plain: Uint8Array): void {
    const places = new Map<InsnIndex, InsnIndex>();
    const branches: (readonly [from: Decoded, at: InsnIndex])[] = [];
    for (const decoded of decodeProgram(plain)) {
      places.set(decoded.index, this.#at);
      if (isBlindable(decoded.insn)) this.#hiddenInsn(decoded);
      else this.#keptInsn(plain, decoded);
      if (insnTarget(decoded) !== undefined) branches.push([decoded, this.#at - 1]);
    }
    const slots = this.#blinded.length / INSN_SIZE;
    if (this.#at !== slots) this.problems.push(`${this.#at}: ${slots} slots, not ${this.#at}`);
    places.set(plain.length / INSN_SIZE, slots);
    for (const [from, at] of branches) {
      const want = places.get(insnTarget(from) ?? -1);
      const to = at < slots ? insnTarget(decodeInsn(this.#blinded, at)) : undefined;
      if (to !== want) this.problems.push(`${at}: leads to ${to}, must lead to ${want}`);
    }
  }

  #keptInsn(plain: Uint8Array, { index, length, row }: Decoded): void {
    this.kept++;
    for (let slot = index; slot < index + length; slot++) {
      const now = this.#next();
      const before = readInsn(plain, slot);
      const off = row?.off === 'jump' ? now.off : before.off;
      const imm = row?.imm === 'jump' || row?.imm === 'func' ? now.imm : before.imm;
      this.#expect(now, { ...before, off, imm });
    }
  }

  #hiddenInsn({ insn, nextImm }: Decoded): void {
    const { opcode, dst, imm } = insn;
    const cls = opcode & 7;
    if (opcode === WIDE) {
      this.#intoAx(ALU64, nextImm ?? 0);
      this.#expect(this.#next(), { opcode: LSH64_IMM, dst: AX, src: 0, off: 0, imm: 32 });
      this.#expect(this.#next(), { opcode: MOV64_X, dst, src: AX, off: 0, imm: 0 });
      this.#intoAx(ALU, imm);
      this.#expect(this.#next(), { opcode: OR64_X, dst, src: AX, off: 0, imm: 0 });
      return;
    }
    if (imm === 0 && (opcode === (MOV | ALU) || opcode === (MOV | ALU64))) {
      this.#expect(this.#next(), { opcode: cls | XOR | X, dst, src: dst, off: 0, imm: 0 });
      return;
    }
    const isStore = cls === 2;
    const isJump = cls === 5 || cls === 6;
    this.#intoAx(cls === ALU || cls === 6 ? ALU : ALU64, imm);
    const now = this.#next();
    const form = isStore ? opcode | 1 : opcode | X;
    this.#expect(now, { opcode: form, dst, src: AX, off: isJump ? now.off : insn.off, imm: 0 });
  }

  /** Two instructions after which AX is `imm`. */
  #intoAx(cls: number, imm: number): void {
    this.hidden.add(imm);
    const [mov, xor] = [this.#next(), this.#next()];
    this.#expect(mov, { opcode: cls | MOV, dst: AX, src: 0, off: 0, imm: mov.imm });
    this.#expect(xor, { opcode: cls | XOR, dst: AX, src: 0, off: 0, imm: xor.imm });
    if ((mov.imm ^ xor.imm) !== imm)
      this.problems.push(`${this.#at - 2}: gives ${mov.imm ^ xor.imm}, not ${imm}`);
    this.shown.add(mov.imm).add(xor.imm);
  }

  #next(): Insn {
    const inside = (this.#at + 1) * INSN_SIZE <= this.#blinded.length;
    const insn = inside ? readInsn(this.#blinded, this.#at) : { opcode: 0, dst: 0, src: 0, off: 0, imm: 0 };
    if (!inside) this.problems.push(`${this.#at}: the program ends too early`);
    this.#at++;
    return insn;
  }

  #expect(now: Insn, want: Insn): void {
    const [is, must] = [JSON.stringify(now), JSON.stringify(want)];
    if (is !== must) this.problems.push(`${this.#at - 1}: is ${is}, must be ${must}`);
  }
}

/**
 * Slots of blindable instructions at which AX holds something that is read later: there blinding would destroy
 * it. Backwards over the program's branches until nothing changes.
 */
export function axLiveAtBlindable(plain: Uint8Array): InsnIndex[] {
  const program = decodeProgram(plain);
  const live = new Set<InsnIndex>();
  const isLiveBehind = (decoded: Decoded): boolean => {
    const { index, length, row } = decoded;
    const target = row?.flow === 'call' ? undefined : insnTarget(decoded);
    const falls = row?.flow !== 'exit' && row?.flow !== 'jump' && live.has(index + length);
    return falls || (target !== undefined && live.has(target));
  };
  for (let before = -1; before !== live.size; ) {
    before = live.size;
    for (const decoded of program.toReversed()) {
      const passes = isLiveBehind(decoded) && !insnWrites(decoded).includes(AX);
      if (passes || insnReads(decoded).includes(AX)) live.add(decoded.index);
    }
  }
  return program.filter((each) => isBlindable(each.insn) && isLiveBehind(each)).map(({ index }) => index);
}
