import { expect, test } from 'vitest';
import { interp } from '#core/interp-wasm/interp.ts';
import { interpreterProblem } from '#core/interp-wasm/modules.ts';
import { underTest } from '../engines.ts';

// What the tests of the reference engine say holds for the interpreter inside WebAssembly, word for word.
underTest.engine = interp;
await import('./alu.test.ts');
await import('./flow.test.ts');
await import('./memory.test.ts');
await import('./whole-instructions.test.ts');

test('the interpreter is compiled here: these tests are not those of its fallback', () => {
  expect(interpreterProblem()).toBeUndefined();
});
