const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes as base64 with padding (RFC 4648 section 4). Neither Node's Buffer nor `btoa` is everywhere. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += DIGITS.charAt(bits >> 18) + DIGITS.charAt((bits >> 12) & 63);
    text += left > 1 ? DIGITS.charAt((bits >> 6) & 63) : '=';
    text += left > 2 ? DIGITS.charAt(bits & 63) : '=';
  }
  return text;
}

/** The bytes of a base64 text; undefined when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  const bytes = new Uint8Array(
    (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0),
  );
  let out = 0;
  for (let at = 0; at < text.length; at += 4) {
    let bits = 0;
    for (let i = 0; i < 4; i++) bits = (bits << 6) | Math.max(0, DIGITS.indexOf(text.charAt(at + i)));
    for (let shift = 16; shift >= 0 && out < bytes.length; shift -= 8) bytes[out++] = (bits >> shift) & 0xff;
  }
  return bytes;
}
