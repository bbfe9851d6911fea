import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import { addressText } from '#core/session/code-address.ts';
import type { FrameRow, SourceLocation } from '#core/session/target-rows.ts';
import { type ClientConventions, columnToClient, lineToClient } from './client-conventions.ts';
import type { StopHandles } from './handles.ts';
import type { GeneratedSources } from './sources.ts';

/** Carries out `stackTrace`: frames innermost first, pages of it where the client asks for some. */
export async function stackTrace(
  target: TargetClient,
  client: ClientConventions,
  handles: StopHandles,
  sources: GeneratedSources,
  args: DebugProtocol.StackTraceArguments,
): Promise<DebugProtocol.StackTraceResponse['body']> {
  const frames = await target.request('frames', null);
  const start = args.startFrame ?? 0;
  const end = args.levels === undefined || args.levels === 0 ? frames.length : start + args.levels;
  return {
    stackFrames: frames.slice(start, end).map((frame) => dapFrame(client, handles, sources, frame)),
    totalFrames: frames.length,
  };
}

function dapFrame(
  client: ClientConventions,
  handles: StopHandles,
  sources: GeneratedSources,
  frame: FrameRow,
): DebugProtocol.StackFrame {
  const id = handles.frameId(frame.index);
  const { location } = frame;
  const instructionPointerReference = addressText(frame.address);
  if (location === undefined) {
    // Without line info the instruction itself tells where the program stands.
    return {
      id,
      name: `${frame.name}: ${frame.pc}: ${frame.insn}`,
      line: 0,
      column: 0,
      instructionPointerReference,
      presentationHint: 'subtle',
    };
  }
  return {
    id,
    name: frame.name,
    ...dapPlace(client, sources, location),
    instructionPointerReference,
    presentationHint: 'normal',
  };
}

/** Source, line and column as the client counts them. */
export function dapPlace(
  client: ClientConventions,
  sources: GeneratedSources,
  location: SourceLocation,
): { source: DebugProtocol.Source; line: number; column: number } {
  return {
    source: sources.source(location.file),
    line: lineToClient(client, location.line),
    column: columnToClient(client, location.column),
  };
}
