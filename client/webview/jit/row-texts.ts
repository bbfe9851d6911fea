import type { JitColumn, JitRow, JitRowsReply, JitRowsRequest } from '#core/protocol/jit.ts';

/** Rows of a page. */
export const PAGE_ROWS = 250;
/** Pages that are kept of each column. */
const MAX_PAGES = 40;
/** Failures in a row after which only a scroll asks again. */
const MAX_FAILURES = 3;

interface Wanted {
  readonly from: number;
  readonly to: number;
}

/**
 * Texts of the rows of a listing, page by page: those in sight are asked for, the last ones kept. While an answer is
 * outstanding only the newest wish of its column counts, so that a fast scroll asks for where it ends.
 */
export class RowTexts {
  readonly #ask: (request: JitRowsRequest) => void;
  readonly #arrived: (column: JitColumn) => void;
  #listingId = '';
  #failures = 0;
  readonly #pages = {
    bpf: new Map<number, readonly JitRow[]>(),
    native: new Map<number, readonly JitRow[]>(),
  };
  readonly #asked: Record<JitColumn, number | undefined> = { bpf: undefined, native: undefined };
  readonly #wanted: Record<JitColumn, Wanted | undefined> = { bpf: undefined, native: undefined };

  /** @param arrived told when rows of a column have come. */
  constructor(ask: (request: JitRowsRequest) => void, arrived: (column: JitColumn) => void) {
    this.#ask = ask;
    this.#arrived = arrived;
  }

  /** Another listing: what is known is of no use. */
  reset(listingId: string): void {
    this.#listingId = listingId;
    for (const column of ['bpf', 'native'] as const) {
      this.#pages[column].clear();
      this.#asked[column] = undefined;
      this.#wanted[column] = undefined;
    }
  }

  /** Texts of a row; undefined: not here yet. */
  row(column: JitColumn, row: number): JitRow | undefined {
    return this.#pages[column].get(Math.floor(row / PAGE_ROWS))?.[row % PAGE_ROWS];
  }

  /** Rows `from` to before `to` are in sight. */
  want(column: JitColumn, from: number, to: number): void {
    this.#wanted[column] = { from, to };
    this.#next(column);
  }

  /** Takes an answer; one of another listing is dropped. */
  take({ listingId, column, start, rows }: JitRowsReply): void {
    if (listingId !== this.#listingId) return;
    this.#failures = 0;
    const page = start / PAGE_ROWS;
    const pages = this.#pages[column];
    pages.set(page, rows);
    for (const oldest of pages.keys()) {
      if (pages.size <= MAX_PAGES) break;
      pages.delete(oldest);
    }
    if (this.#asked[column] === page) this.#asked[column] = undefined;
    this.#arrived(column);
    this.#next(column);
  }

  /** The client could not answer: what is in sight is asked for again by `retry`, a few times. */
  failed(): void {
    this.#failures++;
    this.#asked.bpf = undefined;
    this.#asked.native = undefined;
  }

  /** Asks again for what is in sight and has not come. */
  retry(): void {
    if (this.#failures > MAX_FAILURES) return;
    this.#next('bpf');
    this.#next('native');
  }

  #next(column: JitColumn): void {
    const wanted = this.#wanted[column];
    if (wanted === undefined || this.#asked[column] !== undefined) return;
    const { from, to } = wanted;
    for (let page = Math.floor(from / PAGE_ROWS); page * PAGE_ROWS < to; page++) {
      if (this.#pages[column].has(page)) continue;
      this.#asked[column] = page;
      this.#ask({ listingId: this.#listingId, column, start: page * PAGE_ROWS, count: PAGE_ROWS });
      return;
    }
  }
}
