import type { Side } from './side.ts';
import { firstDifference, shadowOf } from './state.ts';

/** What a user has changed at a stop: enough to change it in another machine that stands at the same place. */
export interface StateEdit {
  readonly registers: readonly { readonly register: number; readonly value: bigint }[];
  readonly memory: readonly { readonly address: bigint; readonly bytes: Uint8Array }[];
}

/**
 * How `edited` differs from `other`, which was its equal before. Undefined: they differ in what no edit changes, such
 * as where they stand or which objects there are.
 */
export function editBetween(edited: Side, other: Side): StateEdit | undefined {
  const [a, b] = [edited.cpu, other.cpu];
  if (a.pc !== b.pc || a.depth !== b.depth || a.insnsExecuted !== b.insnsExecuted) return undefined;
  const registers: { register: number; value: bigint }[] = [];
  for (let register = 0; register <= 10; register++) {
    const bit = 1 << register;
    if ((a.regInitialised & bit) === 0) continue;
    const value = a.readReg(register);
    if ((b.regInitialised & bit) === 0 || value !== b.readReg(register)) registers.push({ register, value });
  }
  const memory: { address: bigint; bytes: Uint8Array }[] = [];
  const theirs = other.machine.space.regions();
  const regions = edited.machine.space.regions();
  if (regions.length !== theirs.length) return undefined;
  for (const [index, region] of regions.entries()) {
    const twin = theirs[index];
    if (twin?.id !== region.id || twin.size !== region.size) return undefined;
    const { memory: x } = edited.machine;
    const { memory: y } = other.machine;
    const [shadow, twinShadow] = [shadowOf(edited.machine, region.id), shadowOf(other.machine, region.id)];
    const same = (from: number, twinFrom: number): boolean =>
      firstDifference(edited.machine, from, other.machine, twinFrom, region.size) < 0;
    if (same(region.base, twin.base) && (shadow === 0 || same(shadow, twinShadow))) continue;
    const differs = (at: number): boolean =>
      x.bytes[region.base + at] !== y.bytes[twin.base + at] ||
      (shadow !== 0 && x.bytes[shadow + at] !== y.bytes[twinShadow + at]);
    for (let at = 0; at < region.size; at++) {
      if (!differs(at)) continue;
      let end = at + 1;
      while (end < region.size && differs(end)) end++;
      memory.push({ address: region.addr + BigInt(at), bytes: x.copy(region.base + at, end - at) });
      at = end;
    }
  }
  return { registers, memory };
}

/** Changes the same in a machine that stands where the edit was made. */
export function applyEdit({ machine, cpu }: Side, edit: StateEdit): void {
  for (const { register, value } of edit.registers) cpu.writeReg(register, value);
  for (const { address, bytes } of edit.memory) machine.space.write(address, bytes);
}
