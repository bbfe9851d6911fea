import type { Machine } from '../../vm/machine.ts';

/** Address of the first image. An address minus its image's is the byte offset in the module, as hosts name it in stack traces. */
export const WASM_IMAGES_AT = 0xffffffffa0000000n;
/** Where the images of another compiler begin (`IMAGES_AT` in core/jit/x86-64). */
const WASM_IMAGES_END = 0xffffffffc0000000n;
const ALIGNMENT = 0x1000n;

interface Images {
  next: bigint;
  /** By what a program's rewritten instructions lie in, which it keeps from its rewriting to its end. */
  readonly known: WeakMap<Uint8Array, bigint>;
}

const images = new WeakMap<Machine, Images>();

/**
 * The address that the module of the program with these rewritten instructions is said to lie at in `machine`: given
 * when it is asked for first, to no other program then, on a multiple of 4096. `size`: bytes of the module.
 * Undefined: all addresses have been given.
 */
export function wasmImageAddr(machine: Machine, xlated: Uint8Array, size: number): bigint | undefined {
  let its = images.get(machine);
  if (its === undefined) {
    its = { next: WASM_IMAGES_AT, known: new WeakMap() };
    images.set(machine, its);
  }
  const known = its.known.get(xlated);
  if (known !== undefined) return known;
  const addr = its.next;
  const end = addr + ((BigInt(size) + ALIGNMENT - 1n) / ALIGNMENT) * ALIGNMENT;
  if (end > WASM_IMAGES_END) return undefined;
  its.next = end;
  its.known.set(xlated, addr);
  return addr;
}
