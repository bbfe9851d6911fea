import { seccompData } from '#core/cbpf/seccomp.ts';
import { SECCOMP_DATA_SIZE } from '#core/cbpf/seccomp-data.ts';
import { RAW_TRACEPOINT_ARGS } from '#core/ctx/fields.ts';
import { DEFAULT_PACKET, defaultPacketNotice } from '#core/input/builtin.ts';
import { readCapture } from '#core/input/capture.ts';
import { parseHexBytes } from '#core/input/hex.ts';
import { summarisePacket } from '#core/input/summary.ts';
import type { ProgType } from '#core/object/object.ts';
import type { Arguments } from './command.ts';
import { UsageError } from './failure.ts';
import type { Io } from './io.ts';
import { MAX_DATA_BYTES, readInput } from './source.ts';

/** How packets are named on the command line, for messages. */
export const PACKET_OPTIONS = '--pcap FILE or --data HEX';

/** The packets (or the memory) that a run works on. */
export interface Inputs {
  readonly packets: readonly {
    /** From 1, as in the capture. */
    readonly number: number;
    readonly data: Uint8Array;
    /** One line for people; undefined for data without a capture. */
    readonly summary: string | undefined;
  }[];
  /** Things worth telling: a damaged capture, made-up data. */
  readonly messages: readonly string[];
}

/** Reads what `--data`, `--pcap` and `--packet` name; throws `UsageError`. */
export async function inputsOf(args: Arguments, progType: ProgType, io: Io): Promise<Inputs> {
  const dataText = args.text('data');
  const capture = args.text('pcap');
  if (dataText !== undefined && capture !== undefined) {
    throw new UsageError('--data and --pcap: give one of them');
  }
  if (capture !== undefined && progType === 'raw_tracepoint') {
    throw new UsageError('--pcap: a raw tracepoint sees no packets; give its arguments: --ctx args[0]=VALUE');
  }
  if (capture !== undefined) return packetsOf(capture, args.text('packet') ?? '1', io);
  if (args.has('packet')) throw new UsageError('--packet chooses from a capture; give --pcap FILE');
  const one = (data: Uint8Array) => [{ number: 1, data, summary: undefined }];
  if (dataText !== undefined) {
    const data = await dataOf(dataText, io);
    if (progType === 'raw_tracepoint' && data.length > 8 * RAW_TRACEPOINT_ARGS) {
      throw new UsageError(
        `--data has ${data.length} bytes; a tracepoint has at most ${RAW_TRACEPOINT_ARGS} arguments of 8 bytes`,
      );
    }
    return { packets: one(data), messages: [] };
  }
  if (progType === 'raw' || progType === 'raw_tracepoint')
    return { packets: one(new Uint8Array()), messages: [] };
  return { packets: one(DEFAULT_PACKET.data), messages: [defaultPacketNotice(PACKET_OPTIONS)] };
}

/** The `struct seccomp_data` of a seccomp filter: from `--ctx`, or 64 bytes of `--data`; throws `UsageError`. */
export async function seccompInputs(args: Arguments, io: Io): Promise<Inputs> {
  const one = (data: Uint8Array): Inputs => ({
    packets: [{ number: 1, data, summary: undefined }],
    messages: [],
  });
  for (const name of ['pcap', 'packet']) {
    if (args.has(name))
      throw new UsageError(`--${name}: a seccomp filter sees no packets; give --ctx nr=NAME`);
  }
  const dataText = args.text('data');
  if (dataText !== undefined) {
    if (args.list('ctx').length > 0) throw new UsageError('--data and --ctx: give one of them');
    const data = await dataOf(dataText, io);
    if (data.length === SECCOMP_DATA_SIZE) return one(data);
    throw new UsageError(`--data: struct seccomp_data has ${SECCOMP_DATA_SIZE} bytes, not ${data.length}`);
  }
  const made = seccompData(textFields(args.list('ctx')));
  if (!made.ok) throw new UsageError(`--ctx: ${made.message}`);
  return one(made.data);
}

/** `field=value` options as texts, by field; throws `UsageError`. */
export function textFields(options: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const text of options) {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--ctx ${text}: must be FIELD=VALUE`);
    fields[text.slice(0, at)] = text.slice(at + 1);
  }
  return fields;
}

async function dataOf(text: string, io: Io): Promise<Uint8Array> {
  if (text.startsWith('@')) return readInput(text.slice(1), MAX_DATA_BYTES, io);
  const { value, diagnostics } = parseHexBytes(text);
  const [problem] = diagnostics;
  if (problem === undefined) return value;
  throw new UsageError(`--data, character ${problem.range.start + 1}: ${problem.message}; a file is @FILE`);
}

async function packetsOf(path: string, choice: string, io: Io): Promise<Inputs> {
  const bytes = await readInput(path, MAX_DATA_BYTES, io);
  const capture = readCapture(bytes);
  const n = capture.packets.length;
  if (n === 0) throw new UsageError(`${path}: ${capture.message ?? 'the capture holds no packet'}`);
  const messages = capture.message === undefined ? [] : [`${path}: ${capture.message}`];
  const all = capture.packets.map((packet, index) => ({
    number: index + 1,
    data: packet.data,
    summary: summarisePacket(packet),
  }));
  if (choice === 'all') return { packets: all, messages };
  const number = /^\d+$/.test(choice) ? Number(choice) : Number.NaN;
  const packet = all[number - 1];
  if (packet === undefined) {
    const range = n === 1 ? 'the capture has 1 packet' : `the capture has packets 1 to ${n}`;
    throw new UsageError(`--packet ${choice}: ${range}; all runs every one`);
  }
  return { packets: [packet], messages };
}
