import type { RegistersReply, StackReply, StatsReply } from './messages.ts';

/**
 * Messages between the client and the pages of the views (`client/webview`). `session` names a debug
 * session between two restarts; together with the reply's `stop` it orders what arrives: a page shows
 * nothing older than what it has shown.
 */

/** The views; each has a page of that name in `client/webview`. */
export type ViewName = 'registers' | 'stack' | 'stats';

/** What each view is given. */
export interface ViewReplies {
  readonly registers: RegistersReply;
  readonly stack: StackReply;
  readonly stats: StatsReply;
}

/** Client → page. */
export type ToPage<V extends ViewName = ViewName> =
  | { readonly kind: 'reply'; readonly session: string; readonly reply: ViewReplies[V] }
  /** Nothing to show: no session of ours, or the program has not stopped yet. */
  | { readonly kind: 'empty'; readonly reason: 'no-session' | 'other-session' | 'starting' }
  /** The program runs: what was shown is of the last stop. */
  | { readonly kind: 'running'; readonly session: string }
  /** The adapter refused or failed; the text says why. */
  | { readonly kind: 'failed'; readonly message: string }
  /** Answer to `edit` with the same `id`; without `error` the value was taken. */
  | { readonly kind: 'edited'; readonly id: number; readonly error?: string }
  /** Whether to show AX, which only rewritten programs use. */
  | { readonly kind: 'show-ax'; readonly on: boolean };

/** Page → client. */
export type FromPage =
  /** The page listens; it wants the state of things. */
  | { readonly kind: 'ready' }
  /** Set `expression` (`r1`, `*(u64 *)(r10 - 8)`) to `value` as typed. */
  | { readonly kind: 'edit'; readonly id: number; readonly expression: string; readonly value: string };
