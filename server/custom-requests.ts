import { type Connection, ErrorCodes, ResponseError } from 'vscode-languageserver';
import { fromBase64 } from '#core/bytes/base64.ts';
import { hexText } from '#core/bytes/hex.ts';
import { filtersOf } from '#core/cbpf/program.ts';
import { looksLikeSeccomp } from '#core/cbpf/seccomp-flow.ts';
import { BUILTIN_PACKETS } from '#core/input/builtin.ts';
import { type CapturedPacket, readCapture } from '#core/input/capture.ts';
import { LINKTYPE_ETHERNET } from '#core/input/captured-packet.ts';
import { summarisePacket } from '#core/input/summary.ts';
import type {
  BuiltinPacketInfo,
  CaptureReply,
  CaptureRequest,
  LanguageRequests,
  ProgramSummary,
} from '#core/protocol/language.ts';
import type { ClassicSnapshot, ClassicStore } from './classic/documents.ts';
import type { DocumentStore, Snapshot } from './documents.ts';
import { positionAt } from './line-index.ts';

/** Captures above this size are refused, before base64. */
const MAX_CAPTURE_BYTES = 16 << 20;
const MAX_SUMMARIES = 1000;

/**
 * Answers the requests of `core/protocol/language.ts`: the programs of an open document, the packets of a
 * capture whose bytes come with the request, the built-in packets. Wrong parameters are answered with
 * InvalidParams and a sentence; a damaged capture is no error but a `message` beside the good packets.
 */
export function registerCustomRequests(
  connection: Connection,
  documents: Pick<DocumentStore, 'get'>,
  classic: Pick<ClassicStore, 'get'>,
): void {
  type Handler<M extends keyof LanguageRequests> = (
    params: LanguageRequests[M]['params'],
  ) => LanguageRequests[M]['result'] | ResponseError;
  const on = <M extends keyof LanguageRequests>(method: M, handler: Handler<M>) =>
    connection.onRequest<unknown, void>(method, (params: LanguageRequests[M]['params']) => handler(params));

  on('bpf/programs', (params) => {
    if (typeof params?.uri !== 'string') return invalid('bpf/programs wants { uri } of an open document');
    const snapshot = documents.get(params.uri);
    if (snapshot !== undefined) return programsOf(snapshot);
    const filter = classic.get(params.uri);
    return filter === undefined ? [] : classicProgramsOf(filter);
  });
  on('bpf/capture', (params) => captureOf(params));
  on('bpf/builtins', () => builtins());
}

/**
 * A classic BPF text is one program, named after its file; none where it has errors. What it is attached to
 * is told by what it does alone.
 */
function classicProgramsOf(snapshot: ClassicSnapshot): ProgramSummary[] {
  const { object, value } = snapshot.source();
  const type = looksLikeSeccomp(filtersOf(value)) ? 'seccomp' : 'socket_filter';
  return (object?.programs ?? []).map(({ name }) => ({ name, type, line: 0 }));
}

function programsOf(snapshot: Snapshot): ProgramSummary[] {
  return snapshot.assembled().value.programs.map((program) => ({
    name: program.name,
    type: program.progType ?? 'raw',
    line: program.range === undefined ? 0 : positionAt(snapshot.index, program.range.start).line,
  }));
}

/** The reply for one capture, or why there is none. */
function captureOf(params: CaptureRequest): CaptureReply | ResponseError {
  if (typeof params?.base64 !== 'string')
    return invalid('bpf/capture wants { base64 }: the bytes of the file');
  if (params.base64.length > Math.ceil(MAX_CAPTURE_BYTES / 3) * 4)
    return invalid(`the capture is larger than ${MAX_CAPTURE_BYTES >> 20} MiB`);
  const bytes = fromBase64(params.base64);
  if (bytes === undefined) return invalid('bpf/capture: "base64" is not base64 with padding');
  const capture = readCapture(bytes);
  const first = clamp(params.first ?? 0, capture.packets.length);
  const limit = clamp(params.limit ?? MAX_SUMMARIES, MAX_SUMMARIES);
  return {
    total: capture.packets.length,
    packets: capture.packets.slice(first, first + limit).map((packet, i) => ({
      index: first + i + 1,
      summary: summarisePacket(packet),
      length: packet.data.length,
    })),
    ...(capture.message === undefined ? {} : { message: capture.message }),
  };
}

function builtins(): BuiltinPacketInfo[] {
  return BUILTIN_PACKETS.map(({ name, title, data }) => {
    const packet: CapturedPacket = {
      data,
      originalLength: data.length,
      timestampNs: 0n,
      linkType: LINKTYPE_ETHERNET,
    };
    return { name, title, summary: summarisePacket(packet), hex: hexText(data) };
  });
}

function clamp(value: number, max: number): number {
  return Number.isInteger(value) && value > 0 ? Math.min(value, max) : 0;
}

function invalid(message: string): ResponseError {
  return new ResponseError(ErrorCodes.InvalidParams, message);
}
