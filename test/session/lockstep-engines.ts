import { decodeProg } from '#core/interp/decode.ts';
import type { Engine, RunLimits, StopCause } from '#core/interp/engine.ts';
import type { InsnId } from '#core/isa/table.ts';
import type { Cpu } from '#core/vm/cpu.ts';
import type { Machine } from '#core/vm/machine.ts';

/** A mistake in an engine: which execution of which instruction, and what goes wrong there. */
export interface Mistake {
  readonly insn: InsnId;
  /** The nth execution in a machine, from 1; all from there on are wrong. */
  readonly from: number;
  /** Shows only in calls of `run` that may execute so many instructions; 1 when not told. */
  readonly budget?: number;
  /** Called behind the instruction; `before` it R0 … R9 were so. What it returns is why the run stops. */
  harm(machine: Machine, cpu: Cpu, cause: StopCause, before: readonly bigint[]): StopCause | undefined;
}

/** `engine` with a mistake. It counts anew in each machine, so that what it does can be repeated. */
export function mistaken(engine: Engine, mistake: Mistake): Engine {
  const counts = new WeakMap<Machine, number>();
  return {
    name: engine.name,
    run(machine: Machine, index: number, limits: RunLimits): StopCause {
      const cpu = machine.cpu(index);
      let { resume } = limits;
      for (let left = limits.budget; left > 0; ) {
        const op = decodeProg(cpu.prog)[cpu.pc];
        const before = Array.from({ length: 10 }, (_, n) => cpu.readReg(n));
        const executed = cpu.insnsExecuted;
        let cause = engine.run(machine, index, { ...limits, resume, budget: 1 });
        resume = false;
        left -= Number(cpu.insnsExecuted - executed);
        if (op?.id === mistake.insn && cause.kind !== 'breakpoint') {
          const nth = (counts.get(machine) ?? 0) + 1;
          counts.set(machine, nth);
          const isWrong = nth >= mistake.from && limits.budget >= (mistake.budget ?? 1);
          cause = (isWrong ? mistake.harm(machine, cpu, cause, before) : undefined) ?? cause;
        }
        if (cause.kind !== 'budget') return cause;
      }
      return { kind: 'budget' };
    },
  };
}
