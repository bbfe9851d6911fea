import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hexText } from '#core/bytes/hex.ts';
import { decodeProgram } from '#core/isa/decode.ts';
import { readInsn } from '#core/isa/insn.ts';
import { compileX86 } from '#core/jit/x86-64/compile-x86.ts';
import type { X86Config } from '#core/jit/x86-64/config.ts';
import { lineAddresses } from '#core/jit/x86-64/line-addresses.ts';
import { readMachineLine } from '#core/jit/x86-64/machine-line.ts';
import { tailCallReach } from '#core/jit/x86-64/tail-call-reach.ts';
import { type KernelBridge, openKernel } from '#core/platform/node/kernel/bridge.ts';
import type { KernelProgInfo } from '#core/platform/node/kernel/prog-info.ts';
import { subprogStarts } from '#core/prog/check.ts';
import { type MachineLine, machineLine } from '#scripts/vectors/machine.ts';
import { availableMaps } from '../kernel/differential.ts';
import { generate } from '../kernel/generate.ts';
import { PROGRAM_MAPS } from '../kernel/program-maps.ts';
import { anyRecipe } from '../kernel/recipe.ts';
import { denseProgram, VALUE_BYTES } from './dense-program.ts';
import { vectorsOf } from './vectors.ts';

/** Another campaign: `JIT_SEED=7 JIT_PROGRAMS=100000 npx vitest run test/jit/kernel.test.ts`. */
const SEED = Number(process.env.JIT_SEED ?? 20261122);
const PROGRAMS = Number(process.env.JIT_PROGRAMS ?? 6000);
const TIMEOUT = 120_000 + 20 * PROGRAMS;
const TYPES = ['sched_cls', 'xdp', 'socket_filter'] as const;

const given = vectorsOf('kernel-6.18-x86-64');
let kernel: KernelBridge | undefined;
let config: X86Config = given.config;
let compared = 0;
let refused = 0;
const covered = new Set<string>();

beforeAll(() => {
  const opened = openKernel();
  if (!opened.ok || process.arch !== 'x64') {
    console.log(`kernel: ${opened.ok ? process.arch : opened.message}; 0 fresh images compared`);
    return;
  }
  try {
    const read = readMachineLine(
      { ...machineLine(given.machine as MachineLine, opened.kernel) },
      given.config,
    );
    if (typeof read === 'string') throw new Error(read);
    config = read;
    kernel = opened.kernel;
  } catch (error) {
    console.log(`kernel: ${String(error)}; 0 fresh images compared`);
    opened.kernel.dispose();
  }
});

afterAll(() => {
  kernel?.dispose();
  if (compared > 0) {
    console.log(
      `${compared} fresh images compared, ${refused} programs refused, ${covered.size} instructions covered`,
    );
  }
});

/** Differences between the kernel's image of a program and ours; empty when there are none. */
function check(side: KernelBridge, progType: string, insns: Uint8Array, maps: readonly number[]): string[] {
  const starts = subprogStarts(insns);
  if ('message' in starts) throw new Error(starts.message);
  const lineInfo = Array.from({ length: insns.length / 8 }, (_, insnOff) => ({
    insnOff,
    file: 0,
    line: 1,
    column: 1,
  }));
  const prog = side.load({
    insns,
    progType,
    name: 'random',
    maps,
    logLevel: 4,
    lineInfo: lineInfo.filter(({ insnOff }) => insns[insnOff * 8] !== 0),
    files: ['random.s'],
    funcs: starts.map((insnOff, i) => ({ insnOff, name: `f${i}` })),
  });
  if (prog.refused) {
    refused++;
    return [];
  }
  try {
    compared++;
    const info = side.progInfo(prog);
    for (const { row } of decodeProgram(info.xlated)) if (row) covered.add(row.id);
    return difference(info, prog.log, tailCallReach(insns, starts));
  } finally {
    side.close(prog);
  }
}

function difference(info: KernelProgInfo, log: string, tailCallReachable: readonly boolean[]): string[] {
  const depths = /^stack depth ([\d+]+)/m.exec(log)?.[1]?.split('+').map(Number) ?? [];
  const tailCalls: number[] = [];
  for (let slot = 0; slot * 8 < info.xlated.length; slot++) {
    const { opcode, src, imm } = readInsn(info.xlated, slot);
    if (opcode === 0x85 && src === 0 && imm === 12) tailCalls.push(slot);
  }
  const found: string[] = [];
  // Which tail calls were patched in is not in the dump: one of the ways must give the image.
  for (let direct = 0; direct < 1 << Math.min(tailCalls.length, 6); direct++) {
    const ours = compileX86(
      {
        insns: info.xlated,
        funcs: info.funcInsnOffs,
        stackDepths: depths,
        imageAddrs: info.jitedKsyms,
        tailCallReachable,
        tailCall: (slot) => ((direct >> tailCalls.indexOf(slot)) & 1 ? 'direct' : 'indirect'),
      },
      config,
    );
    if (!ours.ok) return [`refused at ${ours.slot}: ${ours.message}`];
    const kernelCode = info.jited.slice();
    let base = 0;
    for (const { image, mapImms } of ours.funcs) {
      for (const { at } of mapImms) kernelCode.fill(0, base + at, base + at + 8);
      base += image.length;
    }
    const image = ours.funcs.map((func) => hexText(func.image)).join('');
    const lines = lineAddresses(
      ours.funcs,
      info.lineInfo.map(({ insnOff }) => insnOff),
    );
    if (image === hexText(kernelCode) && lines.join() === info.jitedLineInfo.join()) return [];
    found.push(`ours   ${image}`, `kernel ${hexText(kernelCode)}`);
  }
  return [...found, `xlated ${hexText(info.xlated)}`];
}

test.each(TYPES)(
  `images of random %s programs are the kernel's (seed ${SEED})`,
  (progType) => {
    if (kernel === undefined) return;
    const side = kernel;
    const available = availableMaps();
    const maps = PROGRAM_MAPS.map((def) => side.createMap(def));
    for (const recipe of fc.sample(anyRecipe(progType), { seed: SEED, numRuns: PROGRAMS / 4 })) {
      expect(check(side, progType, generate(recipe, available).insns, maps)).toEqual([]);
    }
  },
  TIMEOUT,
);

test(
  `images of dense programs are the kernel's (seed ${SEED})`,
  () => {
    if (kernel === undefined) return;
    const def = {
      name: 'values',
      type: 'array',
      keySize: 4,
      valueSize: VALUE_BYTES,
      maxEntries: 1,
      flags: 0,
    };
    const map = kernel.createMap(def);
    for (let i = 0; i < PROGRAMS / 4; i++) {
      const insns = denseProgram(SEED + i, 10 + (i % 50));
      expect(check(kernel, 'sched_cls', insns, [map]), `program ${SEED + i}, ${10 + (i % 50)} steps`).toEqual(
        [],
      );
    }
    kernel.close(map);
  },
  TIMEOUT,
);

test('the kernel took nearly all programs', () => {
  if (kernel === undefined) return;
  expect(compared).toBeGreaterThan(0.9 * PROGRAMS);
});
