import { writeFile } from 'node:fs/promises';
import { messageOf, UsageError } from './failure.ts';
import type { Io } from './io.ts';

/**
 * Writes what a command made to the file `out`; `-` is stdout. Throws `UsageError` where that cannot be, and for bytes
 * on a terminal: `instead` says what to do then.
 */
export async function writeOutput(
  out: string,
  data: string | Uint8Array,
  io: Io,
  instead: string,
): Promise<void> {
  if (out === '-') {
    if (typeof data !== 'string' && io.stdoutIsTerminal) {
      throw new UsageError(`this is binary and stdout is a terminal; ${instead}`);
    }
    await io.out(data);
    return;
  }
  try {
    await writeFile(out, data);
  } catch (error) {
    throw new UsageError(`${out}: cannot be written: ${messageOf(error)}`);
  }
}
