import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM_KINDS } from '#cli/bench/programs.ts';
import { PROGRAM_FOLDER } from './stored-programs.ts';

/** The programs as native code, in a process of their own. */
export interface NativeRun {
  /** First line of `COMPILER --version`. */
  readonly version: string;
  /** Runs a program `times` times: the low 32 bits of its result, and nanoseconds of processor time. */
  run(name: string, times: number): { readonly result: number; readonly ns: number };
  dispose(): void;
}

/** Compiles them with -O2 by the first of `compilers` that is there; undefined: none is. Throws Error where it fails. */
export function nativeRun(compilers: readonly string[]): NativeRun | undefined {
  for (const compiler of compilers) {
    const version = versionOf(compiler);
    if (version === undefined) continue;
    const folder = mkdtempSync(join(tmpdir(), 'bpf-native-'));
    const program = join(folder, 'native');
    const sources = ['native', ...PROGRAM_KINDS.map(({ name }) => name)].map((name) => `${name}.c`);
    execFileSync(compiler, ['-O2', '-o', program, ...sources], { cwd: PROGRAM_FOLDER });
    return {
      version,
      run(name, times) {
        const [result, ns] = execFileSync(program, [name, String(times)], { encoding: 'utf8' }).split(' ');
        return { result: Number(result), ns: Number(ns) };
      },
      dispose: () => rmSync(folder, { recursive: true, force: true }),
    };
  }
  return undefined;
}

/** First line of what `command --version` prints; undefined where it cannot be started. */
export function versionOf(command: string): string | undefined {
  try {
    const lines = execFileSync(command, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\n');
    return (lines.find((line) => line.includes('version')) ?? lines[0])?.trim();
  } catch {
    return undefined;
  }
}
