import { ProgArrayMap } from '../maps/prog-array.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import type { Refusal } from './refusal.ts';

/**
 * Refuses a program that uses a program array which belongs to programs of another kind. The first program
 * that uses an array, or is put into it, decides. Mirrors `bpf_check_tail_call` and
 * `bpf_prog_map_compatible`, kernel/bpf/core.c, which say EINVAL without a text.
 */
export function bpfCheckTailCall(
  machine: Machine,
  prog: { readonly progType: string; readonly jited: boolean },
  maps: readonly BpfMap[],
): Refusal | undefined {
  for (const map of maps) {
    if (!(map instanceof ProgArrayMap)) continue;
    const owner = map.bpfProgMapCompatible(prog);
    machine.lifeCycle.note('bpf_prog_map_compatible', `map ${map.def.name}: ${owner ? 'no' : 'yes'}`);
    if (owner === undefined) continue;
    const message = `map ${map.def.name} is for programs of type ${owner}; this one is ${describe(prog)} (EINVAL)`;
    return { pc: undefined, message };
  }
  return undefined;
}

function describe(prog: { readonly progType: string; readonly jited: boolean }): string {
  return prog.jited ? `${prog.progType}, native` : prog.progType;
}
