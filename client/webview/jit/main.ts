import type { FromJitPage, JitChoices, ToJitPage } from '#core/protocol/jit-page.ts';
import { h } from '../common/dom.ts';
import { JitPage, type KeptPlace } from './page.ts';

/** What the page keeps while it is hidden or the window is loaded anew. */
interface Saved {
  readonly choices?: JitChoices;
  readonly place?: KeptPlace;
}

const EMPTY_TEXTS: Readonly<Record<Extract<ToJitPage, { kind: 'empty' }>['reason'], string>> = {
  'no-session':
    'Debug a BPF program (F5) to see its source, its instructions and its native code side by side.',
  'other-session': 'The debug session that is selected is not one of a BPF program.',
  starting: 'The program starts…',
};

const vscode = acquireVsCodeApi<Saved>();
const saved = vscode.getState();
const empty = h('p', { class: 'note', role: 'status', 'aria-live': 'polite' });
const page = new JitPage({
  choices: saved?.choices ?? { form: 'xlated' },
  ...(saved?.place === undefined ? {} : { place: saved.place }),
  send: (message: FromJitPage) => vscode.postMessage(message),
  save: (choices, place) => vscode.setState(place === undefined ? { choices } : { choices, place }),
});
/** Whose listing is shown; undefined: none is. */
let session: string | undefined;
document.body.append(empty, page.element);
page.element.hidden = true;

function say(text: string): void {
  empty.textContent = text;
  empty.hidden = text === '';
  page.element.hidden = text !== '';
}

function receive(message: ToJitPage): void {
  switch (message.kind) {
    case 'reply':
      say('');
      if (page.show(message)) session = message.session;
      break;
    case 'rows':
      page.takeRows(message.reply);
      break;
    case 'line-breakpoints':
      page.setLineBreakpoints(message.breakpoints);
      break;
    case 'running':
      if (session === message.session) page.running();
      else say('Running… Pause the program (F6) or set a breakpoint to look into it.');
      break;
    case 'empty':
      session = undefined;
      page.forget();
      say(EMPTY_TEXTS[message.reason]);
      break;
    case 'failed':
      if (session === undefined) say(message.message);
      else page.failed(message.message);
      break;
    case 'notice':
      page.say(message.message);
      break;
    case 'copy-selection':
      page.copySelection();
      break;
  }
}

window.addEventListener('message', (event: MessageEvent<ToJitPage>) => receive(event.data));
vscode.postMessage({ kind: 'ready', choices: page.choices } satisfies FromJitPage);
