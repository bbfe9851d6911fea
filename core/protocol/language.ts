/**
 * Custom requests from the editor's client to the language server, which reads no file: what it shall look
 * into is an open document or comes with the request.
 */

/** `bpf/programs` → the programs of an open document, in the order of the text. */
export interface ProgramsRequest {
  /** URI of a document that the client has opened with language `bpf`. */
  readonly uri: string;
}

/** A program of a document. */
export interface ProgramSummary {
  /** Name of the function: what `prog` in a launch configuration takes. */
  readonly name: string;
  /** Program type as the section's name or `.program` tells it, `raw` where nothing does; of classic BPF `socket_filter` or `seccomp`. */
  readonly type: string;
  /** Line of its label, from 0; 0 where the text is the program. */
  readonly line: number;
}

/** `bpf/capture` → one line about each packet of a pcap or pcapng file. */
export interface CaptureRequest {
  /** The file's bytes in base64, at most 16 MiB before encoding. */
  readonly base64: string;
  /** First packet to describe, from 0; default 0. */
  readonly first?: number;
  /** How many packets to describe at most; default and upper limit 1,000. */
  readonly limit?: number;
}

/** The packets that `bpf/capture` describes. */
export interface CaptureReply {
  /** Packets in the whole file. */
  readonly total: number;
  readonly packets: readonly PacketSummary[];
  /** What is wrong with the file and at which byte; the packets before it are good. */
  readonly message?: string;
}

/** One line about a packet. */
export interface PacketSummary {
  /** From 1: what `packet` in a launch configuration takes. */
  readonly index: number;
  /** `TCP 10.0.0.1:40000 → 10.0.0.2:80 [SYN] 60 bytes` */
  readonly summary: string;
  /** Captured bytes. */
  readonly length: number;
}

/** `bpf/builtins` → the packets that need no capture. */
export interface BuiltinPacketInfo {
  /** Stable word: `tcp-syn`. */
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** The packet's bytes: what `data` in a launch configuration takes. */
  readonly hex: string;
}

/** Names of the custom requests. */
export interface LanguageRequests {
  readonly 'bpf/programs': { readonly params: ProgramsRequest; readonly result: readonly ProgramSummary[] };
  readonly 'bpf/capture': { readonly params: CaptureRequest; readonly result: CaptureReply };
  readonly 'bpf/builtins': { readonly params: null; readonly result: readonly BuiltinPacketInfo[] };
}
