/** String literals of the assembler: C's escapes, octal and hexadecimal, UTF-8. */

/** A literal's bytes; `problem` is the first thing wrong, positions counted from the opening quote. */
export interface Unescaped {
  readonly bytes: Uint8Array;
  readonly problem: { readonly start: number; readonly end: number; readonly message: string } | undefined;
}

const SIMPLE: Readonly<Record<string, number>> = {
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  '"': 34,
  '\\': 92,
  "'": 39,
};

/** The bytes of a literal with its quotes: octal escapes have up to three digits, `\x` takes the last two. */
export function stringBytes(literal: string): Unescaped {
  const out: number[] = [];
  let problem: Unescaped['problem'];
  const end = literal.length - 1;
  let plain = 1;
  const flush = (to: number) => {
    if (to > plain) for (const byte of new TextEncoder().encode(literal.slice(plain, to))) out.push(byte);
  };
  for (let at = 1; at < end; ) {
    if (literal[at] !== '\\') {
      at++;
      continue;
    }
    flush(at);
    const next = literal[at + 1] ?? '';
    const octal = /^[0-7]{1,3}/.exec(literal.slice(at + 1, Math.min(end, at + 4)));
    const hex = next === 'x' ? /^[0-9a-fA-F]+/.exec(literal.slice(at + 2, end)) : null;
    let length = 2;
    if (octal) {
      out.push(Number.parseInt(octal[0], 8) & 255);
      length = 1 + octal[0].length;
    } else if (hex) {
      out.push(Number.parseInt(hex[0].slice(-2), 16));
      length = 2 + hex[0].length;
    } else if (SIMPLE[next] !== undefined) {
      out.push(SIMPLE[next]!);
    } else {
      problem ??= {
        start: at,
        end: at + 2,
        message: `unknown escape \`\\${next}\`; known are \\n \\t \\r \\b \\f \\" \\\\ \\ooo (octal) and \\xhh`,
      };
    }
    at += length;
    plain = at;
  }
  flush(end);
  return { bytes: Uint8Array.from(out), problem };
}
