import { prepareInput } from '#core/ctx/setup.ts';
import type { Engine } from '#core/interp/engine.ts';
import type { InsnIndex } from '#core/isa/insn.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { PACKET } from './programs.ts';

/** More instructions than any program here executes: the budget is counted all the same. */
const BUDGET = 2 ** 40;

/** A program in a machine of its own, laid out on the packet once, as BPF_PROG_TEST_RUN with `repeat` does it. */
export interface PreparedRun {
  /** Executes it `times` times; the low 32 bits of R0 of the last. Throws Error for a fault. */
  run(times: number): number;
  /** Instructions that one run executes. */
  insns(): number;
}

/**
 * Loads `attr` for `engine`, in the mode that ships: shared memory, precise regions, a budget. `breakpoints`: in the
 * mode of debuggers, with one set that is not hit: on the first instruction, where runs go on from.
 */
export function preparedRun(
  attr: LoadAttr,
  engine: Engine,
  options: { breakpoints?: boolean } = {},
): PreparedRun {
  const machine = new Machine({ shared: true });
  const loaded = bpfProgLoad(machine, attr);
  if (!loaded.ok) throw new Error(`${attr.name}: ${loaded.refusal.message}`);
  const { prog } = loaded;
  const input = prepareInput(machine, 0, prog, { data: PACKET });
  const cpu = machine.cpu(0);
  if (options.breakpoints) prog.breakpoints.set(0 as InsnIndex, 1);
  const limits = { budget: BUDGET, breakpoints: options.breakpoints ?? false, resume: true };
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        machine.enter(cpu, prog, input.r1, input.r2);
        const stop = engine.run(machine, 0, limits);
        if (stop.kind === 'exit') continue;
        throw new Error(`${attr.name}: ${stop.kind === 'fault' ? stop.fault.message : stop.kind}`);
      }
      return Number(cpu.readReg(0) & 0xffffffffn);
    },
    insns: () => Number(cpu.insnsExecuted),
  };
}
