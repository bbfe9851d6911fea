import { decodeInsn } from '../isa/decode.ts';
import { INSN_SIZE, writeInsn } from '../isa/insn.ts';
import type { Machine } from '../vm/machine.ts';
import type { Subprog } from '../vm/program.ts';
import { bpfProgCalcTag, tagHash, tagText } from './bpf-prog-calc-tag.ts';
import { auxOf, type BpfProg } from './prog.ts';

/** Where modules begin on x86-64 (MODULES_VADDR): what the address of a function is before it is known. */
const MODULES_VADDR = { low: 0xc0000000 | 0, high: -1 };

/**
 * What kallsyms calls function `subprog` of a program whose source gives it `name`: `bpf_prog_TAG_NAME`. The
 * main function has the program's tag, every other that of the function alone as it is when it goes to the compiler (`jit_subprogs`, kernel/bpf/verifier.c): calls of functions hold their number in `off` and 1 in `imm`,
 * addresses of functions their number in `off` and MODULES_VADDR. The kernel's tag of a function that holds other
 * addresses (maps, helpers) changes from kernel to kernel or load to load; ours does not. Without a tag where the
 * machine's host cannot hash or its kernel has none: `name` alone.
 */
export function functionSymbol(machine: Machine, prog: BpfProg, subprog: Subprog, name: string): string {
  const { hash, settings } = machine;
  if (hash === undefined || tagHash(settings.kernel) === undefined) return name;
  const own = subprog.start === 0 ? auxOf(prog).tag : undefined;
  const { tag } = own ?? bpfProgCalcTag(codeOf(prog, subprog), hash, settings.kernel);
  return `bpf_prog_${tagText(tag)}_${name}`;
}

function codeOf(prog: BpfProg, subprog: Subprog): Uint8Array {
  const code = prog.xlated.slice(subprog.start * INSN_SIZE, subprog.end * INSN_SIZE);
  for (let slot = 0; slot * INSN_SIZE < code.length; ) {
    const { insn, length, row } = decodeInsn(code, slot);
    const target = subprog.start + slot + 1 + insn.imm;
    const number = prog.subprogs.findIndex(({ start }) => start === target);
    if (row?.id === 'call_local') writeInsn(code, slot, { ...insn, off: number, imm: 1 });
    if (row?.id === 'lddw_func') {
      writeInsn(code, slot, { ...insn, off: number, imm: MODULES_VADDR.low });
      writeInsn(code, slot + 1, { opcode: 0, dst: 0, src: 0, off: 0, imm: MODULES_VADDR.high });
    }
    slot += length;
  }
  return code;
}
