import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lineAnInsn } from '#core/object/line-an-insn.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import { Correspondence, xlatedDifference } from '#core/platform/node/kernel/xlated-difference.ts';
import { bpfInsnPrepareDump } from '#core/prog/bpf-insn-prepare-dump.ts';
import { tagText } from '#core/prog/bpf-prog-calc-tag.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { functionNames } from '../prog/kept.ts';
import { availableMaps } from './differential.ts';
import { attrOfGenerated, type Generated, generate } from './generate.ts';
import { PROGRAM_MAPS } from './program-maps.ts';
import { anyRecipe, PROGRAM_TYPES, type Recipe } from './recipe.ts';
import { programReport } from './report.ts';
import { openWitness } from './witness.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20260604);
const PROGRAMS = Number(process.env.FUZZ_PROGRAMS ?? 2100);

let kernel: KernelBridge | undefined;
let fds: Readonly<Record<Recipe['progType'], readonly number[]>> | undefined;
beforeAll(() => {
  const bridge = openWitness('xlated programs', { exactly: true });
  if (bridge === undefined) return;
  kernel = bridge;
  const make = (): number[] => PROGRAM_MAPS.map((def) => bridge.createMap(def));
  fds = { sched_cls: make(), xdp: make(), socket_filter: make() };
});
afterAll(() => kernel?.dispose());

const available = availableMaps();
const functions = new Correspondence();
const machine = new Machine({ shared: false, hash: nodeHash });
let equal = 0;
let removed = 0;
let refused = 0;

/** A program in which the verifier finds fewer branches whose way it knows: nothing begins as a constant. */
const withoutConstants = (recipe: Recipe): Recipe => ({
  ...recipe,
  start: recipe.start.map((value) => value | 1),
  main: recipe.main.filter(({ kind }) => kind !== 'nop'),
  subs: recipe.subs.map((sub) => ({ ...sub, steps: sub.steps.filter(({ kind }) => kind !== 'nop') })),
});

/** In what the rewritten program, its lines or its tag are not those of the kernel; undefined: in nothing, or not comparable. */
function check(bridge: KernelBridge, maps: readonly number[], program: Generated): string | undefined {
  const { insns, recipe } = program;
  const lineInfo = lineAnInsn(insns);
  const there = bridge.load({ insns, progType: recipe.progType, maps, lineInfo });
  if (there.refused) {
    refused++;
    return undefined;
  }
  const info = bridge.progInfo(there);
  bridge.close(there);
  const loaded = bpfProgLoad(machine, { ...attrOfGenerated(program), lineInfo });
  if (!loaded.ok) return `refused here: ${loaded.refusal.message}`;
  const { prog } = loaded;
  const ours = bpfInsnPrepareDump(prog.code);
  const offsets = prog.xlatedLineInfo.map(({ insnOff }) => insnOff);
  const tag = prog.aux?.tag === undefined ? undefined : tagText(prog.aux.tag.tag);
  bpfProgFree(machine, prog);
  if (tag !== info.tag) return `tag: here ${tag}, in the kernel ${info.tag}`;
  // A line goes with the last instruction that it had.
  if (info.lineInfo.length < lineInfo.length) {
    removed++;
    return undefined;
  }
  const slot = xlatedDifference(ours, info.xlated, functions);
  if (slot !== undefined) {
    const line = info.lineInfo.findLast(({ insnOff }) => insnOff <= slot)?.line ?? 1;
    return `slot ${slot} of ${ours.length / 8} (from slot ${line - 1}); the kernel has ${info.xlated.length / 8}`;
  }
  const theirs = info.lineInfo.map(({ insnOff }) => insnOff);
  if (String(offsets) !== String(theirs)) return `lines: here at ${offsets}, in the kernel at ${theirs}`;
  equal++;
  return undefined;
}

test.each(PROGRAM_TYPES)(
  `random %s programs are rewritten as the kernel does (seed ${SEED})`,
  (progType) => {
    if (kernel === undefined || fds === undefined) return;
    const [bridge, maps] = [kernel, fds[progType]];
    const programOf = (recipe: Recipe): Generated => generate(withoutConstants(recipe), available);
    const { counterexample, failed, errorInstance } = fc.check(
      fc.property(anyRecipe(progType), (recipe) => check(bridge, maps, programOf(recipe)) === undefined),
      { seed: SEED, numRuns: Math.ceil(PROGRAMS / PROGRAM_TYPES.length) },
    );
    const found = counterexample?.[0];
    if (found !== undefined) {
      const program = programOf(found);
      throw new Error(`seed ${SEED}: ${check(bridge, maps, program)}\n${programReport(program)}`);
    }
    if (failed) throw errorInstance;
  },
  60_000 + 20 * PROGRAMS,
);

test('enough of them are comparable', () => {
  if (kernel === undefined) return;
  console.log(
    `kernel: ${equal} xlated programs, their lines and tags compared, ${removed} of which the kernel removed instructions (tag compared), ${refused} refused, 0 different; functions: ${functionNames(functions)}`,
  );
  expect(equal).toBeGreaterThan(PROGRAMS / 5);
});
