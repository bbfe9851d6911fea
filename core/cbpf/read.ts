import type { Parsed } from '../object/object.ts';
import { parseClassicArray, parseClassicNumbers } from './numeric.ts';
import { parseClassicText } from './parse.ts';
import type { ClassicForm, ClassicProgram } from './program.ts';

/** What a classic program's text is, by its content; `asm` and `d` are told apart by the numbers in front. */
export function classicFormOf(text: string): ClassicForm {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, ' ').trimStart();
  if (bare.startsWith('{') || /^((static|const)\s+)*struct\s+sock_filter\b/.test(bare)) return 'dd';
  if (/^\d+\s*(\n|,|$)/.test(bare)) return 'ddd';
  return bare.startsWith('(') ? 'd' : 'asm';
}

/** Reads a classic program in any of its forms. Never throws on a text's content. */
export function readClassic(text: string): Parsed<ClassicProgram> {
  const form = classicFormOf(text);
  if (form === 'dd') return parseClassicArray(text);
  return form === 'ddd' ? parseClassicNumbers(text) : parseClassicText(text);
}
