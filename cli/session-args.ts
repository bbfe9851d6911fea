import type { ClassicView, DataArg, LoadArgs } from '#core/session/load-request.ts';
import type { Arguments } from './command.ts';
import { UsageError } from './failure.ts';
import type { Io } from './io.ts';
import { u64Of } from './jsonl.ts';
import { PACKET_OPTIONS, textFields } from './run-input.ts';
import {
  attachNamed,
  ctxFields,
  engineChoice,
  HIGHEST_CPU,
  HIGHEST_MAX_INSNS,
  progTypeNamed,
} from './run-options.ts';
import { MAX_DATA_BYTES, MAX_SOURCE_BYTES, readInput } from './source.ts';

/** What a session is loaded with, as the options of a command tell it; throws `UsageError`. `path` may be `-`. */
export async function sessionArgs(path: string, args: Arguments, io: Io): Promise<LoadArgs> {
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
    fileName: path === '-' ? 'stdin' : path,
    source: await readInput(path, MAX_SOURCE_BYTES, io),
    packetOptions: PACKET_OPTIONS,
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
