import type { FromPage, ToPage, ViewName, ViewReplies } from '#core/protocol/views.ts';
import { h } from './dom.ts';

/** What a page keeps while it is hidden or the window is loaded anew. */
interface Saved<V extends ViewName, Ui> {
  readonly ui?: Ui;
  readonly shown?: { readonly session: string; readonly reply: ViewReplies[V] };
}

/** What makes one page differ from the others. */
export interface PageOptions<V extends ViewName, Ui> {
  readonly view: V;
  /** Choices of the person (number format, folded frames), before any was made. */
  readonly ui: Ui;
  /** Draws a reply into the page's main element. */
  render(reply: ViewReplies[V], page: Page<Ui>): void;
  /** Messages that only this view has. */
  onMessage?(message: ToPage<V>, page: Page<Ui>): void;
}

/** One page: the element to draw into, the person's choices, and the way to the client. */
export interface Page<Ui> {
  readonly main: HTMLElement;
  readonly ui: Ui;
  /** Keeps changed choices and draws again. */
  change(part: Partial<Ui>): void;
  /** Asks the client to set a value; resolves to what is wrong with it, or to nothing. */
  edit(expression: string, value: string): Promise<string | undefined>;
  /** While true nothing is drawn: an input is open. What arrives is drawn afterwards. */
  hold(on: boolean): void;
}

const EMPTY_TEXTS: Readonly<Record<Extract<ToPage, { kind: 'empty' }>['reason'], string>> = {
  'no-session': 'Debug a BPF program (F5) to see its {view} here at each stop.',
  'other-session': 'The debug session that is selected is not one of a BPF program.',
  starting: 'The program starts…',
};

const SUBJECTS: Readonly<Record<ViewName, string>> = {
  registers: 'registers',
  stack: 'stack',
  stats: 'statistics',
};

/** Starts a page: shows what it had, listens, and tells the client that it does. */
export function startPage<V extends ViewName, Ui extends object>(options: PageOptions<V, Ui>): Page<Ui> {
  const vscode = acquireVsCodeApi<Saved<V, Ui>>();
  const saved = vscode.getState();
  const main = h('main', { class: options.view });
  const note = h('p', { class: 'note', role: 'status', 'aria-live': 'polite' });
  document.body.append(note, main);

  let ui: Ui = { ...options.ui, ...saved?.ui };
  let shown = saved?.shown;
  let held = false;
  let nextEdit = 1;
  const edits = new Map<number, (error: string | undefined) => void>();

  const page: Page<Ui> = {
    main,
    get ui() {
      return ui;
    },
    change(part) {
      ui = { ...ui, ...part };
      save();
      draw();
    },
    edit(expression, value) {
      const id = nextEdit++;
      send({ kind: 'edit', id, expression, value });
      return new Promise((resolve) => edits.set(id, resolve));
    },
    hold(on) {
      held = on;
      if (!on) draw();
    },
  };

  function send(message: FromPage): void {
    vscode.postMessage(message);
  }

  function save(): void {
    vscode.setState({ ui, ...(shown ? { shown } : {}) });
  }

  function draw(): void {
    if (shown && !held) options.render(shown.reply, page);
  }

  /** `live`: what is shown is the present; `old`: of the last stop; `empty`: there is nothing. */
  function setState(state: 'live' | 'old' | 'empty', text = ''): void {
    document.body.dataset.state = state;
    note.textContent = text;
    note.hidden = text === '';
    main.hidden = state === 'empty';
    main.toggleAttribute('inert', state === 'old');
  }

  function receive(message: ToPage<V>): void {
    switch (message.kind) {
      case 'reply':
        if (shown?.session === message.session && message.reply.stop < shown.reply.stop) break;
        shown = { session: message.session, reply: message.reply };
        save();
        setState('live');
        draw();
        break;
      case 'running':
        if (shown?.session === message.session) setState('old', 'Running…');
        else setState('empty', 'Running… Pause the program (F6) or set a breakpoint to look into it.');
        break;
      case 'empty':
        if (message.reason !== 'starting') shown = undefined;
        save();
        setState('empty', EMPTY_TEXTS[message.reason].replace('{view}', SUBJECTS[options.view]));
        break;
      case 'failed':
        setState(shown ? 'old' : 'empty', message.message);
        break;
      case 'edited':
        edits.get(message.id)?.(message.error);
        edits.delete(message.id);
        break;
      default:
        options.onMessage?.(message, page);
    }
  }

  window.addEventListener('message', (event: MessageEvent<ToPage<V>>) => receive(event.data));
  if (shown) setState('old');
  else setState('empty');
  draw();
  send({ kind: 'ready' });
  return page;
}
