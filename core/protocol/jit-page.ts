import type { JitColumn, JitForm, JitReply, JitRowsReply, JitRowsRequest, NativeArch } from './jit.ts';

/**
 * Messages between the client and the page of the JIT view (`client/webview/jit`). `session` names a debug
 * session between two restarts; a page shows nothing older than what it has shown.
 */

/** What the person wants to see; what is absent is as the program runs. */
export interface JitChoices {
  readonly form: JitForm;
  readonly arch?: NativeArch;
  readonly blinded?: boolean;
}

/** Text of a source, or why there is none. In the order of the listing's `files`. */
export type JitSource = {
  readonly name: string;
} /** `isChanged`: it is not what was loaded, so line numbers may not fit. */ & (
  | { readonly text: string; readonly isChanged?: true }
  | { readonly message: string }
);

/** A breakpoint on a line of a source. */
export interface JitLineBreakpoint {
  /** Number in the listing's `files`. */
  readonly file: number;
  /** From 1. */
  readonly line: number;
  readonly enabled: boolean;
}

/** Client → page. */
export type ToJitPage =
  /** `sources` come with a listing. */
  | {
      readonly kind: 'reply';
      readonly session: string;
      readonly reply: JitReply;
      readonly sources?: readonly JitSource[];
    }
  | { readonly kind: 'rows'; readonly reply: JitRowsReply }
  | { readonly kind: 'line-breakpoints'; readonly breakpoints: readonly JitLineBreakpoint[] }
  /** Nothing to show: no session of ours, or the program has not stopped yet. */
  | { readonly kind: 'empty'; readonly reason: 'no-session' | 'other-session' | 'starting' }
  /** The program runs: what was shown is of the last stop. */
  | { readonly kind: 'running'; readonly session: string }
  /** The adapter refused or failed; the text says why. */
  | { readonly kind: 'failed'; readonly message: string }
  /** Something to tell once: what was copied, why a breakpoint was not set. */
  | { readonly kind: 'notice'; readonly message: string }
  /** The context menu's Copy: the page knows what is selected. */
  | { readonly kind: 'copy-selection' };

/** Page → client. */
export type FromJitPage =
  /** The page listens; it wants the state of things. */
  | { readonly kind: 'ready'; readonly choices: JitChoices }
  | { readonly kind: 'choose'; readonly choices: JitChoices }
  | ({ readonly kind: 'rows' } & JitRowsRequest)
  | {
      readonly kind: 'line-breakpoint';
      readonly file: number;
      readonly line: number;
      readonly on: boolean;
    }
  | { readonly kind: 'breakpoint'; readonly address: string; readonly on: boolean }
  /** Show a line of a source in an editor. */
  | { readonly kind: 'reveal'; readonly file: number; readonly line: number }
  /** Put rows on the clipboard; `count` absent: all from `start` on. */
  | {
      readonly kind: 'copy';
      readonly column: JitColumn | 'all';
      readonly start: number;
      readonly count?: number;
    }
  | { readonly kind: 'copy-text'; readonly text: string };
