/** FNV-1a, 32 bits, unsigned: tells bytes apart that are not alike by design, nothing more. */
export function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
