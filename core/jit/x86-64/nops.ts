import type { Assembler, Mem } from './assembler.ts';
import { FORMS as F } from './forms.ts';
import { RAX } from './registers.ts';
import type { Form } from './row.ts';

const AT_RAX = { base: RAX, index: -1, scale: 1, disp: 0 } as const;
const AT_TWICE_RAX = { ...AT_RAX, index: RAX } as const;

/** One instruction each, by length − 3 (Intel SDM volume 2, "NOP", recommended multi-byte sequences). */
const LONG_NOPS: readonly (readonly [Form, Mem])[] = [
  [F.nop_rm32, { ...AT_RAX, dispBytes: 0 }],
  [F.nop_rm32, { ...AT_RAX, dispBytes: 1 }],
  [F.nop_rm32, { ...AT_TWICE_RAX, dispBytes: 1 }],
  [F.nop_rm16, { ...AT_TWICE_RAX, dispBytes: 1 }],
  [F.nop_rm32, { ...AT_RAX, dispBytes: 4 }],
  [F.nop_rm32, { ...AT_TWICE_RAX, dispBytes: 4 }],
];

/** One instruction of `count` bytes, 1 … 8, that does nothing. */
export function nop(asm: Assembler, count: number): void {
  const long = LONG_NOPS[count - 3];
  if (long !== undefined) asm.m(...long);
  else asm.zo(count === 2 ? F.nop66 : F.nop);
}
