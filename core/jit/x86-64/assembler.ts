import type { Reg } from './registers.ts';
import { RSP } from './registers.ts';
import type { Form } from './row.ts';

/** A memory operand: `[base + index * scale + disp]`. */
export interface Mem {
  /** −1: none; the displacement is then an absolute address of 32 signed bits. */
  readonly base: Reg;
  /** −1: none. */
  readonly index: Reg;
  readonly scale: 1 | 2 | 4 | 8;
  readonly disp: number;
  /** Bytes that the displacement takes. */
  readonly dispBytes: 0 | 1 | 4;
}

/** Bytes of the longest instruction. */
const MAX_INSN = 15;
const FIRST_CAPACITY = 4096;

/** True for a number that a sign-extended byte can hold. */
export function isImm8(value: number): boolean {
  return value >= -128 && value <= 127;
}

/**
 * Writes x86-64 instructions of the table one after the other into a buffer that grows. Operands are given
 * in the order of the manual's instruction column; `Op/En` of the row says where each is encoded (Intel SDM
 * volume 2, chapter 2). Numbers are cut to the width of their field.
 */
export class Assembler {
  /** Bytes written so far: where the next instruction stands. */
  pos = 0;
  #bytes = new Uint8Array(FIRST_CAPACITY);

  /** Starts anew. */
  reset(): void {
    this.pos = 0;
  }

  /** What was written, as a copy. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.pos);
  }

  /** An instruction without operands, or whose operands are all implied. */
  zo(form: Form): void {
    this.#room();
    this.#head(form, 0, 0, 0);
  }

  /** One register: `PUSH r64`, `NEG r/m64`, `SHL r/m64, CL`. */
  r(form: Form, reg: Reg): void {
    this.#room();
    this.#head(form, 0, 0, reg);
    if (form.hasModRm) this.#byte(0xc0 | (form.digit << 3) | (reg & 7));
  }

  /** One memory operand: `NOP r/m32`. */
  m(form: Form, mem: Mem): void {
    this.#room();
    this.#memory(form, 0, mem);
  }

  /** Two registers, the destination first. */
  rr(form: Form, first: Reg, second: Reg): void {
    this.#room();
    const regFirst = form.row.opEn === 'RM' || form.row.opEn === 'RMI';
    const reg = regFirst ? first : second;
    const rm = regFirst ? second : first;
    this.#head(form, reg, 0, rm);
    this.#byte(0xc0 | ((reg & 7) << 3) | (rm & 7));
  }

  /** A register (or accumulator) and an immediate. */
  ri(form: Form, reg: Reg, imm: number): void {
    this.#room();
    this.#head(form, 0, 0, form.row.opEn === 'I' ? 0 : reg);
    if (form.hasModRm) this.#byte(0xc0 | (form.digit << 3) | (reg & 7));
    this.#imm(form, imm);
  }

  /** `MOV r64, imm64`, the number in halves. */
  ri64(form: Form, reg: Reg, lo: number, hi: number): void {
    this.#room();
    this.#head(form, 0, 0, reg);
    this.#u32(lo);
    this.#u32(hi);
  }

  /** Two registers and an immediate: `IMUL r64, r/m64, imm8`. */
  rri(form: Form, first: Reg, second: Reg, imm: number): void {
    this.rr(form, first, second);
    this.#imm(form, imm);
  }

  /** Three registers: `SHLX r64, r/m64, r64`. */
  rrr(form: Form, first: Reg, second: Reg, third: Reg): void {
    this.#room();
    this.#vex(form, first, second, third);
    this.#byte(0xc0 | ((first & 7) << 3) | (second & 7));
  }

  /** A register and memory, in whichever order the row has them. */
  rm(form: Form, reg: Reg, mem: Mem): void {
    this.#room();
    this.#memory(form, reg, mem);
  }

  /** A register and `[base + disp]`, the displacement in one byte if it fits, else in four. */
  rmd(form: Form, reg: Reg, base: Reg, disp: number): void {
    this.#room();
    this.#head(form, reg, 0, base, true);
    this.#baseDisp(reg, base, disp, isImm8(disp) ? 1 : 4);
  }

  /** Memory and an immediate: `MOV r/m32, imm32`. */
  mi(form: Form, mem: Mem, imm: number): void {
    this.#room();
    this.#memory(form, 0, mem);
    this.#imm(form, imm);
  }

  /** `[base + disp]` and an immediate, the displacement as in `rmd`. */
  mdi(form: Form, base: Reg, disp: number, imm: number): void {
    this.#room();
    this.#head(form, 0, 0, base, true);
    this.#baseDisp(form.digit, base, disp, isImm8(disp) ? 1 : 4);
    this.#imm(form, imm);
  }

  /** A jump or call over `distance` bytes, counted from the end of the instruction. */
  rel(form: Form, distance: number): void {
    this.#room();
    this.#head(form, 0, 0, 0);
    this.#imm(form, distance);
  }

  /** A jump to a place further on, which `land` tells. Returns what `land` takes. */
  ahead(form: Form): number {
    this.rel(form, 0);
    return form.immBytes === 1 ? this.pos : -this.pos;
  }

  /** The jump that `ahead` wrote leads to the next instruction. A short one must reach it. */
  land(jump: number): void {
    const end = Math.abs(jump);
    const distance = this.pos - end;
    if (jump > 0) this.#bytes[end - 1] = distance;
    else for (let i = 0; i < 4; i++) this.#bytes[end - 4 + i] = distance >> (8 * i);
  }

  #room(): void {
    if (this.pos + MAX_INSN <= this.#bytes.length) return;
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }

  #byte(value: number): void {
    this.#bytes[this.pos++] = value;
  }

  #u32(value: number): void {
    const bytes = this.#bytes;
    const at = this.pos;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
    this.pos = at + 4;
  }

  #imm(form: Form, value: number): void {
    if (form.immBytes === 4) this.#u32(value);
    else {
      this.#byte(value);
      if (form.immBytes === 2) this.#byte(value >> 8);
    }
  }

  /** Prefixes, REX and opcode. `reg`, `index` and `rm` are register numbers; 0 where there is none. */
  #head(form: Form, reg: Reg, index: Reg, rm: Reg, rmIsMemory = false): void {
    const { prefixes, opcode } = form;
    for (let i = 0; i < prefixes.length; i++) this.#byte(prefixes[i] ?? 0);
    let rex =
      (form.rex ? 0x40 : 0) | (form.rexW ? 8 : 0) | ((reg >> 3) << 2) | ((index >> 3) << 1) | (rm >> 3);
    if (form.byteReg && reg >= 4) rex |= 0x40;
    if (form.byteRm && !rmIsMemory && rm >= 4) rex |= 0x40;
    if (rex !== 0) this.#byte(0x40 | rex);
    const last = opcode.length - 1;
    for (let i = 0; i < last; i++) this.#byte(opcode[i] ?? 0);
    this.#byte((opcode[last] ?? 0) | (form.plusReg ? rm & 7 : 0));
  }

  /**
   * The three-byte VEX prefix (register extensions and `vvvv` inverted) and the opcode:
   *
   *     C4 | R X B map(5) | W vvvv(4) L pp(2) | opcode
   */
  #vex(form: Form, reg: Reg, rm: Reg, vvvv: Reg): void {
    const vex = form.vex ?? { map: 1, pp: 0 };
    this.#byte(0xc4);
    this.#byte((((reg >> 3) ^ 1) << 7) | 0x40 | (((rm >> 3) ^ 1) << 5) | vex.map);
    this.#byte((form.rexW ? 0x80 : 0) | ((~vvvv & 15) << 3) | vex.pp);
    this.#byte(form.opcode[0] ?? 0);
  }

  #memory(form: Form, reg: Reg, mem: Mem): void {
    const field = form.digit < 0 ? reg : form.digit;
    const index = mem.index < 0 ? 0 : mem.index;
    this.#head(form, form.digit < 0 ? reg : 0, index, mem.base < 0 ? 0 : mem.base, true);
    if (mem.base >= 0 && mem.index < 0) {
      this.#baseDisp(field, mem.base, mem.disp, mem.dispBytes);
      return;
    }
    const mod = mem.base < 0 || mem.dispBytes === 0 ? 0 : mem.dispBytes === 1 ? 0x40 : 0x80;
    this.#byte(mod | ((field & 7) << 3) | 4);
    const scale = mem.scale === 8 ? 3 : mem.scale >> 1;
    this.#byte(
      (scale << 6) | ((mem.index < 0 ? RSP : mem.index & 7) << 3) | (mem.base < 0 ? 5 : mem.base & 7),
    );
    if (mem.dispBytes === 1) this.#byte(mem.disp);
    else if (mem.dispBytes === 4) this.#u32(mem.disp);
  }

  /** ModRM (and SIB for rsp and r12) and displacement of `[base + disp]`. */
  #baseDisp(field: number, base: Reg, disp: number, dispBytes: 0 | 1 | 4): void {
    const mod = dispBytes === 0 ? 0 : dispBytes === 1 ? 0x40 : 0x80;
    this.#byte(mod | ((field & 7) << 3) | (base & 7));
    if ((base & 7) === RSP) this.#byte(0x24);
    if (dispBytes === 1) this.#byte(disp);
    else if (dispBytes === 4) this.#u32(disp);
  }
}
