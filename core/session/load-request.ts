import type { ProgType } from '../object/object.ts';
import type { KernelVersion } from '../vm/settings.ts';

/** Where packet bytes come from. */
export type DataArg =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly name: string }
  | { readonly kind: 'hex'; readonly text: string }
  /** Name of a packet of `core/input/builtin.ts`. */
  | { readonly kind: 'builtin'; readonly name: string };

/**
 * What the user of a classic program sees and steps: its own text with A, X and M[], or the eBPF that it is
 * converted to.
 */
export type ClassicView = 'classic' | 'ebpf';

/** Whose addresses: those of native code, or those of BPF instructions as loaded. */
export type CodeSpace = 'native' | 'bpf';

/** Everything a session needs; files are handed in as bytes, so that the target does no I/O. */
export interface LoadArgs {
  /** Path of the program as the client knows it: what stack frames and messages name. */
  readonly fileName: string;
  readonly source: Uint8Array;
  /** Which of several programs; absent: the only one, or the first. */
  readonly prog?: string;
  /** Program type, where the file does not tell it; `seccomp` for a classic program that is one. */
  readonly type?: ProgType | 'seccomp';
  readonly capture?: { readonly name: string; readonly bytes: Uint8Array };
  /** Packets of the capture, from 1; absent: the first. */
  readonly packets?: 'all' | readonly number[];
  /** A packet that needs no capture. */
  readonly data?: DataArg;
  /** How the user would have named a packet, for the message that there is none; default: the launch attributes. */
  readonly packetOptions?: string;
  /** Values of context fields before the run. */
  readonly ctx?: Readonly<Record<string, bigint>>;
  /** Fields of a seccomp filter's `struct seccomp_data` (`seccompData`). */
  readonly seccomp?: Readonly<Record<string, string>>;
  /** Default `classic`; of no effect for a program that is none. */
  readonly view?: ClassicView;
  readonly engine?: string;
  /** An engine to compare with while the program runs; the first difference stops it. */
  readonly lockstep?: string;
  /** Seed of the machine's random numbers, unsigned 64 bits. */
  readonly seed?: bigint;
  /** CPU that runs the program, 0…63. */
  readonly cpu?: number;
  /** Instructions after which a packet's run ends in a fault `insn_limit`; absent: none. */
  readonly maxInsns?: number;
  /** Where offset 0 of a socket filter lies. */
  readonly attach?: 'packet' | 'test_run';
  /** Programs to put into program arrays: map name → index → program of the same file. */
  readonly progArrays?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What a raw_tracepoint program is attached to, where its section does not tell. */
  readonly tracepoint?: string;
  /** Extensions of the same file (section `freplace/FUNC`) that take the place of functions of the program. */
  readonly freplace?: readonly string[];
  /** Run the program with its constants blinded (`bpf_jit_harden` 2), keys from `seed`; default false. */
  readonly blind?: boolean;
  /** The kernel that is simulated; default 6.18. */
  readonly kernel?: KernelVersion;
  /** Count run statistics; default true. */
  readonly stats?: boolean;
  /** What addresses of frames are addresses of; default `native` where the engine executes native code. */
  readonly disassembly?: CodeSpace;
}

/** Kinds of launch failure; the adapter numbers them. */
export type LaunchProblemKind =
  | 'assembly'
  | 'refused'
  | 'no-program'
  | 'bad-type'
  | 'bad-packet'
  | 'bad-capture'
  | 'bad-data'
  | 'bad-context'
  | 'bad-engine'
  | 'bad-argument';

/** Why a session cannot begin; `message` names file, line and column where there is one. */
export interface LaunchProblem {
  readonly kind: LaunchProblemKind;
  readonly message: string;
  /** Further lines for the console: every diagnostic of the file. */
  readonly details?: readonly string[];
}

/** A text made by the target. `file` is what locations call it, `name` what people do. */
export interface GeneratedSource {
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

/** What was loaded, or why nothing was. */
export type LoadReply =
  | {
      readonly ok: true;
      readonly name: string;
      readonly progType: ProgType | 'seccomp';
      /** A source that locations name and that is no file: the converted program, where that is what is seen. */
      readonly generated?: GeneratedSource;
      readonly nPackets: number;
      /** Instructions have lines: false for raw instructions (.bin, .hex), whose lines no breakpoint can stand on. */
      readonly hasLineInfo: boolean;
      /** Things worth telling that did not stop the launch (warnings, damaged capture, packet used). */
      readonly messages: readonly string[];
      readonly control?: ControlWord;
    }
  | { readonly ok: false; readonly problem: LaunchProblem };

/** The word that stops a running engine at once; handed out only where memory is shared. */
export interface ControlWord {
  readonly memory: SharedArrayBuffer;
  /** Of the 32-bit word in `memory`. */
  readonly byteOffset: number;
  /** Value that asks for a pause. */
  readonly pause: number;
}
