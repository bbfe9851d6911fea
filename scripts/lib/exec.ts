import { type SpawnOptions, spawn } from 'node:child_process';
import { ROOT } from './paths.ts';

/** A command that ended with an exit code other than 0; `output` is what it printed, where that was caught. */
export class CommandFailed extends Error {
  readonly exitCode: number;
  readonly output: string;

  constructor(command: string, exitCode: number, output: string) {
    super(`${command} ended with exit code ${exitCode}${output === '' ? '' : `:\n${output}`}`);
    this.exitCode = exitCode;
    this.output = output;
  }
}

/** Runs a command (no shell) in the repository's root, its output going to this terminal; resolves to its exit code. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

/** Runs a command quietly; resolves to what it printed. Throws {@link CommandFailed} with that text otherwise. */
export function captureCommand(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const output = Buffer.concat(chunks).toString('utf8');
      if (code === 0) resolve(output);
      else reject(new CommandFailed([command, ...args].join(' '), code ?? 1, output));
    });
  });
}
