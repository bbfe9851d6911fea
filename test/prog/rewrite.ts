import { reference } from '#core/interp/reference.ts';
import type { MapDef, ProgType } from '#core/object/object.ts';
import { bpfInsnPrepareDump } from '#core/prog/bpf-insn-prepare-dump.ts';
import { type BpfProg, bpfProgLoad } from '#core/prog/load.ts';
import { type RunOptions, type RunResult, runProgram } from '#core/session/run.ts';
import { Machine, type MachineOptions } from '#core/vm/machine.ts';
import { attrOf, bytesOf, type Slot } from './build.ts';

/** A program in a machine of its own. */
export interface Loaded {
  readonly machine: Machine;
  readonly prog: BpfProg;
}

/** Loads a program into a new machine; throws with the refusal's text. */
export function loadSlots(
  progType: ProgType,
  slots: readonly Slot[],
  maps: readonly MapDef[] = [],
  options: Partial<MachineOptions> = {},
): Loaded {
  const machine = new Machine({ shared: false, maxMemory: 2 ** 24, ...options });
  const loaded = bpfProgLoad(machine, attrOf(progType, bytesOf(slots), { maps }));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return { machine, prog: loaded.prog };
}

/** The rewritten program as dumps show it: hex of each slot, map ids as `id`. */
export function dumped({ prog }: Loaded): string[] {
  const hex = Buffer.from(bpfInsnPrepareDump(prog.code)).toString('hex');
  return (hex.match(/.{16}/g) ?? []).map((slot) => slot.replace(/^(18[12][0-9a-f]{5})\w+$/, '$1 id'));
}

/** Runs it on packet or memory. */
export function run(
  { machine, prog }: Loaded,
  data: Uint8Array<ArrayBuffer>,
  options?: RunOptions,
): RunResult {
  return runProgram(machine, prog, reference, { data, attach: 'packet' }, options);
}
