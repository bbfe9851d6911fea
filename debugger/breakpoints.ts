import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import type { BreakpointReply, BreakpointRequest } from '#core/session/target-api.ts';
import {
  type ClientConventions,
  columnFromClient,
  columnToClient,
  lineFromClient,
  lineToClient,
} from './client-conventions.ts';
import { checkInteger, checkText } from './errors.ts';
import type { GeneratedSources } from './sources.ts';

/** The breakpoints the client wants, by file: kept so that a restart can set them again. */
export class WantedBreakpoints {
  readonly #sources: GeneratedSources;
  readonly #byFile = new Map<string, readonly BreakpointRequest[]>();

  constructor(sources: GeneratedSources) {
    this.#sources = sources;
  }

  /** Carries out `setBreakpoints`. */
  async set(
    target: TargetClient,
    client: ClientConventions,
    args: DebugProtocol.SetBreakpointsArguments,
  ): Promise<DebugProtocol.SetBreakpointsResponse['body']> {
    if (this.#sources.isForeign(args.source)) {
      const message = 'this text belongs to another session';
      return { breakpoints: (args.breakpoints ?? []).map(() => ({ verified: false, message })) };
    }
    const file = this.#sources.fileOf('setBreakpoints', args.source);
    const wanted = (args.breakpoints ?? []).map((one) => breakpointRequest(client, one));
    this.#byFile.set(file, wanted);
    const replies = await target.request('setBreakpoints', { file, breakpoints: wanted });
    // unless the client has asked for others in the meantime
    if (this.#byFile.get(file) === wanted) this.#byFile.set(file, withIds(wanted, replies));
    return { breakpoints: replies.map((reply) => dapBreakpoint(client, args.source, reply)) };
  }

  /** Sets all of them in a new target; the bodies of `breakpoint` events that tell what became of each. */
  async setAgain(
    target: TargetClient,
    client: ClientConventions,
  ): Promise<readonly DebugProtocol.Breakpoint[]> {
    const all: DebugProtocol.Breakpoint[] = [];
    for (const [file, breakpoints] of this.#byFile) {
      const replies = await target.request('setBreakpoints', { file, breakpoints });
      all.push(...replies.map((reply) => dapBreakpoint(client, this.#sources.source(file), reply)));
    }
    return all;
  }
}

/** Carries out `breakpointLocations`. */
export async function breakpointLocations(
  target: TargetClient,
  client: ClientConventions,
  sources: GeneratedSources,
  args: DebugProtocol.BreakpointLocationsArguments | undefined,
): Promise<DebugProtocol.BreakpointLocationsResponse['body']> {
  if (args === undefined) return { breakpoints: [] };
  const { path, sourceReference } = args.source;
  if (path === undefined && sourceReference === undefined) return { breakpoints: [] };
  const file = sources.fileOf('breakpointLocations', args.source);
  checkInteger('breakpointLocations', 'line', args.line);
  if (args.endLine !== undefined) checkInteger('breakpointLocations', 'endLine', args.endLine);
  const line = lineFromClient(client, args.line);
  const endLine = args.endLine === undefined ? line : lineFromClient(client, args.endLine);
  const places = await target.request('breakpointLocations', { file, line, endLine });
  return {
    breakpoints: places.map((place) => ({
      line: lineToClient(client, place.line),
      column: columnToClient(client, place.column),
    })),
  };
}

/** Throws `DapError` for what is malformed: nothing is kept of it, or a restart would stumble over it again. */
function breakpointRequest(
  client: ClientConventions,
  one: DebugProtocol.SourceBreakpoint,
): BreakpointRequest {
  checkInteger('setBreakpoints', 'line', one.line);
  if (one.column !== undefined) checkInteger('setBreakpoints', 'column', one.column);
  for (const name of ['condition', 'hitCondition', 'logMessage'] as const) {
    if (one[name] !== undefined) checkText('setBreakpoints', name, one[name]);
  }
  return {
    line: lineFromClient(client, one.line),
    ...(one.column === undefined ? {} : { column: columnFromClient(client, one.column) }),
    ...(one.condition === undefined ? {} : { condition: one.condition }),
    ...(one.hitCondition === undefined ? {} : { hitCondition: one.hitCondition }),
    ...(one.logMessage === undefined ? {} : { logMessage: one.logMessage }),
  };
}

function dapBreakpoint(
  client: ClientConventions,
  source: DebugProtocol.Source,
  reply: BreakpointReply,
): DebugProtocol.Breakpoint {
  return {
    id: reply.id,
    verified: reply.verified,
    line: lineToClient(client, reply.line),
    ...(reply.column === undefined ? {} : { column: columnToClient(client, reply.column) }),
    ...(reply.message === undefined ? {} : { message: reply.message }),
    source,
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
