import { nodeHash } from '#core/platform/node/hash.ts';
import { TargetClient } from '#core/session/client.ts';
import { inlineTargetHost } from '#core/session/inline-target.ts';
import type { ClassicView, DataArg, LoadArgs } from '#core/session/target-api.ts';
import type { Arguments, Command } from '../command.ts';
import { notSupported, UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { u64Of } from '../jsonl.ts';
import { textFields } from '../run-input.ts';
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
import { MAX_DATA_BYTES, MAX_SOURCE_BYTES, readInput } from '../source.ts';
import { Stepper } from '../stepper.ts';

/** `bpf-workbench debug` */
export const debugCommand: Command = {
  spec: {
    name: 'debug',
    usage: ['FILE [options]'],
    summary: 'Step through a program in the terminal.',
    options: {
      ...PROGRAM_OPTIONS,
      type: { value: 'TYPE', text: `${PROGRAM_OPTIONS.type.text}; seccomp for classic BPF` },
      view: { value: 'VIEW', text: 'classic BPF in its own text (classic, the default) or as ebpf' },
      ...MACHINE_OPTIONS,
      'max-insns': { value: 'N', text: 'stop after N instructions; no limit if not told' },
      attach: ATTACH_OPTION,
    },
    notes: ['Commands are read from stdin, a line each; help lists them. Ctrl+C pauses a running program.'],
  },
  async run(args, io) {
    const [path, ...others] = args.positionals;
    if (path === undefined || others.length > 0) throw new UsageError('debug: give one FILE');
    if (path === '-') throw notSupported('debug -: stdin is where the commands come from; give a file');
    const load = await loadArgs(path, args, io);
    const client = await TargetClient.start(
      inlineTargetHost({
        hash: nodeHash,
        yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
        now: () => performance.now(),
      }),
    );
    try {
      const loaded = await client.request('load', load);
      if (!loaded.ok) {
        if (loaded.problem.kind !== 'refused') throw new UsageError(loaded.problem.message);
        io.err(`bpf-workbench: ${loaded.problem.message}`);
        return 1;
      }
      for (const message of loaded.messages) io.err(message);
      const { generated } = loaded;
      const text = generated?.text ?? new TextDecoder().decode(load.source);
      return await new Stepper(client, io, text).run();
    } finally {
      await client.terminate();
    }
  },
};

async function loadArgs(path: string, args: Arguments, io: Io): Promise<LoadArgs> {
  engineChoice(args);
  const engine = args.text('engine');
  const prog = args.text('prog');
  const isSeccomp = args.text('type') === 'seccomp';
  const type = isSeccomp ? 'seccomp' : progTypeNamed(args.text('type'));
  const view = args.choice('view', ['classic', 'ebpf']);
  const attach = attachNamed(args.text('attach'));
  const cpu = args.integer('cpu', 0, HIGHEST_CPU);
  const maxInsns = args.integer('max-insns', 1, HIGHEST_MAX_INSNS);
  const pcap = args.text('pcap');
  const data = args.text('data');
  if (pcap !== undefined && data !== undefined) throw new UsageError('--data and --pcap: give one of them');
  if (pcap === undefined && args.has('packet')) {
    throw new UsageError('--packet chooses from a capture; give --pcap FILE');
  }
  const packets = args.text('packet') === 'all' ? 'all' : args.integer('packet', 1, HIGHEST_MAX_INSNS);
  const ctx = isSeccomp ? undefined : ctxFields(args.list('ctx'));
  const seccomp = isSeccomp && args.has('ctx') ? textFields(args.list('ctx')) : undefined;
  return {
    fileName: path,
    source: await readInput(path, MAX_SOURCE_BYTES, io),
    ...(prog === undefined ? {} : { prog }),
    ...(type === undefined ? {} : { type }),
    ...(engine === undefined ? {} : { engine }),
    ...(attach === undefined ? {} : { attach }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(maxInsns === undefined ? {} : { maxInsns }),
    ...(args.flag('blind') ? { blind: true } : {}),
    ...(args.has('seed') ? { seed: u64Of(args.text('seed'), '--seed') } : {}),
    ...(args.has('tracepoint') ? { tracepoint: args.text('tracepoint') ?? '' } : {}),
    ...(args.has('freplace') ? { freplace: args.list('freplace') } : {}),
    ...(ctx === undefined ? {} : { ctx }),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(view === undefined ? {} : { view: view as ClassicView }),
    ...(packets === undefined ? {} : { packets: packets === 'all' ? packets : [packets] }),
    ...(pcap === undefined
      ? {}
      : { capture: { name: pcap, bytes: await readInput(pcap, MAX_DATA_BYTES, io) } }),
    ...(data === undefined ? {} : { data: await dataArg(data, io) }),
  };
}

async function dataArg(text: string, io: Io): Promise<DataArg> {
  if (!text.startsWith('@')) return { kind: 'hex', text };
  const name = text.slice(1);
  return { kind: 'bytes', name, bytes: await readInput(name, MAX_DATA_BYTES, io) };
}
