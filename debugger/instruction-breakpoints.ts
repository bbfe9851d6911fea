import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import { addressText } from '#core/session/code-address.ts';
import type { InstructionBreakpointReply, InstructionBreakpointRequest } from '#core/session/target-api.ts';
import { withIds } from './breakpoints.ts';
import type { ClientConventions } from './client-conventions.ts';
import { checkInteger, checkText } from './errors.ts';
import type { GeneratedSources } from './sources.ts';
import { dapPlace } from './stack-trace.ts';

/** The breakpoints by address that the client wants: kept so that a restart can set them again. */
export class WantedInstructionBreakpoints {
  readonly #sources: GeneratedSources;
  #wanted: readonly InstructionBreakpointRequest[] = [];

  constructor(sources: GeneratedSources) {
    this.#sources = sources;
  }

  /** Carries out `setInstructionBreakpoints`. */
  async set(
    target: TargetClient,
    client: ClientConventions,
    args: DebugProtocol.SetInstructionBreakpointsArguments,
  ): Promise<DebugProtocol.SetInstructionBreakpointsResponse['body']> {
    this.#wanted = args.breakpoints.map(breakpointRequest);
    return { breakpoints: await this.setAgain(target, client) };
  }

  /** Sets all of them in a new target, where programs may have changed; tells what became of each. */
  async setAgain(target: TargetClient, client: ClientConventions): Promise<DebugProtocol.Breakpoint[]> {
    const wanted = this.#wanted;
    const replies = await target.request('setInstructionBreakpoints', { breakpoints: wanted });
    // unless the client has asked for others in the meantime
    if (this.#wanted === wanted) this.#wanted = withIds(wanted, replies);
    return replies.map((reply) => dapBreakpoint(client, this.#sources, reply));
  }
}

function breakpointRequest(one: DebugProtocol.InstructionBreakpoint): InstructionBreakpointRequest {
  const { instructionReference: reference, offset = 0, condition, hitCondition } = one;
  checkText('setInstructionBreakpoints', 'instructionReference', reference);
  checkInteger('setInstructionBreakpoints', 'offset', offset);
  if (condition !== undefined) checkText('setInstructionBreakpoints', 'condition', condition);
  if (hitCondition !== undefined) checkText('setInstructionBreakpoints', 'hitCondition', hitCondition);
  return {
    reference,
    offset,
    ...(condition === undefined ? {} : { condition }),
    ...(hitCondition === undefined ? {} : { hitCondition }),
  };
}

function dapBreakpoint(
  client: ClientConventions,
  sources: GeneratedSources,
  { id, verified, address, location, message }: InstructionBreakpointReply,
): DebugProtocol.Breakpoint {
  return {
    id,
    verified,
    ...(message === undefined ? {} : { message }),
    ...(location === undefined ? {} : dapPlace(client, sources, location)),
    ...(address === undefined ? {} : { instructionReference: addressText(address) }),
  };
}
