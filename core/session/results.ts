import { hexText } from '../bytes/hex.ts';
import { cellExpressionText, scratchRow } from './classic-rows.ts';
import { INT_TYPES, type IntType } from './expression/parse.ts';
import type { ExprValue, LValue } from './expression/value.ts';
import type { DebugFrame, Loaded } from './loaded.ts';
import { memoryPlace, pointerMeaning, registerMeaning, valueMeaning, valueText } from './meaning.ts';
import type { Edited, VariableRow } from './target-rows.ts';
import { mapRow } from './variables-map.ts';

/** The frames of a stop and the selected one, which meanings are relative to. */
export interface FrameContext {
  readonly loaded: Loaded;
  readonly frames: readonly DebugFrame[];
  readonly frame: DebugFrame | undefined;
}

/** A value as a row: text, type, and where it points to. */
export function valueRow(context: FrameContext, name: string, value: ExprValue): VariableRow {
  if (value.kind === 'map') {
    const map = context.loaded.machine.maps.get(value.map.id);
    if (map !== undefined) return { ...mapRow(map), name };
  }
  if (value.kind === 'bytes') {
    const place = memoryPlace(context.loaded, value.addr);
    return {
      name,
      value: shortHex(value.bytes),
      type: `u8[${value.bytes.length}]`,
      evaluateName: name,
      ...(place === undefined ? {} : { memory: place }),
      children: { kind: 'memory', addr: value.addr, size: value.bytes.length, unit: 1, from: 0 },
      indexed: value.bytes.length,
    };
  }
  if (value.kind === 'cells') return scratchRow(name);
  return value.kind === 'int' ? intRow(context, name, value) : { name, value: 'map', type: 'map' };
}

function intRow(context: FrameContext, name: string, value: ExprValue & { kind: 'int' }): VariableRow {
  const { loaded, frames, frame } = context;
  const { lvalue, bits, type } = value;
  const isRegister = lvalue?.kind === 'register' && lvalue.width === 64;
  const pointer = pointerMeaning(loaded, frames, frame, bits);
  const meaning =
    isRegister && frame !== undefined
      ? registerMeaning(loaded, frames, frame, lvalue.reg, bits)
      : type === 'u64' || type === 's64'
        ? valueMeaning(loaded, frames, frame, bits)
        : undefined;
  // The place of a value in memory is its own; a pointer's is what it points to.
  const place = memoryPlace(loaded, pointer === undefined && lvalue?.kind === 'memory' ? lvalue.addr : bits);
  return {
    name,
    value:
      (lvalue?.kind === 'cell' && cellExpressionText(context, lvalue.cell)) || intText(bits, type, meaning),
    type: pointer === undefined ? type : 'pointer',
    evaluateName: name,
    ...(place === undefined ? {} : { memory: place }),
  };
}

/** An integer by its type: hex at its width, with decimal or meaning behind. */
function intText(bits: bigint, type: IntType, meaning: string | undefined): string {
  const { bits: width, signed } = INT_TYPES[type];
  if (meaning === undefined && signed) {
    const value = BigInt.asIntN(width, bits);
    if (value < 0n) return `${value} (0x${BigInt.asUintN(width, bits).toString(16)})`;
  }
  return valueText(bits, meaning);
}

/** What writing to `lvalue` has changed. */
export function editedBy(loaded: Loaded, lvalue: LValue): Edited {
  if (lvalue.kind === 'register' || lvalue.kind === 'cell') return {};
  const place = memoryPlace(loaded, lvalue.addr);
  const count = lvalue.kind === 'bytes' ? lvalue.size : INT_TYPES[lvalue.type].bits / 8;
  return place === undefined ? {} : { memory: { ...place, count } };
}

/** Bytes as `00 11 22`, shortened behind 64. */
export function shortHex(bytes: Uint8Array): string {
  const shown = hexText(bytes.subarray(0, 64), ' ');
  return bytes.length > 64 ? `${shown} …` : shown;
}
