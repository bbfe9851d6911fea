import type { Insn } from '#core/isa/insn.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import type { MapDef } from '#core/object/object.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { insn, newMachine, type Ran } from '../interp/build.ts';

/** Four bytes, little endian. */
export const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
/** Eight bytes each, little endian. */
export const u64s = (...values: number[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values.map(BigInt)).buffer);

/** A machine of so many CPUs with the map. */
export function make(def: MapDef, nCpus: number): { machine: Machine; map: BpfMap } {
  const machine = newMachine({ nCpus });
  const map = createMap(machine, def);
  if (isRefusal(map)) throw new Error(map.message);
  return { machine, map };
}

/** key = *(u32 *)(fp - 4) = `key`, value = *(u64 *)(fp - 16) = `value`; R1 … R3 set; R4 = `r4`; calls `helper`. */
export function helperOn(map: BpfMap, helper: number, key: number, r4 = 0, value = 77): Insn[] {
  return [
    ...insn('stw', { dst: 10, off: -4, imm: key }),
    ...insn('stdw', { dst: 10, off: -16, imm: value }),
    ...insn('lddw_map_fd', { dst: 1, imm: map.id }),
    ...insn('mov64_reg', { dst: 2, src: 10 }),
    ...insn('add64_imm', { dst: 2, imm: -4 }),
    ...insn('mov64_reg', { dst: 3, src: 10 }),
    ...insn('add64_imm', { dst: 3, imm: -16 }),
    ...insn('mov64_imm', { dst: 4, imm: r4 }),
    ...insn('call_helper', { imm: helper }),
  ];
}

/** R0 as a signed number. */
export const signed = (ran: Ran): number => Number(BigInt.asIntN(64, ran.r0));
