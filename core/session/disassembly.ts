import { lastUpTo } from '../bytes/ascending.ts';
import { encodeFilters, SOCK_FILTER_SIZE } from '../cbpf/sock-filter.ts';
import { decodeInsn, WIDE_OPCODE } from '../isa/decode.ts';
import { helperById } from '../isa/helpers.ts';
import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { printInsn } from '../isa/print.ts';
import { type ClassicDebug, classicIndexOf, classicInsnText, ownText } from './classic.ts';
import { addressText, bpfAddress, bpfPlace, referenceAddress } from './code-address.ts';
import {
  disassembleNative,
  type NativeInsnPlace,
  nativeBytesAt,
  nativeInsnAt,
} from './disassembly-native.ts';
import type { DebugFrame, DebugProgram, Loaded } from './loaded.ts';
import { makeCodeAt, nativeCodeOf } from './native-code.ts';
import type { TargetRequests } from './target-api.ts';
import type { DisassembledRow, DisassembleReply } from './target-rows.ts';

/**
 * The instructions of a program as its user knows them: as loaded; of a classic program in its own text the
 * classic ones. Slots count 8 bytes in both.
 */
interface Listing {
  /** All bytes. */
  readonly bytes: Uint8Array;
  /** Row → its first slot. */
  readonly slotOfRow: Int32Array;
  /** Slot → its row; both slots of a wide instruction have the same. */
  readonly rowOfSlot: Int32Array;
}

const listings = new WeakMap<DebugProgram, Listing>();

/**
 * Carries out `disassemble` in the space that the reference belongs to: exactly `count` rows, null for each
 * that lies outside of the program. An answer never leaves the program that it begins in. A place amid an
 * instruction counts as that instruction; before and behind the program instructions count 8 bytes.
 */
export function disassemble(loaded: Loaded, args: TargetRequests['disassemble']['args']): DisassembleReply {
  const { reference, offset, instructionOffset, count, symbols } = args;
  const native = disassembleNative(loaded, referenceAddress(reference) ?? 0n, args);
  if (native !== undefined) return { rows: native };
  const place = placeOf(loaded, reference, offset);
  if (place === undefined) return { message: noInstructions(reference) };
  const { program } = place;
  if (program === undefined) return { rows: new Array<null>(count).fill(null) };
  const listing = listingOf(loaded, program);
  const first = rowAt(listing, place.offset) + instructionOffset;
  const rows: (DisassembledRow | null)[] = [];
  for (let i = 0; i < count; i++) {
    const slot = listing.slotOfRow[first + i];
    rows.push(slot === undefined ? null : describe(loaded, program, listing, slot, symbols));
  }
  return { rows };
}

/** Address of the instruction at `pc` (as loaded) of a program. */
export function instructionAddress(loaded: Loaded, { prog }: DebugProgram, pc: InsnIndex): bigint {
  const classic = ownText(loaded);
  const slot = classic === undefined ? pc : classicIndexOf(classic, pc);
  return bpfAddress(prog.id, slot * INSN_SIZE);
}

/** The native instruction that a frame stands at, in outer frames that it returns to; undefined: it has no native code. */
function nativeAddress(loaded: Loaded, { index, program }: DebugFrame): bigint | undefined {
  if (loaded.space !== 'native') return undefined;
  const code = nativeCodeOf(loaded, program);
  return 'message' in code ? undefined : code.currentAddress(index);
}

/** Address of what a frame is about to execute, in the space of the session: where it has native code, of that. */
export function frameAddress(loaded: Loaded, frame: DebugFrame): bigint {
  return nativeAddress(loaded, frame) ?? instructionAddress(loaded, frame.program, frame.pc);
}

/** Where a breakpoint by address lies, or why there can be none. */
export type CodePlace =
  | {
      readonly program: DebugProgram;
      /** As loaded; of a native instruction the one that it belongs to. */
      readonly slot: InsnIndex;
      readonly address: bigint;
      /** The native instruction that the address names; undefined: it names the BPF instruction. */
      readonly native?: NativeInsnPlace;
    }
  | { readonly message: string };

/** The instruction that begins `offset` bytes behind `reference`; `slot` counts the instructions as loaded. */
export function codePlace(loaded: Loaded, reference: string, offset: number): CodePlace {
  const base = referenceAddress(reference) ?? 0n;
  makeCodeAt(loaded, base);
  const native = nativeInsnAt(loaded, base, offset);
  if (native !== undefined) {
    if ('message' in native) return native;
    const { program, slot, address } = native;
    return { program, slot, address, native };
  }
  const place = placeOf(loaded, reference, offset);
  if (place?.program === undefined) return { message: noInstructions(reference) };
  const { program } = place;
  const listing = listingOf(loaded, program);
  const row = rowAt(listing, place.offset);
  const slot = listing.slotOfRow[row];
  if (slot === undefined) return { message: `${program.attr.name} has no instruction there` };
  const address = bpfAddress(program.prog.id, slot * INSN_SIZE);
  if (place.offset !== slot * INSN_SIZE) {
    return { message: `this is amid an instruction, which begins at ${addressText(address)}` };
  }
  const loadedSlot = ownText(loaded)?.firstSlot[slot] ?? slot;
  const { firstXlated, origIdx } = program.prog;
  if (origIdx[firstXlated[loadedSlot] ?? -1] !== loadedSlot) {
    return { message: 'this instruction is removed when the program is loaded: nothing is executed here' };
  }
  return { program, slot: loadedSlot, address };
}

/** The instructions that an address of either space lies in, for readers of memory. */
export function codeAt(
  loaded: Loaded,
  address: bigint,
): { readonly addr: bigint; readonly bytes: Uint8Array } | undefined {
  const native = nativeBytesAt(loaded, address);
  if (native !== undefined) return native;
  const place = bpfPlace(address);
  const program = place && loaded.programs.get(place.progId);
  if (program === undefined) return undefined;
  return { addr: bpfAddress(program.prog.id, 0), bytes: listingOf(loaded, program).bytes };
}

/**
 * What lies `offset` bytes from `reference`, undefined where that is no address of instructions. Views keep
 * the addresses of all programs in one list, so the offset may lead into another program; else the place
 * counts from the program of the reference, also before and behind it.
 */
function placeOf(
  loaded: Loaded,
  reference: string,
  offset: number,
): { readonly program: DebugProgram | undefined; readonly offset: number } | undefined {
  const base = referenceAddress(reference);
  const from = base === undefined ? undefined : bpfPlace(base);
  if (base === undefined || from === undefined) return undefined;
  const to = bpfPlace(base + BigInt(offset));
  const other = to && loaded.programs.get(to.progId);
  if (to !== undefined && other !== undefined && to.offset < listingOf(loaded, other).bytes.length) {
    return { program: other, offset: to.offset };
  }
  return { program: loaded.programs.get(from.progId), offset: from.offset + offset };
}

function listingOf(loaded: Loaded, program: DebugProgram): Listing {
  const known = listings.get(program);
  if (known !== undefined) return known;
  const classic = ownText(loaded);
  const bytes = classic === undefined ? program.prog.insns : encodeFilters(classic.filters);
  const nSlots = bytes.length / INSN_SIZE;
  const slotOfRow = new Int32Array(nSlots);
  const rowOfSlot = new Int32Array(nSlots);
  let row = 0;
  for (let slot = 0; slot < nSlots; slot++) {
    slotOfRow[row] = slot;
    rowOfSlot[slot] = row;
    const isWide = classic === undefined && bytes[slot * INSN_SIZE] === WIDE_OPCODE;
    if (isWide && slot + 1 < nSlots) rowOfSlot[++slot] = row;
    row++;
  }
  const made = { bytes, slotOfRow: slotOfRow.subarray(0, row), rowOfSlot };
  listings.set(program, made);
  return made;
}

/** Row of a byte offset; negative before the program, from the number of rows on behind it. */
function rowAt({ slotOfRow, rowOfSlot }: Listing, offset: number): number {
  const slot = Math.floor(offset / INSN_SIZE);
  if (slot < 0) return slot;
  return rowOfSlot[slot] ?? slotOfRow.length + slot - rowOfSlot.length;
}

function describe(
  loaded: Loaded,
  program: DebugProgram,
  { bytes }: Listing,
  slot: InsnIndex,
  symbols: boolean,
): DisassembledRow {
  const { prog, lines } = program;
  const address = bpfAddress(prog.id, slot * INSN_SIZE);
  const classic = ownText(loaded);
  if (classic !== undefined) return { address, ...classicRow(classic, program, bytes, slot) };
  const decoded = decodeInsn(bytes, slot);
  const at = slot * INSN_SIZE;
  return {
    address,
    bytes: bytes.slice(at, at + decoded.length * INSN_SIZE),
    text: printInsn(decoded, 'pseudoc', symbols ? namesOf(program) : {}),
    symbol: functionAt(program, slot),
    location: lines.locationOf(slot),
  };
}

function classicRow(
  classic: ClassicDebug,
  program: DebugProgram,
  bytes: Uint8Array,
  index: number,
): Omit<DisassembledRow, 'address'> {
  const at = index * SOCK_FILTER_SIZE;
  return {
    bytes: bytes.slice(at, at + SOCK_FILTER_SIZE),
    text: classicInsnText(classic, index),
    symbol: program.attr.name,
    location: program.lines.locationOf(classic.firstSlot[index] ?? 0),
  };
}

function namesOf({ attr }: DebugProgram) {
  return {
    helper: (id: number) => helperById(id)?.name,
    map: (ref: number) => attr.maps[ref]?.name,
    func: (slot: InsnIndex) => attr.funcs.find((func) => func.insnOff === slot)?.name,
  };
}

/** Name of the function that the instruction at `slot` (as loaded) belongs to. */
function functionAt({ prog }: DebugProgram, slot: InsnIndex): string {
  const xlated = prog.firstXlated[slot] ?? 0;
  const { subprogs } = prog;
  return subprogs[lastUpTo(subprogs.length, xlated, (at) => subprogs[at]?.start ?? 0)]?.name ?? prog.name;
}

function noInstructions(reference: string): string {
  return `there are no instructions at ${reference.slice(0, 40)} (any more)`;
}
