import type { IntType } from './parse.ts';

/** A place that can be written. `addr` unsigned 64 bits. */
export type LValue =
  | { readonly kind: 'register'; readonly reg: number; readonly width: 32 | 64 }
  | { readonly kind: 'memory'; readonly addr: bigint; readonly type: IntType }
  | { readonly kind: 'bytes'; readonly addr: bigint; readonly size: number }
  | { readonly kind: 'cell'; readonly cell: number };

/** A map as expressions see it. */
export interface ExprMap {
  readonly id: number;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  /** Address of the value of `key` (exactly `keySize` bytes); undefined: no such entry. */
  valueAddr(key: Uint8Array): bigint | undefined;
}

/** Consecutive cells under one name: the scratch memory `M`. */
export interface CellArray {
  readonly first: number;
  readonly count: number;
}

/** The registers of classic BPF as expressions see them, numbered; 32 bits each. */
export interface ExprCells {
  /** Number of the cell called `name` (`A`, `X`); undefined: there is none. */
  named(name: string): number | undefined;
  array(name: string): CellArray | undefined;
  /** Unsigned 32 bits. */
  read(cell: number): bigint;
  /** Message of refusal, or undefined when written. */
  write(cell: number, value: bigint): string | undefined;
}

/** What an expression evaluates to. `bits` is always the unsigned 64-bit pattern. */
export type ExprValue =
  | { readonly kind: 'int'; readonly bits: bigint; readonly type: IntType; readonly lvalue?: LValue }
  | { readonly kind: 'bytes'; readonly addr: bigint; readonly bytes: Uint8Array; readonly lvalue: LValue }
  | { readonly kind: 'map'; readonly map: ExprMap }
  | { readonly kind: 'cells'; readonly name: string; readonly cells: CellArray };

/** Where an expression is evaluated: one frame of a stopped or running program. */
export interface ExprEnv {
  /** Register 0…11 of the frame; undefined where an outer frame's value is lost to the call it waits in. */
  readRegister(reg: number): bigint | undefined;
  /** The rewritten program is shown; without it there is no AX. */
  showsAx(): boolean;
  /** Message of refusal, or undefined when written. */
  writeRegister(reg: number, value: bigint): string | undefined;
  /** Fields of the frame's current (original) instruction; `imm` sign-extended, or all 64 bits of a wide one. */
  currentInsn(): { dst: number; src: number; off: number; imm: bigint } | undefined;
  /** Bytes at an address, whatever the program itself may do there; undefined: not mapped. */
  readMemory(addr: bigint, size: number): Uint8Array | undefined;
  writeMemory(addr: bigint, bytes: Uint8Array): boolean;
  /** Says why an access fails, naming the nearest object. */
  explainMemory(addr: bigint, size: number): string;
  /** Constants of the file (`.equ`) and of the uapi. */
  constant(name: string): bigint | undefined;
  map(name: string): ExprMap | undefined;
  /**
   * A register of the simulated processor, or a local of WebAssembly, by its name without `$`. A text: why it has no value
   * here. Undefined: there is none of that name.
   */
  nativeValue(name: string): bigint | string | undefined;
  /** Undefined where no classic program runs. */
  cells(): ExprCells | undefined;
  /** Named addresses: `packet`, `packet_end`, `ctx`. */
  address(name: string): bigint | undefined;
  /** Every name that would have been right, for suggestions. */
  names(): Iterable<string>;
}

/** Why an expression has no value, and where; unwinds to `evaluateExpression` and never leaves it. */
export class ExprFailure extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}
