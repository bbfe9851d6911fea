import { bpfProgAlloc } from '#core/prog/bpf-prog-alloc.ts';
import { loadedCode, setCode } from '#core/prog/code.ts';
import type { BpfProgShell } from '#core/prog/prog.ts';
import { Machine, type MachineOptions } from '#core/vm/machine.ts';
import { bytesOf, type Slot } from './build.ts';

/** A machine over memory of its own. */
export function machineOf(settings: MachineOptions['settings'] = {}, nCpus = 1): Machine {
  return new Machine({ shared: false, nCpus, settings });
}

/** What a machine has given out to programs, and in all. */
export function account(machine: Machine) {
  const { memory, progAccount } = machine;
  return { ...progAccount, bytes: memory.takenBytes, blocks: memory.takenBlocks };
}

/** A program object with code and one line record an instruction of `lines`. */
export function shellOf(
  machine: Machine,
  code: readonly Slot[] | Uint8Array,
  more: { readonly lines?: readonly number[]; readonly funcs?: readonly number[] } = {},
): BpfProgShell {
  const insns = code instanceof Uint8Array ? code : bytesOf(code);
  const prog = bpfProgAlloc(machine, insns.length / 8);
  const lines = (more.lines ?? []).map((insnOff, i) => ({ insnOff, file: 0, line: i + 1, column: 0 }));
  setCode(machine, prog, loadedCode(insns, lines, more.funcs ?? [0]));
  return prog;
}

/**
 * Runs `call` on machines whose first, second, … allocation fails, until one has none left to fail, and
 * tells of each failure; returns their number.
 */
export function failEach(
  make: () => { readonly machine: Machine; call(): void },
  failed: (machine: Machine, nth: number, error: unknown) => void,
): number {
  for (let nth = 0; ; nth++) {
    const { machine, call } = make();
    machine.memory.failAfter(nth);
    try {
      call();
      machine.memory.failAfter(undefined);
      return nth;
    } catch (error) {
      failed(machine, nth, error);
    }
  }
}

/** Names of the life cycle calls so far. */
export function calls(machine: Machine): string[] {
  return machine.lifeCycle.calls.map(({ name }) => name);
}
