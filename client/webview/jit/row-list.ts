import { h } from '../common/dom.ts';
import { type Geometry, geometry, ROW_HEIGHT, topToShow } from './scroll.ts';

/** Rows drawn above and below what is in sight, so that scrolling shows no gaps. */
const OVERSCAN = 12;

/** What a list shows. */
export interface RowListOptions {
  /** Beginning of the rows' ids. */
  readonly id: string;
  readonly label: string;
  /** Draws a row's text into its element. */
  draw(element: HTMLElement, row: number): void;
  /** Draws what may change while the text stays: what is selected, marked, under the mouse. */
  drawState(element: HTMLElement, row: number): void;
  /** Other rows are in sight: `from` to before `to`. */
  onRange(from: number, to: number): void;
}

/**
 * A list of rows of one height of which only those in sight are in the document: fifty thousand cost as much as
 * fifty. One tab stop; the active row is told by `aria-activedescendant`, as the others may not be there.
 */
export class RowList {
  readonly element: HTMLElement;
  readonly #options: RowListOptions;
  readonly #spacer = h('div', { class: 'spacer', role: 'presentation' });
  readonly #layer = h('div', { class: 'layer', role: 'presentation' });
  /** Elements of the rows `#first` to `#first + length − 1`, in order. */
  #rows: HTMLElement[] = [];
  #first = 0;
  #count = 0;
  #viewport = 0;
  #geometry: Geometry = geometry(0, 0);
  #top = 0;
  #active = -1;

  constructor(options: RowListOptions) {
    this.#options = options;
    this.element = h(
      'div',
      {
        class: 'list',
        role: 'grid',
        tabindex: 0,
        'aria-label': options.label,
        'aria-multiselectable': 'true',
        'aria-rowcount': 0,
      },
      this.#spacer,
      this.#layer,
    );
    this.element.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.element.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    new ResizeObserver(() => this.#measure()).observe(this.element);
  }

  get count(): number {
    return this.#count;
  }

  /** The first row that is not cut off above. */
  get firstInSight(): number {
    return Math.ceil(this.#top / ROW_HEIGHT);
  }

  /** What is seen first, in pixels of all rows. */
  get top(): number {
    return this.#top;
  }

  /** Rows that fit. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.#viewport / ROW_HEIGHT) - 1);
  }

  /** The row that keys move from; −1: none. */
  get active(): number {
    return this.#active;
  }

  /** Shows another list of rows from `top` on. */
  reset(count: number, top = 0): void {
    this.#count = count;
    this.element.ariaRowCount = String(count);
    this.#active = Math.min(this.#active, count - 1);
    this.#first = 0;
    this.#rows = [];
    this.#layer.replaceChildren();
    this.#top = top;
    this.#measure();
  }

  /** Draws the rows in sight anew. */
  redraw(): void {
    for (const [at, element] of this.#rows.entries()) this.#drawRow(element, this.#first + at);
  }

  /** Draws only what may change while the texts stay. */
  redrawStates(): void {
    for (const [at, element] of this.#rows.entries()) this.#options.drawState(element, this.#first + at);
  }

  /** Makes a row the one that keys move from. */
  activate(row: number): void {
    this.#active = row;
    const id = row < 0 ? '' : `${this.#options.id}-${row}`;
    if (id === '') this.element.removeAttribute('aria-activedescendant');
    else this.element.setAttribute('aria-activedescendant', id);
  }

  /** Brings a row into sight, if it is not. `middle`: into the middle, with what is around it. */
  show(row: number, place: 'middle' | 'edge'): void {
    if (row < 0 || row >= this.#count || this.#viewport === 0) return;
    const { maxTop } = this.#geometry;
    this.#scrollTo(Math.min(topToShow(row, { top: this.#top, viewport: this.#viewport, place }), maxTop));
  }

  /** The row that an element of the list belongs to; −1: none. */
  rowOf(target: EventTarget | null): number {
    const element = (target as Element | null)?.closest<HTMLElement>('.row');
    if (!element || !this.#layer.contains(element)) return -1;
    return this.#first + this.#rows.indexOf(element);
  }

  #drawRow(element: HTMLElement, row: number): void {
    this.#options.draw(element, row);
    this.#options.drawState(element, row);
  }

  #measure(): void {
    this.#viewport = this.element.clientHeight;
    this.#geometry = geometry(this.#count, this.#viewport);
    this.#spacer.style.height = `${this.#geometry.height}px`;
    this.#scrollTo(Math.min(this.#top, this.#geometry.maxTop));
    this.#draw();
  }

  #scrollTo(top: number): void {
    this.#top = top;
    const scrollTop = this.#geometry.scrollTopAt(top);
    if (Math.abs(this.element.scrollTop - scrollTop) >= 1) this.element.scrollTop = scrollTop;
    this.#draw();
  }

  #onScroll(): void {
    // what was set by `#scrollTo` is exact already; browsers round it
    const { scrollTop } = this.element;
    if (Math.abs(scrollTop - this.#geometry.scrollTopAt(this.#top)) >= 1) {
      this.#top = this.#geometry.topAt(scrollTop);
    }
    this.#draw();
  }

  /** Where the bar stands for many rows a pixel, the wheel still moves by pixels of rows. */
  #onWheel(event: WheelEvent): void {
    if (!this.#geometry.isMapped || event.ctrlKey || event.deltaY === 0) return;
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? ROW_HEIGHT : 1;
    const top = Math.max(0, this.#top + event.deltaY * unit);
    this.#scrollTo(Math.min(top, this.#geometry.maxTop));
  }

  #draw(): void {
    const from = Math.max(0, Math.floor(this.#top / ROW_HEIGHT) - OVERSCAN);
    const to = Math.min(
      this.#count,
      Math.ceil((this.#top + this.#viewport) / ROW_HEIGHT) + (this.#viewport === 0 ? 0 : OVERSCAN),
    );
    const moved = from !== this.#first || to - from !== this.#rows.length;
    if (moved) this.#fill(from, Math.max(from, to));
    // In a mapped list rows stand where the bar is, not where the full height would have them.
    const offset = from * ROW_HEIGHT + (this.element.scrollTop - this.#top);
    this.#layer.style.transform = `translateY(${offset}px)`;
    if (moved) this.#options.onRange(from, Math.max(from, to));
  }

  /** Makes the elements those of rows `from` to `to`: what stays in sight stays as it is. */
  #fill(from: number, to: number): void {
    const last = this.#first + this.#rows.length;
    const keepFrom = Math.max(from, this.#first);
    const keepTo = Math.min(to, last);
    const kept = keepFrom < keepTo ? this.#rows.slice(keepFrom - this.#first, keepTo - this.#first) : [];
    const spare = this.#rows.filter((element) => !kept.includes(element));
    for (const element of spare) element.remove();
    const rows: HTMLElement[] = [];
    for (let row = from; row < to; row++) {
      const stays = kept.length > 0 && row >= keepFrom && row < keepTo;
      const element = stays ? kept[row - keepFrom] : (spare.pop() ?? h('div', { role: 'row' }));
      if (element === undefined) continue;
      if (!stays) {
        element.id = `${this.#options.id}-${row}`;
        element.ariaRowIndex = String(row + 1);
        this.#drawRow(element, row);
      }
      rows.push(element);
    }
    // In the document in their order, which is what screen readers go by.
    rows.forEach((element, at) => {
      const next = this.#layer.children[at];
      if (next !== element) this.#layer.insertBefore(element, next ?? null);
    });
    this.#rows = rows;
    this.#first = from;
  }
}
