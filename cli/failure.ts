/**
 * Bad usage or unreadable input: the command ends with exit code 2 and `message` as its one line on
 * stderr. The message says what, where (`file:line:col` or offset) and what would be right.
 */
export class UsageError extends Error {}

/** A command, option or value that belongs to a later version: exit code 2, `not supported: …`. */
export function notSupported(what: string): UsageError {
  return new UsageError(`not supported: ${what}`);
}

/** The text of anything thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, ' ');
}
