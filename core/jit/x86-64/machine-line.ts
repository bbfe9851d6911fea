import type { X86Config } from './config.ts';

/** The first line of a file of vectors (test/testdata/vectors/README.md), any field absent; addresses as text. */
export type MachineLine = Readonly<Record<string, unknown>>;

const ADDRESSES = {
  call_base: 'callBase',
  return_thunk: 'returnThunk',
  indirect_thunk_rcx: 'indirectThunkRcx',
  this_cpu_off: 'thisCpuOff',
  vsyscall_addr: 'vsyscallAddr',
  user_space_end: 'userSpaceEnd',
} as const satisfies Readonly<Record<string, keyof X86Config>>;
const FLAGS = ['bmi2', 'ibt', 'sls'] as const;
const OFFSETS = {
  off_max_entries: 'offMaxEntries',
  off_ptrs: 'offPtrs',
  off_bpf_func: 'offBpfFunc',
} as const satisfies Readonly<Record<string, keyof X86Config>>;
/** Addresses that may be absent: `null`. */
const OPTIONAL: ReadonlySet<string> = new Set(['return_thunk', 'indirect_thunk_rcx']);
/** Offsets must fit where the JIT puts them. */
const MAX_OFFSET = 0x7fff_ffff;

/** Names of the fields that are configuration. */
export const MACHINE_FIELDS: readonly string[] = [
  ...Object.keys(ADDRESSES),
  ...FLAGS,
  ...Object.keys(OFFSETS),
];

/**
 * `base` with the fields that `line` has: `call_base`, `return_thunk` (null: plain `ret`),
 * `indirect_thunk_rcx` (null: `jmp rcx`), `this_cpu_off`, `vsyscall_addr`, `user_space_end` as `"0x…"`; `bmi2`,
 * `ibt`, `sls`; `off_max_entries`, `off_ptrs`, `off_bpf_func`. Other fields are left alone. A text says which
 * field is not what it must be.
 */
export function readMachineLine(line: MachineLine, base: X86Config): X86Config | string {
  const changes: Record<string, bigint | number | boolean | undefined> = {};
  for (const [name, field] of Object.entries(ADDRESSES)) {
    const value = line[name];
    if (value === undefined) continue;
    if (value === null && OPTIONAL.has(name)) changes[field] = undefined;
    else if (typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value)) changes[field] = BigInt(value);
    else return `"${name}" must be an address as "0x…"${OPTIONAL.has(name) ? ' or null' : ''}`;
  }
  for (const name of FLAGS) {
    const value = line[name];
    if (value === undefined) continue;
    if (typeof value !== 'boolean') return `"${name}" must be true or false`;
    changes[name] = value;
  }
  for (const [name, field] of Object.entries(OFFSETS)) {
    const value = line[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_OFFSET) {
      return `"${name}" must be a whole number from 0 to ${MAX_OFFSET}`;
    }
    changes[field] = value;
  }
  return { ...base, ...changes };
}
