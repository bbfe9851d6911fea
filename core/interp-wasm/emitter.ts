import * as layout from '../vm/layout.ts';
import { Code } from '../wasm/code.ts';
import { I32, I64, OP } from '../wasm/opcodes.ts';
import * as form from './code-layout.ts';

/** Indices of locals; the first three are the parameters. */
export const LOCAL = {
  /** Address of the current op. */
  ip: 0,
  /** Instructions that may still be executed when the current run is over. */
  left: 1,
  /** Registers with a value when the current run began. */
  initialised: 2,
  /** Address of the op at which the current run began. */
  start: 3,
  /** Address of the region table. */
  table: 4,
  /** Entries of the region table in use, less one. */
  lastRegion: 5,
  dst: 6,
  entry: 7,
  at: 8,
  shadow: 9,
  depth: 10,
  addr: 11,
  low: 12,
  value: 13,
  operand: 14,
} as const;

/** Locals behind the parameters, in the order of `LOCAL`. */
export const LOCALS = [
  [8, I32],
  [4, I64],
] as const;

/** Index of the imported function that executes one op in TypeScript. */
export const STEP_FUNC = 0;

/** Arguments of a local call: R1 … R5. */
export const ARGUMENTS = 0x3e;

/**
 * Writes the interpreter's instructions for one CPU. It knows where in the nest of blocks it stands, so
 * that handlers can say what follows by name.
 */
export class Emitter {
  readonly code = new Code(1 << 16);
  /** Byte address of the register block: constant, so that registers are one addition away. */
  readonly block: number;
  /** Function that clears a stack frame. */
  readonly clearFunc: number;
  /** Other threads can change the memory at the same time. */
  readonly isShared: boolean;
  /** Blocks between here and the dispatch loop. */
  #nest = 0;

  constructor(block: number, clearFunc: number, isShared: boolean) {
    this.block = block;
    this.clearFunc = clearFunc;
    this.isShared = isShared;
  }

  /** Begins the code of a handler that stands inside `nest` further handlers' blocks. */
  beginHandler(nest: number): void {
    this.#nest = nest;
  }

  op(opcode: number): void {
    this.code.op(opcode);
  }

  get(local: number): void {
    this.code.localGet(local);
  }

  set(local: number): void {
    this.code.localSet(local);
  }

  tee(local: number): void {
    this.code.localTee(local);
  }

  i32(value: number): void {
    this.code.i32Const(value);
  }

  i64(value: number): void {
    this.code.i64Const(value, value >> 31);
  }

  if(type?: number): void {
    this.code.if(type);
    this.#nest++;
  }

  else(): void {
    this.code.else();
  }

  end(): void {
    this.code.end();
    this.#nest--;
  }

  blockOf(): void {
    this.code.block();
    this.#nest++;
  }

  /** Leaves `blockOf` or `if` number `depth` from inside, 0 the innermost, when the top of the stack is not 0. */
  outIf(depth: number): void {
    this.code.brIf(depth);
  }

  out(depth: number): void {
    this.code.br(depth);
  }

  /** Goes on at the next op of the run. */
  next(slots = 1): void {
    this.get(LOCAL.ip);
    this.i32(slots << form.OP_SHIFT);
    this.op(OP.i32_add);
    this.set(LOCAL.ip);
    this.code.br(this.#nest);
  }

  /** The op is for TypeScript, when the top of the stack is not 0; nothing has been changed. */
  leaveIf(): void {
    this.code.brIf(this.#nest + 1);
  }

  /** The op is for TypeScript; nothing has been changed. */
  leave(): void {
    this.code.br(this.#nest + 1);
  }

  /** The run is over; the next begins at `ip`. */
  endRun(): void {
    this.code.br(this.#nest + 2);
  }

  /** The run is over and its registers are noted; the next begins at `ip`. */
  beginRun(): void {
    this.code.br(this.#nest + 3);
  }

  /** Notes the registers of the run that ends here. */
  noteRun(): void {
    this.get(LOCAL.initialised);
    this.get(LOCAL.start);
    this.code.access(OP.i32_load16_u, 1, form.OP_WRITES);
    this.op(OP.i32_or);
    this.set(LOCAL.initialised);
  }

  /** Pushes the byte offset of the destination, respectively source register. */
  dstOffset(): void {
    this.get(LOCAL.ip);
    this.code.access(OP.i32_load8_u, 0, form.OP_DST);
  }

  srcOffset(): void {
    this.get(LOCAL.ip);
    this.code.access(OP.i32_load8_u, 0, form.OP_SRC);
  }

  /** Takes a register's byte offset, pushes its 64 bits, or its low 32. */
  reg64(): void {
    this.code.access(OP.i64_load, 3, this.block);
  }

  reg32(): void {
    this.code.access(OP.i32_load, 2, this.block);
  }

  /** Takes a register's byte offset and 64 bits, and sets it. */
  setReg(): void {
    this.code.access(OP.i64_store, 3, this.block);
  }

  dst64(): void {
    this.dstOffset();
    this.reg64();
  }

  src64(): void {
    this.srcOffset();
    this.reg64();
  }

  dst32(): void {
    this.dstOffset();
    this.reg32();
  }

  src32(): void {
    this.srcOffset();
    this.reg32();
  }

  /** Pushes the immediate, sign-extended to 64 bits. */
  imm64(): void {
    this.get(LOCAL.ip);
    this.code.access(OP.i64_load32_s, 2, form.OP_IMM);
  }

  imm32(): void {
    this.get(LOCAL.ip);
    this.code.access(OP.i32_load, 2, form.OP_IMM);
  }

  /** Pushes the wide immediate. */
  wideImm(): void {
    this.get(LOCAL.ip);
    this.code.access(OP.i64_load, 2, form.OP_IMM);
  }

  /** Pushes offset of an access, sign-extended; respectively bytes to the target of a jump. */
  off64(): void {
    this.get(LOCAL.ip);
    this.code.access(OP.i64_load32_s, 2, form.OP_OFF);
  }

  delta(): void {
    this.get(LOCAL.ip);
    this.code.access(OP.i32_load, 2, form.OP_OFF);
  }

  /** Pushes a word of the CPU block. */
  cpuWord(field: number): void {
    this.i32(0);
    this.code.access(OP.i32_load, 2, this.block + field);
  }

  /** Sets a word of the CPU block to what `value` pushes. */
  setCpuWord(field: number, value: () => void): void {
    this.i32(0);
    value();
    this.code.access(OP.i32_store, 2, this.block + field);
  }

  /** Takes the region table as it is now: before the first op, and after TypeScript has executed one. */
  readTable(): void {
    this.i32(0);
    this.code.access(OP.i32_load, 2, layout.HEADER_REGION_TABLE);
    this.set(LOCAL.table);
    this.i32(0);
    this.code.access(OP.i32_load, 2, layout.HEADER_REGION_COUNT);
    this.i32(1);
    this.op(OP.i32_sub);
    this.set(LOCAL.lastRegion);
  }
}

/** Writes the code of one dense opcode, what follows it included. */
export type EmitOp = (e: Emitter) => void;
