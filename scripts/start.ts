import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { main as buildMain } from './build.ts';
import { cacheDir, firstExisting, inRoot, ROOT } from './lib/paths.ts';
import { packageExtension, VSIX } from './package.ts';
import { installWorkbench, WorkbenchUnavailable } from './workbench/install.ts';
import { serveWorkbench } from './workbench/serve.ts';

const HELP = `npm start: opens an editor with this extension and the folder examples/.

  BPF_WORKBENCH_EDITOR=PATH   the desktop VS Code to use
  npm start -- --browser      the editor in the browser even where there is a desktop one
  npm start -- --port N       its port (default: any free one)
`;

/** `npm start [-- --browser] [-- --port N]` */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const editor = args.includes('--browser') ? undefined : desktopEditor(process.env, process.platform);
  if (editor !== undefined) return startDesktop(editor);
  const portAt = args.indexOf('--port');
  const port = portAt < 0 ? undefined : Number(args[portAt + 1]);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536)) {
    console.error('--port wants a number from 1 to 65535');
    return 2;
  }
  return startBrowser(port);
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
  let workbench: Awaited<ReturnType<typeof installWorkbench>>;
  try {
    workbench = await installWorkbench((text) => console.log(text));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return error instanceof WorkbenchUnavailable ? 2 : 1;
  }
  console.log('Building the extension');
  const packaged = await packageExtension();
  if (packaged !== 0) return packaged;
  const server = await serveWorkbench(workbench, {
    dataDir: join(cacheDir(), 'start'),
    vsix: VSIX,
    token: randomBytes(16).toString('hex'),
    ...(port === undefined ? {} : { port }),
  });
  console.log(`\nVS Code is at\n\n  ${server.url(inRoot('examples'))}\n`);
  if (process.env.SSH_CONNECTION) {
    console.log(`From your own machine, first: ssh -L ${server.port}:127.0.0.1:${server.port} USER@HOST\n`);
  }
  console.log('Open it in a browser on this machine. Ctrl+C ends the server.');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => server.stop());
  }
  await server.ended;
  return 0;
}
