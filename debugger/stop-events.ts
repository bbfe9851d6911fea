import type { DebugProtocol } from '@vscode/debugprotocol';
import type { StopReport } from '#core/session/target-api.ts';

/** Body of the `stopped` event for a stop of the target. */
export function stoppedBody(report: StopReport, threadId: number): DebugProtocol.StoppedEvent['body'] {
  const { reason, description, breakpoints, fault } = report;
  return {
    reason,
    threadId,
    allThreadsStopped: true,
    ...(fault !== undefined ? { description: 'Paused on a fault' } : {}),
    ...(fault === undefined && description !== undefined ? { description } : {}),
    ...(description !== undefined ? { text: description } : {}),
    ...(breakpoints.length > 0 ? { hitBreakpointIds: [...breakpoints] } : {}),
  };
}

/** Body of the answer to `exceptionInfo` at a stop for a fault; undefined when it is no such stop. */
export function exceptionInfo(
  report: StopReport | undefined,
): DebugProtocol.ExceptionInfoResponse['body'] | undefined {
  const fault = report?.fault;
  if (fault === undefined) return undefined;
  return {
    exceptionId: fault.kind,
    description: fault.message,
    breakMode: 'always',
    details: { message: fault.message, typeName: fault.kind },
  };
}
