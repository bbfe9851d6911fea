import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Io } from '#cli/io.ts';
import { main } from '#cli/program.ts';

/** What a run of the command line has left behind. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as bytes, for binary output. */
  readonly bytes: Uint8Array;
}

/** Runs `bpf-workbench` in this process with a stdin of its own. */
export async function cli(
  argv: readonly string[],
  options: {
    readonly stdin?: string | Uint8Array | readonly Uint8Array[];
    readonly terminal?: boolean;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Finished> {
  const chunks: Buffer[] = [];
  const errors: string[] = [];
  const io: Io = {
    stdin: input(options.stdin ?? ''),
    async out(data) {
      chunks.push(Buffer.from(data as string));
    },
    err: (line) => {
      errors.push(line);
    },
    stdoutIsTerminal: options.terminal ?? false,
    stderrIsTerminal: options.terminal ?? false,
    env: options.env ?? {},
  };
  const code = await main(argv, io);
  const bytes = Buffer.concat(chunks);
  return { code, stdout: bytes.toString('utf8'), stderr: errors.join('\n'), bytes };
}

async function* input(data: string | Uint8Array | readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  if (typeof data === 'string') yield Buffer.from(data);
  else if (data instanceof Uint8Array) yield data;
  else yield* data;
}

const folder = mkdtempSync(join(tmpdir(), 'bpf-workbench-cli-'));
let files = 0;

/** Writes a file into a folder of this test run; returns its path. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, `${files++}-${name}`);
  writeFileSync(path, content);
  return path;
}

/** A path inside the folder of this test run where nothing is yet. */
export function freshPath(name: string): string {
  return join(dirname(file('x', '')), `${files++}-${name}`);
}

/** The repository's folder. */
export const ROOT = join(import.meta.dirname, '../..');
