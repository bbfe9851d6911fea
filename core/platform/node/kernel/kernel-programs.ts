import { u32Bytes, u32Of } from '../../../bytes/little-endian.ts';
import type { LineInfo, LoadAttr, MapDef } from '../../../object/object.ts';
import type { KernelBridge } from './bridge.ts';
import { KernelError } from './errors.ts';
import type { KernelProg, KernelRefusal } from './prog-load.ts';

/** Programs of one object in the running kernel; maps are in the order of the main program's. */
export interface KernelPrograms {
  readonly ok: true;
  readonly main: KernelProg;
  readonly maps: readonly { readonly def: MapDef; readonly fd: number }[];
  /** Closes programs and maps. */
  close(): void;
}

/** The program that was refused, by its name. */
export interface RefusedPrograms {
  readonly ok: false;
  readonly name: string;
  readonly refusal: KernelRefusal;
}

/** What loading can be told beside the programs. */
export interface KernelLoadOptions {
  readonly logLevel?: number;
  /** Text of a line. */
  readonly lineText?: (info: LineInfo) => string;
}

/**
 * Loads `main` and the programs for its program arrays, which share maps of one name, and fills these arrays: an
 * initial entry's value is an index into `others`. A refused program leaves nothing behind. Throws KernelError where
 * a map or its entries are refused; RangeError for a type that has no number here.
 */
export function loadKernelPrograms(
  kernel: KernelBridge,
  main: LoadAttr,
  others: readonly LoadAttr[],
  options: KernelLoadOptions = {},
): KernelPrograms | RefusedPrograms {
  const maps = new Map<string, number>();
  const programs: KernelProg[] = [];
  const close = (): void => {
    for (const prog of programs) kernel.close(prog);
    for (const fd of maps.values()) kernel.close(fd);
  };
  const fdOf = (def: MapDef): number => {
    const known = maps.get(def.name);
    if (known !== undefined) return known;
    const fd = kernel.createMap(def);
    maps.set(def.name, fd);
    return fd;
  };
  try {
    for (const attr of [main, ...others]) {
      const prog = kernel.load({ ...attr, maps: attr.maps.map(fdOf), ...options });
      if (prog.refused) {
        close();
        return { ok: false, name: attr.name, refusal: prog };
      }
      programs.push(prog);
    }
    const [first, ...rest] = programs;
    if (first === undefined) throw new RangeError('no program was loaded');
    for (const def of main.maps) if (def.type === 'prog_array') fill(kernel, fdOf(def), def, rest);
    return { ok: true, main: first, maps: main.maps.map((def) => ({ def, fd: fdOf(def) })), close };
  } catch (error) {
    close();
    throw error;
  }
}

function fill(kernel: KernelBridge, fd: number, def: MapDef, programs: readonly KernelProg[]): void {
  for (const { key, value } of def.entries ?? []) {
    const index = value.length === 4 ? u32Of(value) : -1;
    const prog = programs[index];
    if (prog === undefined) {
      throw new RangeError(`map ${def.name}: an entry names program ${index}; there are ${programs.length}`);
    }
    kernel.mapUpdate(fd, key, u32Bytes(prog.fd));
  }
}

/** Why an object was not loaded, as one line: the map or what else the kernel did not take. */
export function notLoadedText(error: unknown): string | undefined {
  return error instanceof KernelError || error instanceof RangeError ? error.message : undefined;
}
