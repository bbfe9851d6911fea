import { uapiConstant } from '../isa/constants.ts';
import type { Diagnostic, MapDef, ProgType, TextRange } from '../object/object.ts';
import type { Expr } from './expr.ts';
import { defaultSection, SectionBuilder } from './sections.ts';
import type { InsnStatement } from './statement.ts';
import { ABSOLUTE, createSymbol, type Sym, UNDEFINED } from './symbols.ts';
import { operandRanges } from './tokens.ts';

/** An expression's value: `plus - minus + addend`; without symbols it is absolute. */
export interface Value {
  readonly plus: Sym | undefined;
  readonly minus: Sym | undefined;
  readonly addend: bigint;
}

/** What a fixup writes: 16-bit jump, 32-bit jump, call, wide load, `imm`, `off`, or data of n bytes. */
export type FixupKind =
  | 'jump16'
  | 'jump32'
  | 'call'
  | 'func'
  | 'imm64'
  | 'imm32'
  | 'next_imm'
  | 'off16'
  | 'data1'
  | 'data2'
  | 'data4'
  | 'data8'
  | 'map';

/** A place whose value is known when all symbols are. */
export interface Fixup {
  readonly kind: FixupKind;
  readonly section: SectionBuilder;
  /** Byte offset of the instruction or datum. */
  readonly offset: number;
  readonly expr: Expr;
  /** Where to report: an operand of an instruction, or an argument. */
  readonly where: Where;
}

/** A range that is worked out only when it is needed. */
export interface Where {
  readonly lineStart: number;
  readonly statement: InsnStatement | undefined;
  readonly operand: number;
  readonly start: number;
  readonly end: number;
}

/** Most bytes that one text may ask for without spelling them out. */
export const MAX_FILL = 1 << 28;

/** The state of one pass of the assembler over a source. */
export class Builder {
  readonly text: string;
  readonly diagnostics: Diagnostic[] = [];
  readonly sections: SectionBuilder[] = [];
  readonly symbols = new Map<string, Sym>();
  readonly maps: MapDef[] = [];
  /** Index into `maps` by name. */
  readonly mapIndex = new Map<string, number>();
  /** Keys of `mapEntries` as text, by map. */
  readonly mapKeys = new Map<string, Set<string>>();
  /** From `.map_entry`. A program array's value is the name of a program, which is known at the end only. */
  readonly mapEntries: {
    readonly map: string;
    readonly key: Uint8Array;
    readonly value: Uint8Array | { readonly program: string; readonly range: TextRange };
  }[] = [];
  readonly fixups: Fixup[] = [];
  /** Source files of `.file`, by number; index 0 of the object's files is the text. */
  readonly files: string[];
  readonly fileNumbers = new Map<number, number>();
  /** `1:` labels by number. */
  readonly localLabels = new Map<number, number>();
  readonly sizes: { sym: Sym; expr: Expr; where: Where }[] = [];
  readonly lateLebs: {
    readonly id: number;
    readonly signed: boolean;
    readonly section: SectionBuilder;
    readonly offset: number;
    readonly expr: Expr;
    readonly where: Where;
  }[] = [];
  /** From `.program`: the type of what begins at that offset, or later in that section. */
  readonly programTypes: { section: SectionBuilder; offset: number; type: ProgType }[] = [];
  readonly previousSections: SectionBuilder[] = [];
  readonly sectionStack: SectionBuilder[] = [];
  section: SectionBuilder;
  /** The text looks like a compiler's: undefined symbols are somebody else's, not mistakes. */
  fromCompiler = false;
  /** Which form of `callx` the text's compiler used, once that matters. */
  callxInImm: boolean | undefined;
  pendingLoc: { file: number; line: number; column: number } | undefined;
  /** Name in `.file "…"`. */
  sourceFile: string | undefined;
  /** Bytes that a `.uleb128` of symbols takes, by its number; grown until all fit. */
  readonly lebSizes: Map<number, number>;
  lebGrown = false;
  /** Bytes that `takeBytes` has given out. */
  nTaken = 0;
  nLebs = 0;
  nSuggestions = 0;
  // parallel arrays of instructions in source order
  readonly insnStart: number[] = [];
  readonly insnEnd: number[] = [];
  readonly insnSection: number[] = [];
  readonly insnOff: number[] = [];
  readonly insnRow: number[] = [];

  constructor(text: string, fileName: string, lebSizes: Map<number, number>) {
    this.text = text;
    this.files = [fileName];
    this.lebSizes = lebSizes;
    this.section = this.sectionNamed('.text');
  }

  /** Reports an error (or what `severity` says) at an absolute range. */
  report(
    range: TextRange,
    code: string,
    message: string,
    extra: { severity?: Diagnostic['severity']; fix?: Diagnostic['fix'] } = {},
  ): void {
    this.diagnostics.push({
      range,
      severity: extra.severity ?? 'error',
      code,
      message,
      ...(extra.fix ? { fix: extra.fix } : {}),
    });
  }

  /** The range a fixup or operand is reported at. */
  rangeOf(where: Where): TextRange {
    if (where.statement) {
      const ranges = operandRanges(this.text, where.lineStart, where.statement);
      const range = ranges.exprs[where.operand];
      if (range && range.end > range.start) return range;
      return { start: where.lineStart + where.statement.start, end: where.lineStart + where.statement.end };
    }
    return { start: where.lineStart + where.start, end: where.lineStart + where.end };
  }

  /** The section of that name (made when there is none) with default type and flags. */
  sectionNamed(
    name: string,
    given?: { type?: number | undefined; flags?: number | undefined; unique?: string },
  ): SectionBuilder {
    const key = given?.unique;
    const found = key === undefined ? this.#firstByName.get(name) : this.#unique.get(key);
    if (found) return found;
    const base = defaultSection(name);
    const section = new SectionBuilder(
      name,
      this.sections.length,
      given?.type ?? base.type,
      given?.flags ?? base.flags,
      given?.flags !== undefined || base.flags !== 0,
    );
    this.sections.push(section);
    if (!this.#firstByName.has(name)) this.#firstByName.set(name, section);
    if (key !== undefined) this.#unique.set(key, section);
    return section;
  }
  readonly #unique = new Map<string, SectionBuilder>();
  readonly #firstByName = new Map<string, SectionBuilder>();

  /**
   * Whether `n` more bytes may be made that the text does not spell out (`.zero`, `.p2align`, elements of maps):
   * a short text must not ask for more memory than there is.
   */
  takeBytes(n: number | bigint): boolean {
    if (n < 0 || n > MAX_FILL - this.nTaken) return false;
    this.nTaken += Number(n);
    return true;
  }

  /** Makes `section` the current one. */
  switchTo(section: SectionBuilder): void {
    this.previousSections[0] = this.section;
    this.section = section;
    this.pendingLoc = undefined;
  }

  /** The symbol called `name`, made when there is none. */
  symbol(name: string): Sym {
    let sym = this.symbols.get(name);
    if (!sym) {
      sym = createSymbol(name);
      this.symbols.set(name, sym);
    }
    return sym;
  }

  /** A symbol for the current place, for `.`. */
  here(): Sym {
    const sym = createSymbol('\u0001.');
    sym.section = this.section.index;
    sym.value = BigInt(this.section.size);
    return sym;
  }

  /** Replaces `.`, `1f` and `1b`, which mean something only where they stand. */
  bind(expr: Expr): Expr {
    if (typeof expr !== 'object') return expr;
    switch (expr.kind) {
      case 'local': {
        const seen = this.localLabels.get(expr.number) ?? 0;
        return { ...expr, kind: 'symbol', name: localName(expr.number, expr.forward ? seen + 1 : seen) };
      }
      case 'symbol': {
        if (expr.name === '.') {
          const sym = this.here();
          const name = `\u0001.${this.section.index}.${this.section.size}`;
          this.symbols.set(name, sym);
          return { ...expr, name };
        }
        // a constant that may be set again counts as it is now
        const sym = this.symbols.get(expr.name);
        if (sym?.assigned && sym.section === ABSOLUTE) return sym.value;
        return expr;
      }
      case 'unary':
        return { ...expr, arg: this.bind(expr.arg) };
      default:
        return { ...expr, left: this.bind(expr.left), right: this.bind(expr.right) };
    }
  }

  /**
   * Works out a bound expression. With `final`, names that the text does not define count as the
   * uapi's constants; without, an unknown name makes the whole unknown (undefined).
   * A string is why it cannot be.
   */
  evaluate(expr: Expr, final: boolean): Value | string | undefined {
    if (typeof expr === 'number') return { plus: undefined, minus: undefined, addend: BigInt(expr) };
    if (typeof expr === 'bigint') return { plus: undefined, minus: undefined, addend: expr };
    switch (expr.kind) {
      case 'local':
        return this.evaluate(this.bind(expr), final);
      case 'symbol': {
        const sym = this.symbols.get(expr.name);
        if (sym && sym.section === ABSOLUTE) return { plus: undefined, minus: undefined, addend: sym.value };
        if (sym && sym.section !== UNDEFINED) return { plus: sym, minus: undefined, addend: 0n };
        if (!final) return undefined;
        if (!sym?.declared) {
          const constant = uapiConstant(expr.name);
          if (constant) return { plus: undefined, minus: undefined, addend: constant.value };
          const section = this.#firstByName.get(expr.name);
          if (section) return { plus: sectionStart(section), minus: undefined, addend: 0n };
        }
        return { plus: this.symbol(expr.name), minus: undefined, addend: 0n };
      }
      case 'unary': {
        const arg = this.evaluate(expr.arg, final);
        if (arg === undefined || typeof arg === 'string') return arg;
        if (expr.op === '-' && (arg.plus || arg.minus))
          return { plus: arg.minus, minus: arg.plus, addend: -arg.addend };
        if (arg.plus || arg.minus) return `\`${expr.op}\` needs a number, not an address`;
        const v = arg.addend;
        return absolute(expr.op === '-' ? -v : expr.op === '~' ? ~v : v === 0n ? 1n : 0n);
      }
      default: {
        const left = this.evaluate(expr.left, final);
        if (left === undefined || typeof left === 'string') return left;
        const right = this.evaluate(expr.right, final);
        if (right === undefined || typeof right === 'string') return right;
        return combine(expr.op, left, right);
      }
    }
  }

  /** The number an expression has right now; undefined (and reported) when it has none. */
  number(expr: Expr, where: Where, what: string): bigint | undefined {
    const value = this.evaluate(this.bind(expr), true);
    if (typeof value === 'object' && !value.plus && !value.minus) return value.addend;
    this.report(
      this.rangeOf(where),
      'not-absolute',
      typeof value === 'string' ? value : `${what} must be a number that is known here`,
    );
    return undefined;
  }
}

/** A section's name stands for its start where no symbol has that name. */
function sectionStart(section: SectionBuilder): Sym {
  const sym = createSymbol('\u0001section');
  sym.section = section.index;
  return sym;
}

/** Name under which the `count`th label `number:` is kept. */
export function localName(number: number, count: number): string {
  return `\u0001${number}#${count}`;
}

/** The number in a name that `localName` made; undefined for others. */
export function localNumber(name: string): string | undefined {
  return name.charCodeAt(0) === 1 && name.includes('#') ? name.slice(1, name.indexOf('#')) : undefined;
}

function absolute(addend: bigint): Value {
  return { plus: undefined, minus: undefined, addend };
}

function combine(op: string, left: Value, right: Value): Value | string {
  if (op === '-') return combine('+', left, { plus: right.minus, minus: right.plus, addend: -right.addend });
  if (op === '+') {
    const addend = left.addend + right.addend;
    let plus = [left.plus, right.plus].filter((s) => s !== undefined);
    let minus = [left.minus, right.minus].filter((s) => s !== undefined);
    let total = addend;
    for (const p of [...plus]) {
      const m = minus.find((s) => s === p || (s.section === p.section && s.section >= 0));
      if (!m) continue;
      total += p.value - m.value;
      plus = plus.filter((s) => s !== p);
      minus = minus.filter((s) => s !== m);
    }
    if (plus.length > 1 || minus.length > 1)
      return 'an expression may name one address, or the difference of two';
    return { plus: plus[0], minus: minus[0], addend: total };
  }
  if (left.plus || left.minus || right.plus || right.minus) return `\`${op}\` needs numbers, not addresses`;
  const a = left.addend;
  const b = right.addend;
  switch (op) {
    case '*':
      return absolute(BigInt.asIntN(64, a * b));
    case '/':
      return b === 0n ? 'division by zero' : absolute(a / b);
    case '%':
      return b === 0n ? 'division by zero' : absolute(a % b);
    case '<<':
      return b < 0n || b > 63n ? absolute(0n) : absolute(cut(a << b));
    case '>>':
      return b < 0n || b > 63n ? absolute(0n) : absolute(BigInt.asUintN(64, a) >> b);
    case '&':
      return absolute(cut(a & b));
    case '|':
      return absolute(cut(a | b));
    default:
      return absolute(cut(a ^ b));
  }
}

/** Keeps values within what 64 bits can mean, signed or unsigned. */
function cut(value: bigint): bigint {
  return value >= -(1n << 63n) && value < 1n << 64n ? value : BigInt.asUintN(64, value);
}
