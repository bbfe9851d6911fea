import { suggest } from '../asm/suggest.ts';
import type { Diagnostic, Parsed, TextRange } from '../object/object.ts';
import { type Place, placesIn } from '../object/text-place.ts';
import { type ClassicToken, lexClassic, shownWord } from './lexer.ts';
import { type Operand, OperandReader, type Target, wanted } from './operand.ts';
import type { ClassicInsn, ClassicLabel, ClassicLabelUse, ClassicProgram } from './program.ts';
import { BPF_MAXINSNS, sockFilter } from './sock-filter.ts';
import { CLASSIC_NAMES, type ClassicInsnRow, type NamedRow, rowsNamed } from './table.ts';

/** Longest jump of a condition, in instructions: `jt` and `jf` have 8 bits. */
const MAX_SKIP = 255;

/**
 * Reads a program in the bpf_asm language (tools/bpf/bpf_asm in Linux) or as `tcpdump -d` lists it. The
 * language knows no lines: a statement ends where the next begins. What is wrong is told at its place;
 * an instruction that cannot be read is left out, the rest is read.
 */
export function parseClassicText(text: string): Parsed<ClassicProgram> {
  return new Parser(text).run();
}

/** Labels that are looked for among those that there are, in one text. */
const MAX_SUGGESTIONS = 100;

/** An instruction before its labels are known. */
interface Pending {
  readonly row: ClassicInsnRow;
  readonly k: number;
  readonly range: TextRange;
  readonly onTrue: Target | undefined;
  readonly onFalse: Target | undefined;
}

class Parser {
  readonly #text: string;
  readonly #all: readonly ClassicToken[];
  readonly #tokens: readonly ClassicToken[];
  readonly #diagnostics: Diagnostic[] = [];
  readonly #pending: Pending[] = [];
  readonly #labels = new Map<string, ClassicLabel>();
  readonly #uses: ClassicLabelUse[] = [];
  /** Labels since the last instruction. */
  #open: ClassicToken[] = [];
  #nSuggestions = 0;
  #at = 0;
  #listing = false;

  constructor(text: string) {
    this.#text = text;
    this.#all = lexClassic(text);
    this.#tokens = this.#all.filter((token) => token.kind !== 'space' && token.kind !== 'comment');
  }

  run(): Parsed<ClassicProgram> {
    while (this.#at < this.#tokens.length) this.#statement();
    const [dangling] = this.#open;
    if (dangling !== undefined) {
      this.#error(dangling, 'label-at-end', `no instruction follows the label ${shownWord(dangling.text)}`);
    }
    if (this.#pending.length === 0 && this.#diagnostics.length === 0) {
      const range = { start: 0, end: this.#text.length };
      this.#error(range, 'empty-program', 'there is no instruction; the shortest program is: ret #0');
    }
    const placeOf = placesIn(this.#text);
    const insns = this.#pending.map((pending, index) =>
      this.#resolve(pending, index, placeOf(pending.range.start)),
    );
    return {
      value: {
        form: this.#listing ? 'd' : 'asm',
        text: this.#text,
        tokens: this.#all,
        insns,
        labels: [...this.#labels.values()],
        uses: this.#uses,
      },
      diagnostics: this.#diagnostics.sort((a, b) => a.range.start - b.range.start),
    };
  }

  #statement(): void {
    this.#listingNumber();
    const token = this.#tokens[this.#at];
    if (token === undefined) return;
    if (token.kind !== 'word') {
      this.#at++;
      this.#error(token, 'syntax', this.#strayText(token));
      this.#recover();
      return;
    }
    if (this.#tokens[this.#at + 1]?.text === ':') {
      this.#at += 2;
      this.#label(token);
      return;
    }
    this.#at++;
    const name = token.text.toLowerCase();
    const rows = rowsNamed(name);
    if (rows.length === 0) {
      const near = suggest(name, CLASSIC_NAMES);
      this.#diagnostics.push({
        range: rangeOf(token),
        severity: 'error',
        code: 'unknown-instruction',
        message: `classic BPF has no instruction ${shownWord(token.text)}${near === undefined ? '' : `; did you mean ${near}?`}`,
        ...(near === undefined ? {} : { fix: { title: `Change to ${near}`, newText: near } }),
      });
      this.#recover();
      return;
    }
    this.#instruction(token, rows);
  }

  /** `(012)` before an instruction of a listing. */
  #listingNumber(): void {
    const [open, number, close] = this.#tokens.slice(this.#at, this.#at + 3);
    if (open?.text !== '(' || number?.kind !== 'number' || close?.text !== ')') return;
    this.#listing = true;
    this.#at += 3;
    const index = Number.parseInt(number.text, 10);
    if (index !== this.#pending.length) {
      this.#error(
        number,
        'listing-number',
        `this is instruction ${this.#pending.length}, not ${index}; jumps of a listing count by these numbers`,
      );
    }
  }

  #strayText(token: ClassicToken): string {
    if (token.kind === 'bad' && token.text.startsWith('/*'))
      return 'this comment is not closed; */ is missing';
    if (token.text === '/' || token.text === '#')
      return 'an instruction or a label is wanted here; comments begin with ; or stand in /* */';
    return `an instruction or a label is wanted here, not ${shownWord(token.text)}`;
  }

  /** Goes on at the next line, or where something begins that can only be a statement. */
  #recover(): void {
    while (this.#at < this.#tokens.length && this.#tokens[this.#at]?.first !== true) this.#at++;
  }

  #label(token: ClassicToken): void {
    const known = this.#labels.get(token.text);
    if (known !== undefined) {
      this.#error(token, 'duplicate-label', `the label ${shownWord(token.text)} is there already`);
      return;
    }
    const label = { name: token.text, range: rangeOf(token), index: this.#pending.length };
    this.#labels.set(token.text, label);
    this.#open.push(token);
  }

  #instruction(name: ClassicToken, rows: readonly NamedRow[]): void {
    const modes = [...new Set(rows.map(({ row }) => row.mode))];
    const reader = new OperandReader(this.#tokens, this.#at, this.#listing);
    const operand = reader.read(modes, name);
    this.#at = reader.at;
    if ('message' in operand) {
      this.#diagnostics.push(operand);
      this.#recover();
      return;
    }
    const found = rows.find(({ row }) => row.mode === operand.mode);
    if (found === undefined) throw new Error('the reader gives one of the modes that it is given');
    const last = this.#tokens[this.#at - 1] ?? name;
    const range = { start: name.start, end: last.end };
    const targets = this.#targetsOf(found, operand, name);
    this.#pending.push({ row: found.row, k: operand.k, range, ...targets });
    this.#open = [];
    const next = this.#tokens[this.#at];
    if (next !== undefined && !next.first && next.kind !== 'word' && next.text !== '(') {
      const misplaced = `${shownWord(next.text)} does not belong to ${name.text}; ${wanted(name.text, modes)}`;
      this.#error(next, 'syntax', next.kind === 'bad' ? this.#strayText(next) : misplaced);
      this.#recover();
    }
  }

  #targetsOf(
    { row, inverted }: NamedRow,
    operand: Operand,
    name: ClassicToken,
  ): { onTrue: Target | undefined; onFalse: Target | undefined } {
    const [first, second] = operand.targets;
    if (!inverted) return { onTrue: first, onFalse: second };
    if (second !== undefined) {
      this.#error(
        second.range,
        'too-many-targets',
        `${name.text} takes one label; with two, write ${row.name} and exchange them`,
      );
    }
    return { onTrue: undefined, onFalse: first };
  }

  #resolve(pending: Pending, index: number, place: Place): ClassicInsn {
    const { row, range } = pending;
    if (row.mode === 'jump') {
      const skip = this.#skip(pending.onTrue, index, Number.POSITIVE_INFINITY);
      return { filter: sockFilter(row.code, skip), range, ...place };
    }
    const jt = this.#skip(pending.onTrue, index, MAX_SKIP);
    const jf = this.#skip(pending.onFalse, index, MAX_SKIP);
    return { filter: sockFilter(row.code, pending.k, jt, jf), range, ...place };
  }

  /** Instructions between the jump at `index` and its target; 0 where something is wrong, which is told. */
  #skip(target: Target | undefined, index: number, limit: number): number {
    if (target === undefined) return 0;
    const to = typeof target.to === 'number' ? target.to : this.#indexOf(target.to, target.range, index);
    if (to === undefined) return 0;
    const skip = to - index - 1;
    if (skip < 0) {
      this.#error(target.range, 'backward-jump', 'classic BPF jumps forward only, so there are no loops');
      return 0;
    }
    if (skip > limit) {
      this.#error(
        target.range,
        'jump-too-far',
        `the target is ${skip} instructions away, a condition reaches ${limit}; jump to a ja that goes on`,
      );
      return 0;
    }
    if (skip > BPF_MAXINSNS) {
      this.#error(target.range, 'jump-too-far', `a program has at most ${BPF_MAXINSNS} instructions`);
      return 0;
    }
    return skip;
  }

  #indexOf(name: string, range: TextRange, index: number): number | undefined {
    this.#uses.push({ name, range, index });
    const label = this.#labels.get(name);
    if (label !== undefined) return label.index;
    const near = ++this.#nSuggestions > MAX_SUGGESTIONS ? undefined : suggest(name, this.#labels.keys());
    this.#diagnostics.push({
      range,
      severity: 'error',
      code: 'undefined-label',
      message: `there is no label ${shownWord(name)}${near === undefined ? '' : `; did you mean ${near}?`}`,
      ...(near === undefined ? {} : { fix: { title: `Change to ${near}`, newText: near } }),
    });
    return undefined;
  }

  #error(range: TextRange, code: string, message: string): void {
    this.#diagnostics.push({ range: rangeOf(range), severity: 'error', code, message });
  }
}

function rangeOf({ start, end }: TextRange): TextRange {
  return { start, end };
}
