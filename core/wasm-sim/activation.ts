import { I32 } from '../wasm/opcodes.ts';
import type { FuncCode } from './module-code.ts';
import { type Value, WasmTrap } from './numeric.ts';

/** A construct that is open: the row that opens it, and the values on the stack outside of it. */
interface Label {
  readonly opener: number;
  readonly height: number;
}

/** A function that is executed, or waits for one that it has called. */
export class Activation {
  readonly code: FuncCode;
  /** Parameters first. */
  readonly locals: Value[] = [];
  readonly stack: Value[] = [];
  readonly labels: Label[] = [];
  /** The row that is executed next. */
  row = 0;

  /** At the function's first row. */
  constructor(code: FuncCode, parameters: readonly Value[]) {
    this.code = code;
    this.locals.push(...parameters);
    for (const [count, type] of code.locals) {
      for (let i = 0; i < count; i++) this.locals.push(type === I32 ? 0 : 0n);
    }
  }

  /** Stands in front of `row` as if executed up to there, with nothing on the stack. */
  goTo(row: number): void {
    this.row = row;
    this.stack.length = 0;
    this.labels.length = 0;
    for (const opener of this.code.openersOf(row)) this.labels.push({ opener, height: 0 });
  }

  /** A construct opens in this row. */
  open(): void {
    this.labels.push({ opener: this.row, height: this.stack.length });
  }

  /** The innermost construct ends: the row that opened it. Undefined: it is the function that ends. */
  close(): number | undefined {
    return this.labels.pop()?.opener;
  }

  /** The construct that label `label` names, which is left with all inside of it; undefined: the function. */
  leave(label: number): Label | undefined {
    const at = this.labels.length - 1 - label;
    const found = this.labels[at];
    this.labels.length = Math.max(at, 0);
    return found;
  }

  push(value: Value): void {
    this.stack.push(value);
  }

  /** Takes the last `n` values, the deepest first. Throws WasmTrap where there are fewer. */
  take(n: number): Value[] {
    if (this.stack.length < n) throw new WasmTrap('values are missing on the operand stack');
    return this.stack.splice(this.stack.length - n, n);
  }
}
