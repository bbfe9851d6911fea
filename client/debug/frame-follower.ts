import * as vscode from 'vscode';
import type { SessionWatch } from './session-watch.ts';

/** A step is over sooner: nothing flickers while stepping. */
const RUNNING_SHOWN_AFTER_MS = 250;
/** After a stop VS Code selects the new frame; this long a look waits for it before it takes the innermost. */
const FRAME_AWAITED_MS = 120;

/** What the call stack view's selection comes to for whoever shows something of it. */
export type Situation =
  | { readonly kind: 'no-session' }
  | { readonly kind: 'other-session' }
  | { readonly kind: 'starting'; readonly session: vscode.DebugSession }
  | { readonly kind: 'running'; readonly session: vscode.DebugSession }
  /** `frameId` undefined: the innermost frame. */
  | { readonly kind: 'stopped'; readonly session: vscode.DebugSession; readonly frameId: number | undefined };

/** Who wants to be told of the selected frame. */
export interface FollowerOptions {
  readonly watch: SessionWatch;
  /** Whether anything would be shown; what is hidden costs nothing. */
  isWanted(): boolean;
  /** Looks anew; `isNewest` turns false when a later look has begun. */
  look(situation: Situation, isNewest: () => boolean): Promise<void>;
}

/**
 * Follows the frame that is selected in the call stack: looks after each stop, when another frame is selected,
 * when a value changes and when the program has been running for a while.
 */
export class FrameFollower implements vscode.Disposable {
  readonly #options: FollowerOptions;
  readonly #disposables: vscode.Disposable[];
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  /** Frame ids live from one stop to the next: false between a stop and VS Code's choice of its frame. */
  #frameIsFresh = true;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#disposables = [
      options.watch.onDidChange((event) => {
        if (event.what === 'stopped') {
          this.#frameIsFresh = false;
          this.lookIn(FRAME_AWAITED_MS);
        } else if (event.what === 'running') this.lookIn(RUNNING_SHOWN_AFTER_MS);
        else if (event.what !== 'breakpoints') this.lookIn(0);
      }),
      vscode.debug.onDidChangeActiveStackItem((item) => {
        if (item instanceof vscode.DebugStackFrame) {
          this.#frameIsFresh = true;
          this.lookIn(0);
        } else if (this.#timer === undefined) this.lookIn(RUNNING_SHOWN_AFTER_MS);
      }),
      vscode.debug.onDidChangeActiveDebugSession(() => this.lookIn(FRAME_AWAITED_MS)),
    ];
  }

  /** The next look, in `delay` ms; a later call replaces an earlier one. */
  lookIn(delay: number): void {
    if (!this.#options.isWanted()) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const look = ++this.#looks;
      void this.#options.look(this.situation(), () => look === this.#looks);
    }, delay);
  }

  /** How things stand now. */
  situation(): Situation {
    const item = vscode.debug.activeStackItem;
    const session = item?.session ?? vscode.debug.activeDebugSession;
    if (session === undefined) return { kind: 'no-session' };
    if (session.type !== 'bpf') return { kind: 'other-session' };
    const state = this.#options.watch.stateOf(session);
    if (state === undefined) return { kind: 'no-session' };
    if (state !== 'stopped') return { kind: state, session };
    const selected = item instanceof vscode.DebugStackFrame ? item.frameId : undefined;
    return { kind: state, session, frameId: this.#frameIsFresh ? selected : undefined };
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const each of this.#disposables) each.dispose();
  }
}
