import type { TextRange } from '../object/object.ts';
import type { Builder } from './builder.ts';
import { visitSymbols } from './expr.ts';
import type { AsmTree } from './parse.ts';
import type { Statement } from './statement.ts';
import { ABSOLUTE, COMMON, type Sym, UNDEFINED } from './symbols.ts';

/** Names of a text: where they are defined, and where they are used. */

/** What a name stands for. */
export type SymbolKind = 'label' | 'map' | 'constant' | 'section' | 'function';

/** A name that the text defines. Numeric labels are kept under names that no text can spell. */
export interface SymbolDef {
  readonly name: string;
  readonly kind: SymbolKind;
  /** The name where it is defined. */
  readonly range: TextRange;
  /** Of a constant. */
  readonly value?: bigint;
  /** Index into the object's sections. */
  readonly section?: number;
  /** First slot, where the symbol stands in code. */
  readonly insnOff?: number;
}

/** A name that the text uses; `target` is missing when the text does not define it. */
export interface SymbolRef {
  readonly name: string;
  readonly range: TextRange;
  readonly target?: SymbolDef;
  /** How it is used. */
  readonly kind: 'jump' | 'call' | 'operand' | 'directive';
}

/** What the builder knows of a symbol's definition; undefined when the text does not define it. */
export function definitionOf(sym: Sym, b: Builder): SymbolDef | undefined {
  if (!sym.range || sym.section === UNDEFINED) return undefined;
  const base = { name: sym.name, range: sym.range };
  if (sym.section === ABSOLUTE) return { ...base, kind: 'constant', value: sym.value };
  if (sym.section === COMMON) return { ...base, kind: 'label' };
  const section = b.sections[sym.section]!;
  if (sym.map) return { ...base, kind: 'map', section: sym.section };
  if (!section.hasInsns) return { ...base, kind: 'label', section: sym.section };
  return {
    ...base,
    kind: sym.type === 'func' || sym.binding === 'global' ? 'function' : 'label',
    section: sym.section,
    insnOff: Number(sym.value / 8n),
  };
}

/** All uses of names, in the order of the text. */
export function collectReferences(tree: AsmTree, definitions: ReadonlyMap<string, SymbolDef>): SymbolRef[] {
  const out: SymbolRef[] = [];
  const seen = new Map<number, number>();
  for (const line of tree.lines) {
    for (const statement of line.parsed.statements) {
      if (statement.kind === 'label' && statement.numeric) {
        seen.set(Number(statement.name), (seen.get(Number(statement.name)) ?? 0) + 1);
      }
      for (const { expr, kind } of expressionsOf(statement)) {
        visitSymbols(expr, (node) => {
          const count = node.kind === 'local' ? (seen.get(node.number) ?? 0) : 0;
          const name =
            node.kind === 'symbol' ? node.name : `\u0001${node.number}#${node.forward ? count + 1 : count}`;
          if (name === '.') return;
          const target = definitions.get(name);
          out.push({
            name,
            range: { start: line.start + node.start, end: line.start + node.end },
            ...(target ? { target } : {}),
            kind,
          });
        });
      }
    }
  }
  return out;
}

function* expressionsOf(
  statement: Statement,
): Generator<{ expr: Parameters<typeof visitSymbols>[0]; kind: SymbolRef['kind'] }> {
  if (statement.kind === 'insn') {
    for (const [n, expr] of [statement.e0, statement.e1].entries()) {
      if (typeof expr !== 'object') continue;
      const binding = statement.terminal.exprs[n];
      const kind =
        binding === 'target' || binding === 'ltarget'
          ? 'jump'
          : binding === 'helper' || binding === 'func' || binding === 'kfunc'
            ? 'call'
            : 'operand';
      yield { expr, kind };
    }
  } else if (statement.kind === 'assign') {
    yield { expr: statement.value, kind: 'directive' };
  } else if (statement.kind === 'directive') {
    const defines = /^\.(set|equ|equiv|map|comm|lcomm)$/.test(statement.name);
    if (/^\.(section|pushsection|program|loc|file)$/.test(statement.name)) return;
    for (const [n, arg] of statement.args.entries()) {
      if (arg.kind !== 'expr' || typeof arg.value !== 'object') continue;
      if (defines && n === 0) continue;
      if (statement.name === '.map' && n === 1) continue;
      yield { expr: arg.value, kind: 'directive' };
    }
  }
}
