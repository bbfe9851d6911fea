import { seccompData } from '../cbpf/seccomp.ts';
import { SECCOMP_DATA_SIZE } from '../cbpf/seccomp-data.ts';
import type { RunInput } from '../ctx/input.ts';
import { BUILTIN_PACKETS, builtinPacket, DEFAULT_PACKET, defaultPacketNotice } from '../input/builtin.ts';
import { readCapture } from '../input/capture.ts';
import { parseHexBytes } from '../input/hex.ts';
import type { ProgType } from '../object/object.ts';
import { firstError } from '../object/text-place.ts';
import type { DataArg, LaunchProblemKind, LoadArgs } from './load-request.ts';
import type { SessionPacket } from './loaded.ts';

/** The packets a session runs on, or what is wrong with the wish. */
export type ChosenPackets =
  | {
      readonly ok: true;
      readonly packets: readonly SessionPacket[];
      /** Packets in the capture; 0: no capture. */
      readonly nCaptured: number;
      readonly messages: readonly string[];
    }
  | { readonly ok: false; readonly kind: LaunchProblemKind; readonly message: string };

/** Finds the input of a session in its launch arguments. */
export function choosePackets(args: LoadArgs, progType: ProgType): ChosenPackets {
  if (args.capture !== undefined && args.data !== undefined) {
    return problem('bad-argument', 'give either "capture" or "data", not both');
  }
  if (args.capture !== undefined && progType === 'raw_tracepoint') {
    return problem(
      'bad-argument',
      'a raw tracepoint sees no packets: give its arguments with "ctx", not a capture',
    );
  }
  if (args.capture !== undefined) return fromCapture(args, args.capture);
  if (args.packets !== undefined && args.packets !== 'all' && args.packets.some((number) => number !== 1)) {
    return problem(
      'bad-packet',
      `packet ${args.packets.join(', ')}: there is no capture; name one with "capture"`,
    );
  }
  if (args.data !== undefined) return fromData(args, args.data);
  if (progType === 'raw' || progType === 'raw_tracepoint') return one(args, new Uint8Array(), []);
  return one(args, DEFAULT_PACKET.data, [defaultPacketNotice(args.packetOptions ?? '"capture" or "data"')]);
}

function fromCapture(args: LoadArgs, file: NonNullable<LoadArgs['capture']>): ChosenPackets {
  const capture = readCapture(file.bytes);
  const messages = capture.message === undefined ? [] : [`${file.name}: ${capture.message}`];
  const nCaptured = capture.packets.length;
  if (nCaptured === 0) {
    return problem('bad-capture', messages[0] ?? `${file.name} holds no packets`);
  }
  const numbers = args.packets === 'all' ? capture.packets.map((_, i) => i + 1) : (args.packets ?? [1]);
  if (numbers.length === 0) return problem('bad-packet', 'the list of packets is empty');
  const packets: SessionPacket[] = [];
  for (const number of numbers) {
    const packet = capture.packets[number - 1];
    if (packet === undefined) {
      return problem('bad-packet', `packet ${number}: ${file.name} has packets 1 to ${nCaptured}`);
    }
    packets.push({ number, input: input(args, packet.data) });
  }
  return { ok: true, packets, nCaptured, messages };
}

function fromData(args: LoadArgs, data: DataArg): ChosenPackets {
  switch (data.kind) {
    case 'bytes':
      return one(args, data.bytes, []);
    case 'builtin': {
      const builtin = builtinPacket(data.name);
      if (builtin !== undefined) return one(args, builtin.data, []);
      const names = BUILTIN_PACKETS.map((packet) => packet.name).join(', ');
      return problem('bad-data', `data: there is no built-in packet "${data.name}"; there are ${names}`);
    }
    case 'hex': {
      const parsed = parseHexBytes(data.text);
      const error = firstError(parsed.diagnostics);
      return error === undefined
        ? one(args, parsed.value, [])
        : problem('bad-data', `data, character ${error.range.start + 1}: ${error.message}`);
    }
  }
}

function one(args: LoadArgs, data: Uint8Array, messages: readonly string[]): ChosenPackets {
  return { ok: true, packets: [{ number: 1, input: input(args, data) }], nCaptured: 0, messages };
}

function input(args: LoadArgs, data: Uint8Array): RunInput {
  return {
    data,
    ...(args.ctx === undefined ? {} : { ctx: args.ctx }),
    ...(args.attach === undefined ? {} : { attach: args.attach }),
  };
}

function problem(kind: LaunchProblemKind, message: string): ChosenPackets {
  return { ok: false, kind, message };
}

/** The one `struct seccomp_data` that a seccomp filter is run on: from its fields, or its 64 bytes. */
export function seccompPacket(args: LoadArgs): ChosenPackets {
  if (args.capture !== undefined || args.packets !== undefined) {
    return problem('bad-argument', 'a seccomp filter sees no packets; describe the system call with "ctx"');
  }
  if (args.data !== undefined) {
    if (args.seccomp !== undefined) return problem('bad-argument', 'give either "ctx" or "data", not both');
    const chosen = fromData(args, args.data);
    const size = chosen.ok ? chosen.packets[0]?.input.data.length : SECCOMP_DATA_SIZE;
    if (size === SECCOMP_DATA_SIZE) return chosen;
    return problem('bad-data', `data: struct seccomp_data has ${SECCOMP_DATA_SIZE} bytes, not ${size}`);
  }
  const made = seccompData(args.seccomp ?? {});
  return made.ok ? one(args, made.data, []) : problem('bad-context', `ctx: ${made.message}`);
}
