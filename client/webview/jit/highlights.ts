import type { JitReply } from '#core/protocol/jit.ts';
import type { Marks } from './marks.ts';
import type { RowState } from './rows.ts';
import { type ColumnName, firstLinked, isLinked, NOTHING, type Place, type Tables } from './tables.ts';

/** Rows `anchor` to `active` of a column, in either order. */
export interface Selection {
  readonly column: ColumnName;
  readonly anchor: number;
  readonly active: number;
}

type Current = Readonly<Record<ColumnName, number>>;
const NOWHERE: Current = { source: -1, bpf: -1, native: -1 };

/** What is told of rows beside their texts: where the program is, what is selected, and what belongs together. */
export class Highlights {
  #current: Current = NOWHERE;
  #selection: Selection | undefined;
  #linked = NOTHING;
  #hovered = NOTHING;
  marks: Marks | undefined;

  /** Rows that the program is at; −1: none. */
  get current(): Current {
    return this.#current;
  }

  get selection(): Selection | undefined {
    return this.#selection;
  }

  /** Notes where the program is in each column; undefined: nowhere. */
  place(current: JitReply['current'], tables: Tables | undefined): void {
    const { bpfRow = -1, nativeRow = -1 } = current ?? {};
    this.#current = { source: tables?.sourceOf(bpfRow) ?? -1, bpf: bpfRow, native: nativeRow };
  }

  /** Selects rows; what belongs to the active one is linked. */
  select(selection: Selection, tables: Tables): void {
    this.#selection = selection;
    this.#linked = tables.linked({ column: selection.column, row: selection.active });
  }

  /** The mouse is over a row, or over none. */
  hover(place: Place | undefined, tables: Tables): void {
    this.#hovered = place === undefined ? NOTHING : tables.linked(place);
  }

  /** First row of a column that belongs to the selection; −1: none. */
  firstLinked(column: ColumnName): number {
    return firstLinked(this.#linked, column);
  }

  /** Nothing is selected any more. */
  clear(): void {
    this.#selection = undefined;
    this.#linked = NOTHING;
    this.#hovered = NOTHING;
  }

  /** What is to be told of a row; `active`: the row that keys move from in its column. */
  stateOf(place: Place, active: number): RowState {
    const { column, row } = place;
    const selection = this.#selection?.column === column ? this.#selection : undefined;
    return {
      current: this.#current[column] === row,
      linked: isLinked(this.#linked, place),
      hovered: isLinked(this.#hovered, place),
      selected:
        selection !== undefined &&
        row >= Math.min(selection.anchor, selection.active) &&
        row <= Math.max(selection.anchor, selection.active),
      active: active === row,
      breakpoint: this.marks?.at(place),
    };
  }
}
