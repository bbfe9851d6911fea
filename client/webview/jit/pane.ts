import { h } from '../common/dom.ts';
import { RowList } from './row-list.ts';
import type { ColumnName } from './tables.ts';

/** One column: a head with what can be chosen, the list of rows, and a text in its place where there are none. */
export interface Pane {
  readonly name: ColumnName;
  readonly element: HTMLElement;
  readonly list: RowList;
  /** Says why there are no rows; empty: there are. */
  say(text: string): void;
  /** What is shown, behind the name of the column. */
  title(text: string): void;
  /** Characters that the widest number in front of a row takes. */
  numberWidth(characters: number): void;
}

/** What a pane asks of the page. */
export interface PaneOptions {
  readonly name: ColumnName;
  readonly label: string;
  readonly controls: readonly HTMLElement[];
  draw(element: HTMLElement, row: number): void;
  drawState(element: HTMLElement, row: number): void;
  onRange(from: number, to: number): void;
}

/** Makes a column. */
export function pane({ name, label, controls, ...rows }: PaneOptions): Pane {
  const list = new RowList({ id: name, label, ...rows });
  const detail = h('span', { class: 'detail' });
  const message = h('p', { class: 'empty', hidden: true });
  const element = h(
    'section',
    { class: `pane ${name}`, 'aria-label': label },
    h('div', { class: 'head' }, h('h2', {}, label, detail), ...controls),
    list.element,
    message,
  );
  return {
    name,
    element,
    list,
    say(text) {
      message.textContent = text;
      message.hidden = text === '';
      list.element.hidden = text !== '';
    },
    title(text) {
      detail.textContent = text;
      detail.title = text;
    },
    numberWidth(characters) {
      element.style.setProperty('--number', `${characters}ch`);
    },
  };
}
