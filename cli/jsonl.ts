import { bytesOfHex } from '#core/bytes/hex.ts';
import { MemoryLimitError } from '#core/vm/memory.ts';
import { messageOf, UsageError } from './failure.ts';
import { type Io, readLines } from './io.ts';

/** Longest line of a batch in bytes. */
const MAX_LINE_BYTES = 32 << 20;

/** One line of a batch as parsed. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Answers each line of stdin with one line of JSON, in order, each written before the next is read.
 * A line that is not understood answers `{"error": …}` and the batch goes on. Resolves to 0.
 */
export async function batch(io: Io, answer: (line: JsonObject) => object): Promise<number> {
  for await (const text of readLines(io.stdin, MAX_LINE_BYTES)) {
    await io.out(`${JSON.stringify(answerLine(text, answer))}\n`);
  }
  return 0;
}

function answerLine(text: string | undefined, answer: (line: JsonObject) => object): object {
  if (text === undefined) return { error: `line longer than ${MAX_LINE_BYTES >> 20} MiB` };
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch (error) {
    return { error: `not JSON: ${messageOf(error)}` };
  }
  if (!isObject(line)) return { error: 'a line must be a JSON object' };
  try {
    return answer(line);
  } catch (error) {
    if (error instanceof UsageError || error instanceof MemoryLimitError) return { error: messageOf(error) };
    // One bad program must not end a fuzzing run; the text says that it is our fault.
    return { error: `internal error: ${messageOf(error)}` };
  }
}

/** A JSON object, as opposed to an array or null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text in field `name`; undefined when absent or null; throws `UsageError` when it is something else. */
export function optionalText(line: JsonObject, name: string): string | undefined {
  const value = line[name] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw new UsageError(`"${name}" must be a string`);
  return value;
}

/** The text in field `name`; throws `UsageError` when it is absent or something else. */
export function requiredText(line: JsonObject, name: string): string {
  const value = optionalText(line, name);
  if (value === undefined) throw new UsageError(`"${name}" is missing`);
  return value;
}

/** The bytes in hex field `name`; throws `UsageError` when it is no hex text. */
export function optionalHex(line: JsonObject, name: string): Uint8Array | undefined {
  const text = optionalText(line, name);
  if (text === undefined) return undefined;
  const bytes = bytesOfHex(text);
  if (bytes === undefined) throw new UsageError(`"${name}" must be hex text, two digits a byte`);
  return bytes;
}

/** The bytes of whole instructions in hex field `name`. */
export function requiredInsns(line: JsonObject, name: string): Uint8Array {
  const bytes = optionalHex(line, name);
  if (bytes === undefined) throw new UsageError(`"${name}" is missing`);
  if (bytes.length % 8 !== 0) {
    throw new UsageError(`"${name}" has ${bytes.length} bytes; an instruction has 8`);
  }
  return bytes;
}

/** A whole number in `min…max` in field `name`; throws `UsageError`. */
export function optionalInteger(
  line: JsonObject,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const value = line[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new UsageError(`"${name}" must be a whole number from ${min} to ${max}`);
  }
  return value;
}

/** A u64 given as a JSON number or as `"0x…"` or decimal text; throws `UsageError`. */
export function u64Of(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt.asUintN(64, BigInt(value));
  if (typeof value === 'string' && /^(0x[0-9a-f]{1,16}|-?\d{1,20})$/i.test(value)) {
    return BigInt.asUintN(64, BigInt(value));
  }
  throw new UsageError(`"${name}" must be a whole number or "0x…"`);
}
