import type { DebugProtocol } from '@vscode/debugprotocol';
import type { StopReport } from '#core/session/target-rows.ts';

/** Body of the `stopped` event for a stop of the target. */
export function stoppedBody(report: StopReport, threadId: number): DebugProtocol.StoppedEvent['body'] {
  const { reason, description, breakpoints, fault, difference } = report;
  const what = fault !== undefined ? 'Paused on a fault' : difference && 'Paused where two engines differ';
  return {
    reason,
    threadId,
    allThreadsStopped: true,
    ...(what !== undefined ? { description: what } : {}),
    ...(what === undefined && description !== undefined ? { description } : {}),
    ...(description !== undefined ? { text: description } : {}),
    ...(breakpoints.length > 0 ? { hitBreakpointIds: [...breakpoints] } : {}),
  };
}

/** Body of the answer to `exceptionInfo` at a stop for a fault, or for a difference between engines; undefined when it is no such stop. */
export function exceptionInfo(
  report: StopReport | undefined,
): DebugProtocol.ExceptionInfoResponse['body'] | undefined {
  const difference = report?.difference;
  if (difference !== undefined) {
    const message = difference.text.join('\n');
    const exceptionId = 'lockstep';
    return {
      ...{ exceptionId, description: message, breakMode: 'always' },
      details: { message, typeName: exceptionId },
    };
  }
  const fault = report?.fault;
  if (fault === undefined) return undefined;
  return {
    exceptionId: fault.kind,
    description: fault.message,
    breakMode: 'always',
    details: { message: fault.message, typeName: fault.kind },
  };
}
