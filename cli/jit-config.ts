import { suggest } from '#core/asm/suggest.ts';
import { X86_PRESETS, type X86Config } from '#core/jit/x86-64/config.ts';
import { MACHINE_FIELDS, readMachineLine } from '#core/jit/x86-64/machine-line.ts';
import { messageOf, UsageError } from './failure.ts';
import { isObject, type JsonObject } from './jsonl.ts';

/** The configuration when nothing is told. */
export const DEFAULT_PRESET = 'linux-6.18';

/** What a configuration may have beside fields that change the code. */
const ABOUT_FIELDS: readonly string[] = ['kernel', 'arch', 'note'];

/** All fields of a configuration. */
export const CONFIG_FIELDS: readonly string[] = ['preset', ...MACHINE_FIELDS, ...ABOUT_FIELDS];

/** What `--help` says of configurations. */
export const CONFIG_NOTE = `A configuration is a JSON object, or a file of vectors (its first line): "preset" (${Object.keys(X86_PRESETS).join(', ')}), "call_base", "return_thunk" and "indirect_thunk_rcx" ("0x…", or null for plain instructions), "this_cpu_off", "bmi2", "ibt", "sls", "off_max_entries", "off_ptrs", "off_bpf_func".`;

/** The preset called `name`; undefined: there is none. */
export function presetNamed(name: string): X86Config | undefined {
  return Object.entries(X86_PRESETS).find(([each]) => each === name)?.[1];
}

/**
 * Throws `UsageError` for a field that is probably one of `fields` misspelt. Other unknown fields are left alone, as those in
 * `further` are.
 */
export function refuseMisspelt(
  line: JsonObject,
  fields: readonly string[],
  further: readonly string[] = [],
): void {
  for (const name of Object.keys(line)) {
    if (fields.includes(name) || further.includes(name)) continue;
    const meant = suggest(name, fields);
    if (meant !== undefined) throw new UsageError(`unknown field "${name}"; did you mean "${meant}"?`);
  }
}

/** `base` changed by the fields of a configuration; throws `UsageError`. */
export function configured(line: JsonObject, base: X86Config): X86Config {
  const { arch = 'x86-64' } = line;
  if (arch !== 'x86-64') {
    throw new UsageError(
      `"arch" is ${JSON.stringify(arch)}: must be "x86-64", the only kernel JIT there is here`,
    );
  }
  const config = readMachineLine(line, presetOf(line.preset, base));
  if (typeof config === 'string') throw new UsageError(config);
  return config;
}

function presetOf(name: unknown, base: X86Config): X86Config {
  if (name === undefined) return base;
  const found = typeof name === 'string' ? presetNamed(name) : undefined;
  if (found === undefined) {
    throw new UsageError(`"preset" must be ${Object.keys(X86_PRESETS).join(', ')}`);
  }
  return found;
}

/** The configuration in the text of a file: one JSON object, or one on the first line. Throws `UsageError`. */
export function configOfText(text: string, file: string): X86Config {
  try {
    const told = objectIn(text);
    refuseMisspelt(told, CONFIG_FIELDS);
    const unknown = Object.keys(told).find((name) => !CONFIG_FIELDS.includes(name));
    if (unknown !== undefined) {
      throw new UsageError(`unknown field "${unknown}"; a configuration has ${CONFIG_FIELDS.join(', ')}`);
    }
    return configured(told, X86_PRESETS[DEFAULT_PRESET]);
  } catch (error) {
    throw new UsageError(`${file}: ${messageOf(error)}`);
  }
}

function objectIn(text: string): JsonObject {
  for (const part of [text, text.slice(0, text.indexOf('\n') + 1)]) {
    try {
      const value: unknown = JSON.parse(part);
      if (isObject(value)) return value;
    } catch {
      // The first line alone may still be an object.
    }
  }
  throw new UsageError('a configuration must be a JSON object, alone or on the first line');
}
