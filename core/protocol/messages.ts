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
  /** r0–r10, then ax. */
  readonly registers: readonly RegisterRow[];
}

/** One register of the selected frame; values are `0x…` text. */
export interface RegisterRow {
  /** `r0`…`r10`, `ax`: also the expression to read or set it. */
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
}

/** `bpf/stack` → every frame, innermost first. */
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
  /** One row a CPU; decimal text (a u64 is no number). */
  readonly cpus: readonly {
    readonly cpu: number;
    readonly cnt: string;
    readonly insns: string;
    readonly nsecs: string;
    readonly misses: string;
  }[];
}

/** Names of the custom requests. */
export interface CustomRequests {
  readonly 'bpf/registers': { readonly args: FrameRequest; readonly reply: RegistersReply };
  readonly 'bpf/stack': { readonly args: FrameRequest; readonly reply: StackReply };
  readonly 'bpf/stats': { readonly args: FrameRequest; readonly reply: StatsReply };
}
