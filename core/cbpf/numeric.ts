import type { Diagnostic, Parsed } from '../object/object.ts';
import { placesIn } from '../object/text-place.ts';
import { shownWord } from './lexer.ts';
import type { ClassicInsn, ClassicProgram } from './program.ts';
import { BPF_MAXINSNS, sockFilter } from './sock-filter.ts';

/** Most instructions that are read; the checker's limit is far below. */
const MAX_READ = 1 << 16;

/** Widths of the fields, in the order in which the lists have them. */
const FIELDS = [
  { name: 'code', max: 0xffff },
  { name: 'jt', max: 0xff },
  { name: 'jf', max: 0xff },
  { name: 'k', max: 0xffff_ffff },
] as const;

/**
 * Reads what `tcpdump -dd` and `bpf_asm -c` print: initialisers `{ 0x28, 0, 0, 0x0000000c },`. A
 * declaration around them (`struct sock_filter code[] = { … };`) and C comments are passed over.
 */
export function parseClassicArray(text: string): Parsed<ClassicProgram> {
  const diagnostics: Diagnostic[] = [];
  const insns: ClassicInsn[] = [];
  const placeOf = placesIn(text);
  const bare = text
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/^\s*((static|const)\s+)*struct\s+sock_filter\s+\w+\s*\[\s*\d*\s*\]\s*=\s*\{/, (head) =>
      head.replace(/[^\n]/g, ' '),
    )
    .replace(/\}\s*;\s*$/, (tail) => tail.replace(/[^\n]/g, ' '));
  let end = 0;
  for (const match of bare.matchAll(/\{([^{}]*)\}\s*,?/g)) {
    stray(bare, end, match.index, diagnostics);
    end = match.index + match[0].length;
    const from = match.index + 1;
    const words = [...(match[1] ?? '').matchAll(/[^,\s][^,]*/g)].map((word) => ({
      text: word[0].trimEnd(),
      start: from + word.index,
    }));
    const range = { start: match.index, end: match.index + (match[1] ?? '').length + 2 };
    if (insns.length >= MAX_READ) break;
    insns.push({ filter: filterOf(words, range, diagnostics), range, ...placeOf(match.index) });
  }
  stray(bare, end, bare.length, diagnostics);
  return finish('dd', text, insns, diagnostics);
}

/** What stands between initialisers and is none. */
function stray(text: string, start: number, end: number, diagnostics: Diagnostic[]): void {
  const found = /\S+/.exec(text.slice(start, end));
  if (found === null) return;
  diagnostics.push({
    range: { start: start + found.index, end: start + found.index + found[0].length },
    severity: 'error',
    code: 'syntax',
    message: 'an initialiser is wanted here: { code, jt, jf, k },',
  });
}

/**
 * Reads what `tcpdump -ddd` prints: the number of instructions, then four decimal numbers an
 * instruction; lines may be separated by commas (iptables' `--bytecode`).
 */
export function parseClassicNumbers(text: string): Parsed<ClassicProgram> {
  const diagnostics: Diagnostic[] = [];
  const insns: ClassicInsn[] = [];
  const placeOf = placesIn(text);
  const words = [...text.matchAll(/[^\s,]+/g)].map((word) => ({ text: word[0], start: word.index }));
  const [head, ...numbers] = words;
  for (let at = 0; at < numbers.length && insns.length < MAX_READ; at += 4) {
    const four = numbers.slice(at, at + 4);
    const first = four[0];
    const last = four.at(-1);
    if (first === undefined || last === undefined) break;
    const range = { start: first.start, end: last.start + last.text.length };
    insns.push({ filter: filterOf(four, range, diagnostics), range, ...placeOf(range.start) });
  }
  const count = numberOf(head?.text ?? '');
  if (head !== undefined && count !== insns.length) {
    diagnostics.push({
      range: { start: head.start, end: head.start + head.text.length },
      severity: 'error',
      code: 'wrong-count',
      message: `the first number is the number of instructions: ${insns.length} follow, not ${shownWord(head.text)}`,
      fix: { title: `Change to ${insns.length}`, newText: String(insns.length) },
    });
  }
  return finish('ddd', text, insns, diagnostics);
}

interface Word {
  readonly text: string;
  readonly start: number;
}

function filterOf(words: readonly Word[], range: { start: number; end: number }, diagnostics: Diagnostic[]) {
  if (words.length !== FIELDS.length) {
    diagnostics.push({
      range,
      severity: 'error',
      code: 'wrong-fields',
      message: `an instruction has four numbers, code, jt, jf and k; here are ${words.length}`,
    });
  }
  const [code, jt, jf, k] = FIELDS.map((field, index) => {
    const word = words[index];
    if (word === undefined) return 0;
    const value = numberOf(word.text);
    if (value !== undefined && value <= field.max) return value;
    diagnostics.push({
      range: { start: word.start, end: word.start + word.text.length },
      severity: 'error',
      code: 'bad-number',
      message: `${field.name} is a number from 0 to ${field.max}, not ${shownWord(word.text)}`,
    });
    return 0;
  });
  return sockFilter(code ?? 0, k, jt, jf);
}

function numberOf(text: string): number | undefined {
  return /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined;
}

function finish(
  form: 'dd' | 'ddd',
  text: string,
  insns: readonly ClassicInsn[],
  diagnostics: Diagnostic[],
): Parsed<ClassicProgram> {
  if (insns.length === 0 && diagnostics.length === 0) {
    diagnostics.push({
      range: { start: 0, end: text.length },
      severity: 'error',
      code: 'empty-program',
      message: `there is no instruction; a program has 1 to ${BPF_MAXINSNS}`,
    });
  }
  diagnostics.sort((a, b) => a.range.start - b.range.start);
  return { value: { form, text, tokens: [], insns, labels: [], uses: [] }, diagnostics };
}
