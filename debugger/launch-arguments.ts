import type { ProgType } from '#core/object/object.ts';
import type { ClassicView, CodeSpace } from '#core/session/load-request.ts';
import { type KernelVersion, parseKernelVersion } from '#core/vm/settings.ts';
import { DapError } from './errors.ts';

/** Launch attributes after checking; texts are as given, files not read yet. */
export interface LaunchArguments {
  readonly program: string;
  readonly prog?: string;
  readonly type?: ProgType | 'seccomp';
  readonly packets?: 'all' | readonly number[];
  readonly capture?: string;
  readonly data?: string;
  readonly ctx?: Readonly<Record<string, bigint>>;
  /** Instead of `ctx`, the fields of a seccomp filter's `struct seccomp_data`: numbers, or names of the architecture. */
  readonly seccomp?: Readonly<Record<string, string>>;
  readonly engine?: string;
  /** An engine to compare with. */
  readonly lockstep?: string;
  readonly stopOnEntry: boolean;
  readonly noDebug: boolean;
  readonly seed?: bigint;
  readonly cpu?: number;
  readonly maxInsns?: number;
  readonly attach?: 'packet' | 'test_run';
  readonly progArrays?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly freplace?: readonly string[];
  readonly tracepoint?: string;
  readonly stats?: boolean;
  readonly view?: ClassicView;
  readonly blind?: boolean;
  readonly kernel?: KernelVersion;
  /** What the disassembly view shows where the engine executes native code; default `native`. */
  readonly disassembly?: CodeSpace;
}

/**
 * Checks the attributes of a launch request (`docs/debugging.md` lists them).
 * Throws `DapError` that names the attribute and what would be right.
 */
export function readLaunchArguments(raw: unknown): LaunchArguments {
  if (!isRecord(raw)) throw bad('the launch request has no arguments');
  const program = optionalText(raw, 'program');
  if (program === undefined || program === '') {
    throw bad('"program" is missing: the path of the BPF program to debug');
  }
  const type = programType(raw);
  return {
    program,
    ...given('prog', optionalText(raw, 'prog')),
    ...given('type', type),
    ...given('packets', packets(raw.packet)),
    ...given('capture', optionalText(raw, 'capture')),
    ...given('data', optionalText(raw, 'data')),
    ...(type === 'seccomp' ? given('seccomp', seccompFields(raw.ctx)) : given('ctx', contextFields(raw.ctx))),
    ...given('engine', optionalText(raw, 'engine')),
    ...given('lockstep', optionalText(raw, 'lockstep')),
    stopOnEntry: optionalFlag(raw, 'stopOnEntry') ?? false,
    noDebug: optionalFlag(raw, 'noDebug') ?? false,
    ...given('seed', raw.seed === undefined || raw.seed === null ? undefined : integer('seed', raw.seed)),
    ...given('cpu', optionalNumber(raw, 'cpu')),
    ...given('maxInsns', optionalNumber(raw, 'maxInsns')),
    ...given('attach', attachPoint(raw)),
    ...given('progArrays', progArrays(raw.progArrays)),
    ...given('tracepoint', optionalText(raw, 'tracepoint')),
    ...given('freplace', names('freplace', raw.freplace)),
    ...given('stats', optionalFlag(raw, 'stats')),
    ...given('view', classicView(raw)),
    ...given('blind', optionalFlag(raw, 'blind')),
    ...given('kernel', kernel(raw)),
    ...given('disassembly', codeSpace(raw)),
  };
}

function bad(message: string): DapError {
  return new DapError('badLaunchArgument', message);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ [key]: value }`, or nothing where the value is absent. */
function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function optionalText(raw: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = raw[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw bad(`"${name}" must be a text, not ${JSON.stringify(value)}`);
  return value;
}

function optionalFlag(raw: Readonly<Record<string, unknown>>, name: string): boolean | undefined {
  const value = raw[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw bad(`"${name}" must be true or false, not ${JSON.stringify(value)}`);
  return value;
}

function optionalNumber(raw: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = raw[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw bad(`"${name}" must be a number, not ${JSON.stringify(value)}`);
  return value;
}

function programType(raw: Readonly<Record<string, unknown>>): LaunchArguments['type'] {
  // "type" in a launch configuration is the debugger's; the program's type stands beside it.
  const name = optionalText(raw, 'progType') ?? optionalText(raw, 'type');
  return name === undefined || name === 'bpf' ? undefined : (name as ProgType);
}

function attachPoint(raw: Readonly<Record<string, unknown>>): 'packet' | 'test_run' | undefined {
  const value = optionalText(raw, 'attach');
  if (value === undefined || value === 'packet' || value === 'test_run') return value;
  throw bad(`"attach" must be "packet" or "test_run", not "${value}"`);
}

function classicView(raw: Readonly<Record<string, unknown>>): ClassicView | undefined {
  const value = optionalText(raw, 'view');
  if (value === undefined || value === 'classic' || value === 'ebpf') return value;
  throw bad(`"view" must be "classic" (the program's own text) or "ebpf" (what it becomes), not "${value}"`);
}

function codeSpace(raw: Readonly<Record<string, unknown>>): CodeSpace | undefined {
  const value = optionalText(raw, 'disassembly');
  if (value === undefined || value === 'native' || value === 'bpf') return value;
  throw bad(
    `"disassembly" must be "native" (what the engine executes) or "bpf" (the program's instructions), not "${value}"`,
  );
}

function kernel(raw: Readonly<Record<string, unknown>>): KernelVersion | undefined {
  const text = optionalText(raw, 'kernel');
  if (text === undefined) return undefined;
  const version = parseKernelVersion(text);
  if (version === undefined) throw bad(`"kernel" must be a version of Linux, as in "6.18", not "${text}"`);
  return version;
}

function packets(value: unknown): 'all' | readonly number[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (value === 'all') return 'all';
  if (value === 'ask') {
    throw bad('"packet": "ask" is answered by the editor; give a number from 1, a list of numbers or "all"');
  }
  const list = Array.isArray(value) ? value : [value];
  const numbers = list.map((one) => (typeof one === 'string' && /^\d+$/.test(one) ? Number(one) : one));
  if (!numbers.every((one): one is number => Number.isSafeInteger(one) && (one as number) >= 1)) {
    throw bad(`"packet" must be a number from 1, a list of numbers or "all", not ${JSON.stringify(value)}`);
  }
  return numbers;
}

function contextFields(value: unknown): Readonly<Record<string, bigint>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw bad('"ctx" must be an object: { "ingress_ifindex": 2 }');
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, integer(`ctx.${name}`, one)]));
}

/** Fields of `struct seccomp_data`; what they may hold is checked where it is laid out. */
function seccompFields(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw bad('"ctx" must be an object: { "nr": "openat", "arch": "x86-64" }');
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (typeof one === 'string') return [name, one];
      if (typeof one === 'number' && Number.isSafeInteger(one)) return [name, String(one)];
      throw bad(`"ctx.${name}" must be a whole number or a text, not ${JSON.stringify(one)}`);
    }),
  );
}

/** A whole number; a text for what a JSON number cannot hold. */
function integer(name: string, value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^(?:0x[0-9a-f]{1,16}|-?\d{1,20})$/i.test(value)) return BigInt(value);
  throw bad(`"${name}" must be a whole number or a text such as "0xffff", not ${JSON.stringify(value)}`);
}

function progArrays(value: unknown): LaunchArguments['progArrays'] {
  if (value === undefined || value === null) return undefined;
  const right = '"progArrays" must name programs by map and index: { "jmp_table": { "0": "parse_ip" } }';
  if (!isRecord(value)) throw bad(right);
  // Entries, not assignments: a map may be called __proto__.
  return Object.fromEntries(
    Object.entries(value).map(([map, entries]) => {
      if (!isRecord(entries)) throw bad(right);
      const isText = ([, name]: readonly [string, unknown]): boolean => typeof name === 'string';
      if (!Object.entries(entries).every(isText)) throw bad(right);
      return [map, entries as Readonly<Record<string, string>>];
    }),
  );
}

/** A name or a list of names. */
function names(attribute: string, value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((one): one is string => typeof one === 'string' && one !== '')) return list;
  throw bad(`"${attribute}" must be the name of a program or a list of names, not ${JSON.stringify(value)}`);
}
