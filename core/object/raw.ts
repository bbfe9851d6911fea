import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS } from './elf-constants.ts';
import type { BpfObject, Diagnostic, LineInfo, MapDef, Parsed, ProgType } from './object.ts';

/** Programs that come as bytes or hexadecimal text, and what kind of input a file is. */

/** Options of `objectFromInsns`. */
export interface RawOptions {
  /** Name of the program. */
  readonly name: string;
  readonly fileName?: string;
  readonly progType?: ProgType;
  /** Maps that loads refer to by index. */
  readonly maps?: MapDef[];
  readonly lineInfo?: readonly LineInfo[];
  readonly wasClassic?: true;
}

/** Wraps instructions (8 bytes a slot, little endian; a last partial slot is dropped) into an object. */
export function objectFromInsns(insns: Uint8Array, options: RawOptions): BpfObject {
  const length = Math.floor(insns.length / INSN_SIZE);
  const bytes = insns.slice(0, length * INSN_SIZE);
  return {
    files: [options.fileName ?? options.name],
    sections: [
      {
        name: '.text',
        type: SHT_PROGBITS,
        flags: SHF_ALLOC | SHF_EXECINSTR,
        align: 8,
        bytes,
        size: bytes.length,
        relocs: [],
        lineInfo: options.lineInfo ?? [],
      },
    ],
    symbols: [
      {
        name: options.name,
        section: 0,
        value: 0n,
        size: bytes.length,
        binding: 'global',
        type: 'func',
        visibility: 'default',
      },
    ],
    maps: options.maps ?? [],
    programs: length
      ? [
          {
            name: options.name,
            section: 0,
            start: 0 as InsnIndex,
            length,
            progType: options.progType,
            range: undefined,
            ...(options.wasClassic === undefined ? {} : { wasClassic: options.wasClassic }),
          },
        ]
      : [],
  };
}

/** Hexadecimal text beyond this many bytes is refused. */
const MAX_HEX_BYTES = 16 * 1024 * 1024;

/**
 * Reads hexadecimal text: pairs of digits with white space, commas, `0x`, `\x` or nothing between
 * them; `#` and `//` begin comments. What is no digit is an error at its place; the bytes before it stand.
 */
export function parseHexInsns(text: string): Parsed<Uint8Array> {
  const diagnostics: Diagnostic[] = [];
  const bytes: number[] = [];
  const error = (start: number, end: number, code: string, message: string) =>
    diagnostics.push({ range: { start, end }, severity: 'error', code, message });
  let at = 0;
  while (at < text.length) {
    const c = text[at]!;
    if (/[\s,;{}]/.test(c)) at++;
    else if (c === '#' || text.startsWith('//', at)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (/^(0x|\\x)/i.test(text.slice(at, at + 2))) at += 2;
    else if (/^[0-9a-f]{2}$/i.test(text.slice(at, at + 2))) {
      if (bytes.length >= MAX_HEX_BYTES) {
        error(at, text.length, 'too-long', `more than ${MAX_HEX_BYTES} bytes`);
        break;
      }
      bytes.push(Number.parseInt(text.slice(at, at + 2), 16));
      at += 2;
    } else {
      const one = /[0-9a-f]/i.test(c);
      error(
        at,
        at + 1,
        one ? 'half-byte' : 'not-hex',
        one ? `a byte has two digits: 0${c}` : `\`${c}\` is not a hexadecimal digit`,
      );
      break;
    }
  }
  if (diagnostics.length === 0 && bytes.length % INSN_SIZE !== 0) {
    error(
      0,
      text.length,
      'partial-instruction',
      `${bytes.length} bytes are not whole instructions of 8 bytes; ${INSN_SIZE - (bytes.length % INSN_SIZE)} are missing at the end`,
    );
  }
  return { value: Uint8Array.from(bytes), diagnostics };
}

/** Kinds of input: assembly text, ELF object, raw instructions, hexadecimal text, classic BPF in three forms. */
export type SourceKind = 'asm' | 'elf' | 'raw' | 'hex' | 'cbpf' | 'cbpf-dd' | 'cbpf-ddd';

/**
 * What a file is, by the first bytes of its content (some hundred suffice), then by its name.
 * `tcpdump -ddd` prints a count and lines of four numbers; `tcpdump -dd` C initialisers; `tcpdump -d`
 * numbers its lines: `(000) ldh [12]`.
 */
export function recogniseSource(name: string, head: Uint8Array): SourceKind {
  if (head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46) return 'elf';
  const extension = /\.[^./\\]*$/.exec(name.toLowerCase())?.[0] ?? '';
  if (!isText(head)) return 'raw';
  const text = new TextDecoder().decode(head);
  if (/^\s*\{\s*(0x[0-9a-f]+|\d+)\s*,\s*\d+\s*,\s*\d+\s*,\s*(0x[0-9a-f]+|\d+)\s*\},?/i.test(text))
    return 'cbpf-dd';
  if (/^\s*((static|const)\s+)*struct\s+sock_filter\b/.test(text)) return 'cbpf-dd';
  if (/^\s*\d+\s*(\n|,)\s*\d+ \d+ \d+ \d+/.test(text)) return 'cbpf-ddd';
  if (/^\s*\(\d{3,}\)\s+[a-z]/.test(text)) return 'cbpf';
  if (extension === '.cbpf') return 'cbpf';
  if (extension === '.bin') return 'raw';
  if (extension === '.hex') return 'hex';
  if (extension === '.s' || extension === '.bpfasm' || extension === '.ebpf') return 'asm';
  if (/^\s*((0x|\\x)?[0-9a-f]{2}[\s,]*){8,}$/i.test(lastWholeByte(text))) return 'hex';
  return 'asm';
}

/** The head may end in the middle of a byte. */
function lastWholeByte(text: string): string {
  return text.replace(/(^|[\s,x])[0-9a-f]$/i, '$1').replace(/(0x|\\x|\\)$/i, '');
}

function isText(head: Uint8Array): boolean {
  for (const byte of head)
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127) return false;
  return true;
}
