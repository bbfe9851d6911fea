import { verdictName } from '../ctx/verdict.ts';
import { decodeInsn } from '../isa/decode.ts';
import { MAX_BPF_STACK } from '../vm/layout.ts';
import type { DebugFrame, Loaded } from './loaded.ts';
import type { MemoryPlace } from './target-rows.ts';

/** What an address points to, for people; `frame` is the selected one, whose stack is plain `fp - 8`. */
export function pointerMeaning(
  loaded: Loaded,
  frames: readonly DebugFrame[],
  frame: DebugFrame | undefined,
  addr: bigint,
): string | undefined {
  const region = loaded.machine.space.regionAt(addr);
  if (region === undefined) return undefined;
  if (region.kind !== 'stack') {
    return arrayElement(loaded, region.addr, addr) ?? loaded.machine.space.describe(addr);
  }
  const offset = Number(addr & 0xffffffffn);
  const owner = frames.find((one) => one.view.fp - BigInt(MAX_BPF_STACK) === region.addr);
  if (owner === undefined || offset > MAX_BPF_STACK) return undefined;
  const distance = MAX_BPF_STACK - offset;
  const where = distance === 0 ? 'fp' : `fp - ${distance}`;
  return owner === frame ? where : `${where} of ${owner.name}`;
}

/** `hits[2]`, `hits[2] + 4`, `hits[2] on CPU 1`: the element of an array map that an address lies in. */
function arrayElement(loaded: Loaded, regionAddr: bigint, addr: bigint): string | undefined {
  for (const map of loaded.maps.values()) {
    const { valueRegions = [], stride } = map;
    const cpu = valueRegions.findIndex((region) => region.addr === regionAddr);
    if (cpu < 0 || stride === undefined) continue;
    const offset = Number(addr - regionAddr);
    const index = Math.floor(offset / stride);
    if (index >= map.def.maxEntries) return undefined;
    const rest = offset - index * stride;
    const onCpu = valueRegions.length > 1 ? ` on CPU ${cpu}` : '';
    return `${map.def.name}[${index}]${rest === 0 ? '' : ` + ${rest}`}${onCpu}`;
  }
  return undefined;
}

/**
 * What a 64-bit value means: where it points to, or a small negative number's sign. undefined: a plain
 * number.
 */
export function valueMeaning(
  loaded: Loaded,
  frames: readonly DebugFrame[],
  frame: DebugFrame | undefined,
  value: bigint,
): string | undefined {
  const pointer = pointerMeaning(loaded, frames, frame, value);
  if (pointer !== undefined) return pointer;
  const signed = BigInt.asIntN(64, value);
  if (signed < 0n && signed >= -0x8000_0000n) return signed.toString();
  return undefined;
}

/** The meaning of register `reg`'s value; R0 before the main function's `exit` is a verdict. */
export function registerMeaning(
  loaded: Loaded,
  frames: readonly DebugFrame[],
  frame: DebugFrame,
  reg: number,
  value: bigint,
): string | undefined {
  if (reg === 0 && frame.view.index === 0 && isAtExit(frame)) {
    const name = verdictName(loaded.main.attr.progType, Number(value & 0xffff_ffffn));
    if (name !== undefined) return name;
  }
  return valueMeaning(loaded, frames, frame, value);
}

function isAtExit(frame: DebugFrame): boolean {
  const { insns } = frame.program.attr;
  return (frame.pc + 1) * 8 <= insns.length && decodeInsn(insns, frame.pc).row?.flow === 'exit';
}

/** `0x50 (80)`, `0xffff88040000000e packet + 14`, `0xffffffffffffffff (-1)`: a value with its meaning. */
export function valueText(value: bigint, meaning: string | undefined): string {
  const hex = `0x${value.toString(16)}`;
  if (meaning === undefined) return value > 9n && value < 0x1_0000_0000n ? `${hex} (${value})` : hex;
  return /^-\d+$/.test(meaning) ? `${hex} (${meaning})` : `${hex} ${meaning}`;
}

/** The region an address lies in (or one past), as a canonical reference and an offset. */
export function memoryPlace(loaded: Loaded, addr: bigint): MemoryPlace | undefined {
  const region = loaded.machine.space.regionAt(addr);
  if (region === undefined) return undefined;
  const offset = Number(addr & 0xffffffffn);
  return offset > region.size ? undefined : { reference: regionReference(region.addr), offset };
}

/** The one string by which a region is known to memory views. */
export function regionReference(addr: bigint): string {
  return `0x${addr.toString(16)}`;
}
