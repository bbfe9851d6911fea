import { describe, expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import {
  type CompiledProgram,
  compileEntry,
  compileProgram,
  MAX_FUNCTION_OPS,
} from '#core/jit/wasm/compile.ts';
import { WASM_IMAGES_AT } from '#core/jit/wasm/debug-image.ts';
import { NO_SLOT } from '#core/jit/wasm/emit-function.ts';
import { wasm, wasmImage, whyNotCompiled } from '#core/jit/wasm/engine.ts';
import { slotAt, wasmJitCompiler } from '#core/jit/wasm/jit-compiler.ts';
import { linkProgram } from '#core/object/link.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { EXIT, insn, load, newMachine } from '../interp/build.ts';
import { attrOf as attrOfSlots, unhex } from '../prog/build.ts';
import { furtherVectors, loadVector, vectors } from '../prog/vectors.ts';
import { TWICE } from './twice-program.ts';

function loaded(text: string) {
  const { value } = linkProgram(assemble(text, { fileName: 'lines.bpf.s' }).value);
  if (value === undefined) throw new Error('it does not link');
  const machine = new Machine({ shared: false });
  let program: CompiledProgram | undefined;
  const jit = wasmJitCompiler({
    machine,
    attr: value,
    compiled: (made) => {
      program = made;
    },
  });
  const result = bpfProgLoad(machine, value, { jit });
  if (!result.ok || program === undefined) throw new Error('it does not load');
  return { machine, prog: result.prog, program };
}

describe('native addresses of line records', () => {
  const { machine, prog, program } = loaded(TWICE);
  const addresses = jitedLinfo(machine, prog) ?? [];

  test('there is one for each line, and it leads back to the line', () => {
    expect(addresses).toHaveLength(10);
    const slots = addresses.map((at) => slotAt(program, Number(at - WASM_IMAGES_AT)));
    const starts = new Set(prog.subprogs.map(({ start }) => start));
    prog.xlatedLineInfo.forEach(({ insnOff }, i) => {
      // The first line of a function is its image's start, in front of the code of any instruction.
      if (starts.has(insnOff)) expect(slots[i]).toBeUndefined();
      else expect(slots[i]).toBe(insnOff);
    });
  });

  test('a function begins where the module has its code', () => {
    expect(program.functions.map(({ start }) => start)).toEqual([0, 7]);
    for (const { start, codeStart } of program.functions) {
      const line = prog.xlatedLineInfo.findIndex(({ insnOff }) => insnOff === start);
      expect(addresses[line]).toBe(WASM_IMAGES_AT + BigInt(codeStart));
    }
  });

  test('it runs', () => {
    expect(runProgram(machine, prog, wasm, { data: new Uint8Array() }).r0).toBe(2n);
    expect(prog.jited).toBe(true);
  });
});

test('what is compiled at load is what is executed: every reached slot of each third vector has its place', () => {
  let compared = 0;
  const every = [...vectors, ...furtherVectors].filter((_, i) => i % 3 === 0);
  for (const vector of every) {
    const machine = new Machine({ shared: false });
    let program: CompiledProgram | undefined;
    const maps = loadVector(new Machine({ shared: false }), vector);
    if (!maps.ok) continue;
    const attr = attrOfSlots(vector.prog_type, unhex(vector.insns), { maps: maps.prog.attr.maps });
    const jit = wasmJitCompiler({
      machine,
      attr,
      compiled: (made) => {
        program = made;
      },
    });
    const result = bpfProgLoad(machine, attr, { jit });
    if (!result.ok || program === undefined) continue;
    compared++;
    expect(WebAssembly.validate(program.bytes), vector.name).toBe(true);
    for (const { offsets } of program.functions) {
      for (const [slot, offset] of offsets) {
        if (slot === NO_SLOT) continue;
        const found = slotAt(program, offset);
        // Instructions without code share their place with the next.
        if (found !== slot) expect(offsets.filter(([, at]) => at === offset).at(-1)?.[0]).toBe(found);
      }
    }
  }
  expect(compared).toBeGreaterThan(140);
});

test('each program of a machine has an address of its own, which its line records count from', () => {
  const { machine, prog, program } = loaded(TWICE);
  const other = load(machine, [...insn('mov64_imm'), ...EXIT]);
  const image = wasmImage(machine, prog);
  const second = wasmImage(machine, other);
  if ('reason' in image || 'reason' in second) throw new Error('they are not compiled');
  expect(image.imageAddr).toBe(WASM_IMAGES_AT);
  expect(second.imageAddr).toBe(
    WASM_IMAGES_AT + 0x1000n * BigInt(Math.floor(program.bytes.length / 0x1000) + 2),
  );
  expect(wasmImage(machine, other)).toEqual(second);
  const places = (made: CompiledProgram) => made.functions.map(({ offsets }) => offsets);
  expect(places(image.program)).toEqual(places(program));
  for (const at of jitedLinfo(machine, prog) ?? []) {
    const offset = Number(at - image.imageAddr);
    expect(image.program.functions.some((one) => offset >= one.codeStart && offset < one.codeEnd)).toBe(true);
  }
});

test('a program that is not compiled has no image, but a reason', () => {
  const machine = newMachine();
  const prog = load(machine, [...insn('mov64_imm', { dst: 10 }), ...EXIT]);
  const why = wasmImage(machine, prog);
  expect(why).toEqual({ reason: 'main, instruction 0: it changes the frame pointer' });
  // Not looked for again: in a long program that takes its time.
  expect(wasmImage(machine, prog)).toBe(why);
});

test('a function above the limit is interpreted, and the reason said', () => {
  const machine = newMachine();
  const body = Array.from({ length: MAX_FUNCTION_OPS }, () => insn('add64_imm', { imm: 1 })).flat();
  const prog = load(machine, [...insn('mov64_imm'), ...body, ...EXIT]);
  expect(whyNotCompiled(machine, prog)).toBe(
    'main, function at instruction 0: too long; the wasm engine compiles up to 50000 instructions a function and 200000 a program',
  );
  machine.enter(0, prog, 0n);
  expect(wasm.run(machine, 0, { budget: 100_000, breakpoints: false, resume: true })).toEqual({
    kind: 'exit',
  });
  expect(machine.cpu(0).readReg(0)).toBe(50_000n);
});

test('a loop is entered again at its head', () => {
  const machine = newMachine();
  const loop = [...insn('add64_imm', { dst: 1, imm: 1 }), ...insn('ja', { off: -2 })];
  const prog = load(machine, loop);
  const program = compileProgram(machine, prog);
  if ('reason' in program) throw new Error(program.reason);
  const entry = compileEntry(machine, prog, program, 1);
  expect('reason' in entry ? entry.reason : WebAssembly.validate(entry.bytes)).toBe(true);
});
