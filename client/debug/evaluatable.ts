import * as vscode from 'vscode';
import { classicExpressionAt } from './classic-expression-at.ts';
import { type ExpressionAt, expressionAt } from './expression-at.ts';

/** Tells VS Code what to evaluate when the mouse rests on a register or memory operand while debugging. */
export const evaluatableExpressions = providerOf(expressionAt);

/** The same for A, X and the scratch memory of classic BPF. */
export const classicExpressions = providerOf(classicExpressionAt);

function providerOf(
  expressionIn: (line: string, column: number) => ExpressionAt | undefined,
): vscode.EvaluatableExpressionProvider {
  return {
    provideEvaluatableExpression(document, { line, character }) {
      const found = expressionIn(document.lineAt(line).text, character);
      if (!found) return undefined;
      return new vscode.EvaluatableExpression(
        new vscode.Range(line, found.start, line, found.end),
        found.expression,
      );
    },
  };
}
