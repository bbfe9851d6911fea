import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { INSN_SIZE, writeInsn } from '#core/isa/insn.ts';
import { type KernelBridge, openKernel } from '#core/platform/node/kernel/bridge.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf } from '../prog/build.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20260611);
const PROGRAMS = 3000;
const NAME = `random raw_tracepoint programs do what the kernel does (seed ${SEED})`;

let kernel: KernelBridge | undefined;
beforeAll(() => {
  const opened = openKernel();
  if (opened.ok) kernel = opened.kernel;
  else console.log(`kernel: ${opened.message}; 0 programs compared, recorded runs serve (test/ctx)`);
});
afterAll(() => kernel?.dispose());

/** LDX MEM and MEMSX, by bytes and sign. */
const LOADS = [0x71, 0x69, 0x61, 0x79, 0x91, 0x89, 0x81] as const;
const SIZES: Readonly<Record<number, number>> = { 113: 1, 105: 2, 97: 4, 121: 8, 145: 1, 137: 2, 129: 4 };
/** ADD SUB MUL OR AND XOR with registers, 64 and 32 bits. */
const OPERATIONS = [0x0f, 0x1f, 0x2f, 0x4f, 0x5f, 0xaf, 0x0c, 0x1c, 0x2c, 0xac] as const;

/** A load of part of the arguments, and what it is combined with the result by. */
const step = fc.record({
  load: fc.constantFrom(...LOADS),
  place: fc.nat(95),
  operation: fc.constantFrom(...OPERATIONS),
});
const recipe = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 12 }),
  args: fc.uint8Array({ minLength: 96, maxLength: 96 }),
  /** Arguments beyond those that are read. */
  more: fc.nat(11),
});

interface Program {
  readonly insns: Uint8Array<ArrayBuffer>;
  readonly ctx: Uint8Array<ArrayBuffer>;
}

type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never;

function programOf({ steps, args, more }: Recipe): Program {
  const slots: [number, number, number, number, number][] = [[0xb7, 0, 0, 0, 1]];
  let end = 0;
  for (const { load, place, operation } of steps) {
    const size = SIZES[load] ?? 1;
    const offset = place - (place % size);
    end = Math.max(end, offset + size);
    slots.push([load, 2, 1, offset, 0], [operation, 0, 2, 0, 0]);
  }
  // The upper half counts too.
  slots.push([0xbf, 2, 0, 0, 0], [0x77, 2, 0, 0, 32], [0xaf, 0, 2, 0, 0], [0x95, 0, 0, 0, 0]);
  const insns = new Uint8Array(slots.length * INSN_SIZE);
  slots.forEach(([opcode, dst, src, off, imm], i) => {
    writeInsn(insns, i, { opcode, dst, src, off, imm });
  });
  const nArgs = Math.min(12, Math.ceil(end / 8) + more);
  return { insns, ctx: new Uint8Array(args.slice(0, nArgs * 8)) };
}

function ours(machine: Machine, { insns, ctx }: Program): number | string {
  const loaded = bpfProgLoad(machine, attrOf('raw_tracepoint', insns));
  if (!loaded.ok) return loaded.refusal.message;
  const result = runProgram(machine, loaded.prog, reference, { data: ctx });
  bpfProgFree(machine, loaded.prog);
  return result.fault?.message ?? result.retval;
}

function theirs(bridge: KernelBridge, { insns, ctx }: Program): number | string {
  const prog = bridge.load({ insns, progType: 'raw_tracepoint' });
  if (prog.refused) return prog.log;
  try {
    return bridge.testRun(prog, { data: new Uint8Array(), ctx }).retval;
  } finally {
    bridge.close(prog);
  }
}

test(NAME, () => {
  if (kernel === undefined) return;
  const bridge = kernel;
  const machines = ([0, 2] as const).map(
    (bpfJitHarden) => new Machine({ shared: false, settings: { bpfJitHarden }, blindSeed: 3 }),
  );
  let compared = 0;
  fc.assert(
    fc.property(recipe, (made) => {
      const program = programOf(made);
      const expected = theirs(bridge, program);
      compared++;
      expect(machines.map((machine) => ours(machine, program))).toEqual([expected, expected]);
      expect(typeof expected).toBe('number');
    }),
    { seed: SEED, numRuns: PROGRAMS },
  );
  console.log(
    `kernel ${bridge.release}: ${compared} raw tracepoint programs, with and without blinding, all equal`,
  );
}, 120_000);
