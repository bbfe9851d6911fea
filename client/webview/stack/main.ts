import type { StackFrameRow, StackReply } from '#core/protocol/messages.ts';
import { choice } from '../common/choice.ts';
import { copyContext, copyFocusedRow, h } from '../common/dom.ts';
import { formatU64, framePlace } from '../common/format.ts';
import { type Page, startPage } from '../common/host.ts';
import { rovingFocus } from '../common/roving.ts';
import { foldSlots, foldText, SLOT_BYTES, type SlotRow, slotsOf } from './slots.ts';

type Format = 'bytes' | 'u64';

interface Ui {
  readonly format: Format;
  /** Keys of frames that are closed and of folds that are open. */
  readonly turned: readonly string[];
}

const formats = choice<Format>({
  label: 'Slot format',
  values: [
    { value: 'bytes', text: 'Bytes', title: 'Bytes, lowest address first' },
    { value: 'u64', text: 'u64', title: 'Little-endian 64-bit value, where all eight bytes are written' },
  ],
  onChoose: (format) => page.change({ format }),
});
const legend = h(
  'span',
  { class: 'where', title: '·· is a byte that the program has not written' },
  '·· not written',
);
const toolbar = h('div', { class: 'toolbar' }, formats.element, legend);
const none = h(
  'p',
  { class: 'note', hidden: true },
  'Classic BPF has no stack. Its scratch memory, M[], is among the registers.',
);
const tree = h('div', { role: 'treegrid', 'aria-label': 'Stack frames', class: 'rows' });
const roving = rovingFocus(tree);

const page = startPage<'stack', Ui>({ view: 'stack', ui: { format: 'bytes', turned: [] }, render });
page.main.prepend(toolbar, none, tree);
formats.set(page.ui.format);

tree.addEventListener('click', (event) => {
  const row = rowAt(event.target);
  if (!row) return;
  row.focus();
  if (row.ariaExpanded !== null) turn(row);
});
tree.addEventListener('keydown', (event) => {
  const row = rowAt(event.target);
  if (row && turnByKey(row, event.key)) event.preventDefault();
});
copyFocusedRow();

function render(reply: StackReply, { ui }: Page<Ui>): void {
  formats.set(ui.format);
  const hasStack = reply.frames.length > 0;
  none.hidden = hasStack;
  toolbar.hidden = !hasStack;
  tree.hidden = !hasStack;
  roving.redraw(() =>
    tree.replaceChildren(...reply.frames.flatMap((frame) => rowsOf(frame, reply.frames.length, ui))),
  );
}

function rowsOf(frame: StackFrameRow, nFrames: number, ui: Ui): HTMLElement[] {
  const key = frameKey(frame, nFrames);
  const open = !ui.turned.includes(key);
  const slots = slotsOf(frame);
  const head = frameRow(frame, key, open, slots);
  if (!open) return [head];
  const rows = foldSlots(slots, (fold) => ui.turned.includes(`${key}/${fold.from}`));
  return [head, ...rows.map((row) => (row.kind === 'fold' ? foldRow(row, key, ui) : slotRow(row, key, ui)))];
}

/** Frames are numbered from the innermost one; counted from the outermost their names outlive a call. */
function frameKey(frame: StackFrameRow, nFrames: number): string {
  return `frame${nFrames - 1 - frame.index}`;
}

function frameRow(
  frame: StackFrameRow,
  key: string,
  open: boolean,
  slots: readonly Extract<SlotRow, { kind: 'slot' }>[],
): HTMLElement {
  const lowest = slots.findLast((slot) => slot.bytes.some((byte) => byte.hex !== undefined));
  const used = lowest ? `${-lowest.at} bytes deep` : 'nothing written';
  const top = frame.pointers.filter((pointer) => pointer.at === 0);
  return h(
    'div',
    {
      role: 'row',
      'aria-level': 1,
      'aria-expanded': String(open),
      'aria-selected': String(frame.selected),
      'data-key': key,
      tabindex: -1,
      class: frame.selected ? 'row frame selected' : 'row frame',
      'aria-label': `Frame ${frame.index}, ${frame.name}, ${used}`,
      title: `fp = ${formatU64(frame.fp, 'hex')}`,
      'data-text': frame.fp,
      'data-vscode-context': copyContext({
        value: formatU64(frame.fp, 'hex'),
        row: `${frame.name}\t${frame.fp}`,
      }),
    },
    h('span', { class: 'twistie', 'aria-hidden': 'true' }),
    h(
      'span',
      { role: 'gridcell', class: 'frame-title' },
      h('span', { class: 'frame-name' }, frame.name),
      h('span', { class: 'muted' }, `#${frame.index} · ${used}`),
      ...top.map(({ from }) => badge(from, 'fp')),
    ),
  );
}

function slotRow(slot: Extract<SlotRow, { kind: 'slot' }>, key: string, ui: Ui): HTMLElement {
  const place = framePlace(slot.at);
  const bytes = slot.bytes.map((byte) => byte.hex ?? '··').join(' ');
  const text = ui.format === 'u64' && slot.u64 ? formatU64(slot.u64, 'hex') : bytes;
  const pointers = slot.pointers.map(({ from, at }) => `${from} points to ${framePlace(at)}`);
  const written = slot.bytes.filter((byte) => byte.hex !== undefined).length;
  const state = written === SLOT_BYTES ? '' : written === 0 ? 'not written' : `${written} of 8 bytes written`;
  const value = slot.u64 ? formatU64(slot.u64, 'hex') : bytes;
  return h(
    'div',
    {
      role: 'row',
      'aria-level': 2,
      'data-key': `${key}${place}`,
      tabindex: -1,
      class: ['row slot', slot.changed && 'changed', written === 0 && 'unwritten'].filter(Boolean).join(' '),
      'aria-label': [place, state, written ? value : '', slot.meaning, ...pointers, slot.changed && 'changed']
        .filter(Boolean)
        .join(', '),
      title: slot.u64 ? slotTitle(slot.u64) : state,
      'data-text': text,
      'data-vscode-context': copyContext({
        value: text,
        meaning: slot.meaning,
        row: [place, text, slot.meaning, ...pointers].filter(Boolean).join('\t'),
      }),
    },
    h('span', { class: 'mark', title: slot.changed ? 'Changed since the last stop' : undefined }),
    h('span', { class: 'name', role: 'rowheader' }, place),
    h('span', { class: 'bytes', role: 'gridcell' }, ...valueNodes(slot, text === bytes, text)),
    h(
      'span',
      { class: 'notes', role: 'gridcell' },
      slot.meaning === undefined
        ? undefined
        : h('span', { class: 'meaning', title: slot.meaning }, slot.meaning),
      ...slot.pointers.map(({ from, at }) =>
        badge(from, framePlace(at), at === slot.at ? '' : `+${at - slot.at}`),
      ),
    ),
  );
}

function valueNodes(slot: Extract<SlotRow, { kind: 'slot' }>, asBytes: boolean, text: string): Node[] {
  if (!asBytes) return [h('span', { class: slot.changed ? 'byte new' : 'byte' }, text)];
  return slot.bytes.flatMap(({ hex, changed }, i) => [
    document.createTextNode(i === 0 ? '' : ' '),
    h(
      'span',
      { class: ['byte', changed && 'new', hex === undefined && 'never'].filter(Boolean).join(' ') },
      hex ?? '··',
    ),
  ]);
}

function slotTitle(u64: string): string {
  return [...new Set((['hex', 'unsigned', 'signed'] as const).map((format) => formatU64(u64, format)))].join(
    '\n',
  );
}

function foldRow(fold: Extract<SlotRow, { kind: 'fold' }>, key: string, ui: Ui): HTMLElement {
  const foldKey = `${key}/${fold.from}`;
  const text = foldText(fold);
  return h(
    'div',
    {
      role: 'row',
      'aria-level': 2,
      'aria-expanded': String(ui.turned.includes(foldKey)),
      'data-key': foldKey,
      tabindex: -1,
      class: 'row fold',
      'aria-label': `${text}, not written`,
    },
    h('span', { class: 'twistie', 'aria-hidden': 'true' }),
    h('span', { role: 'gridcell', class: 'fold-text' }, h('span', { class: 'name' }, text), ': not written'),
  );
}

/** Who points here: `r2 →`. */
function badge(from: string, to: string, inside = ''): HTMLElement {
  return h(
    'span',
    { class: 'badge', title: `${from} points to ${to}` },
    `← ${from}${inside && ` (${inside})`}`,
  );
}

function rowAt(target: EventTarget | null): HTMLElement | undefined {
  return (target as Element | null)?.closest<HTMLElement>('.row') ?? undefined;
}

function turn(row: HTMLElement): void {
  const key = row.dataset.key ?? '';
  const { turned } = page.ui;
  page.change({ turned: turned.includes(key) ? turned.filter((each) => each !== key) : [...turned, key] });
}

/** As in VS Code's trees: Right opens, Left closes or goes to the frame, Enter and Space turn. */
function turnByKey(row: HTMLElement, key: string): boolean {
  const expanded = row.ariaExpanded;
  if (key === 'Enter' || key === ' ') {
    if (expanded !== null) turn(row);
    return true;
  }
  if (key === 'ArrowRight' && expanded === 'false') {
    turn(row);
    return true;
  }
  if (key !== 'ArrowLeft') return false;
  if (expanded === 'true') turn(row);
  else if (row.ariaLevel === '2') roving.focus((row.dataset.key ?? '').replace(/fp-.*|\/.*/, ''));
  return true;
}
