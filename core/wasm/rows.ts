import { type Operands, operandsByOpcode } from './mnemonics.ts';
import { CODED } from './opcodes.ts';

/** Instructions of functions in the order of the code, by number; arrays have room for more than `count`. */
export interface CodeRows {
  /** Of its first byte, in the bytes that were decoded. */
  readonly offset: Uint32Array;
  /** Bytes. */
  readonly length: Uint32Array;
  /** Constructs that are open around it; one that opens or ends a construct is outside of it. */
  readonly depth: Uint32Array;
  readonly count: number;
}

/** How operands are passed over: so many numbers, or as told. */
const UNKNOWN = 9;
const LABELS = 8;
const NUMBERS: Readonly<Record<Operands, number>> = {
  none: 0,
  block: 1,
  label: 1,
  labels: LABELS,
  func: 1,
  indirect: 2,
  local: 1,
  global: 1,
  i32: 1,
  i64: 1,
  access: 2,
  zero: 1,
  'two zeros': 2,
};

function skips(prefix: number): Uint8Array {
  return Uint8Array.from(operandsByOpcode(prefix), (each) => (each === undefined ? UNKNOWN : NUMBERS[each]));
}

const PLAIN = skips(0);
/** By prefix byte. */
const PREFIXED: ReadonlyMap<number, Uint8Array> = new Map([0xfc, 0xfe].map((each) => [each, skips(each)]));

/**
 * Collects instructions of one function after another. Takes some 10 ns an instruction, and 12 bytes. Never throws:
 * a byte that no instruction begins with is a row of its own, an instruction that is cut off reaches to the end.
 */
export class RowCollector {
  #offset: Uint32Array;
  #length: Uint32Array;
  #depth: Uint32Array;
  #count = 0;

  /** `rows`: room to begin with. */
  constructor(rows = 1024) {
    this.#offset = new Uint32Array(rows);
    this.#length = new Uint32Array(rows);
    this.#depth = new Uint32Array(rows);
  }

  get count(): number {
    return this.#count;
  }

  get rows(): CodeRows {
    return { offset: this.#offset, length: this.#length, depth: this.#depth, count: this.#count };
  }

  /** Adds the instructions of the function whose code is `bytes` from `start` to `end`, within the bytes. */
  add(bytes: Uint8Array, start: number, end: number): void {
    let depth = 0;
    for (let at = start; at < end; ) {
      const opcode = bytes[at] ?? 0;
      const next = nextInsn(bytes, at, end);
      if ((opcode === CODED.end || opcode === CODED.else) && depth > 0) depth--;
      if (this.#count === this.#offset.length) this.#grow();
      this.#offset[this.#count] = at;
      this.#length[this.#count] = next - at;
      this.#depth[this.#count] = depth;
      this.#count++;
      if (opens(opcode) || opcode === CODED.else) depth++;
      at = next;
    }
  }

  #grow(): void {
    const size = Math.max(16, this.#offset.length * 2);
    this.#offset = longer(this.#offset, size);
    this.#length = longer(this.#length, size);
    this.#depth = longer(this.#depth, size);
  }
}

/** Whether an instruction opens a construct, by its first byte. */
export function opens(opcode: number): boolean {
  return opcode === CODED.block || opcode === CODED.loop || opcode === CODED.if;
}

function longer(from: Uint32Array, size: number): Uint32Array {
  const to = new Uint32Array(size);
  to.set(from);
  return to;
}

/** Where the instruction at `at` ends. */
function nextInsn(bytes: Uint8Array, at: number, end: number): number {
  const prefixed = PREFIXED.get(bytes[at] ?? 0);
  let next = at + 1;
  let numbers: number;
  if (prefixed === undefined) numbers = PLAIN[bytes[at] ?? 0] ?? UNKNOWN;
  else {
    const sub = bytes[next] ?? 0;
    const more = bytes[next + 1] ?? 0;
    // Sub-opcodes up to 255, in two bytes from 128 on.
    const opcode = sub < 0x80 ? sub : more < 2 ? (sub & 0x7f) | (more << 7) : -1;
    numbers = prefixed[opcode] ?? UNKNOWN;
    next = past(bytes, next, end);
  }
  if (numbers === UNKNOWN) return at + 1;
  if (numbers === LABELS) {
    numbers = 1;
    for (let i = 0, shift = 0; i < 5 && next + i < end; i++, shift += 7) {
      const byte = bytes[next + i] ?? 0;
      numbers += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    next = past(bytes, next, end);
  }
  for (let i = 0; i < numbers && next < end; i++) next = past(bytes, next, end);
  return next;
}

/** Behind the number at `at`. */
function past(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  while (next < end && (bytes[next] ?? 0) >= 0x80) next++;
  return Math.min(next + 1, end);
}
