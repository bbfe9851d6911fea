import type { JitRow, NativeArch } from '#core/protocol/jit.ts';
import { h } from '../common/dom.ts';
import { groupDigits } from '../common/format.ts';
import type { SourceRow } from './tables.ts';

/** What is told of a row beside its text. */
export interface RowState {
  readonly current: boolean;
  /** Belongs to the row that is selected. */
  readonly linked: boolean;
  /** Belongs to the row under the mouse. */
  readonly hovered: boolean;
  readonly selected: boolean;
  readonly active: boolean;
  readonly breakpoint: BreakpointMark | undefined;
}

/** `set`: a breakpoint of this column. `here`: where one of another column lies. */
export type BreakpointMark = 'set' | 'disabled' | 'here';

const BREAKPOINT_WORDS: Readonly<Record<BreakpointMark, string>> = {
  set: 'breakpoint',
  disabled: 'disabled breakpoint',
  here: 'a breakpoint set in another column lies here',
};

const NOT_YET = 'not loaded yet';

/** Columns of text that mnemonics of x86-64 are padded to, so that operands stand below each other. */
const MNEMONIC_WIDTH = 8;

/** What a row is in words, and whether it is a heading: by its element, for as long as that shows it. */
const told = new WeakMap<HTMLElement, { readonly words: string; readonly isHeading: boolean }>();

/** Draws a line of a source, or a file's heading. */
export function drawSource(element: HTMLElement, { line, text }: SourceRow): void {
  const [, at, words] = cells(element, ['gutter', 'at', 'text']);
  setText(at, line === 0 ? '' : String(line));
  // The column is narrow, and an assembly program is indented by one level only.
  setText(words, text.replaceAll('\t', '    ').replace(/^ {5,}/, '    '));
  tell(element, line === 0 ? text : `line ${line}: ${text.trim()}`, text.trim(), line === 0);
}

/** Draws an instruction, or a function's heading; undefined: its text has not come yet. */
export function drawBpf(element: HTMLElement, row: JitRow | undefined): void {
  const [, at, mark, text, size] = cells(element, ['gutter', 'at', 'mark', 'text', 'size']);
  setText(at, row?.at === undefined ? '' : String(row.at));
  setText(mark, row?.mark === undefined ? '' : row.mark === 'added' ? '+' : '~');
  setText(text, row?.text ?? '');
  setText(size, row?.size === undefined ? '' : `${row.size} B`);
  if (row === undefined) {
    tell(element, NOT_YET, '', false);
    return;
  }
  const isHeading = row.at === undefined;
  const words = [
    isHeading ? `function ${row.text}` : `instruction ${row.at}: ${row.text}`,
    row.mark === undefined ? undefined : row.mark === 'added' ? 'added when loaded' : 'changed when loaded',
    row.size === undefined ? undefined : `${row.size} bytes of native code`,
  ].filter((each) => each !== undefined);
  tell(element, words.join(', '), words.join('\n'), isHeading);
}

/** Draws a native instruction, or a function's heading; undefined: its text has not come yet. */
export function drawNative(element: HTMLElement, row: JitRow | undefined, arch: NativeArch): void {
  const [, at, bytes, text, size] = cells(element, ['gutter', 'at', 'bytes', 'text', 'size']);
  const isHeading = row !== undefined && row.at === undefined;
  setText(at, row?.at === undefined ? '' : row.at.toString(16));
  setText(bytes, spaced(row?.bytes ?? ''));
  setText(text, row === undefined ? '' : arch === 'x86-64' ? aligned(row.text) : row.text);
  setText(size, isHeading && row.size !== undefined ? `${groupDigits(String(row.size))} B` : '');
  if (row === undefined) {
    tell(element, NOT_YET, '', false);
    return;
  }
  const words = row.text.trim();
  const place = row.at === undefined ? `at ${row.address}` : `offset 0x${row.at.toString(16)}`;
  const title = isHeading ? `${place}, ${row.size} bytes` : `${place}: ${spaced(row.bytes ?? '')}`;
  tell(element, `${isHeading ? 'function ' : ''}${words}, ${place}`, `${words}\n${title}`, isHeading);
}

/** Draws what is told of a row beside its text. */
export function drawState(element: HTMLElement, state: RowState): void {
  const { current, linked, hovered, selected, active, breakpoint } = state;
  const { words = '', isHeading = false } = told.get(element) ?? {};
  const classes = [
    'row',
    isHeading && 'heading',
    current && 'current',
    linked && 'linked',
    hovered && 'hovered',
    selected && 'selected',
    active && 'active',
  ];
  setClass(element, classes.filter(Boolean).join(' '));
  const gutter = element.firstElementChild;
  if (gutter !== null) setClass(gutter, breakpoint === undefined ? 'gutter' : `gutter ${breakpoint}`);
  const selection = String(selected);
  if (element.ariaSelected !== selection) element.ariaSelected = selection;
  const label = [
    words,
    current ? 'current' : undefined,
    linked ? 'belongs to the selection' : undefined,
    breakpoint === undefined ? undefined : BREAKPOINT_WORDS[breakpoint],
  ]
    .filter((each) => each !== undefined)
    .join(', ');
  if (element.ariaLabel !== label) element.ariaLabel = label;
}

type Cell = 'gutter' | 'at' | 'mark' | 'bytes' | 'text' | 'size';

/** The cells of a row: made when it is drawn first. */
function cells(element: HTMLElement, names: readonly Cell[]): HTMLElement[] {
  if (element.childElementCount === 0) {
    element.append(
      ...names.map((name) =>
        h('span', { class: name, ...(name === 'gutter' ? { 'aria-hidden': 'true' } : { role: 'gridcell' }) }),
      ),
    );
  }
  return [...element.children] as HTMLElement[];
}

function tell(element: HTMLElement, words: string, title: string, isHeading: boolean): void {
  told.set(element, { words, isHeading });
  if (element.title !== title) element.title = title;
}

function setText(element: HTMLElement | undefined, text: string): void {
  if (element !== undefined && element.textContent !== text) element.textContent = text;
}

function setClass(element: Element, name: string): void {
  if (element.className !== name) element.className = name;
}

function spaced(hex: string): string {
  return hex.replace(/(..)(?!$)/g, '$1 ');
}

function aligned(text: string): string {
  const space = text.indexOf(' ');
  return space < 0 ? text : `${text.slice(0, space).padEnd(MNEMONIC_WIDTH - 1)} ${text.slice(space + 1)}`;
}
