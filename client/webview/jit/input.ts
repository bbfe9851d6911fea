import { rowOfKey } from '../common/roving.ts';
import type { Pane } from './pane.ts';
import { COLUMNS, type ColumnName, type Place } from './tables.ts';

/** What the person wants. */
export type Intent =
  | { readonly kind: 'hover'; readonly place: Place | undefined }
  /** `shows` `edge`: the row is to be in sight; `keep`: it is under the mouse. */
  | {
      readonly kind: 'select';
      readonly place: Place;
      readonly extends: boolean;
      readonly shows: 'edge' | 'keep';
    }
  | { readonly kind: 'select-all'; readonly column: ColumnName }
  | { readonly kind: 'breakpoint'; readonly place: Place }
  | { readonly kind: 'open'; readonly place: Place }
  | { readonly kind: 'copy' };

/** Turns mouse and keys in the columns into intents. */
export function listen(
  columns: HTMLElement,
  panes: Readonly<Record<ColumnName, Pane>>,
  act: (intent: Intent) => void,
): void {
  let hovered = '';
  const hover = (place: Place | undefined): void => {
    const key = place === undefined ? '' : `${place.column} ${place.row}`;
    if (key === hovered) return;
    hovered = key;
    act({ kind: 'hover', place });
  };
  for (const name of COLUMNS) {
    const { list } = panes[name];
    const at = (target: EventTarget | null): Place | undefined => {
      const row = list.rowOf(target);
      return row < 0 ? undefined : { column: name, row };
    };
    list.element.addEventListener('mouseover', (event) => {
      const place = at(event.target);
      hover(place);
      // the button is held: rows are drawn over
      if (place && event.buttons === 1 && dragged === name)
        act({ kind: 'select', place, extends: true, shows: 'keep' });
    });
    list.element.addEventListener('mouseleave', () => hover(undefined));
    let dragged: ColumnName | undefined;
    list.element.addEventListener('mousedown', (event) => {
      const place = at(event.target);
      if (place === undefined) return;
      const isGutter = (event.target as Element).closest('.gutter') !== null;
      if (event.button === 0 && isGutter) {
        event.preventDefault();
        act({ kind: 'breakpoint', place });
        return;
      }
      const keepsSelection =
        event.button !== 0 && (event.target as Element).closest('.row.selected') !== null;
      if (keepsSelection) return;
      dragged = event.button === 0 ? name : undefined;
      act({ kind: 'select', place, extends: event.shiftKey, shows: 'keep' });
    });
    list.element.addEventListener('mouseup', () => {
      dragged = undefined;
    });
    list.element.addEventListener('dblclick', (event) => {
      const place = at(event.target);
      if (place && !(event.target as Element).closest('.gutter')) act({ kind: 'open', place });
    });
    list.element.addEventListener('keydown', (event) => {
      if (onKey(event, name, panes, act)) event.preventDefault();
    });
    list.element.addEventListener('focus', () => {
      // a list that is entered has a row that keys move from
      if (list.active < 0 && list.count > 0) list.activate(list.firstInSight);
    });
  }
  document.addEventListener('copy', (event) => {
    if (!columns.contains(document.activeElement)) return;
    event.preventDefault();
    act({ kind: 'copy' });
  });
}

/** Whether the key was for the list. */
function onKey(
  event: KeyboardEvent,
  column: ColumnName,
  panes: Readonly<Record<ColumnName, Pane>>,
  act: (intent: Intent) => void,
): boolean {
  const { list } = panes[column];
  const { key } = event;
  if (event.altKey) return false;
  if (event.ctrlKey || event.metaKey) {
    if (key !== 'a') return false;
    act({ kind: 'select-all', column });
    return true;
  }
  const place = { column, row: list.active };
  if (key === ' ') {
    if (place.row >= 0) act({ kind: 'breakpoint', place });
    return true;
  }
  if (key === 'Enter') {
    if (place.row >= 0) act({ kind: 'open', place });
    return true;
  }
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const next = COLUMNS[COLUMNS.indexOf(column) + (key === 'ArrowLeft' ? -1 : 1)];
    if (next !== undefined && panes[next].list.count > 0) panes[next].list.element.focus();
    return true;
  }
  const row = rowOfKey(key, list.active, list.count, list.pageRows);
  if (row === undefined) return false;
  if (row >= 0) act({ kind: 'select', place: { column, row }, extends: event.shiftKey, shows: 'edge' });
  return true;
}
