import { writeInsn } from '#core/isa/insn.ts';
import type { FuncInfo, LineInfo, LoadAttr, MapDef, ProgType } from '#core/object/object.ts';

/** Fields of a slot: opcode, dst, src, off, imm. */
export type Slot = readonly [opcode: number, dst?: number, src?: number, off?: number, imm?: number];

/** The bytes of a program given slot by slot. */
export function bytesOf(slots: readonly Slot[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(slots.length * 8);
  slots.forEach(([opcode, dst = 0, src = 0, off = 0, imm = 0], i) => {
    writeInsn(bytes, i, { opcode, dst, src, off, imm });
  });
  return bytes;
}

/** The bytes of hex text. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
}

export const EXIT: Slot = [0x95];
export const R0_0: Slot = [0xb7, 0];

/** A program ready to load. */
export function attrOf(
  progType: ProgType,
  code: readonly Slot[] | Uint8Array,
  more: { maps?: readonly MapDef[]; lineInfo?: readonly LineInfo[]; funcs?: readonly FuncInfo[] } = {},
): LoadAttr {
  return {
    name: 'prog',
    progType,
    insns: code instanceof Uint8Array ? code : bytesOf(code),
    lineInfo: more.lineInfo ?? [],
    files: ['prog.s'],
    funcs: more.funcs ?? [],
    maps: more.maps ?? [],
    license: 'GPL',
  };
}

/** An array map of 4-byte keys. */
export function arrayMap(name: string, valueSize = 8, maxEntries = 4): MapDef {
  return { name, type: 'array', keySize: 4, valueSize, maxEntries, flags: 0 };
}
