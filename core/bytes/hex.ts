/** Two lower-case digits a byte, `separator` between bytes. */
export function hexText(bytes: Iterable<number>, separator = ''): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(separator);
}

/**
 * The bytes of plain hex text: two digits a byte, white space, `:` and `_` between them and `0x` in front
 * allowed; undefined when it is anything else. For text that people paste, `parseHexBytes` of `core/input`
 * takes more and says what is wrong.
 */
export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  const digits = text.replace(/^\s*0x/i, '').replace(/[\s:_]+/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return undefined;
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}
