import type { FrameRequest } from './messages.ts';

/**
 * The JIT view's part of the custom requests: a program's source, its instructions and its native code, and
 * what belongs together. Rows are counted from 0 in each column. The instructions are the pivot: each native
 * row belongs to one row of instructions, each of those to one line of a source.
 *
 * Tables are typed arrays, little-endian, as base64: DAP is JSON. Texts are asked for page by page.
 */

/** Instruction sets that native code is made in. */
export type NativeArch = 'x86-64' | 'wasm';

/** Which instructions are shown: as they were loaded, or as they are executed. */
export type JitForm = 'loaded' | 'xlated';

/** Columns whose rows come from the adapter. */
export type JitColumn = 'bpf' | 'native';

/** `bpf/jit`: the selected frame's program. Can be asked at any time between launch and end. */
export interface JitRequest extends FrameRequest {
  /** Default `xlated`. */
  readonly form?: JitForm;
  /** Default: what the engine executes; x86-64 where it executes none. */
  readonly arch?: NativeArch;
  /** Default: as the program runs. The other is compiled for show only. */
  readonly blinded?: boolean;
  /** `listingId` that the client has: if it still is the one, `listing` is left out. */
  readonly have?: string;
}

/** `bpf/jit` → */
export interface JitReply {
  readonly stop: number;
  /** Equal as long as the three columns are the same. */
  readonly listingId: string;
  readonly form: JitForm;
  readonly arch: NativeArch;
  /** What is shown is blinded: not always what was asked for, where `native` tells why there is none of that. */
  readonly blinded: boolean;
  readonly engine: string;
  /** What is executed: the native code of which instruction set, absent: none; its constants blinded or not. */
  readonly runs: { readonly arch?: NativeArch; readonly blinded: boolean };
  /** Where the selected frame is; absent when the program is not running. */
  readonly current?: JitPlace;
  /** Breakpoints by address that lie in this program. */
  readonly breakpoints: readonly JitBreakpoint[];
  readonly listing?: JitListing;
}

/** Rows that belong to one place in a program. */
export interface JitPlace {
  readonly bpfRow: number;
  /** Absent: there is no native code. */
  readonly nativeRow?: number;
}

/** A breakpoint by address. */
export interface JitBreakpoint extends JitPlace {
  /** The column that its address belongs to. */
  readonly column: JitColumn;
  /** `0x…`, 16 digits. */
  readonly address: string;
}

/** The tables of a listing, without its texts. */
export interface JitListing {
  readonly program: { readonly id: number; readonly name: string; readonly type: string };
  /** Instructions as loaded and as rewritten, in 8-byte slots. */
  readonly nInsns: number;
  readonly nXlated: number;
  /** Empty without line info. */
  readonly files: readonly JitFile[];
  readonly bpf: {
    readonly count: number;
    /** Int32 by row: number in `files`; −1: unknown, or a heading. */
    readonly file: string;
    /** Int32 by row: line from 1; 0: unknown, or a heading. */
    readonly line: string;
  };
  /** Or why there is none: one line for people. */
  readonly native: JitNative | { readonly message: string };
}

/** What the native column is made of. */
export interface JitNative {
  readonly count: number;
  /** Of all code. */
  readonly bytes: number;
  /** What `at` of its rows stays below. */
  readonly end: number;
  /** Uint32, ascending, the first 0: first row of each run of native rows that belong together. */
  readonly runStart: string;
  /** Int32 by run: row of instructions; −1: none (headings, what frames a function). */
  readonly runRow: string;
}

/** A source that lines name. */
export interface JitFile {
  /** As stack frames name it. */
  readonly path: string;
  /** The adapter has the text: no such file exists. */
  readonly sourceReference?: number;
  /** Shorter name of such a text. */
  readonly name?: string;
  /**
   * SHA-256, in hex, of the text that was loaded, without characters that differ by encoding and line ends: of what is
   * left when `/[^ -~\t\n]/g` is taken out. Absent where the session has no text or cannot hash.
   */
  readonly digest?: string;
}

/** `bpf/jitRows`: texts of some rows of a listing that `bpf/jit` told of. */
export interface JitRowsRequest {
  readonly listingId: string;
  readonly column: JitColumn;
  readonly start: number;
  /** At most 1000. */
  readonly count: number;
}

/** `bpf/jitRows` → `rows[0]` is row `start`; fewer than asked for at the end. */
export interface JitRowsReply {
  readonly listingId: string;
  readonly column: JitColumn;
  readonly start: number;
  readonly rows: readonly JitRow[];
}

/** A row of instructions or of native code, or a heading: one without `at`. */
export interface JitRow {
  /** `r1 = 5`, `mov edi, 0x5`; of a heading the function's name. */
  readonly text: string;
  /** Slot of an instruction; byte offset of native code in its function (wasm: in its module). */
  readonly at?: number;
  /** `0x…`, 16 digits; of a native heading the function's. */
  readonly address?: string;
  /** Native code: the bytes, hex without spaces. */
  readonly bytes?: string;
  /** Bytes of native code that belong to an instruction, or of a native function (heading). */
  readonly size?: number;
  /** How an instruction differs from what was loaded; see `ProgramTextLine`. */
  readonly mark?: 'changed' | 'added';
}

/** `bpf/jitText`: rows as aligned text, for the clipboard. */
export interface JitTextRequest {
  readonly listingId: string;
  /**
   * `all`: each instruction with its source line in front and its native code behind; rows are those of `native`, where
   * there is none those of `bpf`.
   */
  readonly column: JitColumn | 'all';
  readonly start: number;
  /** At most 5000. */
  readonly count: number;
}

/** `bpf/jitText` → */
export interface JitTextReply {
  /** Each line ends in a newline. */
  readonly text: string;
  /** First row that is not in it; absent at the end. */
  readonly next?: number;
}

/**
 * `bpf/jitBreakpoint`: sets or removes the breakpoint at an address of a row. It behaves as one that
 * `setInstructionBreakpoints` sets, which leaves it alone. Removing one that the client set by that request
 * is refused with a text.
 */
export interface JitBreakpointRequest {
  readonly address: string;
  readonly on: boolean;
}

/** `bpf/jitBreakpoint` → `verified` false: nothing was set, and `message` says why. */
export interface JitBreakpointReply {
  readonly verified: boolean;
  readonly message?: string;
}
