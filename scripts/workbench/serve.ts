import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { captureCommand } from '../lib/exec.ts';
import type { Workbench } from './install.ts';

/** How the browser editor is served. */
export interface ServeOptions {
  /** Folder for the server's data, the user's data and the extensions; made when missing. */
  readonly dataDir: string;
  /** Extension file to install first. */
  readonly vsix: string;
  /** Secret that the URL must carry; undefined: none (tests only: any local page could reach a terminal). */
  readonly token: string | undefined;
  /** Default: any free port of the loopback interface. */
  readonly port?: number;
  /** Further options of VS Code's server. */
  readonly extraArgs?: readonly string[];
}

/** A VS Code server that answers on `url`. */
export interface RunningWorkbench {
  readonly port: number;
  /** URL that opens `folder`. */
  url(folder: string): string;
  /** Ends the server and all that it started. */
  stop(): void;
  /** Resolves when the server ends by itself. */
  readonly ended: Promise<number>;
}

/** Thrown where the port that was asked for cannot be had. */
export class PortUnavailable extends Error {}

/** Throws {@link PortUnavailable} when nothing can listen on `port` of the loopback interface. */
export async function checkPort(port: number): Promise<void> {
  try {
    await listenBriefly(port);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code ?? error})`;
    throw new PortUnavailable(
      `port ${port} ${why}: choose another, or leave --port out and get any free one`,
    );
  }
}

// No gallery: nothing outside this machine is asked for.
const ENV = { EXTENSIONS_GALLERY: '{"serviceUrl":""}' };

/** Installs the extension and serves VS Code on the loopback interface; resolves when it answers. */
export async function serveWorkbench(workbench: Workbench, options: ServeOptions): Promise<RunningWorkbench> {
  const { dataDir } = options;
  const dirs = [
    '--accept-server-license-terms',
    '--server-data-dir',
    join(dataDir, 'server'),
    '--user-data-dir',
    join(dataDir, 'user'),
    '--extensions-dir',
    join(dataDir, 'extensions'),
  ];
  mkdirSync(join(dataDir, 'user/User'), { recursive: true });
  const env = cleanEnvironment();
  await captureCommand(
    workbench.node,
    [workbench.serverMain, ...dirs, '--install-extension', options.vsix, '--force'],
    { env },
  );
  // Whatever else listens there would answer below in the server's place.
  if (options.port !== undefined) await checkPort(options.port);
  const port = options.port ?? (await listenBriefly(0));
  const log = openSync(join(dataDir, 'server.log'), 'a');
  const child = spawn(
    workbench.node,
    [
      workbench.serverMain,
      ...dirs,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      ...(options.token === undefined
        ? ['--without-connection-token']
        : ['--connection-token', options.token]),
      '--telemetry-level',
      'off',
      ...(options.extraArgs ?? []),
    ],
    // A process group of its own: stopping it takes the extension host and terminals along.
    { env, detached: true, stdio: ['ignore', log, log] },
  );
  let exited = false;
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', (code) => {
      exited = true;
      resolve(code ?? 1);
    });
  });
  const stop = () => {
    if (exited || child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      child.kill();
    }
  };
  // In a process group of its own it hears no Ctrl+C.
  process.once('exit', stop);
  ended.then(() => process.off('exit', stop));
  const origin = `http://127.0.0.1:${port}`;
  for (let waited = 0; !(await answers(origin)); waited += 100) {
    if (exited || waited > 60_000) {
      stop();
      throw new Error(`VS Code's server did not start; what it said is in ${join(dataDir, 'server.log')}`);
    }
    await delay(100);
  }
  return {
    port,
    url: (folder) => {
      const query = new URLSearchParams();
      if (options.token !== undefined) query.set('tkn', options.token);
      query.set('folder', folder);
      return `${origin}/?${query.toString().replaceAll('%2F', '/')}`;
    },
    stop,
    ended,
  };
}

async function answers(origin: string): Promise<boolean> {
  try {
    await (await fetch(`${origin}/version`)).text();
    return true;
  } catch {
    return false;
  }
}

/** The environment without what a surrounding VS Code or npm put there: it would confuse the server. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(VSCODE_|npm_|ELECTRON_)/.test(name));
  return { ...Object.fromEntries(kept), ...ENV };
}

/** Listens on a port of the loopback interface and closes it again; resolves to its number. 0: any free one. */
function listenBriefly(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}
