import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { underTest } from '../engines.ts';

// What these files hold of engines holds for machine code too. Those of memory.test.ts are programs that the loader has
// not rewritten: one of them needs the instruction behind a compare-and-exchange that clears the upper half.
underTest.engine = x86Sim;
await import('../interp/alu.test.ts');
await import('../interp/flow.test.ts');
await import('../interp/whole-instructions.test.ts');
