import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util';
import { notSupported, UsageError } from './failure.ts';
import type { Io } from './io.ts';

/** One option of a command, as `--help` shows it. */
export interface OptionSpec {
  /** Placeholder of its value (`FILE`, `N`); absent: a switch without value. */
  readonly value?: string;
  readonly short?: string;
  readonly text: string;
  /** May be given several times. */
  readonly multiple?: true;
}

/** What a command takes. */
export interface CommandSpec {
  readonly name: string;
  /** Words after the name in the usage line: `FILE [options]`. */
  readonly usage: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Options of `cli.md` that this version does not have yet. */
  readonly later?: readonly string[];
  /** Further paragraphs of `--help`. */
  readonly notes?: readonly string[];
}

/** A command: its description and what it does. `run` resolves to the exit code. */
export interface Command {
  readonly spec: CommandSpec;
  /** Puts the words of the command line right before they are parsed. */
  prepare?(argv: readonly string[]): readonly string[];
  run(args: Arguments, io: Io): Promise<number>;
}

/** Parsed arguments, by long option name. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>, positionals: readonly string[]) {
    this.#values = values;
    this.positionals = positionals;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? (value as string[]) : [];
  }

  /** A whole number in `min…max`, decimal or `0x…`; throws `UsageError`. */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new UsageError(`--${name} ${text}: must be a whole number from ${min} to ${max}`);
    }
    return value;
  }

  /** One of `words`; throws `UsageError` naming them all. Words in `later` are not supported yet. */
  choice<T extends string>(name: string, words: readonly T[], later: readonly string[] = []): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (later.includes(text)) throw notSupported(`--${name} ${text}`);
    const found = words.find((word) => word === text);
    if (found === undefined) throw new UsageError(`--${name} ${text}: must be ${words.join(', ')}`);
    return found;
  }
}

/** Parses a command's arguments by its description; throws `UsageError`. */
export function parseArguments(spec: CommandSpec, argv: readonly string[]): Arguments {
  const options: Record<string, ParseArgsOptionDescriptor> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, option] of Object.entries(spec.options)) {
    options[name] = {
      type: option.value === undefined ? 'boolean' : 'string',
      ...(option.short === undefined ? {} : { short: option.short }),
      ...(option.multiple ? { multiple: true } : {}),
    };
  }
  const end = argv.indexOf('--');
  for (const arg of end < 0 ? argv : argv.slice(0, end)) {
    const name = /^--([a-z0-9-]+)(=|$)/.exec(arg)?.[1];
    if (name !== undefined && spec.later?.includes(name)) throw notSupported(`--${name}`);
  }
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    return new Arguments(parsed.values, parsed.positionals);
  } catch (error) {
    throw new UsageError(`${firstSentence(error)}; see bpf-workbench ${spec.name} --help`);
  }
}

/** The text of `bpf-workbench NAME --help`. */
export function helpText(spec: CommandSpec): string {
  const lines = spec.usage.map((usage, index) =>
    `${index === 0 ? 'Usage: ' : '       '}bpf-workbench ${spec.name} ${usage}`.trimEnd(),
  );
  lines.push('', spec.summary);
  const rows = Object.entries({ ...spec.options, help: { short: 'h', text: 'this text' } as OptionSpec }).map(
    ([name, option]): readonly [string, string] => [
      `  ${option.short === undefined ? '    ' : `-${option.short}, `}--${name}${option.value === undefined ? '' : ` ${option.value}`}`,
      option.text,
    ],
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  lines.push('', 'Options:', ...rows.map(([left, right]) => `${left.padEnd(width + 2)}${right}`));
  for (const note of spec.notes ?? []) lines.push('', note);
  return `${lines.join('\n')}\n`;
}

function firstSentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const sentence = text.split(/\.(?=\s|$)/)[0] ?? text;
  return sentence.replace(/\s+/g, ' ');
}
