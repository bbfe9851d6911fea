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
      } else if (opcode === CODED.end) {
        const opener = this.#opened[depth]?.at(-1);
        if (opener !== undefined && !this.#end.has(opener)) this.#end.set(opener, row);
      }
    }
  }

  /** Where label `label` of the branch in `row` leads; undefined: out of the function. */
  target(row: number, label: number): BranchTarget | undefined {
    const level = this.#opened[(this.#rows.depth[row] ?? 0) - 1 - label] ?? [];
    const opener = level[lastUpTo(level.length, row - 1, (at) => level[at] ?? 0)];
    if (opener === undefined) return undefined;
    if (this.#bytes[this.#rows.offset[opener] ?? 0] === CODED.loop) return { row: opener };
    const end = this.#end.get(opener);
    return end === undefined ? undefined : { row: end };
  }
}
