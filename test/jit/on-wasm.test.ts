import { wasm } from '#core/jit/wasm/engine.ts';
import { underTest } from '../engines.ts';

// What the tests of the reference engine say holds for compiled code, word for word; so does the comparison of states.
underTest.engine = wasm;
await import('../interp/alu.test.ts');
await import('../interp/flow.test.ts');
await import('../interp/memory.test.ts');
await import('../interp/whole-instructions.test.ts');
await import('../interp/agree.test.ts');
