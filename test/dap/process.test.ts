import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import { afterEach, describe, expect, test } from 'vitest';
import { listenDap, serveDap } from '#debugger/node-main.ts';

const ADAPTER = fileURLToPath(new URL('../../debugger/node-main.ts', import.meta.url));
const WORKER = new URL('../../core/platform/node/worker-entry.ts', import.meta.url);
const FIREWALL = fileURLToPath(new URL('./programs/firewall.bpf.s', import.meta.url));
const LOOP = fileURLToPath(new URL('./programs/loop.bpf.s', import.meta.url));

/** The adapter as an editor starts it, spoken to by the reference client of the protocol's authors. */
describe('a process on stdin and stdout', () => {
  let client: DebugClient | undefined;
  afterEach(() => client?.stop());

  test('debugs to a breakpoint, steps, and ends with the verdict', async () => {
    client = new DebugClient(process.execPath, ADAPTER, 'bpf', { shell: false });
    await client.start();
    // A path relative to the adapter's folder; the editor names the same file by its absolute path.
    const program = relative(process.cwd(), FIREWALL);
    await client.hitBreakpoint({ program, data: 'builtin:tcp-syn' }, { path: FIREWALL, line: 14 });
    const stepped = client.assertStoppedLocation('step', { path: FIREWALL, line: 21 });
    await Promise.all([client.stepInRequest({ threadId: 1 }), stepped]);
    const { body } = await client.evaluateRequest({ expression: 'r6', context: 'watch' });
    expect(body.result).toMatch(/^0x[0-9a-f]+ packet$/);
    const output = client.assertOutput('console', 'packet 1/1: XDP_PASS (2)', 5000);
    await Promise.all([client.continueRequest({ threadId: 1 }), output, client.waitForEvent('terminated')]);
  });

  test('ends when it is told to while the program spins', async () => {
    client = new DebugClient(process.execPath, ADAPTER, 'bpf', { shell: false });
    await client.start();
    await Promise.all([client.configurationSequence(), client.launch({ program: LOOP })]);
    await Promise.all([client.pauseRequest({ threadId: 1 }), client.waitForEvent('stopped')]);
    await client.continueRequest({ threadId: 1 });
    await Promise.all([client.terminateRequest(), client.waitForEvent('terminated')]);
  });
});

/** A client's messages with their headers. */
function frame(...messages: readonly object[]): string {
  return messages
    .map((message) => {
      const json = JSON.stringify({ type: 'request', ...message });
      return `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
    })
    .join('');
}

describe('streams', () => {
  test('serveDap resolves when the client disconnects', async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const served = serveDap(input, output, { workerPath: WORKER });
    let text = '';
    output.on('data', (data) => {
      text += data;
      // Only now: a disconnect ends what is still under way.
      if (String(data).includes('"command":"launch"')) input.write(frame({ seq: 3, command: 'disconnect' }));
    });
    input.write(
      frame(
        { seq: 1, command: 'initialize', arguments: { adapterID: 'bpf' } },
        { seq: 2, command: 'launch', arguments: { program: 'ø-none.s' } },
      ),
    );
    await served;
    expect(text).toContain('"supportsConfigurationDoneRequest":true');
    expect(text).toContain('ø-none.s cannot be read');
    expect(text).toContain('"command":"disconnect"');
  });

  test.each([
    ['a folder', '/', 'it is a folder; name a file'],
    // Windows has no such file
    ['a device without an end', '/dev/zero', /it is no regular file|ENOENT/],
  ])('a program that is %s is refused', async (_, program, message) => {
    const input = new PassThrough();
    const output = new PassThrough();
    const served = serveDap(input, output, { workerPath: WORKER });
    let text = '';
    output.on('data', (data) => {
      text += data;
      if (String(data).includes('"command":"launch"')) input.end();
    });
    input.write(
      frame(
        { seq: 1, command: 'initialize', arguments: { adapterID: 'bpf' } },
        { seq: 2, command: 'launch', arguments: { program } },
      ),
    );
    await served;
    expect(text).toMatch(message);
  });

  test('serveDap resolves when its input ends, whatever came before', async () => {
    const input = new PassThrough();
    const served = serveDap(input, new PassThrough(), { workerPath: WORKER });
    input.end('Content-Length: 5\r\n\r\n{nope');
    await served;
  });

  test('listenDap serves several clients at once on a port of its own', async () => {
    const listening = await listenDap(0, { workerPath: WORKER });
    const answers = await Promise.all(
      [1, 2].map(
        () =>
          new Promise<string>((resolve) => {
            let text = '';
            const socket = connect(listening.port, '127.0.0.1', () => {
              socket.write(
                frame(
                  { seq: 1, command: 'initialize', arguments: { adapterID: 'bpf' } },
                  { seq: 2, command: 'disconnect' },
                ),
              );
            });
            socket.on('data', (data) => {
              text += data;
            });
            socket.on('end', () => resolve(text));
          }),
      ),
    );
    for (const answer of answers) expect(answer).toContain('"command":"disconnect"');
    await listening.close();
  });

  test('a port that is taken is an error', async () => {
    const listening = await listenDap(0, { workerPath: WORKER });
    await expect(listenDap(listening.port, { workerPath: WORKER })).rejects.toThrow('EADDRINUSE');
    await listening.close();
  });
});

test('every transcript belongs to a script', () => {
  const names = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.txt'));
  expect(names.sort()).toEqual([
    ...[
      'all-packets.txt',
      'counts-from-0.txt',
      'disassembly.txt',
      'edits.txt',
      'fault.txt',
      'first-steps.txt',
      'pause.txt',
    ],
    ...['run-without-debugging.txt', 'views.txt'],
  ]);
});
