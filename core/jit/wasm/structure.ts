import type { Code } from '../../wasm/code.ts';
import { OP } from '../../wasm/opcodes.ts';
import type { Block, Flow } from './flow.ts';
import { NEXT } from './locals.ts';
import type { JitOp } from './ops.ts';

/** What control flow is written with. */
export interface FlowWriter {
  /** Constructs that are open. */
  depth(): number;
  /** Opens a construct that `begin` writes. */
  open(begin: () => void): void;
  /** Writes its `end`. */
  close(): void;
  /** Writes a block's instructions, all but jump and branch at its end. */
  body(block: Block, index: number): void;
  /** Leaves an i32 on the stack, not 0 when the branch is taken. */
  condition(op: JitOp): void;
}

/**
 * Writes a function's blocks as structured control flow: by its dominator tree (Ramsey, "Beyond Relooper",
 * ICFP 2022), or, where it is not reducible, as a loop around a jump table. Works off a list of things to
 * do, because functions can have tens of thousands of nested blocks.
 */
export function emitFlow(flow: Flow, code: Code, writer: FlowWriter): void {
  if (flow.reducible) new TreeWriter(flow, code, writer).write();
  else writeDispatcher(flow, code, writer);
}

class TreeWriter {
  readonly #flow: Flow;
  readonly #code: Code;
  readonly #writer: FlowWriter;
  readonly #children: number[][];
  /** Depth at which the label lies that leads to a block: forwards to its start, and back to its loop. */
  readonly #forward: Int32Array;
  readonly #back: Int32Array;
  readonly #todo: (() => void)[] = [];

  constructor(flow: Flow, code: Code, writer: FlowWriter) {
    this.#flow = flow;
    this.#code = code;
    this.#writer = writer;
    this.#children = flow.blocks.map(() => []);
    this.#forward = new Int32Array(flow.blocks.length);
    this.#back = new Int32Array(flow.blocks.length);
    for (let b = 1; b < flow.blocks.length; b++) {
      if (this.#isMerge(b)) this.#children[flow.idom[b] ?? 0]?.push(b);
    }
  }

  write(): void {
    this.#tree(0);
    for (let next = this.#todo.pop(); next !== undefined; next = this.#todo.pop()) next();
  }

  #isMerge(block: number): boolean {
    return (this.#flow.nForward[block] ?? 0) > 1;
  }

  /** To do in this order. */
  #schedule(...work: (() => void)[]): void {
    for (const each of work.reverse()) this.#todo.push(each);
  }

  #tree(block: number): void {
    if (!this.#flow.isLoopHead[block]) {
      this.#within(block);
      return;
    }
    this.#back[block] = this.#writer.depth();
    this.#writer.open(() => this.#code.loop());
    this.#schedule(
      () => this.#within(block),
      () => this.#writer.close(),
    );
  }

  /** The block itself, inside a construct for each block that several ways lead to and that it dominates: the last outermost. */
  #within(block: number): void {
    const merges = this.#children[block] ?? [];
    const after: (() => void)[] = [];
    for (let i = merges.length - 1; i >= 0; i--) {
      const merge = merges[i] ?? 0;
      this.#forward[merge] = this.#writer.depth();
      this.#writer.open(() => this.#code.block());
    }
    for (const merge of merges) {
      after.push(
        () => this.#writer.close(),
        () => this.#tree(merge),
      );
    }
    this.#schedule(() => this.#block(block), ...after);
  }

  #block(index: number): void {
    const block = this.#flow.blocks[index];
    if (block === undefined) return;
    this.#writer.body(block, index);
    const [first, second] = block.succ;
    if (first === undefined) return;
    const last = block.ops.at(-1);
    if (second === undefined || last === undefined || last.flow !== 'branch') this.#edge(index, first);
    else this.#branch(index, last, first, second);
  }

  #isJump(from: number, to: number): boolean {
    return to <= from || this.#isMerge(to);
  }

  /** `br` depth of a jump, seen from where writing is now. */
  #label(from: number, to: number): number {
    const at = to <= from ? this.#back[to] : this.#forward[to];
    return this.#writer.depth() - 1 - (at ?? 0);
  }

  #edge(from: number, to: number): void {
    if (this.#isJump(from, to)) this.#code.br(this.#label(from, to));
    else this.#tree(to);
  }

  #branch(from: number, op: JitOp, taken: number, other: number): void {
    const code = this.#code;
    this.#writer.condition(op);
    if (this.#isJump(from, taken)) {
      code.brIf(this.#label(from, taken));
      this.#edge(from, other);
    } else if (this.#isJump(from, other)) {
      code.op(OP.i32_eqz);
      code.brIf(this.#label(from, other));
      this.#edge(from, taken);
    } else {
      this.#writer.open(() => code.if());
      this.#schedule(
        () => this.#edge(from, taken),
        () => code.else(),
        () => this.#edge(from, other),
        () => this.#writer.close(),
      );
    }
  }
}

function writeDispatcher(flow: Flow, code: Code, writer: FlowWriter): void {
  const n = flow.blocks.length;
  code.i32Const(0);
  code.localSet(NEXT);
  const loop = writer.depth();
  writer.open(() => code.loop());
  for (let i = 0; i < n; i++) writer.open(() => code.block());
  code.localGet(NEXT);
  code.brTable(
    Array.from({ length: n }, (_, i) => i),
    n - 1,
  );
  flow.blocks.forEach((block, index) => {
    writer.close();
    writer.body(block, index);
    const [first, second] = block.succ;
    if (first === undefined) return;
    const last = block.ops.at(-1);
    code.i32Const(first);
    if (second !== undefined && last !== undefined) {
      code.i32Const(second);
      writer.condition(last);
      code.op(OP.select);
    }
    code.localSet(NEXT);
    code.br(writer.depth() - 1 - loop);
  });
  writer.close();
}
