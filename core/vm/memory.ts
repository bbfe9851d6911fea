import { BlockAllocator } from './allocator.ts';

const PAGE = 65536;
/** Memory is asked of the host in steps of this many pages, so that growing stays rare. */
const GROW_PAGES = 16;

/** The machine's memory limit is reached. The message says how much was asked for and what the limit is. */
export class MemoryLimitError extends Error {
  override readonly name = 'MemoryLimitError';
}

/**
 * The one WebAssembly memory behind everything, and views of it. A memory that grows gets a new buffer
 * (and an unshared one loses the old): take the views anew after anything that may allocate, or when
 * `generation` has changed.
 */
export class LinearMemory {
  readonly shared: boolean;
  /** Most bytes it may have. */
  readonly limit: number;
  #wasm: WebAssembly.Memory;
  #blocks = new BlockAllocator();
  /** It may grow: only for the thread that made it. */
  #isOwn = true;
  #bytes: Uint8Array;
  #view: DataView;
  #words: Int32Array;
  #longs: BigInt64Array;
  #generation = 0;
  #failAfter = Number.POSITIVE_INFINITY;
  #cacheBytes = 0;
  #cacheBlocks = 0;

  /** `reserved`: bytes at the start that the allocator leaves alone; `limit` is rounded up to pages. */
  constructor(options: { shared: boolean; reserved: number; limit: number }) {
    const maximum = Math.ceil(options.limit / PAGE);
    const initial = Math.min(maximum, Math.max(GROW_PAGES, Math.ceil(options.reserved / PAGE)));
    this.#wasm = new WebAssembly.Memory({ initial, maximum, shared: options.shared });
    this.shared = options.shared;
    this.limit = maximum * PAGE;
    this.#bytes = new Uint8Array(this.wasm.buffer);
    this.#view = new DataView(this.wasm.buffer);
    this.#words = new Int32Array(this.wasm.buffer);
    this.#longs = new BigInt64Array(this.wasm.buffer);
    this.#blocks.addSpace(options.reserved, initial * PAGE);
  }

  get wasm(): WebAssembly.Memory {
    return this.#wasm;
  }

  /**
   * Goes over to the memory of a machine that another thread made by the same calls, so that what has an address there
   * has it here: this thread can then drive another CPU of that machine. What it allocates from now on comes from
   * `room`, a block that the other thread has allocated for it; what was there before is the other thread's to free.
   * Before anything has run here. Throws RangeError where a memory is not shared.
   */
  attach(memory: WebAssembly.Memory, room: { readonly at: number; readonly size: number }): void {
    const { buffer } = memory;
    if (!this.shared || !(buffer instanceof SharedArrayBuffer)) {
      throw new RangeError('only machines over shared memory can be driven by several threads');
    }
    this.#wasm = memory;
    this.#isOwn = false;
    this.#blocks = new BlockAllocator();
    this.#blocks.addSpace(room.at, room.at + room.size);
    this.#takeViews();
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get view(): DataView {
    return this.#view;
  }

  /** For Atomics; index = byte address / 4. */
  get words(): Int32Array {
    return this.#words;
  }

  /** The same by 64 bits; index = byte address / 8. */
  get longs(): BigInt64Array {
    return this.#longs;
  }

  /** Changes when the views have been replaced. */
  get generation(): number {
    return this.#generation;
  }

  /** Bytes of blocks that are out, caches left out. */
  get takenBytes(): number {
    return this.#blocks.takenBytes - this.#cacheBytes;
  }

  /** Blocks that are out, caches left out. */
  get takenBlocks(): number {
    return this.#blocks.takenSpans - this.#cacheBlocks;
  }

  /**
   * For tests of what happens when memory runs out: `nth` more calls of `alloc` succeed, the one after
   * them fails, once. Undefined: none fails.
   */
  failAfter(nth: number | undefined): void {
    this.#failAfter = nth ?? Number.POSITIVE_INFINITY;
  }

  /** Gives a zeroed block of `size` bytes; its byte address. Throws MemoryLimitError. */
  alloc(size: number, align?: number): number {
    if (this.#failAfter-- <= 0) {
      this.#failAfter = Number.POSITIVE_INFINITY;
      throw new MemoryLimitError(`${size} bytes were refused: this allocation was told to fail`);
    }
    return this.#take(size, align);
  }

  /**
   * `alloc` for what can be made again from the rest: it is in no account, so that what an engine keeps for
   * itself makes no difference to what others see. Throws MemoryLimitError.
   */
  allocCache(size: number): number {
    const before = this.#blocks.takenBytes;
    const at = this.#take(size, undefined);
    this.#cacheBytes += this.#blocks.takenBytes - before;
    this.#cacheBlocks++;
    return at;
  }

  /** Takes back the cache at `at`. */
  freeCache(at: number): void {
    const before = this.#blocks.takenBytes;
    this.#blocks.giveBack(at);
    this.#cacheBytes -= before - this.#blocks.takenBytes;
    this.#cacheBlocks--;
  }

  #take(size: number, align: number | undefined): number {
    let at = this.#blocks.take(size, align);
    if (at === undefined) {
      this.#grow(size + (align ?? 0));
      at = this.#blocks.take(size, align);
    }
    if (at === undefined) throw this.#limitError(size);
    this.#bytes.fill(0, at, at + size);
    return at;
  }

  /** Takes back the block at `at`. */
  free(at: number): void {
    this.#blocks.giveBack(at);
  }

  /** Copies bytes out: a copy that stays valid (and is never shared memory). */
  copy(at: number, size: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(size);
    out.set(this.#bytes.subarray(at, at + size));
    return out;
  }

  #grow(bytes: number): void {
    const size = this.#bytes.length;
    const needed = Math.ceil(bytes / PAGE);
    const left = (this.limit - size) / PAGE;
    if (needed > left || !this.#isOwn) throw this.#limitError(bytes);
    const pages = Math.min(left, Math.max(GROW_PAGES, needed));
    try {
      this.wasm.grow(pages);
    } catch {
      throw new MemoryLimitError(`the host refused ${bytes} more bytes for the machine (it has ${size})`);
    }
    this.#takeViews();
    this.#blocks.addSpace(size, this.#bytes.length);
  }

  #takeViews(): void {
    this.#bytes = new Uint8Array(this.wasm.buffer);
    this.#view = new DataView(this.wasm.buffer);
    this.#words = new Int32Array(this.wasm.buffer);
    this.#longs = new BigInt64Array(this.wasm.buffer);
    this.#generation++;
  }

  #limitError(bytes: number): MemoryLimitError {
    return new MemoryLimitError(
      `${bytes} bytes do not fit: the machine has ${this.takenBytes} of at most ${this.limit} bytes in use; make the maps or the input smaller`,
    );
  }
}
