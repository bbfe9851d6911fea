import { hexText } from '../bytes/hex.ts';
/** Reads what arguments point to; undefined where it cannot be read. */
export interface PrintkMemory {
  /** A C string, one character a byte. */
  string(addr: bigint): string | undefined;
  bytes(addr: bigint, size: number): Uint8Array | undefined;
}

const FLAGS = '0+- ';
const POINTER_KINDS = 'KxsS';
const INTEGERS = 'idux' + 'X';

/**
 * What `bpf_trace_printk` prints for `format` (ASCII, without its final 0) and the arguments (unsigned 64
 * bits); undefined where it gives −EINVAL. Allowed, as the uapi header tells: `%d %i %u %x %X` with `l` or
 * `ll`, `%c`, `%s`, `%p` with its kernel forms, `%pks`, `%pus`, `%pi4 %pI4 %pi6 %pI6`, `%%`; flags `0 + -`
 * and space and a width. Pointers print as their numbers: nothing here needs hiding. Letters and digits
 * right behind a `%p…` are swallowed, as the kernel does (measured on Linux 6.18).
 */
export function formatPrintk(
  format: string,
  args: readonly bigint[],
  memory: PrintkMemory,
): string | undefined {
  let out = '';
  let used = 0;
  for (let i = 0; i < format.length; ) {
    const char = format[i] as string;
    if (!isPrintable(char)) return undefined;
    if (char !== '%') {
      out += char;
      i++;
      continue;
    }
    if (format[i + 1] === '%') {
      out += '%';
      i += 2;
      continue;
    }
    const arg = args[used++];
    if (arg === undefined) return undefined;
    const spec = readSpec(format, i + 1);
    const text = spec && convert(spec, arg, memory);
    if (text === undefined) return undefined;
    out += pad(text, spec as Spec);
    i = (spec as Spec).end;
  }
  return out;
}

interface Spec {
  readonly flags: string;
  readonly width: number;
  /** `d`, `lld`, `p`, `pks`, … */
  readonly kind: string;
  /** Index of the first character behind it. */
  readonly end: number;
}

function readSpec(format: string, start: number): Spec | undefined {
  let i = start;
  const from = i;
  while (FLAGS.includes(format[i] ?? '?')) i++;
  const flags = format.slice(from, i);
  const digits = /^[1-9][0-9]*/.exec(format.slice(i))?.[0] ?? '';
  i += digits.length;
  const kind = readKind(format.slice(i));
  if (kind === undefined) return undefined;
  i += kind.length;
  if (kind.startsWith('p')) i += /^[0-9A-Za-z]*/.exec(format.slice(i))?.[0].length ?? 0;
  return { flags, width: Number(digits), kind, end: i };
}

function readKind(rest: string): string | undefined {
  const [first = '', second = '', third = ''] = rest;
  if (first === 'c' || first === 's') return first;
  if (first === 'p') {
    if (/^p[ku]s/.test(rest) || /^p[iI][46]/.test(rest)) return first + second + third;
    if (second !== '' && (POINTER_KINDS.includes(second) || second === 'B')) return first + second;
    return second === '' || /[\s!-/:-@[-`{-~]/.test(second) ? first : undefined;
  }
  const length = /^l{0,2}/.exec(rest)?.[0] ?? '';
  const letter = rest[length.length] ?? '';
  return letter !== '' && INTEGERS.includes(letter) ? length + letter : undefined;
}

function convert(spec: Spec, arg: bigint, memory: PrintkMemory): string | undefined {
  const { kind } = spec;
  if (kind === 'c') return String.fromCharCode(Number(arg & 0xffn));
  if (kind === 's' || kind === 'pks' || kind === 'pus') return memory.string(arg) ?? '';
  if (/^p[iI][46]/.test(kind)) return ipText(kind, arg, memory);
  // Symbols print as numbers too: no address here has a kernel symbol.
  if (kind === 'pS' || kind === 'ps' || kind === 'pB') return `0x${arg.toString(16)}`;
  if (kind.startsWith('p')) return arg.toString(16).padStart(16, '0');
  const bits = kind.startsWith('l') ? 64 : 32;
  const letter = kind.at(-1);
  if (letter === 'x') return BigInt.asUintN(bits, arg).toString(16);
  if (letter === 'X') return BigInt.asUintN(bits, arg).toString(16).toUpperCase();
  if (letter === 'u') return BigInt.asUintN(bits, arg).toString();
  const value = BigInt.asIntN(bits, arg);
  if (value < 0n) return value.toString();
  return (spec.flags.includes('+') ? '+' : spec.flags.includes(' ') ? ' ' : '') + value.toString();
}

/** An IP address in memory; unreadable bytes count as 0. */
function ipText(kind: string, arg: bigint, memory: PrintkMemory): string {
  const isV4 = kind.endsWith('4');
  const size = isV4 ? 4 : 16;
  const bytes = Array.from(memory.bytes(arg, size) ?? new Uint8Array(size));
  if (isV4)
    return bytes.map((byte) => (kind === 'pi4' ? String(byte).padStart(3, '0') : String(byte))).join('.');
  const hex = hexText(bytes);
  return kind === 'pI6' ? (hex.match(/..../g) ?? []).join(':') : hex;
}

function pad(text: string, spec: Spec): string {
  if (text.length >= spec.width) return text;
  if (spec.flags.includes('-')) return text.padEnd(spec.width);
  const isNumber = INTEGERS.includes(spec.kind.at(-1) ?? '');
  if (!spec.flags.includes('0') || !isNumber) return text.padStart(spec.width);
  const sign = /^[+ -]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(spec.width - sign.length, '0');
}

function isPrintable(char: string): boolean {
  const code = char.charCodeAt(0);
  return (code >= 32 && code < 127) || (code >= 9 && code <= 13);
}
