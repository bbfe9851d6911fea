import { mov64, movImm64 } from './alu.ts';
import type { Assembler } from './assembler.ts';
import type { Lower } from './emission.ts';
import { FORMS as F } from './forms.ts';
import type { Reg } from './registers.ts';

/** A 64-bit constant in its shortest form. */
export const constant: Lower = ({ asm }, { dst, imm, nextImm }) => movImm64(asm, dst, imm, nextImm);

/** Bytes of `mov r64, imm64` in front of the number. */
const BEFORE_IMM64 = 2;

/**
 * Address of a map or of a map's value: always the 10-byte form, the number 0. Where it stands is recorded,
 * for whoever knows the address.
 */
export const mapAddress: Lower = ({ asm, frame, mapImms }, { index, dst }) => {
  mapImms.push({ at: asm.pos + BEFORE_IMM64, slot: frame.start + index });
  asm.ri64(F.mov_r64_imm64, dst, 0, 0);
};

/** A per-CPU pointer becomes an address on this CPU: `this_cpu_off` is added. */
export const perCpu: Lower = ({ asm, frame }, { dst, src }) => {
  mov64(asm, dst, src);
  addThisCpuOff(asm, dst, frame.thisCpuOff);
};

/** `add reg, gs:[this_cpu_off]`; `at` is the variable's address, 32 bits signed. */
export function addThisCpuOff(asm: Assembler, reg: Reg, at: number): void {
  asm.rm(F.add_r64_gs_m64, reg, { base: -1, index: -1, scale: 1, disp: at, dispBytes: 4 });
}
