import { decodeProgram } from '../isa/decode.ts';
import type { LineInfo } from './object.ts';

/**
 * Line info that tells instructions apart: a record for each, whose line is the number of its first slot, from 1.
 * What is left of it after rewriting shows which instruction became what. `insns`: 8 bytes a slot.
 */
export function lineAnInsn(insns: Uint8Array): LineInfo[] {
  return decodeProgram(insns).map(({ index }) => ({ insnOff: index, file: 0, line: index + 1, column: 1 }));
}
