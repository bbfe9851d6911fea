const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NO_DIGIT = 255;
const PADDING = '='.charCodeAt(0);
/** Value of a digit by its character code. */
const VALUES = new Uint8Array(128).fill(NO_DIGIT);
for (let value = 0; value < DIGITS.length; value++) VALUES[DIGITS.charCodeAt(value)] = value;

/**
 * Bytes as base64 with padding (RFC 4648 section 4). Neither Node's Buffer nor `btoa` is everywhere. A text that is put
 * together digit by digit takes 30 bytes for each of the bytes until somebody reads it.
 */
export function toBase64(bytes: Uint8Array): string {
  const digits = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PADDING);
  let out = 0;
  for (let at = 0; at < bytes.length; at += 3, out += 4) {
    const left = bytes.length - at;
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    digits[out] = DIGITS.charCodeAt(bits >> 18);
    digits[out + 1] = DIGITS.charCodeAt((bits >> 12) & 63);
    if (left > 1) digits[out + 2] = DIGITS.charCodeAt((bits >> 6) & 63);
    if (left > 2) digits[out + 3] = DIGITS.charCodeAt(bits & 63);
  }
  return new TextDecoder().decode(digits);
}

/**
 * The bytes of base64 text with padding; undefined when it is none. Digit by digit: a regular expression
 * over a whole capture runs out of stack.
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined;
  const nPadding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const nDigits = text.length - nPadding;
  const bytes = new Uint8Array((text.length / 4) * 3 - nPadding);
  let out = 0;
  let bits = 0;
  for (let at = 0; at < nDigits; at++) {
    const value = VALUES[text.charCodeAt(at)] ?? NO_DIGIT;
    if (value === NO_DIGIT) return undefined;
    bits = ((bits << 6) | value) & 0xffffff;
    // Each digit but the first of four completes a byte; how many bits lie behind it depends on its place.
    if (at % 4 > 0) bytes[out++] = bits >> (6 - 2 * (at % 4));
  }
  return bytes;
}
