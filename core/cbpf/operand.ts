import { suggest } from '../asm/suggest.ts';
import type { Diagnostic, TextRange } from '../object/object.ts';
import { EXTENSIONS, extensionByWord } from './extensions.ts';
import { type ClassicToken, classicNumber, shownWord } from './lexer.ts';
import { BPF_MEMWORDS, SKF_AD_OFF } from './sock-filter.ts';
import { type ClassicMode, rowsNamed } from './table.ts';

/** Where a jump goes: to a label, or to an instruction by number as listings have it. */
export interface Target {
  readonly to: string | number;
  readonly range: TextRange;
}

/** What stands behind an instruction's name. */
export interface Operand {
  readonly mode: ClassicMode;
  /** Unsigned 32 bits. */
  readonly k: number;
  /** The label of the condition's first branch, then that of the other. */
  readonly targets: readonly Target[];
}

const SHAPES: Readonly<Record<ClassicMode, string>> = {
  imm: '#number',
  abs: '[number]',
  ind: '[x + number]',
  mem: 'M[number]',
  msh: '4*([number]&0xf)',
  len: '#len',
  x: 'x',
  a: 'a',
  jump: 'a label',
  cond_k: '#number, label, label',
  cond_x: 'x, label, label',
  none: 'no operand',
};

/** What can stand behind an instruction's name, for messages: `ldh takes [number] or [x + number]`. */
export function wanted(name: string, modes: readonly ClassicMode[]): string {
  const shapes = modes.map((mode) => SHAPES[mode]);
  const last = shapes.pop();
  return `${name} takes ${shapes.length > 0 ? `${shapes.join(', ')} or ${last}` : last}`;
}

/** Unwinds to `read`. */
class OperandError extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/** Reads the operands of one instruction from a list of tokens without trivia. */
export class OperandReader {
  readonly #tokens: readonly ClassicToken[];
  readonly #listing: boolean;
  #modes: readonly ClassicMode[] = [];
  #name: ClassicToken | undefined;
  /** Index of the next token. */
  at: number;

  constructor(tokens: readonly ClassicToken[], at: number, listing: boolean) {
    this.#tokens = tokens;
    this.at = at;
    this.#listing = listing;
  }

  /** The operand in one of `modes`, or what is wrong; `at` is then behind what was understood. */
  read(modes: readonly ClassicMode[], name: ClassicToken): Operand | Diagnostic {
    this.#modes = modes;
    this.#name = name;
    try {
      return this.#read();
    } catch (error) {
      if (error instanceof OperandError) return error.diagnostic;
      throw error;
    }
  }

  #read(): Operand {
    if (this.#has('none')) return this.#operand('none');
    const token = this.#tokens[this.at];
    if (token === undefined || this.#beginsStatement(token)) {
      // tcpdump prints "ret" alone for the return of A
      if (this.#listing && this.#has('a')) return this.#operand('a');
      throw this.#missing();
    }
    switch (token.text) {
      case '#':
        this.at++;
        return this.#behindHash(token);
      case '[':
        this.at++;
        return this.#bracket(token);
      case '%':
        this.at++;
        return this.#register();
    }
    if (token.kind === 'number' || token.text === '-' || token.text === '+') return this.#plainNumber(token);
    if (token.kind !== 'word') throw this.#unexpected(token);
    if (/^m$/i.test(token.text) && this.#tokens[this.at + 1]?.text === '[') return this.#memory();
    if (this.#has('jump')) return this.#operand('jump', 0, [this.#target()]);
    if (/^[xa]$/i.test(token.text)) return this.#register();
    this.at++;
    return this.#extension(token, token);
  }

  /** A name of an instruction or a label's definition at the start of a line: the operand was forgotten. */
  #beginsStatement(token: ClassicToken): boolean {
    if (!token.first) return false;
    if (token.text === '(' && this.#listing) return true;
    if (token.kind !== 'word') return false;
    return this.#tokens[this.at + 1]?.text === ':' || rowsNamed(token.text.toLowerCase()).length > 0;
  }

  #behindHash(hash: ClassicToken): Operand {
    const token = this.#tokens[this.at];
    const isNumber = token?.kind === 'number' || token?.text === '-' || token?.text === '+';
    if (token?.kind === 'word' && classicNumber(token.text) === undefined) {
      this.at++;
      return this.#extension(token, { start: hash.start, end: token.end });
    }
    if (!isNumber && token?.kind !== 'word') throw this.#unexpected(token ?? hash);
    const k = this.#number();
    return this.#immediate(k, hash);
  }

  #immediate(k: number, at: TextRange): Operand {
    if (this.#has('cond_k')) return this.#operand('cond_k', k, this.#targets());
    if (this.#has('imm')) return this.#operand('imm', k);
    throw this.#unexpected({ ...at, end: this.#lastEnd() });
  }

  #extension(word: ClassicToken, range: TextRange): Operand {
    const name = word.text.toLowerCase();
    if ((name === 'len' || name === 'pktlen') && this.#has('len')) return this.#operand('len');
    const extension = extensionByWord(name);
    if (extension !== undefined && this.#has('abs')) {
      return this.#operand('abs', SKF_AD_OFF + extension.offset);
    }
    if (!this.#has('abs') && !this.#has('len')) throw this.#unexpected({ ...range, end: word.end });
    const words = EXTENSIONS.flatMap((each) => (each.word === undefined ? [] : [each.word]));
    const known = this.#has('abs') ? [...words, ...(this.#has('len') ? ['len'] : [])] : ['len'];
    const near = suggest(name, known);
    throw new OperandError({
      range: { start: word.start, end: word.end },
      severity: 'error',
      code: 'unknown-extension',
      message: `there is no extension ${shownWord(word.text)}; ${near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`}`,
      ...(near === undefined ? {} : { fix: { title: `Change to ${near}`, newText: near } }),
    });
  }

  /** Behind `[`: a number, `x + number`, or in listings the name of an extension. */
  #bracket(open: ClassicToken): Operand {
    let token = this.#tokens[this.at];
    if (token?.text === '%') token = this.#tokens[++this.at];
    if (token?.kind === 'word' && /^x$/i.test(token.text)) {
      this.at++;
      const sign = this.#tokens[this.at];
      if (sign?.text === '+') this.at++;
      else if (sign?.text !== '-') throw this.#expected('+', sign);
      const k = this.#number();
      this.#expect(']');
      if (!this.#has('ind')) throw this.#unexpected({ start: open.start, end: this.#lastEnd() });
      return this.#operand('ind', k);
    }
    if (token?.kind === 'word' && extensionByWord(token.text.toLowerCase()) !== undefined) {
      this.at++;
      const operand = this.#extension(token, token);
      this.#expect(']');
      return operand;
    }
    const k = this.#number();
    this.#expect(']');
    if (!this.#has('abs')) throw this.#unexpected({ start: open.start, end: this.#lastEnd() });
    return this.#operand('abs', k);
  }

  #memory(): Operand {
    const start = this.#tokens[this.at]?.start ?? 0;
    this.at += 2;
    const number = this.#tokens[this.at];
    const k = this.#number();
    this.#expect(']');
    if (!this.#has('mem')) throw this.#unexpected({ start, end: this.#lastEnd() });
    if (k >= BPF_MEMWORDS && number !== undefined) {
      throw this.#problem(
        number,
        'scratch-index',
        `M[${k}]: scratch memory has ${BPF_MEMWORDS} words, M[0] to M[15]`,
      );
    }
    return this.#operand('mem', k);
  }

  #register(): Operand {
    const token = this.#tokens[this.at];
    const name = token?.text.toLowerCase();
    if (token === undefined) throw this.#missing();
    this.at++;
    if (name === 'x' && this.#has('cond_x')) return this.#operand('cond_x', 0, this.#targets());
    if (name === 'x' && this.#has('x')) return this.#operand('x');
    if (name === 'a' && this.#has('a')) return this.#operand('a');
    throw this.#unexpected(token);
  }

  /** A number without `#`: `ldi 5`, `4*([14]&0xf)`, the target of a listing's `ja`. */
  #plainNumber(token: ClassicToken): Operand {
    if (this.#has('jump')) return this.#operand('jump', 0, [this.#target()]);
    const k = this.#number();
    if (this.#has('msh') && this.#tokens[this.at]?.text === '*') return this.#headerLength(token, k);
    const name = this.#name?.text.toLowerCase();
    if (this.#has('imm') && (name === 'ldi' || name === 'ldxi')) return this.#operand('imm', k);
    if (this.#has('imm') || this.#has('cond_k')) {
      throw new OperandError({
        ...this.#problem(token, 'missing-hash', `a number is written with #: #${shownWord(token.text)}`)
          .diagnostic,
        fix: { title: 'Insert #', newText: `#${token.text}` },
      });
    }
    throw this.#unexpected(token);
  }

  /** Behind the 4 of `4*([k]&0xf)`. */
  #headerLength(first: ClassicToken, factor: number): Operand {
    this.#expect('*');
    this.#expect('(');
    this.#expect('[');
    const k = this.#number();
    this.#expect(']');
    this.#expect('&');
    const mask = this.#tokens[this.at];
    const value = this.#number();
    this.#expect(')');
    if (factor !== 4) throw this.#problem(first, 'bad-factor', `the factor is always 4, not ${factor}`);
    if (value !== 0xf && mask !== undefined)
      throw this.#problem(mask, 'bad-mask', 'the mask is always 0xf: the length field of an IPv4 header');
    return this.#operand('msh', k);
  }

  /** Labels of a condition: `, L1, L2`, `, L1`, or `jt 2 jf 13`. */
  #targets(): Target[] {
    const token = this.#tokens[this.at];
    if (token?.kind === 'word' && /^jt$/i.test(token.text)) {
      this.at++;
      const onTrue = this.#target();
      const word = this.#tokens[this.at];
      if (word === undefined || !/^jf$/i.test(word.text)) throw this.#expected('jf', word);
      this.at++;
      return [onTrue, this.#target()];
    }
    this.#expect(',');
    const first = this.#target();
    if (this.#tokens[this.at]?.text !== ',') return [first];
    this.at++;
    return [first, this.#target()];
  }

  #target(): Target {
    const token = this.#tokens[this.at];
    if (token === undefined || this.#beginsStatement(token)) {
      throw this.#problem(
        this.#tokens[this.at - 1] ?? this.#nameToken(),
        'missing-label',
        'a label is missing here',
      );
    }
    const range = { start: token.start, end: token.end };
    if (token.kind === 'word') {
      this.at++;
      return { to: token.text, range };
    }
    if (token.kind !== 'number') throw this.#expected('a label', token);
    const to = /^\d+$/.test(token.text) ? Number.parseInt(token.text, 10) : classicNumber(token.text);
    if (to === undefined) throw this.#expected('a label', token);
    this.at++;
    return { to, range };
  }

  /** A number with an optional sign, as unsigned 32 bits. */
  #number(): number {
    let token = this.#tokens[this.at];
    const sign = token?.text;
    if (sign === '-' || sign === '+') token = this.#tokens[++this.at];
    if (token === undefined || (token.kind !== 'number' && token.kind !== 'word')) {
      throw this.#expected('a number', token);
    }
    const value = classicNumber(token.text);
    if (value === undefined || (sign === '-' && value > 0x8000_0000)) {
      if (token.kind === 'word') throw this.#expected('a number', token);
      const isNumber =
        /^(\d+|0[xX][0-9a-fA-F]+|0[bB][01]+)$/.test(token.text) && !/^0\d*[89]/.test(token.text);
      throw this.#problem(
        token,
        'bad-number',
        isNumber
          ? `${sign === '-' ? '-' : ''}${shownWord(token.text)} does not fit in 32 bits`
          : `${shownWord(token.text)} is no number; numbers are 12, 0x1f, 0b101 or octal 017`,
      );
    }
    this.at++;
    return (sign === '-' ? -value : value) >>> 0;
  }

  #expect(text: string): void {
    const token = this.#tokens[this.at];
    if (token?.text !== text) throw this.#expected(text, token);
    this.at++;
  }

  #has(mode: ClassicMode): boolean {
    return this.#modes.includes(mode);
  }

  #operand(mode: ClassicMode, k = 0, targets: readonly Target[] = []): Operand {
    return { mode, k: k >>> 0, targets };
  }

  #lastEnd(): number {
    return (this.#tokens[this.at - 1] ?? this.#nameToken()).end;
  }

  #nameToken(): ClassicToken {
    if (this.#name === undefined) throw new Error('read() sets the name');
    return this.#name;
  }

  #missing(): OperandError {
    const name = this.#nameToken();
    return this.#problem(name, 'missing-operand', wanted(name.text, this.#modes));
  }

  #unexpected(range: TextRange): OperandError {
    return this.#problem(range, 'bad-operand', wanted(this.#nameToken().text, this.#modes));
  }

  /** `what` is missing before `token`, or behind the last one. */
  #expected(what: string, token: ClassicToken | undefined): OperandError {
    const previous = this.#tokens[this.at - 1] ?? this.#nameToken();
    if (token === undefined || token.first) {
      return this.#problem(previous, 'syntax', `${what} is missing behind ${shownWord(previous.text)}`);
    }
    return this.#problem(token, 'syntax', `${what} is wanted here, not ${shownWord(token.text)}`);
  }

  #problem({ start, end }: TextRange, code: string, message: string): OperandError {
    return new OperandError({ range: { start, end }, severity: 'error', code, message });
  }
}
