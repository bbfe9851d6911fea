import { seccompActionText } from '#core/cbpf/seccomp.ts';
import { linkProgram } from '#core/object/link.ts';
import { rawNotice } from '#core/object/prog-types.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { unloadPrograms } from '#core/prog/extend.ts';
import { interpretedNotices } from '#core/session/engines.ts';
import { DEFAULT_MAX_INSNS, type RunResult, runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Arguments, Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { u64Of } from '../jsonl.ts';
import { LOCKSTEP_NAMES, runInLockstep } from '../lockstep.ts';
import { allPrograms, extensionsNamed, loadPrograms, programsForArrays } from '../program-arrays.ts';
import { runBatch } from '../run-batch.ts';
import { inputsOf, seccompInputs } from '../run-input.ts';
import {
  ATTACH_OPTION,
  attachNamed,
  ctxFields,
  engineChoice,
  HIGHEST_CPU,
  HIGHEST_MAX_INSNS,
  MACHINE_OPTIONS,
  PROGRAM_OPTIONS,
  progTypeNamed,
} from '../run-options.ts';
import { refusedJson, refusedReport, resultJson, roomForMaps, runReport, statsJson } from '../run-report.ts';
import { objectOf, readSource } from '../source.ts';

/** `bpf-workbench run` */
export const runCommand: Command = {
  spec: {
    name: 'run',
    usage: ['FILE [options]', '--jsonl < LINES'],
    summary: 'Run a program on a packet, a capture or memory.',
    options: {
      ...PROGRAM_OPTIONS,
      type: {
        value: 'TYPE',
        text: `${PROGRAM_OPTIONS.type.text}; seccomp for classic BPF`,
      },
      repeat: { value: 'N', text: 'run each packet N times; the last result counts' },
      ...MACHINE_OPTIONS,
      lockstep: {
        value: 'ENGINE|kernel',
        text: 'run this engine side by side, and stop at the first difference; kernel: compare what is left at the end',
      },
      'max-insns': { value: 'N', text: 'stop after N instructions; 1000000 if not told' },
      attach: ATTACH_OPTION,
      json: { text: 'one JSON object and nothing else' },
      jsonl: { text: 'batch: a program a line on stdin, an answer a line' },
    },
    notes: [
      'A seccomp filter gets its struct seccomp_data from --ctx: nr (a number or a name), arch (a number, or a name such as arm64), instruction_pointer, args[0] to args[5]; or from --data, 64 bytes.',
      'With --lockstep the exit code is 1 when the two differ, 0 when they do the same, be it a fault.',
      'Maps keep their contents from packet to packet. Exit code 1 when a run faults or the program is refused.',
    ],
  },
  run: (args, io) => (args.flag('jsonl') ? batchOnly(args, io) : runFile(args, io)),
};

function batchOnly(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('run --jsonl reads stdin; give no FILE');
  if (args.has('lockstep')) throw new UsageError('--lockstep: for run FILE only');
  return runBatch(io);
}

async function runFile(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  // Where the engine was forgotten the FILE is taken for it: that is what is wrong then.
  args.choice('lockstep', LOCKSTEP_NAMES);
  if (path === undefined || others.length > 0) throw new UsageError('run: give one FILE (- is stdin)');
  if (args.has('lockstep')) return runInLockstep(path, args, io);
  const { engine, message } = engineChoice(args);
  if (message !== undefined) io.err(`bpf-workbench: ${message}`);
  const isSeccomp = args.text('type') === 'seccomp';
  const progType = isSeccomp ? undefined : progTypeNamed(args.text('type'));
  const attach = attachNamed(args.text('attach'));
  const cpu = args.integer('cpu', 0, HIGHEST_CPU) ?? 0;
  const maxInsns = args.integer('max-insns', 1, HIGHEST_MAX_INSNS) ?? DEFAULT_MAX_INSNS;
  const repeat = args.integer('repeat', 1, 1_000_000_000) ?? 1;
  const seed = args.has('seed') ? u64Of(args.text('seed'), '--seed') : 0n;
  const ctx = isSeccomp ? undefined : ctxFields(args.list('ctx'));

  const source = await readSource(path, io, isSeccomp ? { attach: 'seccomp' } : {});
  if (isSeccomp && source.kind !== 'cbpf') {
    throw new UsageError(`${source.name}: --type seccomp: seccomp filters are classic BPF`);
  }
  const object = objectOf(source, progType);
  const tracepoint = args.text('tracepoint');
  const linked = linkProgram(object, args.text('prog'), {
    ...(progType === undefined ? {} : { progType }),
    ...(tracepoint === undefined ? {} : { attachTo: tracepoint }),
  });
  if (linked.value === undefined) {
    throw new UsageError(`${source.name}: ${linked.errors[0] ?? 'the file holds no program'}`);
  }
  const attr = linked.value;
  if (tracepoint !== undefined && attr.progType !== 'raw_tracepoint') {
    throw new UsageError(
      `--tracepoint: ${attr.name} is of type ${attr.progType}; give --type raw_tracepoint`,
    );
  }
  const type = isSeccomp ? 'seccomp' : attr.progType;
  const inputs = isSeccomp ? await seccompInputs(args, io) : await inputsOf(args, attr.progType, io);

  const machine = new Machine({
    shared: false,
    nCpus: cpu + 1,
    seed,
    hash: nodeHash,
    ...(args.flag('blind') ? { settings: { bpfJitHarden: 2 } } : {}),
  });
  const tell = (): void => {
    const notice = progType === undefined ? rawNotice(object, attr.name) : undefined;
    for (const message of notice === undefined ? inputs.messages : [...inputs.messages, notice]) {
      io.err(`bpf-workbench: ${message}`);
    }
  };
  const loaded = loadPrograms(
    machine,
    attr,
    programsForArrays(object, attr),
    extensionsNamed(object, args.list('freplace')),
  );
  if (!loaded.ok) {
    const { name, refusal } = loaded;
    tell();
    if (args.flag('json'))
      await io.out(`${JSON.stringify(refusedJson(name, attr, type, engine.name, refusal))}\n`);
    else await io.out(refusedReport(name, attr, refusal, source, io));
    return 1;
  }
  const prog = loaded.main;
  for (const notice of interpretedNotices(engine, machine, allPrograms(loaded))) {
    io.err(`bpf-workbench: ${notice}`);
  }

  const results: {
    readonly packet: number;
    readonly result: RunResult;
    readonly json: object | undefined;
  }[] = [];
  const asJson = args.flag('json');
  const room = roomForMaps();
  for (const { number, data } of inputs.packets) {
    const input = {
      data,
      ...(ctx === undefined ? {} : { ctx }),
      ...(attach === undefined ? {} : { attach }),
    };
    const ran = runProgram(machine, prog, engine, input, { cpu, maxInsns, repeat });
    const isAction = isSeccomp && ran.fault === undefined;
    const result = isAction ? { ...ran, verdict: seccompActionText(ran.retval) } : ran;
    const [problem] = result.inputProblems;
    if (problem !== undefined) throw new UsageError(`--ctx: ${problem}`);
    // Maps change from packet to packet: their contents are taken now or never.
    const json = asJson ? resultJson(number, result, prog.maps, room) : undefined;
    results.push({ packet: number, result, json });
  }
  tell();
  if (args.flag('json')) {
    const head = { prog: attr.name, type, engine: engine.name };
    const all = { ...head, results: results.map((each) => each.json), stats: statsJson(machine, prog) };
    await io.out(`${JSON.stringify(all)}\n`);
  } else
    await io.out(runReport({ attr, type, engine: engine.name, inputs, results, machine, prog, source, io }));
  unloadPrograms(machine, loaded.main, loaded.others, loaded.links);
  return results.some((each) => each.result.fault !== undefined) ? 1 : 0;
}
