import type { Cpu } from '../vm/cpu.ts';
import type { Fault } from '../vm/fault.ts';
import type { Machine } from '../vm/machine.ts';

/**
 * A helper as engines call it. `regs` is the byte address of the register block in linear memory: R1 …
 * R5 hold the arguments, R0 takes the result, R1 … R5 keep their values (a verifier forbids to read them
 * afterwards, the loader flags it). The caller has written `pc` and the instruction count to the CPU
 * block, and must take its views of memory anew afterwards. A fault leaves everything as it was.
 */
export type HelperImpl = (machine: Machine, cpu: Cpu, regs: number) => Fault | undefined;
