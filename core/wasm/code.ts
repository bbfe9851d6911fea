import * as opcodes from './opcodes.ts';

const FIRST_CAPACITY = 1024;

/**
 * Instructions of one function, or any other bytes of a module, written front to back into one growing
 * array: LEB128 numbers and the instructions with their operands. Its caller sees to it that what it
 * writes is valid; the host's compiler checks.
 */
export class Code {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `capacity`: bytes to begin with; more are taken as needed. */
  constructor(capacity = FIRST_CAPACITY) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written so far: the offset of what is written next. */
  get length(): number {
    return this.#length;
  }

  /** What was written; a view that is valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** An unsigned number, 0 … 2^32 − 1. */
  u32(value: number): void {
    let rest = value;
    while (rest > 0x7f || rest < 0) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed number, −2^31 … 2^31 − 1. */
  s32(value: number): void {
    let rest = value | 0;
    while (rest < -0x40 || rest > 0x3f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** A signed 64-bit number by its words. */
  s64(low: number, high: number): void {
    let lo = low | 0;
    let hi = high | 0;
    for (;;) {
      const septet = lo & 0x7f;
      lo = (lo >>> 7) | (hi << 25);
      hi >>= 7;
      const sign = septet & 0x40 ? -1 : 0;
      if (lo === sign && hi === sign) {
        this.byte(septet);
        return;
      }
      this.byte(septet | 0x80);
    }
  }

  /** A name: its UTF-8 bytes behind their number. */
  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.append(bytes);
  }

  /** An instruction without operands (`OP`). */
  op(opcode: number): void {
    if (opcode > 0xff) {
      this.byte(opcode >> 8);
      this.u32(opcode & 0xff);
    } else this.byte(opcode);
  }

  /** A load, store or atomic access (`OP`) of 2^`align` bytes at address + `offset` (unsigned). */
  access(opcode: number, align: number, offset: number): void {
    this.op(opcode);
    this.u32(align);
    this.u32(offset);
  }

  /** Everything in front of it happens before everything behind it, for other threads too. */
  fence(): void {
    this.op(opcodes.OP.atomic_fence);
    this.byte(0);
  }

  i32Const(value: number): void {
    this.byte(opcodes.CODED.i32_const);
    this.s32(value);
  }

  /** By its words. */
  i64Const(low: number, high: number): void {
    this.byte(opcodes.CODED.i64_const);
    this.s64(low, high);
  }

  localGet(index: number): void {
    this.byte(opcodes.CODED.local_get);
    this.u32(index);
  }

  localSet(index: number): void {
    this.byte(opcodes.CODED.local_set);
    this.u32(index);
  }

  localTee(index: number): void {
    this.byte(opcodes.CODED.local_tee);
    this.u32(index);
  }

  globalGet(index: number): void {
    this.byte(opcodes.CODED.global_get);
    this.u32(index);
  }

  globalSet(index: number): void {
    this.byte(opcodes.CODED.global_set);
    this.u32(index);
  }

  /** `type`: VOID, a value type, or the index of a function type. */
  block(type: number = opcodes.VOID): void {
    this.byte(opcodes.CODED.block);
    this.#blockType(type);
  }

  loop(type: number = opcodes.VOID): void {
    this.byte(opcodes.CODED.loop);
    this.#blockType(type);
  }

  if(type: number = opcodes.VOID): void {
    this.byte(opcodes.CODED.if);
    this.#blockType(type);
  }

  else(): void {
    this.byte(opcodes.CODED.else);
  }

  end(): void {
    this.byte(opcodes.CODED.end);
  }

  /** `depth`: 0 is the innermost block. */
  br(depth: number): void {
    this.byte(opcodes.CODED.br);
    this.u32(depth);
  }

  brIf(depth: number): void {
    this.byte(opcodes.CODED.br_if);
    this.u32(depth);
  }

  /** `depths` by index, and where to go for an index behind them. */
  brTable(depths: ArrayLike<number>, otherwise: number): void {
    this.byte(opcodes.CODED.br_table);
    this.u32(depths.length);
    for (let index = 0; index < depths.length; index++) this.u32(depths[index] ?? 0);
    this.u32(otherwise);
  }

  call(func: number): void {
    this.byte(opcodes.CODED.call);
    this.u32(func);
  }

  callIndirect(type: number, table = 0): void {
    this.byte(opcodes.CODED.call_indirect);
    this.u32(type);
    this.u32(table);
  }

  /** `memory.fill` of the only memory: address, byte and size are on the stack. */
  memoryFill(): void {
    this.op(opcodes.OP.memory_fill);
    this.byte(0);
  }

  /** `memory.copy` inside the only memory: target, source and size are on the stack. */
  memoryCopy(): void {
    this.op(opcodes.OP.memory_copy);
    this.byte(0);
    this.byte(0);
  }

  #blockType(type: number): void {
    if (type === opcodes.VOID || type === opcodes.I32 || type === opcodes.I64) this.byte(type);
    else this.s32(type);
  }

  #grow(more: number): void {
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
