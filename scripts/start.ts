import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { main as buildMain } from './build.ts';
import { cacheDir, firstExisting, inRoot, ROOT } from './lib/paths.ts';
import { packageExtension, VSIX } from './package.ts';
import { claimDataDir } from './workbench/data-dir.ts';
import { installWorkbench, WorkbenchUnavailable } from './workbench/install.ts';
import { checkPort, PortUnavailable, type RunningWorkbench, serveWorkbench } from './workbench/serve.ts';

const HELP = `npm start: opens an editor with this extension and the folder examples/.

  BPF_WORKBENCH_EDITOR=PATH   the desktop VS Code to use
  npm start -- --browser      the editor in the browser even where there is a desktop one
  npm start -- --port N       the editor in the browser at this port (default: any free one)
`;

/** `npm start [-- --browser] [-- --port N]` */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (typeof options === 'string') {
    console.error(`npm start: ${options}; npm start -- --help lists the options`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const editor =
    options.browser || options.port !== undefined ? undefined : desktopEditor(process.env, process.platform);
  return editor === undefined ? startBrowser(options.port) : startDesktop(editor);
}

/** What was asked for, or what is wrong with it. */
export function parseOptions(
  args: readonly string[],
): { help: boolean; browser: boolean; port: number | undefined } | string {
  let values: { help?: boolean; browser?: boolean; port?: string };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        browser: { type: 'boolean' },
        port: { type: 'string' },
      },
    }));
  } catch (error) {
    // Node's own text, without its advice about arguments that begin with a dash.
    return (error instanceof Error ? error.message : String(error)).split('. ')[0] ?? '';
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536)) {
    return `--port wants a number from 1 to 65535, not ${JSON.stringify(values.port)}`;
  }
  return { help: values.help === true, browser: values.browser === true, port };
}

/** The desktop VS Code that `npm start` uses, or undefined where the browser is the way. */
export function desktopEditor(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (env.BPF_WORKBENCH_EDITOR) return env.BPF_WORKBENCH_EDITOR;
  if (platform === 'linux') {
    const hasDisplay = Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
    const isRoot = process.getuid?.() === 0; // VS Code refuses to run as root
    if (!hasDisplay || isRoot) return undefined;
  }
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => dir !== '')
    // Windows' `code.cmd` would need a shell: the program beside it does not.
    .map((dir) => (platform === 'win32' ? join(dirname(dir), 'Code.exe') : join(dir, 'code')))
    .find((path) =>
      platform === 'win32' ? /VS Code/i.test(path) && isExecutable(path) : isExecutable(path),
    );
  return onPath ?? firstExisting(usualPlaces(env, platform));
}

function usualPlaces(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  if (platform === 'darwin') {
    const inside = 'Visual Studio Code.app/Contents/Resources/app/bin/code';
    return [join('/Applications', inside), join(homedir(), 'Applications', inside)];
  }
  if (platform === 'win32') {
    return [env.LOCALAPPDATA && join(env.LOCALAPPDATA, 'Programs'), env.ProgramFiles]
      .filter((dir) => dir !== undefined && dir !== '')
      .map((dir) => join(dir as string, 'Microsoft VS Code', 'Code.exe'));
  }
  return [];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function startDesktop(editor: string): Promise<number> {
  const built = await buildMain([]);
  if (built !== 0) return built;
  console.log(`Opening ${editor} with the extension and examples/.`);
  const child = spawn(editor, ['--new-window', `--extensionDevelopmentPath=${ROOT}`, inRoot('examples')], {
    detached: true,
    stdio: 'ignore',
  });
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(
        `${editor} did not start (${error.message}). Name another with BPF_WORKBENCH_EDITOR, or use: npm start -- --browser`,
      );
      resolve(2);
    });
    child.on('spawn', () => {
      child.unref();
      resolve(0);
    });
  });
}

async function startBrowser(port: number | undefined): Promise<number> {
  let server: RunningWorkbench | undefined;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      // Before there is a server, leaving is enough: whoever has begun something ends it at "exit".
      if (server === undefined) process.exit(code);
      server.stop();
    });
  }
  try {
    if (port !== undefined) await checkPort(port);
    const workbench = await installWorkbench((text) => console.log(text));
    console.log('Building the extension');
    const packaged = await packageExtension({ quiet: true });
    if (packaged !== 0) return packaged;
    console.log('Starting VS Code');
    const dataDir = claimDataDir(cacheDir(), 'start');
    writeFirstSettings(join(dataDir, 'user/User'));
    server = await serveWorkbench(workbench, {
      dataDir,
      vsix: VSIX,
      token: randomBytes(16).toString('hex'),
      ...(port === undefined ? {} : { port }),
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return error instanceof WorkbenchUnavailable || error instanceof PortUnavailable ? 2 : 1;
  }
  console.log(`\nVS Code is at\n\n  ${server.url(inRoot('examples'))}\n`);
  if (process.env.SSH_CONNECTION) {
    console.log(`From your own machine, first: ssh -L ${server.port}:127.0.0.1:${server.port} USER@HOST\n`);
  }
  console.log('Open it in a browser on this machine. Ctrl+C ends the server.');
  await server.ended;
  return 0;
}

/** On the first start only: what the person sets later stays. */
function writeFirstSettings(folder: string): void {
  const file = join(folder, 'settings.json');
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true });
  // Else VS Code asks, over the Stats view, whether to open the repository around the folder examples/.
  writeFileSync(file, `${JSON.stringify({ 'git.openRepositoryInParentFolders': 'never' }, undefined, 2)}\n`);
}
