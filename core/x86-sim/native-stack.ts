import { MAX_BPF_STACK, MAX_CALL_FRAMES } from '../vm/layout.ts';

/** Bytes of one frame's part, and where in it the frame pointer (rbp) points. */
const FRAME = 1024;
const FRAME_POINTER = 896;

/**
 * What `push`, `call` and the tail-call count put on the stack. Frames have the addresses that they have in all
 * engines, a window each, so that a pointer to a frame is the same number everywhere: a `call` moves rsp into the
 * window of the next frame. What lies in them is kept apart: the program's 512 bytes in the machine's memory, these
 * words here, though their addresses may be the same where a program reaches below the bytes that it declared.
 */
export class NativeStack {
  /** The value that `load` read. */
  lo = 0;
  hi = 0;
  /** rsp of each frame's caller at the call. */
  readonly callerRsp = new Int32Array(MAX_CALL_FRAMES * 2);
  readonly #view = new DataView(new ArrayBuffer(FRAME * MAX_CALL_FRAMES));
  readonly #firstHi: number;

  /** `firstHi`: high word of the address of frame 0. */
  constructor(firstHi: number) {
    this.#firstHi = firstHi;
  }

  /** Whether these bytes are on the stack. */
  has(lo: number, hi: number, size: number): boolean {
    return this.#at(lo, hi, size) >= 0;
  }

  /** Reads 4 or 8 bytes. Throws RangeError for an address that is not on the stack. */
  load(lo: number, hi: number, size: number): void {
    const at = this.#mustBe(lo, hi, size);
    this.lo = this.#view.getInt32(at, true);
    this.hi = size === 8 ? this.#view.getInt32(at + 4, true) : 0;
  }

  /** Writes 4 or 8 bytes. Throws as `load`. */
  store(lo: number, hi: number, size: number, low: number, high: number): void {
    const at = this.#mustBe(lo, hi, size);
    this.#view.setInt32(at, low, true);
    if (size === 8) this.#view.setInt32(at + 4, high, true);
  }

  #mustBe(lo: number, hi: number, size: number): number {
    const at = this.#at(lo, hi, size);
    if (at < 0) throw new RangeError(`0x${(hi >>> 0).toString(16)}_${(lo >>> 0).toString(16)}: no stack`);
    return at;
  }

  /** Where an address lies; below the frame's first byte it is in the window before. */
  #at(lo: number, hi: number, size: number): number {
    const low = lo | 0;
    const frame = (hi - this.#firstHi + (low < 0 ? 1 : 0)) | 0;
    const inFrame = FRAME_POINTER + low - MAX_BPF_STACK;
    const outside = frame < 0 || frame >= MAX_CALL_FRAMES || inFrame < 0 || inFrame + size > FRAME;
    return outside ? -1 : frame * FRAME + inFrame;
  }
}
