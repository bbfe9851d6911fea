/**
 * One tab stop for a list of rows: of the elements with `data-key` in `container` one has `tabindex` 0, and
 * the arrow keys, Home, End and Page Up/Down move it. The choice is kept by key, so that it survives drawing
 * the rows anew.
 */
export interface Roving {
  /** Draws the rows anew; the row that has the focus has it afterwards too. */
  redraw(draw: () => void): void;
  /** Key of the current row; undefined before the first drawing. */
  readonly current: string | undefined;
  /** Moves the tab stop and the focus. */
  focus(key: string): void;
}

const PAGE_ROWS = 10;

/** Gives the rows in `container` one tab stop; see `Roving`. */
export function rovingFocus(container: HTMLElement): Roving {
  let current: string | undefined;

  const rows = () => [...container.querySelectorAll<HTMLElement>('[data-key]')];
  const indexIn = (all: readonly HTMLElement[]) => all.findIndex((row) => row.dataset.key === current);

  function setCurrent(row: HTMLElement | undefined): void {
    if (!row) return;
    for (const each of rows()) each.tabIndex = each === row ? 0 : -1;
    current = row.dataset.key;
  }

  container.addEventListener('focusin', (event) => {
    setCurrent((event.target as HTMLElement).closest<HTMLElement>('[data-key]') ?? undefined);
  });
  container.addEventListener('keydown', (event) => {
    if (event.target instanceof HTMLInputElement || event.altKey || event.ctrlKey || event.metaKey) return;
    const all = rows();
    const to = rowOfKey(event.key, indexIn(all), all.length, PAGE_ROWS);
    const row = to === undefined ? undefined : all[to];
    if (!row) return;
    event.preventDefault();
    row.focus();
  });

  return {
    get current() {
      return current;
    },
    redraw(draw) {
      const hadFocus = container.contains(document.activeElement);
      draw();
      const all = rows();
      const row = all[Math.max(0, indexIn(all))];
      setCurrent(row);
      if (hadFocus) row?.focus({ preventScroll: true });
    },
    focus(key) {
      const row = rows().find((each) => each.dataset.key === key);
      setCurrent(row);
      row?.focus();
    },
  };
}

/**
 * The row that a key leads to from row `from` of a list of `count`, of which `page` are a page (−1 or 0 in an empty list).
 * Undefined: the key leads nowhere.
 */
export function rowOfKey(key: string, from: number, count: number, page: number): number | undefined {
  const last = count - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, from + 1);
    case 'ArrowUp':
      return Math.max(0, from - 1);
    case 'PageDown':
      return Math.min(last, from + page);
    case 'PageUp':
      return Math.max(0, from - page);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}
