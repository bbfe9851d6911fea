import { BPF_FUNC_TAIL_CALL } from '../isa/helper-ids.ts';
import { ProgArrayMap } from '../maps/prog-array.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Fault } from '../vm/fault.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import { HelperCall } from './args.ts';

/**
 * The program that a tail call goes to: at index R3 (32 bits) of the program array in R2; undefined when
 * there is none, so that the call falls through. A fault when R2 is no program array. Counting to 33 is
 * the engine's business.
 */
export function tailCallTarget(machine: Machine, cpu: Cpu, regs: number): ExecProg | Fault | undefined {
  const call = new HelperCall(BPF_FUNC_TAIL_CALL, machine, cpu, regs);
  const map = call.map(2);
  if (map === undefined) return call.fault;
  if (!(map instanceof ProgArrayMap)) {
    return call.refuse(2, `must be a prog_array map; ${map.def.name} is of type ${map.def.type}`);
  }
  return machine.progs.get(map.progIdAt(call.u32(3)));
}
