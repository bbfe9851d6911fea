import * as vscode from 'vscode';
import { expressionAt } from './expression-at.ts';

/** Tells VS Code what to evaluate when the mouse rests on a register or memory operand while debugging. */
export const evaluatableExpressions: vscode.EvaluatableExpressionProvider = {
  provideEvaluatableExpression(document, { line, character }) {
    const found = expressionAt(document.lineAt(line).text, character);
    if (!found) return undefined;
    return new vscode.EvaluatableExpression(
      new vscode.Range(line, found.start, line, found.end),
      found.expression,
    );
  },
};
