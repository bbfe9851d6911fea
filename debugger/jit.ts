import type {
  JitBreakpointRequest,
  JitFile,
  JitReply,
  JitRequest,
  JitRowsReply,
  JitRowsRequest,
  JitTextReply,
  JitTextRequest,
} from '#core/protocol/jit.ts';
import type { TargetClient } from '#core/session/client.ts';
import { checkInteger, checkText, DapError } from './errors.ts';
import type { StopHandles } from './handles.ts';
import type { GeneratedSources } from './sources.ts';
import { selectedFrame } from './views.ts';

/**
 * Carries out `bpf/jit`, which can be asked at any time.
 * @param breakpoints addresses of all breakpoints by address.
 */
export async function jitRequest(
  target: TargetClient,
  handles: StopHandles,
  sources: GeneratedSources,
  args: JitRequest | undefined,
  breakpoints: readonly bigint[],
): Promise<JitReply> {
  const { form, arch, blinded, have } = args ?? {};
  oneOf('form', form, ['loaded', 'xlated']);
  oneOf('arch', arch, ['x86-64', 'wasm']);
  oneOf('blinded', blinded, [true, false]);
  if (have !== undefined) checkText('bpf/jit', 'have', have);
  const frame = selectedFrame(handles, args);
  const reply = await target.request('jit', {
    frame,
    breakpoints,
    ...(form === undefined ? {} : { form }),
    ...(arch === undefined ? {} : { arch }),
    ...(blinded === undefined ? {} : { blinded }),
    ...(have === undefined ? {} : { have }),
  });
  const { listing } = reply;
  if (listing === undefined) return reply;
  const files = listing.files.map((file): JitFile => {
    const { name, sourceReference } = sources.source(file.path);
    return sourceReference === undefined ? file : { ...file, sourceReference, ...(name && { name }) };
  });
  return { ...reply, listing: { ...listing, files } };
}

/** Carries out `bpf/jitRows`. */
export function jitRowsRequest(target: TargetClient, args: JitRowsRequest): Promise<JitRowsReply> {
  const { listingId, column, start, count } = args;
  checkPart('bpf/jitRows', args);
  oneOf('column', column, ['bpf', 'native']);
  return target.request('jitRows', { listingId, column, start, count });
}

/** Carries out `bpf/jitText`. */
export function jitTextRequest(target: TargetClient, args: JitTextRequest): Promise<JitTextReply> {
  const { listingId, column, start, count } = args;
  checkPart('bpf/jitText', args);
  oneOf('column', column, ['bpf', 'native', 'all']);
  return target.request('jitText', { listingId, column, start, count });
}

/** The arguments of `bpf/jitBreakpoint`. Throws `DapError` for others. */
export function jitBreakpointArguments({ address, on }: JitBreakpointRequest): JitBreakpointRequest {
  checkText('bpf/jitBreakpoint', 'address', address);
  oneOf('on', on, [true, false]);
  return { address, on: on === true };
}

function checkPart(command: string, { listingId, start, count }: JitRowsRequest | JitTextRequest): void {
  checkText(command, 'listingId', listingId);
  checkInteger(command, 'start', start);
  checkInteger(command, 'count', count);
  if (start < 0 || count < 0) {
    throw new DapError('badRequest', `${command}: "start" and "count" count from 0`, { showUser: false });
  }
}

function oneOf(name: string, value: unknown, known: readonly (string | boolean)[]): void {
  if (value === undefined || known.some((each) => each === value)) return;
  const words = known.map((each) => JSON.stringify(each)).join(' or ');
  throw new DapError('badRequest', `"${name}" must be ${words}`, { showUser: false });
}
