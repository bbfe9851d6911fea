import type { JitReply } from '#core/protocol/jit.ts';
import type { JitLineBreakpoint } from '#core/protocol/jit-page.ts';
import type { BreakpointMark } from './rows.ts';
import type { ColumnName, Place, Tables } from './tables.ts';

/** What a click beside a row does. `none`: no breakpoint can lie there. */
export type BreakpointAction =
  | { readonly kind: 'line-breakpoint'; readonly file: number; readonly line: number; readonly on: boolean }
  | { readonly kind: 'breakpoint'; readonly address: string; readonly on: boolean }
  | { readonly kind: 'none' };

interface Mark {
  readonly mark: BreakpointMark;
  /** What removes it. */
  readonly remove: BreakpointAction;
}

/**
 * Where breakpoints lie, in all three columns: one on a line also where its instructions begin, one at an address
 * also in the other column. What is seen beside a row is what a click there takes away.
 */
export class Marks {
  readonly #marks: Readonly<Record<ColumnName, Map<number, Mark>>> = {
    source: new Map(),
    bpf: new Map(),
    native: new Map(),
  };

  readonly #byAddress = new Map<string, BreakpointAction>();

  constructor(tables: Tables, byAddress: JitReply['breakpoints'], byLine: readonly JitLineBreakpoint[]) {
    for (const { file, line, enabled } of byLine) {
      const row = tables.rowOfLine(file, line);
      if (row < 0) continue;
      const remove = { kind: 'line-breakpoint', file, line, on: false } as const;
      this.#add({ column: 'source', row }, { mark: enabled ? 'set' : 'disabled', remove });
      if (!enabled) continue;
      for (const bpf of tables.stopsOfSource(row)) {
        this.#add({ column: 'bpf', row: bpf }, { mark: 'here', remove });
        this.#add({ column: 'native', row: tables.firstNative(bpf) }, { mark: 'here', remove });
      }
    }
    for (const { column, address, bpfRow, nativeRow = -1 } of byAddress) {
      const remove = { kind: 'breakpoint', address, on: false } as const;
      this.#byAddress.set(address, remove);
      const marks = (own: 'bpf' | 'native') => ({ mark: own === column ? 'set' : 'here', remove }) as const;
      this.#add({ column: 'bpf', row: bpfRow }, marks('bpf'));
      this.#add({ column: 'native', row: nativeRow }, marks('native'));
      this.#add({ column: 'source', row: tables.sourceOf(bpfRow) }, { mark: 'here', remove });
    }
  }

  /** What is to be seen beside a row. */
  at({ column, row }: Place): BreakpointMark | undefined {
    return this.#marks[column].get(row)?.mark;
  }

  /** What a click beside a row does; `address`: where one set there would lie. */
  action({ column, row }: Place, tables: Tables, address: string | undefined): BreakpointAction {
    const here = this.#marks[column].get(row);
    // a line's own breakpoint goes before one that lies amid the line
    if (here !== undefined && !(column === 'source' && here.mark === 'here')) return here.remove;
    if (column === 'source') {
      const { file, line } = tables.sourceRow(row);
      return line === 0 ? { kind: 'none' } : { kind: 'line-breakpoint', file, line, on: true };
    }
    if (address === undefined) return { kind: 'none' };
    // several rows may have become of one instruction: its breakpoint lies at the first of them
    return this.#byAddress.get(address) ?? { kind: 'breakpoint', address, on: true };
  }

  /** Marks of the column's own breakpoints win. */
  #add({ column, row }: Place, mark: Mark): void {
    const marks = this.#marks[column];
    if (row < 0 || (marks.has(row) && mark.mark === 'here')) return;
    marks.set(row, mark);
  }
}
