const HEADER = 12;
const MAX_NAME = 255;
const MAX_LABEL = 63;

const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  65: 'HTTPS',
  255: 'ANY',
};

/**
 * A DNS message (RFC 1035) by its first question: `DNS A example.org?`, `DNS answer A example.org`;
 * undefined when the bytes are no such message.
 */
export function dnsSummary(data: Uint8Array): string | undefined {
  if (data.length < HEADER + 5) return undefined;
  const isAnswer = ((data[2] ?? 0) & 0x80) !== 0;
  const questions = ((data[4] ?? 0) << 8) | (data[5] ?? 0);
  if (questions === 0) return undefined;
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = data[at];
    if (length === undefined || length > MAX_LABEL || at + length >= data.length) return undefined;
    if (length === 0) break;
    const label = Array.from(data.subarray(at + 1, at + 1 + length), readable).join('');
    labels.push(label);
    at += 1 + length;
    if (at - HEADER > MAX_NAME) return undefined;
  }
  const name = labels.length > 0 ? labels.join('.') : '.';
  const type = ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
  const typeName = TYPES[type] ?? `type ${type}`;
  return isAnswer ? `DNS answer ${typeName} ${name}` : `DNS ${typeName} ${name}?`;
}

/** A byte of a name as it may stand in a line of text. */
function readable(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
}
