import type { EngineReply, EngineRequest } from './engine.ts';
import type {
  JitBreakpointReply,
  JitBreakpointRequest,
  JitReply,
  JitRequest,
  JitRowsReply,
  JitRowsRequest,
  JitTextReply,
  JitTextRequest,
  NativeArch,
} from './jit.ts';

/**
 * Custom requests between the debug adapter and the views, sent as DAP custom requests.
 * A u64 is always a `0x…` string with 16 digits. `stop` numbers the stops of a session from 1;
 * a view drops a reply whose `stop` is older than the newest it has seen.
 */

/** Sent by a visible view for the selected frame; 0 or absent: the innermost frame. */
export interface FrameRequest {
  readonly frameId?: number;
}

/**
 * Beside DAP's own arguments in a `setExpression` of a view: the view shows a refusal at the field where the
 * value was typed, so the editor need not show it in a dialog as well.
 */
export interface QuietRequest {
  readonly quiet?: boolean;
}

/** `bpf/registers` → */
export interface RegistersReply {
  readonly stop: number;
  readonly frame: { readonly index: number; readonly name: string; readonly pc: number };
  /** r0–r10, then ax; of a classic program shown as itself A, X and M[0]–M[15]. */
  readonly registers: readonly RegisterRow[];
}

/** One register of the selected frame; values are `0x…` text. */
export interface RegisterRow {
  /** `r0`…`r10`, `ax`; `A`, `X`, `M[0]`: also the expression to read or set it. */
  readonly name: string;
  /** Role in the calling convention: "return value", "argument 1, caller-saved", "frame pointer, read-only". */
  readonly role: string;
  readonly value: string;
  /** What the value is: `packet + 14`, `fp - 8`, `map ports`, `-1`, `XDP_DROP`; absent for a plain number. */
  readonly meaning?: string;
  /** Differs from the previous stop. */
  readonly changed: boolean;
  /** Some instruction (or the kernel, for r1 and r10) has given it a value. */
  readonly initialised: boolean;
  readonly writable: boolean;
  /** Width where it is not 64: A, X and M[n] of a classic program. */
  readonly bits?: 32;
}

/** `bpf/stack` → every frame, innermost first. None: a classic program in its own text, which has no stack. */
export interface StackReply {
  readonly stop: number;
  readonly frames: readonly StackFrameRow[];
}

/** One frame with its 512 bytes of stack; addresses are `0x…` text. */
export interface StackFrameRow {
  readonly index: number;
  readonly name: string;
  /** Address one past the frame's highest byte: R10 in this frame. */
  readonly fp: string;
  /** Selected frame. */
  readonly selected: boolean;
  /** 512 bytes as hex, lowest address (fp − 512) first. */
  readonly bytes: string;
  /** Half-open byte ranges, counted from fp − 512, that the program has written. */
  readonly initialised: readonly (readonly [number, number])[];
  /** Half-open byte ranges that differ from the previous stop. */
  readonly changed: readonly (readonly [number, number])[];
  /** Who points into this frame: `from` a register or another slot (`r2`, `fp-16`), `at` relative to fp, −512…0. */
  readonly pointers: readonly { readonly from: string; readonly at: number }[];
  /** Slots (8 bytes, `at` relative to fp) whose value is known to mean something: `packet + 14`. */
  readonly meanings: readonly { readonly at: number; readonly meaning: string }[];
}

/** `bpf/stats` → */
export interface StatsReply {
  readonly stop: number;
  /** Statistics are being counted (`bpf_stats_enabled`). */
  readonly enabled: boolean;
  /** Instructions executed in the current run, decimal text. */
  readonly insns: string;
  readonly engine: string;
  readonly programs: readonly ProgramStats[];
}

/** A loaded program and how often it ran (`struct bpf_prog_stats`). */
export interface ProgramStats {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  /** Instructions as loaded and as rewritten, in 8-byte slots. */
  readonly nInsns: number;
  readonly nXlated: number;
  readonly subprograms: readonly { readonly name: string; readonly stackDepth: number }[];
  readonly maps: readonly { readonly id: number; readonly name: string; readonly type: string }[];
  readonly object: ProgramObject;
  /** One row a CPU; decimal text (a u64 is no number). */
  readonly cpus: readonly {
    readonly cpu: number;
    readonly cnt: string;
    readonly insns: string;
    readonly nsecs: string;
    readonly misses: string;
  }[];
}

/** What the program object itself tells (`struct bpf_prog`), as `bpf-workbench inspect` prints it. Sizes in bytes. */
export interface ProgramObject {
  /** 16 hex digits; absent where the host cannot hash or the kernel has no tags. */
  readonly tag?: string;
  /** What the tag is the first 8 bytes of. */
  readonly hash?: 'sha1' | 'sha256';
  /** The kernel that is simulated: `6.18`. */
  readonly kernel: string;
  readonly license: string;
  readonly gplCompatible: boolean;
  /** 4096-byte pages of the object, its instructions included. */
  readonly pages: number;
  readonly bytesXlated: number;
  /** 0: no native code. */
  readonly bytesJited: number;
  /** `pages` in bytes. */
  readonly bytesMemlock: number;
  readonly jited: boolean;
  /** What its native code is for, which need not be what executes now; absent: it is interpreted. */
  readonly jitedArch?: NativeArch;
  /** Why it is interpreted; absent for native code. */
  readonly whyInterpreted?: string;
  /** Native code of each of `subprograms`: address of its first byte as `0x…`, bytes; empty when it is interpreted. */
  readonly jitedFuncs: readonly { readonly address: string; readonly length: number }[];
  readonly jitRequested: boolean;
  readonly blindingRequested: boolean;
  readonly blinded: boolean;
  /** Line records of the rewritten program. */
  readonly nLineInfo: number;
}

/**
 * `bpf/programText`: the program as it is executed. Lines are paged; a client that has the text of a `textId`
 * asks with `count` 0 for what a stop has changed.
 */
export interface ProgramTextRequest extends FrameRequest {
  /** First line wanted, from 0; default 0. */
  readonly start?: number;
  /** How many lines at most; default and upper limit 10,000. */
  readonly count?: number;
  /** Whether the user sees the text (default: yes). While he does, AX is a name in expressions. */
  readonly shown?: boolean;
}

/** What the text of a program stands for: the rewritten program, or the eBPF that a classic one becomes. */
export type ProgramTextForm = 'xlated' | 'converted';

/** `bpf/programText` → the program of the selected frame. */
export interface ProgramTextReply {
  readonly stop: number;
  /** Equal as long as the text is the same: another program, or the same one rewritten anew, has another. */
  readonly textId: string;
  readonly form: ProgramTextForm;
  readonly program: { readonly id: number; readonly name: string; readonly type: string };
  /** Sources that lines name, as stack frames name them (paths). */
  readonly files: readonly string[];
  /** Lines of the whole text. */
  readonly total: number;
  /** `lines[0]` is line `start` of the text. */
  readonly start: number;
  readonly lines: readonly ProgramTextLine[];
  /**
   * Line of the text, from 0, that the selected frame is at: about to be executed; in outer frames the call.
   * Absent when the program is not running.
   */
  readonly currentLine?: number;
}

/** An instruction of the text, or a heading: one without `slot`. A wide instruction is one line. */
export interface ProgramTextLine {
  /** Without slot number: `r1 = *(u64 *)(r1 +208)`; of a heading the function's name. */
  readonly text: string;
  /** Slot of the text's program. */
  readonly slot?: number;
  /** Slot of the program as loaded that it stands for; of a converted program the classic instruction. */
  readonly origSlot?: number;
  /** Where that stands in its source; `file` counts in `files`, lines from 1, columns from 1 (0: unknown). */
  readonly source?: { readonly file: number; readonly line: number; readonly column: number };
  /**
   * How it differs from what was loaded: `changed` stands in the place of another instruction, `added` has
   * none of its own. Absent: the same. Never in a converted program.
   */
  readonly mark?: 'changed' | 'added';
}

/** Names of the custom requests. */
export interface CustomRequests {
  readonly 'bpf/registers': { readonly args: FrameRequest; readonly reply: RegistersReply };
  readonly 'bpf/stack': { readonly args: FrameRequest; readonly reply: StackReply };
  readonly 'bpf/stats': { readonly args: FrameRequest; readonly reply: StatsReply };
  readonly 'bpf/programText': { readonly args: ProgramTextRequest; readonly reply: ProgramTextReply };
  readonly 'bpf/engine': { readonly args: EngineRequest; readonly reply: EngineReply };
  readonly 'bpf/jit': { readonly args: JitRequest; readonly reply: JitReply };
  readonly 'bpf/jitRows': { readonly args: JitRowsRequest; readonly reply: JitRowsReply };
  readonly 'bpf/jitText': { readonly args: JitTextRequest; readonly reply: JitTextReply };
  readonly 'bpf/jitBreakpoint': { readonly args: JitBreakpointRequest; readonly reply: JitBreakpointReply };
}
