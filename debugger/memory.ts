import type { DebugProtocol } from '@vscode/debugprotocol';
import { fromBase64, toBase64 } from '#core/bytes/base64.ts';
import type { TargetClient } from '#core/session/client.ts';
import { checkInteger, checkText, DapError } from './errors.ts';

/** Carries out `readMemory`; no bytes and `unreadableBytes` where nothing is. */
export async function readMemory(
  target: TargetClient,
  args: DebugProtocol.ReadMemoryArguments,
): Promise<NonNullable<DebugProtocol.ReadMemoryResponse['body']>> {
  checkText('readMemory', 'memoryReference', args.memoryReference);
  checkInteger('readMemory', 'offset', args.offset ?? 0);
  checkInteger('readMemory', 'count', args.count);
  const reply = await target.request('readMemory', {
    reference: args.memoryReference,
    offset: args.offset ?? 0,
    count: args.count,
  });
  if ('message' in reply) throw new DapError('memory', reply.message, { showUser: false });
  return {
    address: `0x${reply.address.toString(16)}`,
    ...(reply.bytes.length === 0 ? {} : { data: toBase64(reply.bytes) }),
    ...(reply.unreadable === 0 ? {} : { unreadableBytes: reply.unreadable }),
  };
}

/** Carries out `writeMemory`. */
export async function writeMemory(target: TargetClient, args: DebugProtocol.WriteMemoryArguments) {
  checkText('writeMemory', 'memoryReference', args.memoryReference);
  checkText('writeMemory', 'data', args.data);
  checkInteger('writeMemory', 'offset', args.offset ?? 0);
  const bytes = fromBase64(args.data);
  if (bytes === undefined) throw new DapError('badRequest', 'writeMemory: "data" is not base64');
  const reply = await target.request('writeMemory', {
    reference: args.memoryReference,
    offset: args.offset ?? 0,
    bytes,
    allowPartial: args.allowPartial ?? false,
  });
  if ('message' in reply) throw new DapError('memory', reply.message);
  return { body: { bytesWritten: reply.written }, edited: reply.edited };
}
