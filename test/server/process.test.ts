import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  createProtocolConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageReader,
  type MessageWriter,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';

const ENTRY = fileURLToPath(new URL('../../server/node-main.ts', import.meta.url));

/** `initialize`, `shutdown`, `exit`; answers the server's name and how the process ended. */
async function converse(child: ChildProcess, reader: MessageReader, writer: MessageWriter) {
  const rpc = createProtocolConnection(reader, writer);
  rpc.listen();
  const { serverInfo } = await rpc.sendRequest<{ serverInfo: { name: string } }>('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  await rpc.sendRequest('shutdown');
  const ended = once(child, 'exit');
  await rpc.sendNotification('exit');
  const [code] = await ended;
  return { name: serverInfo.name, code };
}

test('the server as a process over stdio', async () => {
  const child = spawn(process.execPath, [ENTRY, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answer = await converse(
    child,
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  expect(answer).toEqual({ name: 'BPF Workbench', code: 0 });
});

test('the server as a process over IPC, as VS Code starts it', async () => {
  const child = fork(ENTRY, ['--node-ipc'], { execPath: process.execPath });
  expect(await converse(child, new IPCMessageReader(child), new IPCMessageWriter(child))).toEqual({
    name: 'BPF Workbench',
    code: 0,
  });
});

test('the process ends with 1 when its input ends without a shutdown', async () => {
  const child = spawn(process.execPath, [ENTRY, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([1, null]);
});
