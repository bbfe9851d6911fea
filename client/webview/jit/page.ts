import type { JitReply, JitRowsReply } from '#core/protocol/jit.ts';
import type {
  FromJitPage,
  JitChoices,
  JitLineBreakpoint,
  JitSource,
  ToJitPage,
} from '#core/protocol/jit-page.ts';
import { h } from '../common/dom.ts';
import { type Controls, controls } from './controls.ts';
import { header } from './header.ts';
import { Highlights, type Selection } from './highlights.ts';
import { type Intent, listen } from './input.ts';
import { Marks } from './marks.ts';
import { type Pane, pane } from './pane.ts';
import { RowTexts } from './row-texts.ts';
import { drawBpf, drawNative, drawSource, drawState } from './rows.ts';
import { COLUMNS, type ColumnName, firstLinked, type Place, Tables } from './tables.ts';

/** Where the person was in a listing. */
export interface KeptPlace {
  readonly listingId: string;
  /** Session and stop whose current row was brought into sight. */
  readonly seen: string;
  readonly tops: Readonly<Record<ColumnName, number>>;
}

/** What the page needs of the world. */
export interface PageOptions {
  readonly choices: JitChoices;
  readonly place?: KeptPlace;
  send(message: FromJitPage): void;
  save(choices: JitChoices, place: KeptPlace | undefined): void;
}

const LABELS: Readonly<Record<ColumnName, string>> = {
  source: 'Source',
  bpf: 'BPF',
  native: 'Native Code',
};

/** What the heading of the sources tells: the name of the only one, and which are not what was loaded. */
function sourceTitle(sources: readonly JitSource[]): string {
  const changed = sources.filter((source) => 'isChanged' in source);
  const named = sources.length === 1 ? sources : changed;
  const names = named.map(({ name }) => name).join(', ');
  return changed.length === 0 ? names : `${names}: changed since it was loaded`;
}

/** The three linked columns: what is shown, what is selected, and what belongs together. */
export class JitPage {
  readonly element: HTMLElement;
  readonly #options: PageOptions;
  readonly #header = header(() => this.#copyListing());
  readonly #controls: Controls;
  readonly #panes: Readonly<Record<ColumnName, Pane>>;
  readonly #texts: RowTexts;
  #choices: JitChoices;
  #kept: KeptPlace | undefined;
  #session = '';
  #reply: JitReply | undefined;
  #tables: Tables | undefined;
  #lineBreakpoints: readonly JitLineBreakpoint[] = [];
  readonly #highlights = new Highlights();
  #saving: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PageOptions) {
    this.#options = options;
    this.#choices = options.choices;
    this.#kept = options.place;
    this.#texts = new RowTexts(
      (request) => options.send({ kind: 'rows', ...request }),
      (column) => this.#panes[column].list.redraw(),
    );
    this.#controls = controls((part) => this.#choose(part));
    this.#panes = {
      source: this.#pane('source', []),
      bpf: this.#pane('bpf', this.#controls.bpf),
      native: this.#pane('native', this.#controls.native),
    };
    const context = { webviewSection: 'bpfJitRow', preventDefaultContextMenuItems: true };
    const columns = h(
      'div',
      { class: 'columns', 'data-vscode-context': JSON.stringify(context) },
      ...COLUMNS.map((name) => this.#panes[name].element),
    );
    this.element = h('main', { class: 'jit' }, this.#header.element, columns);
    listen(columns, this.#panes, (intent) => this.#act(intent));
  }

  get choices(): JitChoices {
    return this.#choices;
  }

  /** Shows an answer, unless a newer one is shown already: then false. */
  show({ session, reply, sources }: Extract<ToJitPage, { kind: 'reply' }>): boolean {
    const before = this.#reply;
    if (session === this.#session && before !== undefined && reply.stop < before.stop) return false;
    const isOther = session !== this.#session || reply.listingId !== before?.listingId;
    if (reply.listing === undefined && isOther) return false;
    // another listing by choice: what the person looks at is still the same
    const looksAt = session === this.#session && reply.stop === before?.stop ? this.#selectedLine() : -1;
    this.#session = session;
    this.#reply = reply;
    if (reply.listing !== undefined) this.#tables = new Tables(reply.listing, sources ?? []);
    const tables = this.#tables;
    if (tables === undefined) return false;
    this.#header.show(reply, tables.listing);
    this.#controls.show(reply, this.#choices.blinded ?? reply.runs.blinded);
    this.#header.say('');
    this.#mark();
    this.#highlights.place(reply.current, tables);
    const seen = `${session} ${reply.stop} ${Object.values(this.#highlights.current)}`;
    if (reply.listing === undefined) {
      this.#texts.retry();
      this.#redraw();
      this.#reveal(seen);
      return true;
    }
    this.#resetLists(reply, tables);
    this.#reveal(seen);
    if (looksAt >= 0 && looksAt < tables.counts.source)
      this.#select({ column: 'source', anchor: looksAt, active: looksAt }, 'edge');
    return true;
  }

  /** Takes texts of rows. */
  takeRows(reply: JitRowsReply): void {
    this.#texts.take(reply);
  }

  /** Breakpoints on lines have changed. */
  setLineBreakpoints(breakpoints: readonly JitLineBreakpoint[]): void {
    this.#lineBreakpoints = breakpoints;
    this.#mark();
    this.#redraw();
  }

  /** The program runs: it is nowhere. */
  running(): void {
    this.#highlights.place(undefined, undefined);
    this.#header.say('Running…');
    this.#redraw();
  }

  /** Says something beside what is shown. */
  say(text: string): void {
    this.#header.say(text, true);
  }

  /** A request has failed: what is shown is of the last stop. */
  failed(text: string): void {
    this.#texts.failed();
    this.#highlights.place(undefined, undefined);
    this.#header.say(text);
    this.#redraw();
  }

  /** Nothing is shown any more. */
  forget(): void {
    this.#session = '';
    this.#reply = undefined;
    this.#tables = undefined;
    this.#highlights.marks = undefined;
    this.#highlights.clear();
    this.#highlights.place(undefined, undefined);
    this.#texts.reset('');
  }

  /** Puts the selected rows on the clipboard. */
  copySelection(): void {
    const { selection } = this.#highlights;
    if (selection === undefined || this.#tables === undefined) return;
    const { column, anchor, active } = selection;
    const start = Math.min(anchor, active);
    const count = Math.abs(anchor - active) + 1;
    if (column !== 'source') {
      this.#options.send({ kind: 'copy', column, start, count });
      return;
    }
    const lines: string[] = [];
    for (let row = start; row < start + count; row++) lines.push(`${this.#tables.sourceRow(row).text}\n`);
    this.#options.send({ kind: 'copy-text', text: lines.join('') });
  }

  #pane(name: ColumnName, headControls: readonly HTMLElement[]): Pane {
    return pane({
      name,
      label: LABELS[name],
      controls: headControls,
      draw: (element, row) => this.#draw(element, { column: name, row }),
      drawState: (element, row) => {
        const place = { column: name, row };
        drawState(element, this.#highlights.stateOf(place, this.#panes[name].list.active));
      },
      onRange: (from, to) => {
        if (name !== 'source') this.#texts.want(name, from, to);
        this.#keepPlace();
      },
    });
  }

  /** What is as the program runs is no choice: it follows the program. */
  #choose(part: Partial<JitChoices>): void {
    const { form, arch, blinded } = { ...this.#choices, ...part };
    const runs = this.#reply?.runs;
    this.#choices = {
      form,
      ...(arch === undefined || arch === runs?.arch ? {} : { arch }),
      ...(blinded === undefined || blinded === runs?.blinded ? {} : { blinded }),
    };
    this.#options.send({ kind: 'choose', choices: this.#choices });
    this.#header.wait(this.#waitText());
    this.#save();
  }

  /** What takes long: the program is loaded once more before it is compiled with the other blinding. */
  #waitText(): string {
    const { blinded } = this.#choices;
    if (blinded === undefined || blinded === this.#reply?.blinded) return 'Compiling…';
    return `Loading the program ${blinded ? 'blinded' : 'without blinding'}, for show…`;
  }

  /** Row of the source that belongs to what is selected; −1: none. */
  #selectedLine(): number {
    return this.#highlights.selection === undefined ? -1 : this.#highlights.firstLinked('source');
  }

  #mark(): void {
    if (this.#tables === undefined || this.#reply === undefined) return;
    this.#highlights.marks = new Marks(this.#tables, this.#reply.breakpoints, this.#lineBreakpoints);
  }

  #resetLists(reply: JitReply, tables: Tables): void {
    const { listing, counts } = tables;
    this.#texts.reset(reply.listingId);
    this.#highlights.clear();
    const { native } = listing;
    this.#panes.source.say(
      counts.source > 0 ? '' : 'No line info: the program does not tell which lines it was made of.',
    );
    this.#panes.native.element.dataset.arch = reply.arch;
    this.#panes.native.say('message' in native ? `No native code: ${native.message}.` : '');
    this.#panes.source.title(sourceTitle(tables.sources));
    const last = counts.source === 0 ? 0 : tables.sourceRow(counts.source - 1).line;
    this.#panes.source.numberWidth(String(last).length);
    this.#panes.bpf.numberWidth(String(Math.max(listing.nInsns, listing.nXlated)).length);
    this.#panes.native.numberWidth('message' in native ? 1 : native.end.toString(16).length);
    const kept = this.#kept?.listingId === reply.listingId ? this.#kept.tops : undefined;
    for (const name of COLUMNS) this.#panes[name].list.reset(counts[name], kept?.[name] ?? 0);
  }

  /** Brings the current row into sight, once at each stop. */
  #reveal(seen: string): void {
    if (this.#kept?.seen === seen && this.#kept.listingId === this.#reply?.listingId) return;
    for (const name of COLUMNS) this.#panes[name].list.show(this.#highlights.current[name], 'middle');
    this.#keepPlace(seen);
  }

  #keepPlace(seen = this.#kept?.seen ?? ''): void {
    if (this.#reply === undefined) return;
    const tops = {
      source: this.#panes.source.list.top,
      bpf: this.#panes.bpf.list.top,
      native: this.#panes.native.list.top,
    };
    this.#kept = { listingId: this.#reply.listingId, seen, tops };
    this.#save();
  }

  /** Not at each step of a scroll. */
  #save(): void {
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.#options.save(this.#choices, this.#kept), 100);
  }

  #draw(element: HTMLElement, { column, row }: Place): void {
    if (this.#tables === undefined || this.#reply === undefined) return;
    if (column === 'source') drawSource(element, this.#tables.sourceRow(row));
    else if (column === 'bpf') drawBpf(element, this.#texts.row('bpf', row));
    else drawNative(element, this.#texts.row('native', row), this.#reply.arch);
  }

  #redraw(): void {
    for (const name of COLUMNS) this.#panes[name].list.redrawStates();
  }

  #act(intent: Intent): void {
    const tables = this.#tables;
    if (tables === undefined) return;
    switch (intent.kind) {
      case 'hover':
        this.#highlights.hover(intent.place, tables);
        this.#redraw();
        return;
      case 'select': {
        const { column, row } = intent.place;
        const { selection } = this.#highlights;
        const extended = intent.extends && selection?.column === column;
        this.#select({ column, anchor: extended ? selection.anchor : row, active: row }, intent.shows);
        return;
      }
      case 'select-all':
        this.#select(
          { column: intent.column, anchor: 0, active: this.#panes[intent.column].list.count - 1 },
          'keep',
        );
        return;
      case 'breakpoint':
        this.#toggleBreakpoint(intent.place, tables);
        return;
      case 'open':
        this.#open(intent.place, tables);
        return;
      case 'copy':
        this.copySelection();
        return;
    }
  }

  /** `shows`: where the selected row itself is scrolled to; what belongs to it is scrolled into sight. */
  #select(selection: Selection, shows: 'edge' | 'keep'): void {
    const { column, active } = selection;
    if (this.#tables === undefined) return;
    this.#highlights.select(selection, this.#tables);
    const { list } = this.#panes[column];
    list.activate(active);
    if (shows === 'edge') list.show(active, 'edge');
    for (const name of COLUMNS) {
      if (name === column) continue;
      const first = this.#highlights.firstLinked(name);
      if (first < 0) continue;
      this.#panes[name].list.activate(first);
      this.#panes[name].list.show(first, 'middle');
    }
    this.#redraw();
  }

  #toggleBreakpoint(place: Place, tables: Tables): void {
    const { column, row } = place;
    const address = column === 'source' ? undefined : this.#texts.row(column, row)?.address;
    const isHeading = column !== 'source' && this.#texts.row(column, row)?.at === undefined;
    const action = this.#highlights.marks?.action(place, tables, isHeading ? undefined : address);
    if (action !== undefined && action.kind !== 'none') this.#options.send(action);
    else if (!isHeading) this.say('No breakpoint can lie here: this row belongs to no instruction.');
  }

  #open(place: Place, tables: Tables): void {
    const source = place.column === 'source' ? place.row : firstLinked(tables.linked(place), 'source');
    if (source < 0) return;
    const { file, line } = tables.sourceRow(source);
    this.#options.send({ kind: 'reveal', file, line: Math.max(1, line) });
  }

  #copyListing(): void {
    this.#options.send({ kind: 'copy', column: 'all', start: 0 });
  }
}
