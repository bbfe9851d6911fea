import { extensionAt } from './extensions.ts';
import { BPF_MEMWORDS, SKF_AD_OFF, type SockFilter } from './sock-filter.ts';
import { type ClassicId, type ClassicInsnRow, classicRow } from './table.ts';

/** What a filter works on. Numbers are unsigned 32 bits unless told otherwise. */
export interface ClassicInput {
  /** What `#len` gives. */
  readonly length: number;
  /**
   * `size` bytes at `offset` (signed 32 bits, with the header offsets of `SKF_NET_OFF` and
   * `SKF_LL_OFF`) as a number; undefined: outside, which ends the filter with 0.
   */
  load(offset: number, size: 1 | 2 | 4): number | undefined;
  /** The value of an extension (`SKF_AD_…`); undefined: this input has none. */
  extension(constant: string, a: number, x: number): number | undefined;
}

/** What a filter returned, or why it could not. */
export type ClassicResult =
  | { readonly kind: 'return'; readonly value: number; readonly steps: number }
  | { readonly kind: 'unsupported'; readonly pc: number; readonly message: string };

interface State {
  readonly input: ClassicInput;
  readonly m: Uint32Array;
  a: number;
  x: number;
}

/** A new value of A; `out`: the filter returns 0. */
type Alu = (a: number, operand: number) => number | 'out';

const ALU: Readonly<Record<string, Alu>> = {
  add: (a, operand) => a + operand,
  sub: (a, operand) => a - operand,
  mul: (a, operand) => Math.imul(a, operand),
  div: (a, operand) => (operand === 0 ? 'out' : Math.floor(a / operand)),
  mod: (a, operand) => (operand === 0 ? 'out' : a % operand),
  and: (a, operand) => a & operand,
  or: (a, operand) => a | operand,
  xor: (a, operand) => a ^ operand,
  lsh: (a, operand) => a << (operand & 31),
  rsh: (a, operand) => a >>> (operand & 31),
};

const HOLDS: Readonly<Record<string, (a: number, operand: number) => boolean>> = {
  jeq: (a, operand) => a === operand,
  jgt: (a, operand) => a > operand,
  jge: (a, operand) => a >= operand,
  jset: (a, operand) => (a & operand) !== 0,
};

const SIZES: Readonly<Record<string, 1 | 2 | 4>> = { ld: 4, ldh: 2, ldb: 1 };

/**
 * The definition of classic BPF: runs a program that `bpfCheckClassic` accepts on `input`, instruction by
 * instruction. Jumps go forward only, so it ends. A and X are 0 at the start.
 */
export function evaluateClassic(filters: readonly SockFilter[], input: ClassicInput): ClassicResult {
  const state: State = { input, m: new Uint32Array(BPF_MEMWORDS), a: 0, x: 0 };
  let steps = 0;
  for (let pc = 0; ; ) {
    const filter = filters[pc];
    const row = filter === undefined ? undefined : classicRow(filter.code);
    if (filter === undefined || row === undefined) {
      return { kind: 'unsupported', pc, message: 'the program does not pass the check' };
    }
    steps++;
    if (row.name === 'ret') return { kind: 'return', value: returned(row.id, filter, state), steps };
    const operand = row.mode === 'x' || row.mode === 'cond_x' ? state.x : filter.k;
    const holds = HOLDS[row.name];
    if (row.mode === 'jump') pc += 1 + filter.k;
    else if (holds !== undefined) pc += 1 + (holds(state.a, operand) ? filter.jt : filter.jf);
    else {
      const alu = ALU[row.name];
      const out = alu === undefined ? move(row, filter, state) : alu(state.a, operand);
      if (out === 'out') return { kind: 'return', value: 0, steps };
      if (out === 'unsupported') {
        const name = extensionAt(filter.k - SKF_AD_OFF)?.constant ?? 'extension';
        return { kind: 'unsupported', pc, message: `${name} is not part of this input` };
      }
      if (out !== undefined) state.a = out >>> 0;
      pc++;
    }
  }
}

function returned(id: ClassicId, { k }: SockFilter, { a, x }: State): number {
  if (id === 'ret_k') return k;
  return id === 'ret_a' ? a : x;
}

/** Loads, stores, moves and neg: the new A, undefined where it stays. */
function move(
  row: ClassicInsnRow,
  { k }: SockFilter,
  state: State,
): number | 'out' | 'unsupported' | undefined {
  const { input, m } = state;
  switch (row.id) {
    case 'neg':
      return -state.a;
    case 'txa':
      return state.x;
    case 'tax':
      state.x = state.a;
      return undefined;
    case 'st':
      m[k] = state.a;
      return undefined;
    case 'stx':
      m[k] = state.x;
      return undefined;
    case 'ld_imm':
      return k;
    case 'ldx_imm':
      state.x = k;
      return undefined;
    case 'ld_mem':
      return m[k];
    case 'ldx_mem':
      state.x = m[k] ?? 0;
      return undefined;
    case 'ld_len':
      return input.length;
    case 'ldx_len':
      state.x = input.length;
      return undefined;
    case 'ldx_msh': {
      const byte = input.load(k | 0, 1);
      if (byte === undefined) return 'out';
      state.x = (byte & 0xf) * 4;
      return undefined;
    }
  }
  const size = SIZES[row.name] ?? 4;
  if (row.mode === 'ind') return input.load((state.x + k) | 0, size) ?? 'out';
  if (k < SKF_AD_OFF) return input.load(k | 0, size) ?? 'out';
  const { constant } = extensionAt(k - SKF_AD_OFF) ?? {};
  if (constant === 'SKF_AD_ALU_XOR_X') return state.a ^ state.x;
  return input.extension(constant ?? '', state.a, state.x) ?? 'unsupported';
}
