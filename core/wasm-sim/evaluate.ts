import { BLOCK_WITHOUT_RESULT, CODED, OP } from '../wasm/opcodes.ts';
import type { WasmInsn } from '../wasm/print.ts';
import { ACCESSES, addressOf } from './accesses.ts';
import type { Activation } from './activation.ts';
import { i32, OPERATIONS, type Value, WasmTrap } from './numeric.ts';
import type { Overlay } from './overlay.ts';

/** What a row was that does not just lead to another one of its function. */
export type Transfer =
  /** It calls the function with this index; its arguments are still on the stack. */
  | { readonly kind: 'call'; readonly func: number }
  /** The function gives these values back. */
  | { readonly kind: 'return'; readonly results: readonly Value[] };

type Rule = (a: Activation, insn: WasmInsn, memory: Overlay) => Transfer | undefined;

/**
 * Executes the instruction that `a` stands in front of; behind a call it then stands behind that. By the WebAssembly core
 * specification 2.0, chapter 4 "Execution", and the threads proposal. Throws WasmTrap.
 */
export function evaluate(a: Activation, memory: Overlay): Transfer | undefined {
  const insn = a.code.insn(a.row);
  if (insn === undefined) throw new WasmTrap('no instruction is there');
  const rule = RULES.get(insn.opcode) ?? plain;
  return rule(a, insn, memory);
}

/** What computes or accesses memory, and leads to the next row. */
function plain(a: Activation, insn: WasmInsn, memory: Overlay): undefined {
  const operation = OPERATIONS.get(insn.opcode);
  const access = ACCESSES.get(insn.opcode);
  if (operation !== undefined) {
    const values = a.take(operation.takes);
    a.push(operation.compute(known(values[0]), values[1] ?? 0));
  } else if (access !== undefined) {
    const values = a.take(access.takes);
    const result = access.run(memory, addressOf(values, insn.operand), values);
    if (result !== undefined) a.push(result);
  } else throw new WasmTrap(`${insn.mnemonic.text} is not evaluated`);
  a.row++;
}

/** Rules that lead to the next row. */
function then(work: (a: Activation, insn: WasmInsn, memory: Overlay) => void): Rule {
  return (a, insn, memory) => {
    work(a, insn, memory);
    a.row++;
    return undefined;
  };
}

function branch(a: Activation, label: number): Transfer | undefined {
  const found = a.leave(label);
  if (found === undefined) return returned(a);
  const { opener, height } = found;
  const { constructs } = a.code;
  const opened = a.code.insn(opener);
  if (opened?.opcode === CODED.loop) {
    a.stack.length = height;
    a.row = opener;
    return undefined;
  }
  const kept = opened?.operand === BLOCK_WITHOUT_RESULT ? [] : a.take(1);
  a.stack.length = height;
  a.stack.push(...kept);
  a.row = rowBehind(constructs.endOf(opener));
  return undefined;
}

function returned(a: Activation): Transfer {
  return { kind: 'return', results: a.take(a.code.nResults) };
}

/** A value that validated code has. */
function known(value: Value | undefined): Value {
  if (value === undefined) throw new WasmTrap('a value is missing');
  return value;
}

function rowBehind(row: number | undefined): number {
  if (row === undefined) throw new WasmTrap('a construct has no end');
  return row + 1;
}

const call: Rule = (a, { operand }) => {
  a.row++;
  return { kind: 'call', func: operand };
};

const RULES: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [CODED.block, then((a) => a.open())],
  [CODED.loop, then((a) => a.open())],
  [
    CODED.if,
    (a) => {
      const isTaken = i32(a.take(1)[0]) !== 0;
      const { constructs } = a.code;
      const otherwise = constructs.elseOf(a.row);
      if (isTaken || otherwise !== undefined) a.open();
      if (isTaken) a.row++;
      else a.row = rowBehind(otherwise ?? constructs.endOf(a.row));
      return undefined;
    },
  ],
  [
    CODED.else,
    (a) => {
      const opener = a.close();
      a.row = rowBehind(opener === undefined ? undefined : a.code.constructs.endOf(opener));
      return undefined;
    },
  ],
  [
    CODED.end,
    (a) => {
      if (a.close() === undefined) return returned(a);
      a.row++;
      return undefined;
    },
  ],
  [CODED.br, (a, { operand }) => branch(a, operand)],
  [
    CODED.br_if,
    (a, { operand }) => {
      if (i32(a.take(1)[0]) !== 0) return branch(a, operand);
      a.row++;
      return undefined;
    },
  ],
  [
    CODED.br_table,
    (a, { labels }) => {
      const index = i32(a.take(1)[0]) >>> 0;
      return branch(a, labels[Math.min(index, labels.length - 1)] ?? 0);
    },
  ],
  [CODED.call, call],
  [OP.return, returned],
  [CODED.local_get, then((a, { operand }) => a.push(known(a.locals[operand])))],
  [
    CODED.local_set,
    then((a, { operand }) => {
      a.locals[operand] = known(a.take(1)[0]);
    }),
  ],
  [
    CODED.local_tee,
    then((a, { operand }) => {
      a.locals[operand] = known(a.stack.at(-1));
    }),
  ],
  [CODED.i32_const, then((a, { constant }) => a.push(Number(constant)))],
  [CODED.i64_const, then((a, { constant }) => a.push(constant))],
  [OP.nop, then(() => {})],
  [
    OP.unreachable,
    () => {
      throw new WasmTrap('unreachable');
    },
  ],
  [OP.drop, then((a) => void a.take(1))],
  [
    OP.select,
    then((a) => {
      const [first, second, which] = a.take(3);
      a.push(known(i32(which) !== 0 ? first : second));
    }),
  ],
  [OP.atomic_fence, then(() => {})],
  [
    OP.memory_fill,
    then((a, _, memory) => {
      const [at, value, size] = a.take(3).map((each) => i32(each) >>> 0);
      for (let i = 0; i < (size ?? 0); i++) memory.write((at ?? 0) + i, 1, BigInt(value ?? 0));
    }),
  ],
  [
    OP.memory_copy,
    then((a, _, memory) => {
      const [to = 0, from = 0, size = 0] = a.take(3).map((each) => i32(each) >>> 0);
      const bytes = Array.from({ length: size }, (_each, i) => memory.read(from + i, 1));
      bytes.forEach((byte, i) => {
        memory.write(to + i, 1, byte);
      });
    }),
  ],
]);
