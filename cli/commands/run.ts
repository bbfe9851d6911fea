import { seccompActionText } from '#core/cbpf/seccomp.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr } from '#core/object/object.ts';
import { type RunResult, runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Arguments, Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { u64Of } from '../jsonl.ts';
import { loadPrograms } from '../program-arrays.ts';
import { runBatch } from '../run-batch.ts';
import { inputsOf, seccompInputs } from '../run-input.ts';
import {
  attachNamed,
  ctxFields,
  DEFAULT_MAX_INSNS,
  engineChoice,
  HIGHEST_CPU,
  HIGHEST_MAX_INSNS,
  progTypeNamed,
} from '../run-options.ts';
import { refusedJson, refusedReport, resultJson, runReport, statsJson } from '../run-report.ts';
import { objectOf, readSource } from '../source.ts';

/** `bpf-workbench run` */
export const runCommand: Command = {
  spec: {
    name: 'run',
    usage: ['FILE [options]', '--jsonl < LINES'],
    summary: 'Run a program on a packet, a capture or memory.',
    options: {
      prog: { value: 'NAME', text: 'which of several programs; the first if not told' },
      type: {
        value: 'TYPE',
        text: 'xdp, sched_cls, socket_filter or raw, where the file does not tell; seccomp for classic BPF',
      },
      engine: { value: 'ENGINE', text: 'reference' },
      data: { value: 'HEX|@FILE', text: 'one packet (or the memory of a raw program)' },
      pcap: { value: 'FILE', text: 'a capture (pcap, pcapng) with packets' },
      packet: { value: 'N|all', text: 'which packet of the capture, from 1 (the default), or all' },
      ctx: { value: 'FIELD=VALUE', multiple: true, text: 'a field of the context; may be repeated' },
      repeat: { value: 'N', text: 'run each packet N times; the last result counts' },
      cpu: { value: 'N', text: 'CPU that runs it; 0 if not told' },
      seed: { value: 'N', text: 'seed of bpf_get_prandom_u32; 0 if not told' },
      'max-insns': { value: 'N', text: 'stop after N instructions; 1000000 if not told' },
      attach: { value: 'WHERE', text: 'offset 0 of a socket filter: packet (the MAC header) or test_run' },
      json: { text: 'one JSON object and nothing else' },
      jsonl: { text: 'batch: a program a line on stdin, an answer a line' },
    },
    later: ['blind'],
    notes: [
      'A seccomp filter gets its struct seccomp_data from --ctx: nr (a number or a name), arch (a number, or a name such as arm64), instruction_pointer, args[0] to args[5]; or from --data, 64 bytes.',
      'Maps keep their contents from packet to packet. Exit code 1 when a run faults or the program is refused.',
    ],
  },
  run: (args, io) => (args.flag('jsonl') ? batchOnly(args, io) : runFile(args, io)),
};

function batchOnly(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('run --jsonl reads stdin; give no FILE');
  return runBatch(io);
}

async function runFile(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  if (path === undefined || others.length > 0) throw new UsageError('run: give one FILE (- is stdin)');
  const engine = engineChoice(args);
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
  const linked = linkProgram(object, args.text('prog'), progType === undefined ? {} : { progType });
  if (linked.value === undefined) {
    throw new UsageError(`${source.name}: ${linked.errors[0] ?? 'the file holds no program'}`);
  }
  const attr = linked.value;
  const inputs = isSeccomp ? await seccompInputs(args, io) : await inputsOf(args, attr.progType, io);

  const machine = new Machine({ shared: false, nCpus: cpu + 1, seed });
  const tell = (): void => {
    for (const message of inputs.messages) io.err(`bpf-workbench: ${message}`);
  };
  const loaded = loadPrograms(machine, attr, programsForArrays(object, attr));
  if (!loaded.ok) {
    const { name, refusal } = loaded;
    tell();
    if (args.flag('json')) await io.out(`${JSON.stringify(refusedJson(name, attr, engine.name, refusal))}\n`);
    else await io.out(refusedReport(name, attr, refusal, source, io));
    return 1;
  }
  const prog = loaded.main;

  const results: {
    readonly packet: number;
    readonly result: RunResult;
    readonly json: object | undefined;
  }[] = [];
  const asJson = args.flag('json');
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
    const json = asJson ? resultJson(number, result, prog.maps) : undefined;
    results.push({ packet: number, result, json });
  }
  tell();
  if (args.flag('json')) {
    const head = { prog: attr.name, type: attr.progType, engine: engine.name };
    const all = { ...head, results: results.map((each) => each.json), stats: statsJson(machine, prog) };
    await io.out(`${JSON.stringify(all)}\n`);
  } else await io.out(runReport({ attr, engine: engine.name, inputs, results, machine, prog, source, io }));
  return results.some((each) => each.result.fault !== undefined) ? 1 : 0;
}

/** The programs that initial entries of program arrays name, by their index among the object's programs. */
function programsForArrays(object: BpfObject, main: LoadAttr): LoadAttr[] {
  if (!main.maps.some((map) => map.type === 'prog_array' && (map.entries?.length ?? 0) > 0)) return [];
  return object.programs.map(({ name }) => {
    const { value, errors } = linkProgram(object, name, { progType: main.progType });
    if (value === undefined) throw new UsageError(`program ${name}: ${errors[0] ?? 'cannot be linked'}`);
    return value;
  });
}
