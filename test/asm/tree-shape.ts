import type { AsmTree } from '#core/asm/parse.ts';

/** What is to be equal of two trees of the same text, in a form that compares and prints well. */
export function shapeOf(tree: AsmTree): unknown {
  return {
    text: tree.text,
    dialect: tree.dialect,
    lineStarts: tree.lineStarts,
    diagnostics: tree.diagnostics,
    lines: tree.lines.map((line) => ({
      number: line.number,
      start: line.start,
      end: line.end,
      inComment: [line.parsed.startsInComment, line.parsed.endsInComment],
      tokens: line.tokens,
      statements: line.parsed.statements.map((s) =>
        s.kind === 'insn' ? { ...s, terminal: s.terminal.template } : s,
      ),
    })),
  };
}
