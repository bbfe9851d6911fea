import { hexText } from '#core/bytes/hex.ts';
import { isPercpu } from '#core/maps/header.ts';
import type { MapDef } from '#core/object/object.ts';
import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import type { KernelPrograms } from '#core/platform/node/kernel/kernel-programs.ts';
import type { Styles } from './io.ts';
import { mapLines as simulatedMapLines } from './run-report.ts';

/** A map of the running kernel as it was when it was read. */
export interface MapSnapshot {
  readonly def: MapDef;
  /** Keys and values; a value of a per-CPU map is those of all CPUs. */
  readonly contents: readonly [key: Uint8Array, value: Uint8Array][];
  /** Values of an element: 1, or the CPUs. */
  readonly nValues: number;
}

/** The maps of the loaded program now; program arrays, whose values are ids of the kernel's, come empty. */
export function kernelMaps(kernel: KernelBridge, { maps }: KernelPrograms): MapSnapshot[] {
  return maps.map(({ def, fd }) => ({
    def,
    contents: def.type === 'prog_array' ? [] : kernel.mapEntries(fd),
    nValues: isPercpu(def) ? kernel.nCpus : 1,
  }));
}

/** As `run --json` has them. */
export function mapsJson(maps: readonly MapSnapshot[]): Record<string, string>[] {
  return maps.map(({ contents }) =>
    Object.fromEntries(contents.map(([key, value]) => [hexText(key), hexText(value)])),
  );
}

/** As `run` prints them. */
export function mapLines(maps: readonly MapSnapshot[], styles: Styles): string[] {
  return simulatedMapLines(
    maps.map(({ def, contents, nValues }) => ({ def, entries: () => contents, nValues })),
    styles,
  );
}
