import { hexText } from '../bytes/hex.ts';
/** `02:00:00:00:00:01` from the 6 bytes at `at`; missing bytes read as 0. */
export function macText(data: Uint8Array, at: number): string {
  return hexText(
    Array.from({ length: 6 }, (_, i) => data[at + i] ?? 0),
    ':',
  );
}

/** `10.0.0.1` from the 4 bytes at `at`. */
export function ipv4Text(data: Uint8Array, at: number): string {
  return Array.from({ length: 4 }, (_, i) => data[at + i] ?? 0).join('.');
}

/** `2001:db8::1` from the 16 bytes at `at`, shortened as RFC 5952 says. */
export function ipv6Text(data: Uint8Array, at: number): string {
  const words = Array.from(
    { length: 8 },
    (_, i) => ((data[at + 2 * i] ?? 0) << 8) | (data[at + 2 * i + 1] ?? 0),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  if (best.start < 0) return text(words);
  return `${text(words.slice(0, best.start))}::${text(words.slice(best.start + best.length))}`;
}
