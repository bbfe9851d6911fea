import type { DebugProtocol } from '@vscode/debugprotocol';
import type { QuietRequest } from '#core/protocol/messages.ts';
import type { TargetClient } from '#core/session/client.ts';
import type { EvaluateContext } from '#core/session/target-rows.ts';
import type { ClientConventions } from './client-conventions.ts';
import { assignmentError, checkText, DapError } from './errors.ts';
import type { StopHandles } from './handles.ts';
import { dapValue } from './variables.ts';

const CONTEXTS: readonly EvaluateContext[] = ['watch', 'hover', 'repl', 'clipboard', 'variables'];

/** Carries out `evaluate`. An expression that is wrong fails without a dialog: its place shows the text. */
export async function evaluate(
  target: TargetClient,
  client: ClientConventions,
  handles: StopHandles,
  args: DebugProtocol.EvaluateArguments,
) {
  checkText('evaluate', 'expression', args.expression);
  const frame = handles.frameIndex(args.frameId);
  const context = CONTEXTS.find((one) => one === args.context) ?? 'watch';
  const reply = await target.request('evaluate', { expression: args.expression, frame, context });
  if (!reply.ok) throw new DapError('evaluation', reply.message, { showUser: false });
  const { value, ...rest } = dapValue(client, handles, frame, reply.row);
  return { body: { result: value, ...rest }, edited: reply.edited };
}

/**
 * Carries out `setExpression`. A refusal is shown in a dialog, since VS Code's Watch shows it nowhere else,
 * unless the request is a view's, which shows it itself.
 */
export async function setExpression(
  target: TargetClient,
  client: ClientConventions,
  handles: StopHandles,
  args: DebugProtocol.SetExpressionArguments & QuietRequest,
) {
  checkText('setExpression', 'expression', args.expression);
  checkText('setExpression', 'value', args.value);
  const frame = handles.frameIndex(args.frameId);
  const reply = await target.request('assign', { target: args.expression, value: args.value, frame });
  if (!reply.ok) throw assignmentError(args.expression, reply.message, { showUser: args.quiet !== true });
  return { body: dapValue(client, handles, frame, reply.row), edited: reply.edited };
}
