import { fnv1a } from '../../bytes/fnv.ts';

/** Modules that are kept for programs loaded again. */
const MAX_MODULES = 128;
/** Bytes of modules that are kept at most. */
const MAX_BYTES = 16 * 2 ** 20;

interface Entry {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly module: WebAssembly.Module;
}

/**
 * Modules by their bytes: compiling takes many times as long as emitting, and the same program loaded again
 * (into another machine, or after an edit elsewhere) gives the same bytes. What was not used for longest is
 * dropped first.
 */
export class CodeCache {
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  /** The module of these bytes. Throws what the host's compiler throws: CompileError, RangeError. */
  module(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
    const key = keyOf(bytes);
    const known = this.#entries.get(key);
    if (known !== undefined) this.#drop(key, known);
    const isSame = known !== undefined && equal(known.bytes, bytes);
    const entry = isSame ? known : { bytes: bytes.slice(), module: new WebAssembly.Module(bytes) };
    this.#entries.set(key, entry);
    this.#size += bytes.length;
    for (const [oldest, { bytes: its }] of this.#entries) {
      if (this.#entries.size <= MAX_MODULES && this.#size <= MAX_BYTES) break;
      this.#entries.delete(oldest);
      this.#size -= its.length;
    }
    return entry.module;
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#size -= entry.bytes.length;
  }
}

/** FNV-1a of the bytes, and how many they are. */
function keyOf(bytes: Uint8Array): string {
  return `${bytes.length}:${fnv1a(bytes)}`;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
