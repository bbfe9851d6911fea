import type { Machine } from '../vm/machine.ts';
import type { Engine, RunLimits, StopCause } from './engine.ts';
import { beginChunk, runChunk, stateOf, stepToBreakpoint, stopped, takePause } from './loop.ts';
import { flush } from './op.ts';

/** Instructions between two looks at the control word: about half a millisecond. */
const CHUNK = 32_768;

/**
 * The readable definition of what instructions do, over the machine's linear memory. Between runs it
 * keeps nothing but predecoded programs: all state is the machine's.
 */
export const reference: Engine = {
  name: 'reference',
  run(machine: Machine, cpu: number, limits: RunLimits): StopCause {
    const s = stateOf(machine, machine.cpu(cpu));
    s.passes = limits.passes;
    let pc = s.cpu.pc;
    let budget = limits.budget;
    let resuming = limits.resume;
    for (;;) {
      if (takePause(s)) return stopped(s, pc, { kind: 'pause' });
      if (budget <= 0) return stopped(s, pc, { kind: 'budget' });
      const chunk = Math.min(CHUNK, budget);
      beginChunk(s, chunk);
      pc = limits.breakpoints ? stepToBreakpoint(s, pc, resuming) : runChunk(s, pc);
      resuming = false;
      if (s.stop !== undefined) return s.stop;
      budget -= chunk;
      flush(s, pc, s.chunk - s.left);
    }
  },
};
