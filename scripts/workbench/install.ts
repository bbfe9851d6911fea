import { spawn } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheDir } from '../lib/paths.ts';

/** Versions seen to work together (docs/testing.md). */
export const CODE_SERVER = '4.139.1';
const NODE = '24.21.0';

/** A VS Code server on disk. */
export interface Workbench {
  /** The Node that runs it. */
  readonly node: string;
  /** VS Code's own server program. */
  readonly serverMain: string;
  readonly version: string;
}

/** Thrown where no workbench can be had; the message says what to do instead. */
export class WorkbenchUnavailable extends Error {}

/** Reports progress: one call a step, in words for a person. */
export type Progress = (text: string) => void;

/**
 * A real VS Code in the cache, from the package registry alone; installed on the first call (some 35 s, 780 MB),
 * found again on later ones. Installed beside and then renamed, so that an interrupted install leaves nothing
 * that looks finished.
 */
export async function installWorkbench(progress: Progress, version = CODE_SERVER): Promise<Workbench> {
  const arch = { x64: 'x64', arm64: 'arm64' }[process.arch as string];
  if (process.platform !== 'linux' || arch === undefined) {
    throw new WorkbenchUnavailable(
      `There is no prebuilt browser editor for ${process.platform} ${process.arch}. Install VS Code ` +
        '(its `code` command is found on the PATH), or name it: BPF_WORKBENCH_EDITOR=/path/to/code npm start',
    );
  }
  const dest = join(cacheDir(), `workbench-${version}-node-${NODE}`);
  const workbench = (root: string): Workbench => ({
    node: join(root, `node_modules/node-linux-${arch}/bin/node`),
    serverMain: join(root, 'node_modules/code-server/lib/vscode/out/server-main.js'),
    version,
  });
  removeLeftovers(cacheDir());
  if (existsSync(dest)) return workbench(dest);

  const partial = `${dest}${PARTIAL}${process.pid}`;
  mkdirSync(partial, { recursive: true });
  const removePartial = () => rmSync(partial, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', removePartial);
  const log = join(cacheDir(), 'install.log');
  try {
    progress(
      `Installing VS Code for the browser (code-server ${version}), once: one or two minutes, 780 MB in ${cacheDir()}`,
    );
    writeFileSync(join(partial, 'package.json'), '{"private":true}\n');
    const npm = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => runNpm(args, log, env);
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
    progress('  1/4 downloading the editor');
    await npm([
      'install',
      '--prefix',
      partial,
      '--ignore-scripts',
      ...quiet,
      `code-server@${version}`,
      `node-linux-${arch}@${NODE}`,
    ]);
    const vscode = join(partial, 'node_modules/code-server/lib/vscode');
    progress('  2/4 downloading its libraries');
    await npm(['install', '--prefix', vscode, '--omit=dev', '--ignore-scripts', ...quiet]);
    progress('  3/4 compiling two native addons, the longest step');
    const nodeRoot = join(partial, `node_modules/node-linux-${arch}`);
    try {
      await npm(['rebuild', '--prefix', vscode, '@vscode/spdlog', '@vscode/native-watchdog', ...quiet], {
        PATH: `${join(nodeRoot, 'bin')}${delimiter}${process.env.PATH ?? ''}`,
        npm_config_nodedir: nodeRoot,
      });
    } catch {
      progress('      warning: not compiled (g++, make and python3 are needed): Output channels stay empty');
    }
    progress('  4/4 checking');
    const { node, serverMain } = workbench(partial);
    await runLogged(node, [serverMain, '--server-data-dir', join(partial, 'check'), '--version'], log, {});
    rmSync(join(partial, 'check'), { recursive: true, force: true });
    try {
      renameSync(partial, dest);
    } catch (error) {
      if (!existsSync(dest)) throw error; // another process was faster: use its work
    }
    return workbench(dest);
  } finally {
    process.off('exit', removePartial);
    removePartial();
  }
}

const PARTIAL = '.partial-';
const HOUR = 3_600_000;

/** Removes what killed installations have left in `folder`. One that is younger than an hour may still be going on. */
export function removeLeftovers(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!name.includes(PARTIAL) || Date.now() - statSync(path).mtimeMs < HOUR) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

function runNpm(args: readonly string[], log: string, env: NodeJS.ProcessEnv): Promise<void> {
  // Inside `npm run`, npm tells where it is; anywhere else it is on the PATH.
  const npmCli = process.env.npm_execpath;
  return npmCli?.endsWith('.js') === true
    ? runLogged(process.execPath, [npmCli, ...args], log, env)
    : runLogged('npm', args, log, env);
}

function runLogged(
  command: string,
  args: readonly string[],
  log: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const out = createWriteStream(log, { flags: 'a' });
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // First of all, so that it does not write where another listener is removing.
    const kill = () => child.kill();
    process.prependOnceListener('exit', kill);
    let tail = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        out.write(chunk);
        tail = (tail + chunk.toString('utf8')).slice(-2000);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('exit', kill);
      out.end();
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `${command} ${args[0] ?? ''} failed (exit code ${code}); the whole output is in ${log}:\n${tail}`,
          ),
        );
    });
  });
}
