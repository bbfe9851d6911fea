import type {
  FrameRequest,
  ProgramTextReply,
  ProgramTextRequest,
  RegistersReply,
  StackReply,
  StatsReply,
} from '#core/protocol/messages.ts';
import type { TargetClient } from '#core/session/client.ts';
import { checkInteger, DapError } from './errors.ts';
import type { StopHandles } from './handles.ts';

/** Carries out `bpf/registers`. */
export function registersRequest(
  target: TargetClient,
  handles: StopHandles,
  args: FrameRequest | undefined,
): Promise<RegistersReply> {
  return target.request('registers', { frame: selectedFrame(handles, args) });
}

/** Carries out `bpf/stack`. */
export function stackRequest(
  target: TargetClient,
  handles: StopHandles,
  args: FrameRequest | undefined,
): Promise<StackReply> {
  return target.request('stack', { frame: selectedFrame(handles, args) });
}

/** Carries out `bpf/stats`, which can be asked at any time. */
export function statsRequest(target: TargetClient): Promise<StatsReply> {
  return target.request('stats', null);
}

/** Lines of a program's text that a client gets that does not say how many. */
const DEFAULT_LINES = 10_000;

/** Carries out `bpf/programText`, which can be asked at any time. */
export function programTextRequest(
  target: TargetClient,
  handles: StopHandles,
  args: ProgramTextRequest | undefined,
): Promise<ProgramTextReply> {
  const { start = 0, count = DEFAULT_LINES, shown = true } = args ?? {};
  checkInteger('bpf/programText', 'start', start);
  checkInteger('bpf/programText', 'count', count);
  if (typeof shown !== 'boolean')
    throw new DapError('badRequest', 'bpf/programText: "shown" must be true or false', { showUser: false });
  return target.request('programText', { frame: selectedFrame(handles, args), start, count, shown });
}

/** Index of the frame that the view names by its id; absent or 0: the innermost. */
export function selectedFrame(handles: StopHandles, args: FrameRequest | undefined): number {
  const id: unknown = args?.frameId;
  if (id !== undefined && typeof id !== 'number') {
    throw new DapError('badRequest', '"frameId" must be a number', { showUser: false });
  }
  return handles.frameIndex(id);
}
