import type { Builder, Where } from './builder.ts';
import {
  bad,
  type DirectiveContext,
  directive,
  exprOf,
  nameOf,
  noMoreThan,
  raw,
  whereOf,
} from './directive-registry.ts';
import type { Expr } from './expr.ts';
import { parseSectionFlags, sectionTypeByName } from './sections.ts';
import { ABSOLUTE, UNDEFINED } from './symbols.ts';

/** Directives for sections and symbols. */

directive('.text .data .bss .rodata', '%', 'continues in that section', (c) => {
  c.b.switchTo(c.b.sectionNamed(c.statement.name));
  noMoreThan(c, 0);
});

function section(c: DirectiveContext, push: boolean): void {
  const { b, statement } = c;
  const [nameArg, flagsArg, ...rest] = statement.args;
  if (!nameArg || nameArg.kind === 'empty') {
    bad(c, undefined, `${statement.name} needs a section's name`);
    return;
  }
  const name = nameArg.kind === 'string' ? raw(c, nameArg).slice(1, -1) : raw(c, nameArg).trim();
  let flags: number | undefined;
  let type: number | undefined;
  let unique: string | undefined;
  if (flagsArg?.kind === 'string') {
    const parsed = parseSectionFlags(raw(c, flagsArg).slice(1, -1));
    if (parsed.unknown)
      bad(c, flagsArg, `unknown section flag \`${parsed.unknown}\`; flags are letters of "awxMSGToRe"`);
    flags = parsed.flags;
  } else if (flagsArg) rest.unshift(flagsArg);
  for (const [i, arg] of rest.entries()) {
    const word = raw(c, arg);
    if (arg.kind === 'at') {
      type = sectionTypeByName(arg.name);
      if (type === undefined)
        bad(c, arg, `unknown section type @${arg.name}; use @progbits, @nobits or @note`);
    } else if (word === 'unique' || word === 'comdat') {
      if (word === 'unique') unique = `${name}\u0001${raw(c, rest[i + 1] ?? arg)}`;
    }
  }
  const group = flags !== undefined && flags & 0x200 ? rest.find((a) => a.kind !== 'at') : undefined;
  if (group) unique = `${name}\u0001group ${raw(c, group)}`;
  if (push) b.sectionStack.push(b.section);
  const target = b.sectionNamed(name, { type, flags, ...(unique ? { unique } : {}) });
  if (flags !== undefined && !target.flagsGiven) {
    target.flags = flags;
    target.flagsGiven = true;
  }
  b.switchTo(target);
}

directive('.section', '.section NAME[, "FLAGS"[, @TYPE]]', 'continues in the section NAME', (c) =>
  section(c, false),
);
directive('.pushsection', '.pushsection NAME[, "FLAGS"[, @TYPE]]', 'the same; .popsection returns', (c) =>
  section(c, true),
);
directive('.popsection', '.popsection', 'returns to the section before .pushsection', (c) => {
  const before = c.b.sectionStack.pop();
  if (before) c.b.switchTo(before);
  else bad(c, undefined, '.popsection without a .pushsection before it');
});
directive('.previous', '.previous', 'returns to the section before the last change', (c) => {
  const before = c.b.previousSections[0];
  if (before) c.b.switchTo(before);
  else bad(c, undefined, 'no section was left before this .previous');
});

function forNames(c: DirectiveContext, apply: (name: string) => void): void {
  if (c.statement.args.length === 0)
    bad(c, undefined, `${c.statement.name} needs a symbol's name`, 'name-expected');
  for (const arg of c.statement.args) {
    const name = nameOf(c, arg);
    if (name !== undefined) apply(name);
  }
}

directive('.globl .global', '% NAME…', 'makes symbols visible to other objects', (c) =>
  forNames(c, (name) => {
    const sym = c.b.symbol(name);
    sym.declared = true;
    if (sym.binding !== 'weak') sym.binding = 'global';
  }),
);
directive('.extern', '.extern NAME…', 'says that symbols are defined in another object', (c) =>
  forNames(c, (name) => {
    c.b.symbol(name).declared = true;
  }),
);
directive('.weak', '.weak NAME…', 'makes symbols weak', (c) =>
  forNames(c, (name) => {
    const sym = c.b.symbol(name);
    sym.declared = true;
    sym.binding = 'weak';
  }),
);
directive('.local', '.local NAME…', 'keeps symbols to this object', (c) =>
  forNames(c, (name) => {
    c.b.symbol(name).binding = 'local';
  }),
);
for (const visibility of ['hidden', 'protected', 'internal'] as const) {
  directive(`.${visibility}`, '% NAME…', 'sets the visibility of symbols', (c) =>
    forNames(c, (name) => {
      c.b.symbol(name).visibility = visibility;
    }),
  );
}
const SYMBOL_TYPES: Readonly<Record<string, 'notype' | 'object' | 'func' | 'tls'>> = {
  function: 'func',
  object: 'object',
  notype: 'notype',
  common: 'object',
  tls_object: 'tls',
  gnu_unique_object: 'object',
  STT_FUNC: 'func',
  STT_OBJECT: 'object',
  STT_NOTYPE: 'notype',
};
directive('.type', '.type NAME, @function|@object', 'says what a symbol is', (c) => {
  const name = nameOf(c, c.statement.args[0]);
  const arg = c.statement.args[1];
  if (name === undefined) return;
  const word = arg?.kind === 'at' ? arg.name : arg ? raw(c, arg).replace(/^"|"$/g, '') : '';
  const type = SYMBOL_TYPES[word];
  if (!type) return bad(c, arg, `.type needs @function or @object, not \`${word}\``);
  c.b.symbol(name).type = type;
});
directive('.size', '.size NAME, EXPR', "sets a symbol's size in bytes", (c) => {
  const [nameArg, sizeArg] = c.statement.args;
  const name = nameOf(c, nameArg);
  const expr = exprOf(c, sizeArg);
  if (name === undefined || expr === undefined || !sizeArg) return;
  c.b.sizes.push({ sym: c.b.symbol(name), expr: c.b.bind(expr), where: whereOf(c, sizeArg) });
});

directive('.set .equ .equiv', '% NAME, EXPR', 'gives a constant or address a name', (c) => {
  const [nameArg, valueArg] = c.statement.args;
  const name = nameOf(c, nameArg);
  const expr = exprOf(c, valueArg);
  if (name === undefined || expr === undefined || !nameArg || !valueArg) return;
  assign(
    c.b,
    name,
    expr,
    { start: c.lineStart + nameArg.start, end: c.lineStart + nameArg.end },
    whereOf(c, valueArg),
  );
});

/** Gives `name` the value of `expr`, as `.set` and `=` do. */
export function assign(
  b: Builder,
  name: string,
  expr: Expr,
  range: { start: number; end: number },
  where: Where,
): void {
  const sym = b.symbol(name);
  if (sym.section !== UNDEFINED && !sym.assigned) {
    b.report(range, 'duplicate-symbol', `\`${name}\` is already defined as a label`);
    return;
  }
  const bound = b.bind(expr);
  const value = b.evaluate(bound, false) ?? b.evaluate(bound, true);
  if (value === undefined || typeof value === 'string') {
    b.report(b.rangeOf(where), 'bad-expression', value ?? 'the value is not known here');
    return;
  }
  if (value.minus || (value.plus && value.plus.section === UNDEFINED)) {
    b.report(
      b.rangeOf(where),
      'not-absolute',
      value.plus && !value.minus
        ? `\`${value.plus.name}\` is not defined before this line`
        : 'the value must be a number, a symbol, or the difference of two symbols of one section',
    );
    return;
  }
  sym.assigned = true;
  sym.range = range;
  if (value.plus) {
    sym.section = value.plus.section;
    if (value.addend === 0n) sym.alias = value.plus;
    sym.value = value.plus.value + value.addend;
    if (value.plus.type !== 'notype' && sym.type === 'notype') sym.type = value.plus.type;
  } else {
    sym.section = ABSOLUTE;
    sym.value = value.addend;
  }
}
