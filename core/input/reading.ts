/** Copies `size` bytes from offset `at`, all of which must exist. */
export function copyBytes(view: DataView, at: number, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer, view.byteOffset + at, size).slice();
}

/** The message about a capture that cannot be read on from byte `at` of `size`. */
export function lostFrom(at: number, size: number, why: string): string {
  const rest = size - at;
  return `byte ${at}: ${why}; the last ${rest} byte${rest === 1 ? ' is' : 's are'} lost`;
}
