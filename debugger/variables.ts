import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import type { VariableRow } from '#core/session/target-rows.ts';
import type { ClientConventions } from './client-conventions.ts';
import { assignmentError } from './errors.ts';
import type { StopHandles } from './handles.ts';

/** Rows of one answer when the client does not page. */
const UNPAGED_ROWS = 1000;

/** Carries out `scopes`. */
export async function scopes(
  target: TargetClient,
  handles: StopHandles,
  args: DebugProtocol.ScopesArguments,
): Promise<DebugProtocol.ScopesResponse['body']> {
  const frame = handles.frameIndex(args.frameId);
  const rows = await target.request('scopes', { frame });
  return {
    scopes: rows.map(({ name, container, named, indexed, expensive }) => ({
      name,
      variablesReference: handles.variablesReference({ container, frame }),
      ...(named === undefined ? {} : { namedVariables: named }),
      ...(indexed === undefined ? {} : { indexedVariables: indexed }),
      expensive,
      ...(name === 'Registers' || name === 'Native' ? { presentationHint: 'registers' } : {}),
    })),
  };
}

/** Carries out `variables`: one page of a container's rows. */
export async function variables(
  target: TargetClient,
  client: ClientConventions,
  handles: StopHandles,
  args: DebugProtocol.VariablesArguments,
): Promise<DebugProtocol.VariablesResponse['body']> {
  const handle = handles.variables(args.variablesReference);
  const count = args.count === undefined || args.count === 0 ? UNPAGED_ROWS : args.count;
  const rows = await target.request('children', {
    of: handle.container,
    frame: handle.frame,
    start: args.start ?? 0,
    count,
  });
  return {
    variables: rows.map((row) => ({
      name: row.name,
      ...dapValue(client, handles, handle.frame, row),
      ...(row.evaluateName === undefined ? {} : { evaluateName: row.evaluateName }),
      ...(row.readOnly === true ? { presentationHint: { attributes: ['readOnly'] } } : {}),
    })),
  };
}

/** Carries out `setVariable`; `edited` tells what else the client must read again. */
export async function setVariable(
  target: TargetClient,
  client: ClientConventions,
  handles: StopHandles,
  args: DebugProtocol.SetVariableArguments,
) {
  const handle = handles.variables(args.variablesReference);
  const reply = await target.request('assign', {
    target: args.name,
    container: handle.container,
    value: args.value,
    frame: handle.frame,
  });
  if (!reply.ok) throw assignmentError(args.name, reply.message);
  return { body: dapValue(client, handles, handle.frame, reply.row), edited: reply.edited };
}

/** A row's value as every answer with a value shows it. */
export function dapValue(
  client: ClientConventions,
  handles: StopHandles,
  frame: number,
  row: VariableRow,
): {
  value: string;
  type?: string;
  variablesReference: number;
  namedVariables?: number;
  indexedVariables?: number;
  memoryReference?: string;
} {
  return {
    value: row.value,
    ...(client.variableType ? { type: row.type } : {}),
    variablesReference:
      row.children === undefined ? 0 : handles.variablesReference({ container: row.children, frame }),
    ...(row.named === undefined ? {} : { namedVariables: row.named }),
    ...(row.indexed === undefined ? {} : { indexedVariables: row.indexed }),
    ...(row.memory === undefined || !client.memoryReferences
      ? {}
      : { memoryReference: row.memory.reference }),
  };
}
