import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import { addressText } from '#core/session/code-address.ts';
import type { BreakpointReply, BreakpointRequest } from '#core/session/target-rows.ts';
import {
  type ClientConventions,
  columnFromClient,
  columnToClient,
  lineFromClient,
  lineToClient,
} from './client-conventions.ts';
import { checkInteger, checkText } from './errors.ts';
import type { GeneratedSources } from './sources.ts';
import { breakpointTexts, withIds } from './wanted-breakpoints.ts';

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
    return { breakpoints: replies.map((reply) => sourceBreakpoint(client, args.source, reply)) };
  }

  /** Sets all of them in a new target; the bodies of `breakpoint` events that tell what became of each. */
  async setAgain(
    target: TargetClient,
    client: ClientConventions,
  ): Promise<readonly DebugProtocol.Breakpoint[]> {
    const all: DebugProtocol.Breakpoint[] = [];
    for (const [file, breakpoints] of this.#byFile) {
      const replies = await target.request('setBreakpoints', { file, breakpoints });
      all.push(...replies.map((reply) => sourceBreakpoint(client, this.#sources.source(file), reply)));
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

/** Throws `DapError` for what is malformed. */
function breakpointRequest(
  client: ClientConventions,
  one: DebugProtocol.SourceBreakpoint,
): BreakpointRequest {
  const { line, column, logMessage } = one;
  checkInteger('setBreakpoints', 'line', line);
  if (column !== undefined) checkInteger('setBreakpoints', 'column', column);
  if (logMessage !== undefined) checkText('setBreakpoints', 'logMessage', logMessage);
  return {
    line: lineFromClient(client, line),
    ...(column === undefined ? {} : { column: columnFromClient(client, column) }),
    ...breakpointTexts('setBreakpoints', one),
    ...(logMessage === undefined ? {} : { logMessage }),
  };
}

function sourceBreakpoint(
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
    ...(reply.address === undefined ? {} : { instructionReference: addressText(reply.address) }),
    source,
  };
}
