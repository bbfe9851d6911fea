import type { StackFrameRow } from '#core/protocol/messages.ts';
import { framePlace } from '../common/format.ts';

/** Bytes of a stack frame (MAX_BPF_STACK). */
const FRAME_BYTES = 512;
/** Bytes of a slot: one row of the view. */
export const SLOT_BYTES = 8;

/** One byte of a frame as the view shows it. */
export interface StackByte {
  /** Two hex digits; undefined while the program has not written it. */
  readonly hex: string | undefined;
  readonly changed: boolean;
}

/** Eight bytes of a frame, or a fold of slots that nobody has written and nobody points at. */
export type SlotRow =
  | {
      readonly kind: 'slot';
      /** Lowest byte, relative to the frame's top: −8, −16, … −512. */
      readonly at: number;
      /** Lowest address first. */
      readonly bytes: readonly StackByte[];
      /** Little-endian value as `0x…`; undefined unless all eight bytes are written. */
      readonly u64: string | undefined;
      readonly changed: boolean;
      readonly meaning: string | undefined;
      /** `r2`, `fp-16`; with the byte it points at where that is not the slot's first. */
      readonly pointers: readonly { readonly from: string; readonly at: number }[];
    }
  | { readonly kind: 'fold'; readonly from: number; readonly to: number };

/** A frame's 64 slots from `fp-8` downwards. */
export function slotsOf(frame: StackFrameRow): Extract<SlotRow, { kind: 'slot' }>[] {
  const written = coverage(frame.initialised);
  const changed = coverage(frame.changed);
  const meanings = new Map(frame.meanings.map(({ at, meaning }) => [at, meaning]));
  const rows: Extract<SlotRow, { kind: 'slot' }>[] = [];
  for (let at = -SLOT_BYTES; at >= -FRAME_BYTES; at -= SLOT_BYTES) {
    const first = FRAME_BYTES + at;
    const bytes = Array.from({ length: SLOT_BYTES }, (_, i) => ({
      hex: written[first + i] ? frame.bytes.slice(2 * (first + i), 2 * (first + i) + 2) : undefined,
      changed: changed[first + i] ?? false,
    }));
    rows.push({
      kind: 'slot',
      at,
      bytes,
      u64: littleEndian(bytes),
      changed: bytes.some((byte) => byte.changed),
      meaning: meanings.get(at),
      pointers: frame.pointers.filter((pointer) => pointer.at >= at && pointer.at < at + SLOT_BYTES),
    });
  }
  return rows;
}

/** The rows to show: runs of at least two untouched slots become one fold, unless it was opened. */
export function foldSlots(
  slots: readonly Extract<SlotRow, { kind: 'slot' }>[],
  isOpen: (fold: Extract<SlotRow, { kind: 'fold' }>) => boolean,
): SlotRow[] {
  const rows: SlotRow[] = [];
  for (let i = 0; i < slots.length; ) {
    let end = i;
    while (end < slots.length && isUntouched(slots[end])) end++;
    const [first, last] = [slots[i], slots[Math.max(i, end - 1)]];
    if (!first || !last) break;
    if (end - i < 2) {
      rows.push(first);
      i++;
      continue;
    }
    const fold = { kind: 'fold', from: first.at, to: last.at } as const;
    rows.push(fold, ...(isOpen(fold) ? slots.slice(i, end) : []));
    i = end;
  }
  return rows;
}

/** `fp-512 … fp-72`, lowest first as addresses are. */
export function foldText({ from, to }: { readonly from: number; readonly to: number }): string {
  return `${framePlace(to)} … ${framePlace(from)}`;
}

function isUntouched(slot: Extract<SlotRow, { kind: 'slot' }> | undefined): boolean {
  return (
    slot !== undefined && slot.pointers.length === 0 && slot.bytes.every((byte) => byte.hex === undefined)
  );
}

function littleEndian(bytes: readonly StackByte[]): string | undefined {
  const digits = bytes.map((byte) => byte.hex).reverse();
  return digits.includes(undefined) ? undefined : `0x${digits.join('')}`;
}

function coverage(ranges: readonly (readonly [number, number])[]): boolean[] {
  const covered = new Array<boolean>(FRAME_BYTES).fill(false);
  for (const [start, end] of ranges) covered.fill(true, start, end);
  return covered;
}
