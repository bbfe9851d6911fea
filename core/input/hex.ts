import type { Diagnostic, Parsed } from '../object/object.ts';

/** Most bytes that hex text may give: 16 MiB. */
const MAX_HEX_BYTES = 16 * 1024 * 1024;

const MAX_DIAGNOSTICS = 20;

/**
 * Reads bytes written as hex digits: bare (`00ff12`), in groups of any even length with spaces, commas,
 * colons or dashes between them, with `0x` or `\x` before each, over several lines, `#` and `//` to the
 * end of the line ignored. The listings of `xxd`, `hexdump -C`, `od -A x -t x1` and `tcpdump -x` are
 * understood: an offset at the line's start and a text column behind the bytes are left out.
 *
 * Never throws; what cannot be read is told with its range and left out.
 */
export function parseHexBytes(text: string): Parsed<Uint8Array<ArrayBuffer>> {
  const bytes: number[] = [];
  const diagnostics: Diagnostic[] = [];
  const report = (start: number, end: number, code: string, message: string): void => {
    if (diagnostics.length < MAX_DIAGNOSTICS) {
      diagnostics.push({ range: { start, end }, severity: 'error', code, message });
    }
  };
  let start = 0;
  for (const line of text.split('\n')) {
    const room = MAX_HEX_BYTES - bytes.length;
    if (room <= 0) {
      report(start, text.length, 'too-long', `more than ${MAX_HEX_BYTES} bytes; the rest is left out`);
      break;
    }
    readLine(line, start, bytes, report);
    start += line.length + 1;
  }
  return { value: Uint8Array.from(bytes.slice(0, MAX_HEX_BYTES)), diagnostics };
}

type Report = (start: number, end: number, code: string, message: string) => void;

/** `00000010:`, `0x0010:`, `00000010  ` (hexdump -C, od): the offset column of a listing. */
const OFFSET = /^\s*(?:(?:0x)?[0-9a-f]+:\s|(?:0x)?[0-9a-f]{6,8}\s\s|[0-9a-f]{6,8}\s(?=[0-9a-f]{2}\s))/i;
/** A line that is an offset alone: the end of a `hexdump` or `od` listing. */
const LONE_OFFSET = /^\s*[0-9a-f]{6,8}\s*$/i;
/** `12:34:56.789012 IP …`: the line that tcpdump prints above the bytes. */
const TCPDUMP_HEAD = /^\s*\d\d:\d\d:\d\d\.\d+ /;

function readLine(line: string, start: number, bytes: number[], report: Report): void {
  let from = 0;
  let end = line.length;
  if (TCPDUMP_HEAD.test(line)) return;
  const comment = /#|\/\//.exec(line);
  if (comment && !OFFSET.test(line)) end = comment.index;
  const offset = OFFSET.exec(line);
  if (offset) {
    from = offset[0].length;
    end = from + listingBytes(line.slice(from));
  } else if (LONE_OFFSET.test(line) && bytes.length > 0 && Number.parseInt(line, 16) === bytes.length) {
    return;
  }
  const words = /[^\s,;:\-|{}[\]()]+/g;
  const part = line.slice(0, end);
  words.lastIndex = from;
  for (let word = words.exec(part); word; word = words.exec(part)) {
    readWord(word[0], start + word.index, bytes, report);
  }
}

/** Length of the bytes' part of a listing's line: up to the `|…|` or the text column behind two blanks. */
function listingBytes(rest: string): number {
  const bar = rest.indexOf('|');
  const upToBar = bar < 0 ? rest.length : bar;
  const column = /\S\s{2,}(?=\S)/g;
  let end = upToBar;
  for (let gap = column.exec(rest); gap && gap.index < upToBar; gap = column.exec(rest)) {
    const behind = rest.slice(gap.index + gap[0].length, upToBar);
    // hexdump -C has a double blank between its two groups of eight: only a last column is text.
    if (!/^(?:[0-9a-f]{2}\s+)*[0-9a-f]{2}\s*$/i.test(behind) || behind.trim().length === 0) {
      end = gap.index + 1;
      if (!/^(?:[0-9a-f]{2}\s+)+/i.test(behind)) break;
      end = upToBar;
    }
  }
  return end;
}

function readWord(word: string, start: number, bytes: number[], report: Report): void {
  const digits = word.replace(/^["']|["']$/g, '').replace(/0x|\\x/gi, '');
  const wrong = /[^0-9a-f]/i.exec(digits);
  if (wrong) {
    const message = `"${word.slice(0, 20)}" is no hex; bytes are two digits 0–9, a–f each`;
    report(start, start + word.length, 'not-hex', message);
    return;
  }
  // A single digit with a prefix (0x5) is a byte of its own; without, half a byte is missing.
  if (digits.length % 2 !== 0 && !(digits.length === 1 && /^(?:0x|\\x)/i.test(word))) {
    const message = `"${word.slice(0, 20)}" has an odd number of hex digits; a byte has two`;
    report(start, start + word.length, 'odd-hex', message);
    return;
  }
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  for (let i = 0; i < even.length; i += 2) bytes.push(Number.parseInt(even.slice(i, i + 2), 16));
}
