import { lastUpTo } from '../../bytes/ascending.ts';
import { CODED } from '../../wasm/opcodes.ts';
import { type CodeRows, opens } from '../../wasm/rows.ts';

/** Where a branch leads. */
export interface BranchTarget {
  /** The row of the `loop`, or that of the `end` that the branch goes behind. */
  readonly row: number;
}

/** The constructs of one function, found once: what the labels of its branches mean. */
export class Constructs {
  /** By depth: rows that open a construct there, ascending. A construct around a row is the last in front of it. */
  readonly #opened: number[][] = [];
  /** By the row that opens it. */
  readonly #end = new Map<number, number>();
  readonly #else = new Map<number, number>();
  readonly #bytes: Uint8Array;
  readonly #rows: CodeRows;

  constructor(bytes: Uint8Array, rows: CodeRows, firstRow: number, endRow: number) {
    this.#bytes = bytes;
    this.#rows = rows;
    for (let row = firstRow; row < endRow; row++) {
      const opcode = bytes[rows.offset[row] ?? 0] ?? 0;
      const depth = rows.depth[row] ?? 0;
      if (opens(opcode)) {
        let level = this.#opened[depth];
        if (level === undefined) {
          level = [];
          this.#opened[depth] = level;
        }
        level.push(row);
      } else if (opcode === CODED.end || opcode === CODED.else) {
        const rowOf = opcode === CODED.end ? this.#end : this.#else;
        const opener = this.#opened[depth]?.at(-1);
        if (opener !== undefined && !rowOf.has(opener)) rowOf.set(opener, row);
      }
    }
  }

  /** The row that opens the construct at `depth` which lies around `row`; undefined: none does. */
  openerAt(row: number, depth: number): number | undefined {
    const level = this.#opened[depth] ?? [];
    return level[lastUpTo(level.length, row - 1, (at) => level[at] ?? 0)];
  }

  /** The `end` of the construct that a row opens; undefined: the code ends before. */
  endOf(opener: number): number | undefined {
    return this.#end.get(opener);
  }

  /** The `else` of an `if`; undefined: it has none. */
  elseOf(opener: number): number | undefined {
    return this.#else.get(opener);
  }

  /** Where label `label` of the branch in `row` leads; undefined: out of the function. */
  target(row: number, label: number): BranchTarget | undefined {
    const opener = this.openerAt(row, (this.#rows.depth[row] ?? 0) - 1 - label);
    if (opener === undefined) return undefined;
    if (this.#bytes[this.#rows.offset[opener] ?? 0] === CODED.loop) return { row: opener };
    const end = this.#end.get(opener);
    return end === undefined ? undefined : { row: end };
  }
}
