import type { Grammar, GrammarRule } from '#scripts/generate-grammar.ts';

/** A piece of text and the innermost scope that the grammar gives it. */
export interface Scoped {
  readonly text: string;
  readonly scope: string;
}

/**
 * As much of a TextMate tokenizer as our grammar uses: at each place the rule that matches earliest
 * wins, of several the first. Text without a scope is left out.
 */
export function scopesOf(grammar: Grammar, lines: readonly string[]): Scoped[] {
  const found: Scoped[] = [];
  let open: GrammarRule | undefined;
  for (const line of lines) {
    let at = 0;
    while (at <= line.length) {
      if (open) {
        const end = search(open.end ?? '', line, at);
        const stop = end ? end.index + end[0].length : line.length;
        add(found, line.slice(at, stop), open.name);
        at = stop;
        if (!end) break;
        open = undefined;
        continue;
      }
      const next = earliest(grammar, grammar.patterns, line, at);
      if (!next) break;
      const { rule, match } = next;
      if (rule.begin !== undefined) {
        const end = search(rule.end ?? '', line, match.index + match[0].length);
        const stop = end ? end.index + end[0].length : line.length;
        add(found, line.slice(match.index, stop), rule.name);
        if (!end) open = rule;
        at = stop;
      } else {
        emit(grammar, rule, match, line, found);
        at = Math.max(match.index + match[0].length, at + (match[0] === '' ? 1 : 0));
      }
      if (at >= line.length) break;
    }
  }
  return found;
}

function emit(
  grammar: Grammar,
  rule: GrammarRule,
  match: RegExpExecArray,
  line: string,
  found: Scoped[],
): void {
  if (rule.name) add(found, match[0], rule.name);
  for (const [index, capture] of Object.entries(rule.captures ?? {})) {
    const range = match.indices?.[Number(index)];
    if (!range) continue;
    const text = line.slice(...range);
    if (capture.name) add(found, text, capture.name);
    const inner = earliest(grammar, capture.patterns ?? [], text, 0);
    if (inner) emit(grammar, inner.rule, inner.match, text, found);
  }
}

function earliest(grammar: Grammar, rules: readonly GrammarRule[], line: string, at: number) {
  let best: { rule: GrammarRule; match: RegExpExecArray } | undefined;
  for (const rule of flat(grammar, rules)) {
    const match = search(rule.match ?? rule.begin ?? '(?!)', line, at);
    if (match && (!best || match.index < best.match.index)) best = { rule, match };
  }
  return best;
}

function flat(grammar: Grammar, rules: readonly GrammarRule[]): GrammarRule[] {
  return rules.flatMap((rule) => {
    const target = rule.include ? grammar.repository[rule.include.slice(1)] : rule;
    if (!target) return [];
    return (target.match ?? target.begin) ? [target] : flat(grammar, target.patterns ?? []);
  });
}

function search(source: string, line: string, at: number): RegExpExecArray | undefined {
  const expression = new RegExp(source, 'dg');
  expression.lastIndex = at;
  return expression.exec(line) ?? undefined;
}

function add(found: Scoped[], text: string, scope: string | undefined): void {
  if (text.trim() !== '' && scope) found.push({ text: text.trim(), scope });
}
