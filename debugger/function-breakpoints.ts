import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import type { FunctionBreakpointRequest } from '#core/session/target-rows.ts';
import type { ClientConventions } from './client-conventions.ts';
import { checkText } from './errors.ts';
import type { GeneratedSources } from './sources.ts';
import { breakpointTexts, dapBreakpoint, withIds } from './wanted-breakpoints.ts';

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
  const { name } = one;
  checkText('setFunctionBreakpoints', 'name', name);
  return { name, ...breakpointTexts('setFunctionBreakpoints', one) };
}
