import { hexText } from '#core/bytes/hex.ts';
import { verdictText } from '#core/ctx/verdict.ts';
import type { Engine } from '#core/interp/engine.ts';
import { WIDE_OPCODE } from '#core/isa/decode.ts';
import {
  BPF_FUNC_GET_PRANDOM_U32,
  BPF_FUNC_KTIME_GET_BOOT_NS,
  BPF_FUNC_KTIME_GET_COARSE_NS,
  BPF_FUNC_KTIME_GET_NS,
} from '#core/isa/helper-ids.ts';
import { helperById } from '#core/isa/helpers.ts';
import { INSN_SIZE, readInsn } from '#core/isa/insn.ts';
import { OP_CALL } from '#core/isa/opcodes.ts';
import { lineAnInsn } from '#core/object/line-an-insn.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import { ctxGivenBack } from '#core/platform/node/kernel/ctx-bytes.ts';
import { errnoName } from '#core/platform/node/kernel/errors.ts';
import { type KernelPrograms, loadKernelPrograms } from '#core/platform/node/kernel/kernel-programs.ts';
import { ENGINES } from '#core/session/engines.ts';
import { runProgram } from '#core/session/run.ts';
import { MAX_CPUS } from '#core/vm/layout.ts';
import { Machine } from '#core/vm/machine.ts';
import { DEFAULT_SETTINGS, parseKernelVersion } from '#core/vm/settings.ts';
import type { Io } from './io.ts';
import { hex64 } from './json.ts';
import { type Check, check, compareCode } from './kernel-compare-code.ts';
import { report } from './kernel-compare-report.ts';
import type { ProgramInput } from './kernel-input.ts';
import { kernelMaps, mapsJson } from './kernel-maps.ts';
import { refusedKernelJson, refusedKernelText } from './kernel-refused.ts';
import { loadOrFail, runInKernel } from './kernel-run.ts';
import { loadPrograms } from './program-arrays.ts';
import { mapsJson as simulatedMapsJson } from './run-report.ts';

/** What runs the program here. */
export interface RunHere {
  /** As checks name it. */
  readonly name: string;
  readonly engine: Engine;
  /** With constants blinded. */
  readonly blind: boolean;
}

/** Each engine, and each with constants blinded. */
const RUNS: readonly RunHere[] = ENGINES.flatMap((engine) => [
  { name: engine.name, engine, blind: false },
  { name: `${engine.name}, blinded`, engine, blind: true },
]);

/** Runs the program in the kernel and here, prints what is equal; resolves to 1 on a difference or a refusal, else 0. */
export async function kernelCompare(
  kernel: KernelBridge,
  input: ProgramInput,
  json: boolean,
  io: Io,
): Promise<number> {
  return withKernelPrograms(kernel, input, json, io, (loaded, cpu) => {
    const checks = [...codeChecks(kernel, input), ...runChecks(kernel, loaded, input, cpu, RUNS)];
    return report(kernel.release, { name: input.attr.name, type: input.progType }, checks, json, io);
  });
}

/**
 * Loads the program into the kernel, and has `work` done with it on one CPU, the number of which it is given. Of a
 * refused program it prints why, and resolves to 1.
 */
export async function withKernelPrograms(
  kernel: KernelBridge,
  input: ProgramInput,
  json: boolean,
  io: Io,
  work: (loaded: KernelPrograms, cpu: number) => Promise<number>,
): Promise<number> {
  const loaded = loadOrFail(kernel, input);
  if (!loaded.ok) {
    if (json) await io.out(`${JSON.stringify(refusedKernelJson(kernel, input, loaded))}\n`);
    else await io.out(refusedKernelText(kernel, input, loaded, io));
    return 1;
  }
  // A container may leave it some CPUs only; both run on the same one.
  const [cpu = 0] = kernel.allowedCpus();
  const giveBack = kernel.pin(cpu);
  const asked = machineHelpers(input.attr.insns);
  if (asked.length > 0) {
    io.err(
      `bpf-workbench: ${asked.join(', ')}: what the machine answers differs from run to run, and so may results`,
    );
  }
  try {
    return await work(loaded, cpu);
  } finally {
    giveBack();
    loaded.close();
  }
}

/** Helpers whose result is the machine's own: time and random numbers. */
const MACHINE_HELPERS: readonly number[] = [
  BPF_FUNC_KTIME_GET_NS,
  BPF_FUNC_GET_PRANDOM_U32,
  BPF_FUNC_KTIME_GET_BOOT_NS,
  BPF_FUNC_KTIME_GET_COARSE_NS,
];

/** Names of those that the program calls. */
function machineHelpers(insns: Uint8Array): string[] {
  const called = new Set<number>();
  for (let slot = 0; slot * INSN_SIZE < insns.length; slot++) {
    const { opcode, src, imm } = readInsn(insns, slot);
    if (opcode === OP_CALL && src === 0 && MACHINE_HELPERS.includes(imm)) called.add(imm);
    if (opcode === WIDE_OPCODE) slot++;
  }
  return [...called].map((id) => helperById(id)?.name ?? `helper ${id}`);
}

function simulated(kernel: KernelBridge, { attr, others }: ProgramInput, blind: boolean) {
  const machine = new Machine({
    shared: false,
    nCpus: Math.min(kernel.nCpus, MAX_CPUS),
    hash: nodeHash,
    settings: {
      kernel: parseKernelVersion(kernel.release) ?? DEFAULT_SETTINGS.kernel,
      ...(blind ? { bpfJitHarden: 2 } : {}),
    },
  });
  return { machine, loaded: loadPrograms(machine, attr, others) };
}

/** Loads both once more with line info that tells instructions apart, and compares what became of them. */
function codeChecks(kernel: KernelBridge, input: ProgramInput): Check[] {
  const perInsn = (attr: LoadAttr): LoadAttr => ({ ...attr, lineInfo: lineAnInsn(attr.insns) });
  const attr = perInsn(input.attr);
  const { loaded } = simulated(kernel, { ...input, attr }, false);
  if (!loaded.ok) {
    const { message } = loaded.refusal;
    return [check('load', 'loaded', 'refused', message)];
  }
  const there = loadKernelPrograms(kernel, attr, input.others, { logLevel: kernel.statsLogLevel });
  if (!there.ok) {
    return [check('load', errnoName(there.refusal.errno), 'loaded')];
  }
  try {
    return compareCode(loaded.main, kernel.progInfo(there.main), there.main.log);
  } finally {
    there.close();
  }
}

/** Runs each packet in the kernel and in the same way here, and compares what is left behind. */
export function runChecks(
  kernel: KernelBridge,
  there: KernelPrograms,
  input: ProgramInput,
  cpu: number,
  runsHere: readonly RunHere[],
): Check[] {
  const runs = input.inputs.packets.map(({ number, data }) => {
    const ran = runInKernel(kernel, there, input, data, 1);
    return { number, data, ran, maps: mapsJson(kernelMaps(kernel, there)) };
  });
  return runsHere.flatMap(({ name, engine, blind }) => {
    const { machine, loaded } = simulated(kernel, input, blind);
    if (!loaded.ok) return [];
    return runs.flatMap(({ number, data, ran, maps }): Check[] => {
      const here = runProgram(
        machine,
        loaded.main,
        engine,
        { data, attach: 'test_run', ...(input.ctx === undefined ? {} : { ctx: input.ctx }) },
        { cpu: Math.min(cpu, MAX_CPUS - 1) },
      );
      const one = (what: string, kernelText: string, hereText: string): Check => ({
        what,
        engine: name,
        packet: number,
        equal: kernelText === hereText,
        kernel: kernelText,
        here: hereText,
        note: '',
      });
      const verdict = verdictText(input.progType, ran.retval);
      if (here.fault !== undefined)
        return [{ ...one('retval', verdict, here.verdict), note: here.fault.message }];
      const given = ctxGivenBack(input.progType, ran.ctxOut);
      const known = Object.fromEntries(Object.keys(given).map((field) => [field, here.ctxOut[field] ?? 0n]));
      return [
        one('retval', verdict, verdictText(input.progType, here.retval)),
        ...(input.progType === 'raw_tracepoint'
          ? []
          : [one('packet', hexText(ran.dataOut), hexText(here.dataOut))]),
        ...(Object.keys(given).length === 0 ? [] : [one('context', fieldsText(given), fieldsText(known))]),
        ...loaded.main.maps.flatMap((map, index) =>
          map.def.type === 'prog_array'
            ? []
            : [
                one(
                  `map ${map.def.name}`,
                  sorted(maps[index] ?? {}),
                  sorted(simulatedMapsJson([map])[0] ?? {}),
                ),
              ],
        ),
      ];
    });
  });
}

function fieldsText(fields: Readonly<Record<string, bigint>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${hex64(value)}`)
    .join(' ');
}

/** Elements in the order of their keys: hash maps have no order of their own. */
function sorted(entries: object): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(' ');
}
