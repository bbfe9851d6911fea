/** What a command has of the outside world; tests hand in their own. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Writes to stdout; resolves when the reader keeps up. */
  out(data: string | Uint8Array): Promise<void>;
  /** Writes a line to stderr. */
  err(line: string): void;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The process' own streams. A reader that goes away (`| head`) ends the process quietly. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
  return {
    stdin: process.stdin as AsyncIterable<Uint8Array>,
    out: (data) =>
      new Promise((resolve) => {
        if (process.stdout.write(data)) resolve();
        else process.stdout.once('drain', resolve);
      }),
    err: (line) => {
      process.stderr.write(`${line}\n`);
    },
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    env: process.env,
  };
}

/** ANSI styles for people's output; plain text unless stdout is a terminal and `NO_COLOR` is unset. */
export interface Styles {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** The styles that fit `io` (https://no-color.org: any non-empty value turns colour off). */
export function stylesFor(io: Io): Styles {
  const on = io.stdoutIsTerminal && (io.env.NO_COLOR ?? '') === '' && io.env.TERM !== 'dumb';
  const style = (code: number, end: number) => (text: string) =>
    on ? `\u001b[${code}m${text}\u001b[${end}m` : text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
  };
}

/** Whole input lines of `stdin` without their line ends; a line above `limit` bytes comes as undefined. */
export async function* readLines(
  stdin: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let size = 0;
  const take = (): string | undefined => {
    const tooLong = size > limit;
    const bytes = Buffer.concat(parts);
    parts = [];
    size = 0;
    return tooLong ? undefined : decoder.decode(bytes).replace(/\r$/, '');
  };
  const keep = (bytes: Uint8Array): void => {
    size += bytes.length;
    if (size <= limit) parts.push(bytes);
    else parts = [];
  };
  for await (const chunk of stdin) {
    let from = 0;
    for (let end = chunk.indexOf(10, from); end >= 0; end = chunk.indexOf(10, from)) {
      keep(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.slice(from));
  }
  if (size > 0) yield take();
}
