import type { Assembled, AssembledInsn } from '#core/asm/assemble.ts';
import { type Decoded, decodeInsn, insnTarget, rowById } from '#core/isa/decode.ts';

/** An instruction and where it stands in the text. */
export interface PlacedInsn {
  readonly place: AssembledInsn;
  readonly decoded: Decoded;
}

/** Slots that jumps and calls go to, one set a section. Found once for a state of the text: a stop asks each time. */
const targetsOf = new WeakMap<Assembled, ReadonlyMap<number, ReadonlySet<number>>>();

/**
 * The instructions that have been executed, one after the other and each once, on the way to the one at UTF-16
 * offset `stopped`: back to the nearest place that is reached in another way as well, or to offset `from`. The last
 * one executed comes first. Empty where no instruction begins in the line of `stopped`.
 */
export function straightLineBefore(
  assembled: Assembled,
  stopped: { readonly start: number; readonly end: number },
  from: number,
): PlacedInsn[] {
  const { insnRanges } = assembled;
  let at = insnRanges.findIndex(({ range }) => range.end > stopped.start);
  let after = insnRanges[at];
  if (after === undefined || after.range.start >= stopped.end) return [];
  const targets = jumpTargets(assembled);
  const found: PlacedInsn[] = [];
  while (--at >= 0 && targets.get(after.section)?.has(after.insnOff) !== true) {
    const place = insnRanges[at];
    const decoded = place && decodedAt(assembled, place);
    if (place === undefined || decoded === undefined || place.range.end <= from) break;
    const { flow = 'next', wide } = decoded.row ?? {};
    const next = place.insnOff + (wide === true ? 2 : 1);
    if (flow === 'jump' || flow === 'exit' || place.section !== after.section || next !== after.insnOff)
      break;
    found.push({ place, decoded });
    after = place;
  }
  return found;
}

function decodedAt({ value }: Assembled, { section, insnOff }: AssembledInsn): Decoded | undefined {
  const bytes = value.sections[section]?.bytes;
  return bytes === undefined || (insnOff + 1) * 8 > bytes.length ? undefined : decodeInsn(bytes, insnOff);
}

function jumpTargets(assembled: Assembled): ReadonlyMap<number, ReadonlySet<number>> {
  const known = targetsOf.get(assembled);
  if (known !== undefined) return known;
  const found = new Map<number, Set<number>>();
  for (const place of assembled.insnRanges) {
    const { flow } = rowById(place.row);
    if (flow !== 'jump' && flow !== 'branch' && flow !== 'call') continue;
    const decoded = decodedAt(assembled, place);
    const target = decoded && insnTarget(decoded);
    if (target === undefined) continue;
    const inSection = found.get(place.section) ?? new Set();
    found.set(place.section, inSection);
    inSection.add(target);
  }
  targetsOf.set(assembled, found);
  return found;
}
