import type { Machine } from '../../vm/machine.ts';
import { MemoryLimitError } from '../../vm/memory.ts';
import type { ExecProg } from '../../vm/program.ts';
import { BreakpointFlags } from './breakpoint-flags.ts';
import { type CompiledProgram, compileProgram, isUsable, type NotCompiled } from './compile.ts';

/** Address of the first image. */
export const WASM_IMAGES_AT = 0xffffffffa0000000n;
/** Where the images of another compiler begin (`IMAGES_AT` in core/jit/x86-64). */
const WASM_IMAGES_END = 0xffffffffc0000000n;
const ALIGNMENT = 0x1000n;

/** A program's debuggable module in a machine. */
export interface DebugImage {
  readonly program: CompiledProgram;
  readonly flags: BreakpointFlags;
  /**
   * Address that the module is said to lie at, on a multiple of 4096, no other program's: an address of the code minus
   * this is a byte offset in the module, as hosts name it in stack traces.
   */
  readonly imageAddr: bigint;
}

/** What stays when the code is compiled again. */
interface Place {
  readonly flags: BreakpointFlags;
  imageAddr: bigint | undefined;
  image: DebugImage | NotCompiled | undefined;
}

/**
 * Debuggable modules of one machine, by what the rewritten instructions lie in: that is the program's from its rewriting
 * to its end, so that what was compiled when it was loaded is what is executed.
 */
class DebugImages {
  readonly #machine: Machine;
  readonly #places = new Map<Uint8Array, Place>();
  #next = WASM_IMAGES_AT;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  image(prog: ExecProg): DebugImage | NotCompiled {
    let place = this.#places.get(prog.xlated);
    const known = place?.image;
    if (known !== undefined && ('reason' in known || isUsable(known.program, this.#machine, prog)))
      return known;
    try {
      place ??= this.#newPlace(prog);
    } catch (error) {
      if (!(error instanceof MemoryLimitError)) throw error;
      return { reason: `${prog.name}: ${error.message}` };
    }
    place.image = this.#compile(prog, place);
    return place.image;
  }

  /** As it was compiled last; undefined: it was not. */
  current({ xlated }: ExecProg): DebugImage | NotCompiled | undefined {
    return this.#places.get(xlated)?.image;
  }

  #compile(prog: ExecProg, place: Place): DebugImage | NotCompiled {
    const { flags } = place;
    const program = compileProgram(this.#machine, prog, flags.at);
    if ('reason' in program) return program;
    place.imageAddr ??= this.#takeAddr(program.bytes.length);
    const { imageAddr } = place;
    if (imageAddr === undefined) return { reason: `${prog.name}: no address is left for its code` };
    return { program, flags, imageAddr };
  }

  #newPlace({ xlated }: ExecProg): Place {
    this.#sweep();
    const flags = new BreakpointFlags(this.#machine, xlated.length >> 3);
    const place: Place = { flags, imageAddr: undefined, image: undefined };
    this.#places.set(xlated, place);
    return place;
  }

  #takeAddr(size: number): bigint | undefined {
    const addr = this.#next;
    // A page more: when maps have moved, numbers of other lengths stand in the code.
    const end = addr + (BigInt(size) / ALIGNMENT + 2n) * ALIGNMENT;
    if (end > WASM_IMAGES_END) return undefined;
    this.#next = end;
    return addr;
  }

  /** Nobody tells when a program is unloaded, or not loaded after all: seen when the next one comes. */
  #sweep(): void {
    const live = new Set(Array.from(this.#machine.progs.values(), ({ xlated }) => xlated));
    for (const [xlated, { flags }] of this.#places) {
      if (live.has(xlated)) continue;
      this.#places.delete(xlated);
      flags.free();
    }
  }
}

const all = new WeakMap<Machine, DebugImages>();

function imagesOf(machine: Machine): DebugImages {
  let images = all.get(machine);
  if (images === undefined) {
    images = new DebugImages(machine);
    all.set(machine, images);
  }
  return images;
}

/** The debuggable module of `prog`, compiled when that is not done yet, or why there is none. Never throws. */
export function debugImage(machine: Machine, prog: ExecProg): DebugImage | NotCompiled {
  return imagesOf(machine).image(prog);
}

/** Whether `debugImage` was asked for `prog`. */
export function hasDebugImage(machine: Machine, prog: ExecProg): boolean {
  return imagesOf(machine).current(prog) !== undefined;
}

/** Whether `image` is still the module of `prog`: not so once the program was unloaded. */
export function isDebugImage(machine: Machine, prog: ExecProg, image: DebugImage): boolean {
  return imagesOf(machine).current(prog) === image;
}
