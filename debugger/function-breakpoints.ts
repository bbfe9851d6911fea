import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import type { FunctionBreakpointReply, FunctionBreakpointRequest } from '#core/session/target-api.ts';
import { withIds } from './breakpoints.ts';
import type { ClientConventions } from './client-conventions.ts';
import { checkText } from './errors.ts';
import type { GeneratedSources } from './sources.ts';
import { dapPlace } from './stack-trace.ts';

/** The breakpoints on functions that the client wants: kept so that a restart can set them again. */
export class WantedFunctionBreakpoints {
  readonly #sources: GeneratedSources;
  #wanted: readonly FunctionBreakpointRequest[] = [];

  constructor(sources: GeneratedSources) {
    this.#sources = sources;
  }

  /** Carries out `setFunctionBreakpoints`. */
  async set(
    target: TargetClient,
    client: ClientConventions,
    args: DebugProtocol.SetFunctionBreakpointsArguments,
  ): Promise<DebugProtocol.SetFunctionBreakpointsResponse['body']> {
    this.#wanted = args.breakpoints.map(breakpointRequest);
    return { breakpoints: await this.setAgain(target, client) };
  }

  /** Sets all of them in a new target, where functions may have changed; tells what became of each. */
  async setAgain(target: TargetClient, client: ClientConventions): Promise<DebugProtocol.Breakpoint[]> {
    const wanted = this.#wanted;
    const replies = await target.request('setFunctionBreakpoints', { breakpoints: wanted });
    // unless the client has asked for others in the meantime
    if (this.#wanted === wanted) this.#wanted = withIds(wanted, replies);
    return replies.map((reply) => dapBreakpoint(client, this.#sources, reply));
  }
}

/** Throws `DapError` for what is malformed. */
function breakpointRequest(one: DebugProtocol.FunctionBreakpoint): FunctionBreakpointRequest {
  const { name, condition, hitCondition } = one;
  checkText('setFunctionBreakpoints', 'name', name);
  if (condition !== undefined) checkText('setFunctionBreakpoints', 'condition', condition);
  if (hitCondition !== undefined) checkText('setFunctionBreakpoints', 'hitCondition', hitCondition);
  return {
    name,
    ...(condition === undefined ? {} : { condition }),
    ...(hitCondition === undefined ? {} : { hitCondition }),
  };
}

function dapBreakpoint(
  client: ClientConventions,
  sources: GeneratedSources,
  { id, verified, location, message }: FunctionBreakpointReply,
): DebugProtocol.Breakpoint {
  return {
    id,
    verified,
    ...(message === undefined ? {} : { message }),
    ...(location === undefined ? {} : dapPlace(client, sources, location)),
  };
}
