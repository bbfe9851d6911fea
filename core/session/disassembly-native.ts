import { lastUpTo } from '../bytes/ascending.ts';
import { decodeInsn } from '../isa/decode.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { calledFunction } from '../isa/numbering.ts';
import { printInsn } from '../isa/print.ts';
import { addressText } from './code-address.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { codeAtAddress, type NativeCode, type NativeFunction } from './native-code.ts';
import type { DisassembledRow } from './target-rows.ts';

/** Constructs within constructs that are still told apart by their indentation. */
const MAX_INDENTATION = 16;

/** A place in the native code of a program: a row number, which may lie before the first or behind the last. */
interface CodeRow {
  readonly program: DebugProgram;
  readonly code: NativeCode;
  readonly row: number;
}

/**
 * `count` rows of native code, the first `instructionOffset` instructions behind the one that holds the byte `offset`
 * bytes behind `base`; null for each outside of the program's code. The offset may lead into another program's code;
 * the rows never do. Between functions and outside of the code, bytes count as instructions. Undefined: `base` is no
 * address of native code.
 */
export function disassembleNative(
  loaded: Loaded,
  base: bigint,
  args: { readonly offset: number; readonly instructionOffset: number; readonly count: number },
): (DisassembledRow | null)[] | undefined {
  const place = placeOf(loaded, base, args.offset);
  if (place === undefined) return undefined;
  const first = place.row + args.instructionOffset;
  return Array.from({ length: args.count }, (_, i) => describe(loaded, place, first + i));
}

/** A native instruction, as breakpoints by address know it. */
export interface NativeInsnPlace {
  readonly program: DebugProgram;
  readonly code: NativeCode;
  readonly row: number;
  readonly address: bigint;
  /** The BPF instruction that it belongs to, as loaded; in what a function begins with its first. */
  readonly slot: InsnIndex;
}

/** The native instruction that begins `offset` bytes behind `base`, or why there is none; undefined: `base` is no native address. */
export function nativeInsnAt(
  loaded: Loaded,
  base: bigint,
  offset: number,
): NativeInsnPlace | { readonly message: string } | undefined {
  const place = placeOf(loaded, base, offset);
  if (place === undefined) return undefined;
  const { program, code, row } = place;
  const at = code.rows.offset[row];
  const wanted = base + BigInt(offset);
  if (at === undefined || code.rowAt(wanted) !== row) {
    return { message: `${program.attr.name} has no instruction there` };
  }
  const address = code.address + BigInt(at);
  if (address !== wanted) {
    return { message: `this is amid an instruction, which begins at ${addressText(address)}` };
  }
  const slot = program.prog.origIdx[slotOf(code, row)];
  if (slot === undefined) {
    return { message: `${partOf(code, row)} is the compiler's: no instruction of the program is there` };
  }
  return { program, code, row, address, slot };
}

/** The function's native code that an address lies in, for readers of memory: never with breakpoints patched in. */
export function nativeBytesAt(
  loaded: Loaded,
  address: bigint,
): { readonly addr: bigint; readonly bytes: Uint8Array } | undefined {
  const found = codeAtAddress(loaded, address);
  const func = found?.code.funcs.find((one) => contains(one, address));
  if (found === undefined || func === undefined) return undefined;
  const { code } = found;
  const bytes = new Uint8Array(func.length);
  const base = Number(func.address - code.address);
  for (let row = Math.max(0, code.rowAt(func.address)); row < code.rows.count; row++) {
    const at = (code.rows.offset[row] ?? 0) - base;
    if (at >= func.length) break;
    bytes.set(code.bytes(row), at);
  }
  return { addr: func.address, bytes };
}

function contains(func: { readonly address: bigint; readonly length: number }, address: bigint): boolean {
  return address >= func.address && address < func.address + BigInt(func.length);
}

/** Views keep the addresses of all programs in one list, so the offset may lead into another program. */
function placeOf(loaded: Loaded, base: bigint, offset: number): CodeRow | undefined {
  const from = codeAtAddress(loaded, base);
  if (from === undefined) return undefined;
  const wanted = base + BigInt(offset);
  const { program, code } = codeAtAddress(loaded, wanted) ?? from;
  return { program, code, row: rowNear(code, wanted) };
}

/** The row that holds the address; where none does the next one, less a row for each byte before the first. */
function rowNear({ rows, address }: NativeCode, wanted: bigint): number {
  const at = Number(wanted - address);
  const { count, offset, length } = rows;
  if (at < 0) return at;
  const row = lastUpTo(count, at, (before) => (offset[before] ?? 0) + (length[before] ?? 0)) + 1;
  if (row < count) return row;
  return count + at - ((offset[count - 1] ?? 0) + (length[count - 1] ?? 0));
}

/** The slot that a row belongs to; what a function begins with to its first; −1: to none. */
function slotOf(code: NativeCode, row: number): InsnIndex {
  const slot = code.rows.slot[row] ?? -1;
  if (slot >= 0) return slot;
  const func = functionOf(code, row);
  return func !== undefined && !hasSlot(code, func, row, -1) ? func.start : -1;
}

function functionOf(code: NativeCode, row: number): NativeFunction | undefined {
  const address = code.address + BigInt(code.rows.offset[row] ?? 0);
  return code.funcs.find((func) => contains(func, address));
}

/** Does any row of the function from `row` on, forwards or backwards, belong to an instruction? */
function hasSlot({ rows, address }: NativeCode, func: NativeFunction, row: number, step: 1 | -1): boolean {
  const first = Number(func.address - address);
  const end = first + func.length;
  for (let at = row; at >= 0 && at < rows.count; at += step) {
    const offset = rows.offset[at] ?? 0;
    if (offset < first || offset >= end) break;
    if ((rows.slot[at] ?? -1) >= 0) return true;
  }
  return false;
}

function describe(loaded: Loaded, { program, code }: CodeRow, row: number): DisassembledRow | null {
  const { offset, slot, depth } = code.rows;
  const at = offset[row];
  if (at === undefined) return null;
  const own = slot[row] ?? -1;
  const original = program.prog.origIdx[slotOf(code, row)];
  const isFirst = row === 0 || slot[row - 1] !== own || startsFunction(code, at);
  return {
    address: code.address + BigInt(at),
    bytes: code.bytes(row),
    text: '  '.repeat(Math.min(depth?.[row] ?? 0, MAX_INDENTATION)) + code.text(row),
    symbol: own < 0 ? partOf(code, row) : bpfText(loaded, program, own),
    location: original === undefined ? undefined : program.lines.locationOf(original),
    ...(isFirst ? { isFirst } : {}),
  };
}

function startsFunction(code: NativeCode, offset: number): boolean {
  const address = code.address + BigInt(offset);
  return code.funcs.some((func) => func.address === address);
}

/** What stands for code that belongs to no BPF instruction: where in its function it is. */
function partOf(code: NativeCode, row: number): string {
  const func = functionOf(code, row);
  if (func === undefined) return '';
  if (func.start < 0) return func.name;
  if (!hasSlot(code, func, row, -1)) return `${func.name}: prologue`;
  return `${func.name}: ${hasSlot(code, func, row, 1) ? 'check point' : 'epilogue'}`;
}

/** The rewritten instruction, maps and functions by their names. */
function bpfText({ machine }: Loaded, { prog }: DebugProgram, slot: InsnIndex): string {
  return printInsn(decodeInsn(prog.xlated, slot), 'pseudoc', {
    helper: (imm) => calledFunction(imm)?.name,
    map: (id) => machine.maps.get(id)?.def.name,
    func: (start) => prog.subprogs.find((subprog) => subprog.start === start)?.name,
  });
}
