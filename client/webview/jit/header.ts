import type { JitListing, JitReply } from '#core/protocol/jit.ts';
import { h } from '../common/dom.ts';
import { groupDigits } from '../common/format.ts';

/** The line above the columns. */
export interface Header {
  readonly element: HTMLElement;
  /** Tells of what is shown. */
  show(reply: JitReply, listing: JitListing): void;
  /** One thing to say, at the right; empty: nothing. `once`: it goes by itself. */
  say(text: string, once?: boolean): void;
  /** Something is being made: `text`, said when it takes long. */
  wait(text: string): void;
}

/** What takes less is not spoken of. */
const WAIT_MS = 300;
/** How long what is said once stays. */
const SAID_MS = 8000;

/** Makes the header; `onCopy`: the whole listing is wanted on the clipboard. */
export function header(onCopy: () => void): Header {
  const name = h('span', { class: 'program' });
  const type = h('span', { class: 'type' });
  const facts = h('p', { class: 'facts' });
  const status = h('span', { class: 'status', role: 'status', 'aria-live': 'polite' });
  const copy = h(
    'button',
    { type: 'button', class: 'copy', title: 'Copy source lines, instructions and native code as text' },
    'Copy Listing',
  );
  copy.addEventListener('click', onCopy);
  const element = h('header', {}, h('div', { class: 'title' }, h('h1', {}, name, type), status, copy), facts);
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    element,
    show(reply, listing) {
      name.textContent = listing.program.name;
      type.textContent = ` ${listing.program.type}`;
      const parts = factsOf(reply, listing);
      facts.replaceChildren(
        ...parts.map(({ text, weak }) => h('span', { class: weak ? 'fact weak' : 'fact' }, text)),
      );
      facts.title = parts.map(({ text }) => text).join('\n');
    },
    wait(text) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        status.textContent = text;
        status.title = text;
      }, WAIT_MS);
    },
    say(text, once = false) {
      clearTimeout(timer);
      status.textContent = text;
      status.title = text;
      if (once) timer = setTimeout(() => status.replaceChildren(), SAID_MS);
    },
  };
}

interface Fact {
  readonly text: string;
  /** Not what is executed: told with more weight than colour. */
  readonly weak?: boolean;
}

/** Size, blinding and whether that is what runs, in words. */
export function factsOf(reply: JitReply, { nInsns, nXlated, native }: JitListing): readonly Fact[] {
  const { arch, blinded, engine, runs } = reply;
  const insns = `${count(nXlated)} BPF instruction${nXlated === 1 ? '' : 's'}`;
  const rewritten = nXlated === nInsns ? '' : ` (${count(nInsns)} as loaded)`;
  const code = 'message' in native ? 'no native code' : `${count(native.bytes)} bytes of ${nameOf(arch)}`;
  const blinding = blinded ? 'blinded' : 'not blinded';
  return [
    { text: `${insns}${rewritten} → ${code}` },
    { text: blinding },
    ...('message' in native ? [] : [executed({ arch, blinded, engine, runs })]),
  ];
}

function executed({
  arch,
  blinded,
  engine,
  runs,
}: Pick<JitReply, 'arch' | 'blinded' | 'engine' | 'runs'>): Fact {
  if (runs.arch === arch && runs.blinded === blinded) return { text: `executed by ${engine}` };
  if (runs.blinded === blinded) {
    const does = runs.arch === undefined ? 'interprets' : `executes ${nameOf(runs.arch)}`;
    return { text: `for show only: ${engine} ${does}`, weak: true };
  }
  const what = runs.blinded ? 'blinded' : 'not blinded';
  return { text: `for show only: what ${engine} runs is ${what}`, weak: true };
}

function nameOf(arch: JitReply['arch']): string {
  return arch === 'wasm' ? 'WebAssembly' : arch;
}

function count(n: number): string {
  return groupDigits(String(n));
}
