/** The adapter as a Node program: DAP over stdin and stdout, or over a port for one client after another. */
import { existsSync, realpathSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { dirname, join, resolve as resolvePath } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol.js';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { workerTargetHost } from '#core/platform/node/worker-target.ts';
import type { AdapterHost } from './host.ts';
import type { OutgoingMessage } from './outbox.ts';
import { BpfDebugSession } from './session.ts';

/** Largest file that is read: programs are small, captures may be large, disks are larger. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;

export interface ServeOptions {
  /**
   * `dist/worker.cjs` or, run from source, `core/platform/node/worker-entry.ts`.
   * Absent: the one that belongs to the script that this process runs.
   */
  readonly workerPath?: string | URL;
}

/** The framing of the protocol by Microsoft's library; what the messages mean is `BpfDebugSession`'s. */
class Wire extends ProtocolServer {
  onRequest: (request: DebugProtocol.Request) => void = () => {};

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    this.onRequest(request);
  }

  write(message: OutgoingMessage): void {
    const numbered = { ...message, seq: 0 };
    if (numbered.type === 'event') this.sendEvent(numbered as DebugProtocol.Event);
    else this.sendResponse(numbered as DebugProtocol.Response);
  }
}

/**
 * Serves one client until its input ends or it disconnects; resolves then. Broken streams end the
 * session, they throw nothing.
 */
export function serveDap(input: Readable, output: Writable, options: ServeOptions = {}): Promise<void> {
  const workerPath = options.workerPath ?? ownWorkerPath();
  return new Promise((resolve) => {
    const wire = new Wire();
    const host: AdapterHost = {
      readFile: readLimited,
      absolutePath: (path) => resolvePath(path),
      targets: workerTargetHost(workerPath),
      after: (ms, act) => {
        const timer = setTimeout(act, ms);
        return () => clearTimeout(timer);
      },
    };
    const session = new BpfDebugSession(host, (message) => {
      if (output.writable) wire.write(message);
    });
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      void session.dispose().then(resolve, () => resolve());
    };
    wire.onRequest = (request) => {
      void session.handle(request).then(() => {
        if (request.command === 'disconnect') end();
      });
    };
    wire.on('close', end);
    wire.on('error', end);
    input.on('end', end);
    wire.start(input as NodeJS.ReadableStream, output as NodeJS.WritableStream);
  });
}

/**
 * Listens on a port of the loopback address (0: any free one), serving each client on its own.
 * Resolves when it listens; `port` is the one that was taken.
 */
export function listenDap(
  port: number,
  options: ServeOptions = {},
): Promise<{ readonly port: number; readonly server: Server; close(): Promise<void> }> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    void serveDap(socket, socket, options).then(() => socket.end());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const taken = (server.address() as AddressInfo).port;
      const close = (): Promise<void> => new Promise((done) => server.close(() => done()));
      resolve({ port: taken, server, close });
    });
  });
}

async function readLimited(path: string): Promise<Uint8Array> {
  const file = await stat(path);
  // A device may have no end, a pipe nobody who writes.
  if (!file.isFile())
    throw new Error(file.isDirectory() ? 'it is a folder; name a file' : 'it is no regular file');
  const { size } = file;
  if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes; at most ${MAX_FILE_BYTES} are read`);
  const bytes = await readFile(path);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
}

/** The worker's program beside the script that runs: a bundle in `dist`, or a source file. */
function ownWorkerPath(): string {
  const script = process.argv[1] ?? '';
  const folder = dirname(existsSync(script) ? realpathSync(script) : script);
  const candidates = [join(folder, 'worker.cjs'), join(folder, '../core/platform/node/worker-entry.ts')];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(`worker.cjs is missing beside ${script}; the installation is incomplete`);
  }
  return found;
}

/** Started as a process of its own: over stdio or, with `--port N`, over that port of the loopback address. */
function main(): void {
  const at = process.argv.indexOf('--port');
  if (at < 0) {
    void serveDap(process.stdin, process.stdout).then(() => process.exit(0));
    return;
  }
  const port = Number(process.argv[at + 1]);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    process.stderr.write('--port takes a number from 0 to 65535\n');
    process.exitCode = 2;
    return;
  }
  listenDap(port).then(
    (listening) => process.stderr.write(`listening on 127.0.0.1:${listening.port}\n`),
    (error: Error) => {
      process.stderr.write(`--port ${port}: ${error.message}\n`);
      process.exitCode = 2;
    },
  );
}

// The command line's bundle holds this module too, and must not start an adapter by merely loading it.
if (/(^|[\\/])(adapter\.cjs|debugger[\\/]node-main\.ts)$/.test(process.argv[1] ?? '')) main();
