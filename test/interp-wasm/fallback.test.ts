import { expect, test, vi } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { chooseEngine } from '#core/session/engines.ts';
import { EXIT, insn, load, newMachine } from '../interp/build.ts';

const NO_WASM = 'Compiling WebAssembly is not allowed here';

vi.stubGlobal('WebAssembly', {
  Memory: WebAssembly.Memory,
  Instance: WebAssembly.Instance,
  Module: class {
    constructor() {
      throw new Error(NO_WASM);
    }
  },
});

test('where modules cannot be compiled, interp executes as the reference engine does', () => {
  const machine = newMachine();
  machine.enter(0, load(machine, [...insn('mov64_imm', { dst: 0, imm: 7 }), ...EXIT]), 0n);
  const stop = interp.run(machine, 0, { budget: 100, breakpoints: false, resume: false });
  expect([stop.kind, machine.cpu(0).readReg(0), machine.cpu(0).insnsExecuted]).toEqual(['exit', 7n, 2n]);
});

test('whoever asks for interp is told, and gets the reference engine', () => {
  const choice = chooseEngine('interp');
  expect(choice?.engine).toBe(reference);
  expect(choice?.message).toBe(
    `the engine "interp" cannot be compiled here (${NO_WASM}); the engine "reference" runs instead`,
  );
  expect(chooseEngine('reference')).toEqual({ engine: reference });
  expect(chooseEngine('warp')).toBeUndefined();
});
