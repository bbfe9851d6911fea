import { describe, expect, test, vi } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { prepareInput } from '#core/ctx/setup.ts';
import { type CompiledProgram, compileProgram } from '#core/jit/wasm/compile.ts';
import { wasm, wasmImage } from '#core/jit/wasm/engine.ts';
import { slotAt } from '#core/jit/wasm/jit-compiler.ts';
import { linkProgram } from '#core/object/link.ts';
import { type BpfProg, bpfProgLoad } from '#core/prog/load.ts';
import * as layout from '#core/vm/layout.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Region } from '#core/vm/region.ts';

/** The clock is asked in a function that a loop calls; what R1 points to is read behind it. */
const TEXT = `        .program raw
        .globl main
main:
        r6 = r1
        r7 = 3
again:
        r1 = r7
        call ask
        r7 -= 1
        if r7 != 0 goto again
        r0 = *(u64 *)(r6 + 0)
        exit
ask:
        r8 = r1
        call bpf_ktime_get_ns
        r0 += r8
        exit
`;

/** Line of the source that holds `text`, from 1. */
function lineOf(text: string): number {
  return TEXT.split('\n').findIndex((line) => line.includes(text)) + 1;
}

interface Ready {
  readonly machine: Machine;
  readonly prog: BpfProg;
  /** The memory that R1 points to. */
  readonly memory: Region;
}

function ready(): Ready {
  const { value } = linkProgram(assemble(TEXT, { fileName: 'traps.bpf.s' }).value);
  if (value === undefined) throw new Error('it does not link');
  const machine = new Machine({ shared: false });
  const loaded = bpfProgLoad(machine, value);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const { prog } = loaded;
  const prepared = prepareInput(machine, 0, prog, { data: new Uint8Array(8) });
  machine.enter(machine.cpu(0), prog, prepared.r1, prepared.r2);
  const memory = machine.space.regions().find(({ addr }) => addr === prepared.r1);
  if (memory === undefined) throw new Error('R1 points to nothing');
  return { machine, prog, memory };
}

/** What is thrown when the program is run. */
function thrownBy(machine: Machine, breakpoints: boolean): Error {
  try {
    wasm.run(machine, 0, { budget: 1000, breakpoints, resume: true });
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

/** Source lines of the compiled code in the host's stack trace, innermost first; 0: code of no instruction. */
function linesOf(
  { stack = '' }: Error,
  { program, prog }: { program: CompiledProgram; prog: BpfProg },
): number[] {
  return Array.from(stack.matchAll(/ at_\d+ .*wasm-function\[\d+\]:0x([0-9a-f]+)/g), ([, offset = '']) => {
    const slot = slotAt(program, Number.parseInt(offset, 16));
    if (slot === undefined) return 0;
    return prog.xlatedLineInfo.findLast(({ insnOff }) => insnOff <= slot)?.line ?? 0;
  });
}

describe.each([
  ['plain', false],
  ['debuggable', true],
] as const)('%s code', (_, breakpoints) => {
  /** The module that is executed. */
  function moduleOf({ machine, prog }: Ready): CompiledProgram {
    const image = breakpoints ? wasmImage(machine, prog) : compileProgram(machine, prog);
    if ('reason' in image) throw new Error(image.reason);
    return 'program' in image ? image.program : image;
  }

  test('what a helper throws: the helper call, and the call of the function that it stands in', () => {
    const it = ready();
    let calls = 0;
    vi.spyOn(it.machine.clock, 'nowNs').mockImplementation(() => {
      if (++calls === 3) throw new Error('no clock');
      return 0n;
    });
    const error = thrownBy(it.machine, breakpoints);
    expect(error.message).toBe('no clock');
    expect(linesOf(error, { program: moduleOf(it), prog: it.prog })).toEqual([
      lineOf('call bpf_ktime_get_ns'),
      lineOf('call ask'),
    ]);
  });

  test('a trap of the host: the access', () => {
    const it = ready();
    const { view } = it.machine.memory;
    const table = view.getUint32(layout.HEADER_REGION_TABLE, true);
    // A region that ends behind the linear memory, which no region does.
    const entry = table + (it.memory.id << layout.REGION_ENTRY_SHIFT);
    view.setUint32(entry + layout.REGION_BASE, 0xffff_fff0, true);
    const error = thrownBy(it.machine, breakpoints);
    expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(linesOf(error, { program: moduleOf(it), prog: it.prog })).toEqual([lineOf('r0 = *')]);
  });
});
