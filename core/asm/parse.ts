import type { Diagnostic } from '../object/object.ts';
import { DIALECT_GNU, DIALECT_PSEUDOC } from './grammar.ts';
import { type LineError, type ParsedLine, parseLine, type Statement } from './statement.ts';
import { type AsmToken, tokensOfLine } from './tokens.ts';

/** Text to lines of statements: error-tolerant, lossless (the text is kept), and incremental by line. */

/** The dialects a source may be written in. */
export type SourceDialect = 'pseudoc' | 'gnu';

/** One line of a source. Positions in `parsed` count from `start`, everything else is absolute. */
export class AsmLine {
  /** 0-based. */
  readonly number: number;
  /** UTF-16 offset of the line's first character. */
  readonly start: number;
  readonly parsed: ParsedLine;
  readonly #text: string;

  constructor(number: number, start: number, parsed: ParsedLine, text: string) {
    this.number = number;
    this.start = start;
    this.parsed = parsed;
    this.#text = text;
  }

  /** Behind the line's last character; its line feed stands there. */
  get end(): number {
    return this.start + this.parsed.length;
  }

  /** All tokens of the line with absolute ranges, comments included; lexed anew on each call. */
  get tokens(): readonly AsmToken[] {
    return tokensOfLine(this.#text, this.start, this.end, this.parsed);
  }

  /** The line's statements with absolute ranges. */
  get statements(): readonly AsmStatement[] {
    const tokens = this.tokens;
    let next = 0;
    return this.parsed.statements.map((node) => {
      const start = this.start + node.start;
      const end = this.start + node.end;
      while (next < tokens.length && tokens[next]!.start < start) next++;
      const first = next;
      while (next < tokens.length && tokens[next]!.end <= end) next++;
      return { start, end, node, tokens: tokens.slice(first, next) };
    });
  }
}

/** A statement with absolute positions; those inside `node` count from the line's start. */
export interface AsmStatement {
  readonly start: number;
  readonly end: number;
  readonly node: Statement;
  readonly tokens: readonly AsmToken[];
}

/** A parsed source. Immutable; `updateText` makes the next one. */
export interface AsmTree {
  readonly text: string;
  /** The dialect of most statements (`pseudoc` when there are none); both may be mixed unless one was asked for. */
  readonly dialect: SourceDialect;
  readonly lines: readonly AsmLine[];
  /** UTF-16 offset of each line's start. */
  readonly lineStarts: readonly number[];
  /** Syntax errors only; `assemble` adds the rest. */
  readonly diagnostics: readonly Diagnostic[];
  /** What `parseText` was told. */
  readonly wantedDialect: 'auto' | SourceDialect;
}

/** After how many lines a parse tells how far it is. */
const LINES_A_REPORT = 0x2000;

/** Options of `parseText`. */
export interface ParseOptions {
  readonly dialect?: 'auto' | SourceDialect;
  /** Told now and then which part (0 … 1) is done. */
  readonly onProgress?: (done: number) => void;
}

class Tree implements AsmTree {
  readonly text: string;
  readonly lines: readonly AsmLine[];
  readonly wantedDialect: 'auto' | SourceDialect;
  #diagnostics: readonly Diagnostic[] | undefined;
  #lineStarts: readonly number[] | undefined;
  #dialect: SourceDialect | undefined;

  constructor(text: string, lines: readonly AsmLine[], wanted: 'auto' | SourceDialect) {
    this.text = text;
    this.lines = lines;
    this.wantedDialect = wanted;
  }

  get dialect(): SourceDialect {
    if (this.wantedDialect !== 'auto') return this.wantedDialect;
    if (this.#dialect === undefined) {
      let balance = 0;
      for (const { parsed } of this.lines) balance += parsed.nGnu - parsed.nPseudoc;
      this.#dialect = balance > 0 ? 'gnu' : 'pseudoc';
    }
    return this.#dialect;
  }

  get lineStarts(): readonly number[] {
    this.#lineStarts ??= this.lines.map((line) => line.start);
    return this.#lineStarts;
  }

  get diagnostics(): readonly Diagnostic[] {
    this.#diagnostics ??= collectErrors(this.text, this.lines);
    return this.#diagnostics;
  }
}

/** Parses a whole text. Never throws: what is wrong is in `diagnostics`. */
export function parseText(text: string, options: ParseOptions = {}): AsmTree {
  const wanted = options.dialect ?? 'auto';
  const lines: AsmLine[] = [];
  const mask = dialectMask(wanted);
  let start = 0;
  let inComment = false;
  for (;;) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed;
    if (lines.length % LINES_A_REPORT === 0) options.onProgress?.(start / (text.length + 1));
    const parsed = parseLine(text, start, end, inComment, mask);
    lines.push(new AsmLine(lines.length, start, parsed, text));
    inComment = parsed.endsInComment;
    if (feed < 0) break;
    start = feed + 1;
  }
  return new Tree(text, lines, wanted);
}

/** A replacement of `[start, end)` (UTF-16 offsets) by `newText`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

/**
 * The tree of the edited text. Only lines that the edit touches are parsed again, and those behind
 * them whose being inside a block comment changes. The result equals a parse of the whole text.
 */
export function updateText(tree: AsmTree, edit: TextEdit): AsmTree {
  const start = Math.max(0, Math.min(edit.start, edit.end, tree.text.length));
  const end = Math.min(tree.text.length, Math.max(edit.start, edit.end, 0));
  const text = tree.text.slice(0, start) + edit.newText + tree.text.slice(end);
  const mask = dialectMask(tree.wantedDialect);
  const first = lineIndexAt(tree, start);
  const last = lineIndexAt(tree, end);
  const shift = text.length - tree.text.length;
  const lines: AsmLine[] = [];
  for (let i = 0; i < first; i++) {
    const line = tree.lines[i]!;
    lines.push(new AsmLine(i, line.start, line.parsed, text));
  }
  let at = tree.lines[first]!.start;
  let inComment = tree.lines[first]!.parsed.startsInComment;
  const dirtyEnd = tree.lines[last]!.end + shift;
  let next = last + 1;
  for (;;) {
    const feed = text.indexOf('\n', at);
    const lineEnd = feed < 0 ? text.length : feed;
    const parsed = parseLine(text, at, lineEnd, inComment, mask);
    lines.push(new AsmLine(lines.length, at, parsed, text));
    inComment = parsed.endsInComment;
    if (feed < 0) return new Tree(text, lines, tree.wantedDialect);
    at = feed + 1;
    if (lineEnd < dirtyEnd) continue;
    if (lineEnd > dirtyEnd) next++;
    if (tree.lines[next]?.parsed.startsInComment === inComment) break;
  }
  for (; next < tree.lines.length; next++) {
    const line = tree.lines[next]!;
    lines.push(new AsmLine(lines.length, line.start + shift, line.parsed, text));
  }
  return new Tree(text, lines, tree.wantedDialect);
}

/** Index of the line that holds `offset`; a line feed belongs to the line it ends. */
export function lineIndexAt(tree: AsmTree, offset: number): number {
  const { lines } = tree;
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle]!.start <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function dialectMask(dialect: 'auto' | SourceDialect): number {
  return dialect === 'pseudoc'
    ? DIALECT_PSEUDOC
    : dialect === 'gnu'
      ? DIALECT_GNU
      : DIALECT_PSEUDOC | DIALECT_GNU;
}

function collectErrors(text: string, lines: readonly AsmLine[]): Diagnostic[] {
  const out: Diagnostic[] = [];
  for (const line of lines) {
    for (const error of line.parsed.errors) out.push(toDiagnostic(error, line.start));
  }
  const last = lines.at(-1);
  if (last?.parsed.endsInComment) {
    const open = text.lastIndexOf('/*');
    out.push({
      range: { start: Math.max(0, open), end: Math.min(text.length, open + 2) },
      severity: 'error',
      code: 'open-comment',
      message: 'this comment is never closed; end it with `*/`',
    });
  }
  return out;
}

/** Moves an error of a line to its place in the text. */
function toDiagnostic(error: LineError, lineStart: number): Diagnostic {
  return {
    range: { start: lineStart + error.start, end: lineStart + error.end },
    severity: 'error',
    code: error.code,
    message: error.message,
    ...(error.fix
      ? {
          fix: {
            title: error.fix.title,
            newText: error.fix.newText,
            range: { start: lineStart + error.fix.start, end: lineStart + error.fix.end },
          },
        }
      : {}),
  };
}
