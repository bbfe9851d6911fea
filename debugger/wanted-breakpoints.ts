import type { DebugProtocol } from '@vscode/debugprotocol';
import { addressText } from '#core/session/code-address.ts';
import type { SourceLocation } from '#core/session/target-rows.ts';
import type { ClientConventions } from './client-conventions.ts';
import { checkText } from './errors.ts';
import type { GeneratedSources } from './sources.ts';
import { dapPlace } from './stack-trace.ts';

/** What breakpoints of every kind have in common, as they are asked for and as they are answered. */

/** When a breakpoint counts. */
interface BreakpointTexts {
  readonly condition?: string;
  readonly hitCondition?: string;
}

/**
 * Condition and hit count of a breakpoint that `command` asks for. Throws `DapError` for what is malformed: nothing is
 * kept of it, or a restart would stumble over it again.
 */
export function breakpointTexts(
  command: string,
  { condition, hitCondition }: BreakpointTexts,
): BreakpointTexts {
  if (condition !== undefined) checkText(command, 'condition', condition);
  if (hitCondition !== undefined) checkText(command, 'hitCondition', hitCondition);
  return {
    ...(condition === undefined ? {} : { condition }),
    ...(hitCondition === undefined ? {} : { hitCondition }),
  };
}

/** What became of a breakpoint that was asked for by something else than a line. */
export function dapBreakpoint(
  client: ClientConventions,
  sources: GeneratedSources,
  reply: {
    readonly id: number;
    readonly verified: boolean;
    readonly message?: string;
    readonly location?: SourceLocation;
    readonly address?: bigint;
  },
): DebugProtocol.Breakpoint {
  const { id, verified, message, location, address } = reply;
  return {
    id,
    verified,
    ...(message === undefined ? {} : { message }),
    ...(location === undefined ? {} : dapPlace(client, sources, location)),
    ...(address === undefined ? {} : { instructionReference: addressText(address) }),
  };
}

/** The requests with the ids that the client knows them by from now on, also in another target. */
export function withIds<R extends { readonly id?: number }>(
  requests: readonly R[],
  replies: readonly { readonly id: number }[],
): readonly R[] {
  return requests.map((request, index) => {
    const id = replies[index]?.id;
    return id === undefined ? request : { ...request, id };
  });
}
