import { disassembleText } from '#core/asm/disassemble.ts';
import { hexText } from '#core/bytes/hex.ts';
import { decodeInsn } from '#core/isa/decode.ts';
import { helperById } from '#core/isa/helpers.ts';
import { INSN_SIZE } from '#core/isa/insn.ts';
import { printInsn } from '#core/isa/print.ts';
import type { LoadAttr } from '#core/object/object.ts';
import type { BpfProg } from '#core/prog/load.ts';

/** What `disasm` shows of a program. */
export interface ListingOptions {
  readonly dialect: 'pseudoc' | 'gnu' | 'kernel';
  /** With number and bytes of each instruction. */
  readonly bytes: boolean;
  /** The loaded program, to be shown as rewritten; undefined: as it is in the file. */
  readonly xlated: BpfProg | undefined;
  /** Text that line info refers to, by line; undefined: there is none. */
  readonly sourceLines: readonly string[] | undefined;
}

/** Instructions as text: with labels where the dialect can be assembled again, as `bpftool` has them where not. */
export function textLines(
  insns: Uint8Array,
  dialect: ListingOptions['dialect'],
  names?: Parameters<typeof disassembleText>[2],
): string[] {
  if (dialect !== 'kernel') return disassembleText(insns, dialect, names);
  const lines: string[] = [];
  for (let slot = 0; slot * INSN_SIZE < insns.length; ) {
    const decoded = decodeInsn(insns, slot);
    lines.push(printInsn(decoded, dialect, { helper: helperName, ...names }));
    slot += decoded.length;
  }
  return lines;
}

/** One program as text: re-assemblable, or with numbers and bytes, or as rewritten. */
export function listing(attr: LoadAttr, options: ListingOptions): string {
  if (!options.bytes && !options.xlated) {
    const names = {
      map: (ref: number) => attr.maps[ref]?.name,
      func: (slot: number) => attr.funcs.find((func) => func.insnOff === slot)?.name,
    };
    return textLines(attr.insns, options.dialect, names).join('\n');
  }
  const origIdx = options.xlated?.origIdx;
  const insns = options.xlated?.xlated ?? attr.insns;
  const map = (ref: number): string | undefined =>
    // Rewritten instructions have the map's id.
    (options.xlated ? options.xlated.maps.find(({ id }) => id === ref)?.def : attr.maps[ref])?.name;
  const lines = [
    `${attr.name}: ${insns.length / INSN_SIZE} instructions${options.xlated ? ', rewritten' : ''}`,
  ];
  for (let slot = 0; slot * INSN_SIZE < insns.length; ) {
    const original = origIdx?.[slot] ?? slot;
    lines.push(...headings(attr, original, origIdx === undefined || origIdx[slot - 1] !== original, options));
    const decoded = decodeInsn(insns, slot);
    const text = printInsn(decoded, options.dialect, {
      map,
      ...(options.dialect === 'kernel' ? { helper: helperName } : {}),
    });
    const number = `${String(slot).padStart(5)}:`;
    const from = origIdx === undefined ? '' : ` ${`(${original})`.padStart(7)}`;
    const raw = hexText(insns.subarray(slot * INSN_SIZE, (slot + decoded.length) * INSN_SIZE));
    const bytes = options.bytes ? ` ${raw.slice(0, 16).replace(/(..)/g, ' $1')}` : '';
    lines.push(`${number}${from}${bytes}  ${text}`);
    slot += decoded.length;
  }
  return lines.join('\n');
}

function helperName(id: number): string | undefined {
  return helperById(id)?.name;
}

/** Function names and source lines that stand in front of an instruction. */
function headings(attr: LoadAttr, slot: number, isFirst: boolean, options: ListingOptions): string[] {
  if (!isFirst) return [];
  const lines: string[] = [];
  const func = attr.funcs.find((each) => each.insnOff === slot);
  if (func !== undefined) lines.push(`${func.name}:`);
  for (const info of attr.lineInfo.filter((each) => each.insnOff === slot)) {
    const text = info.file === 0 ? options.sourceLines?.[info.line - 1]?.trim() : undefined;
    const file = attr.files[info.file] ?? '?';
    lines.push(`; ${file}:${info.line}${text ? `  ${text}` : ''}`);
  }
  return lines;
}
