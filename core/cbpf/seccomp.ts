import { suggest } from '../asm/suggest.ts';
import { SECCOMP_ARCH, SECCOMP_DATA_SIZE, SECCOMP_FIELDS, SECCOMP_NR } from './seccomp-data.ts';
import { AUDIT_ARCHES, SECCOMP_ARCHES, type SeccompArch, SYSCALLS } from './syscalls.ts';

/** A `struct seccomp_data`, or what is wrong with the fields that were given. */
export type SeccompData =
  | { readonly ok: true; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly message: string };

/**
 * Lays out `struct seccomp_data` (include/uapi/linux/seccomp.h), little endian, from fields by name: `nr`
 * (a number, or the name of a system call of the architecture), `arch` (`x86-64`, the default, `arm64`, the same as
 * `uname -m` or `AUDIT_ARCH_…` has it, or a number), `instruction_pointer`, `args[0]` to `args[5]` (unsigned 64 bits). What is not given is 0.
 */
export function seccompData(fields: Readonly<Record<string, string>>): SeccompData {
  const data = new Uint8Array(SECCOMP_DATA_SIZE);
  const view = new DataView(data.buffer);
  const archText = fields.arch ?? 'x86-64';
  const arch = archNamed(archText);
  const archNumber = arch === undefined ? numberOf(archText, 32) : BigInt(SECCOMP_ARCHES[arch]);
  if (archNumber === undefined) {
    return wrong(`arch ${archText}: must be ${Object.keys(SECCOMP_ARCHES).join(', ')} or a number`);
  }
  view.setUint32(SECCOMP_ARCH, Number(archNumber), true);
  for (const [name, text] of Object.entries(fields)) {
    if (name === 'arch') continue;
    if (name === 'nr') {
      const nr = (arch && syscallNumber(arch, text)) ?? numberOf(text, 32);
      if (nr === undefined) return wrong(unknownSyscall(arch, text));
      view.setUint32(SECCOMP_NR, Number(nr), true);
      continue;
    }
    const field = SECCOMP_FIELDS.find((each) => each.name === name);
    if (field === undefined) {
      return wrong(
        `struct seccomp_data has no ${name}; it has nr, arch, instruction_pointer, args[0] to args[5]`,
      );
    }
    const value = numberOf(text, 64);
    if (value === undefined) return wrong(`${name} ${text}: must be an unsigned number of 64 bits`);
    view.setBigUint64(field.offset, value, true);
  }
  return { ok: true, data };
}

/** What else an architecture is called: by `uname -m`; its constant and number are known too. */
const MACHINES: ReadonlyMap<string, SeccompArch> = new Map([
  ['x86_64', 'x86-64'],
  ['aarch64', 'arm64'],
]);

function archNamed(text: string): SeccompArch | undefined {
  const known = MACHINES.get(text) ?? text;
  const value = numberOf(text, 32);
  return (Object.keys(SECCOMP_ARCHES) as SeccompArch[]).find((arch) => {
    const number = SECCOMP_ARCHES[arch];
    return arch === known || AUDIT_ARCHES.get(number) === text || value === BigInt(number);
  });
}

const NAMES_BY_NUMBER = new Map(
  (Object.keys(SECCOMP_ARCHES) as SeccompArch[]).map((arch) => [
    arch,
    new Map([...SYSCALLS[arch]].map(([name, nr]) => [nr, name] as const)),
  ]),
);

/**
 * The name of system call `nr` on each of `arches` (undefined: on all that are known): `openat`, where they
 * differ `epoll_create (x86-64), …`; undefined where none has one.
 */
export function syscallNames(nr: number, arches: readonly SeccompArch[] | undefined): string | undefined {
  const wanted = arches ?? (Object.keys(SECCOMP_ARCHES) as SeccompArch[]);
  const named = wanted.flatMap((arch) => {
    const name = NAMES_BY_NUMBER.get(arch)?.get(nr);
    return name === undefined ? [] : [{ arch, name }];
  });
  const [first] = named;
  if (first === undefined) return undefined;
  const isOne =
    wanted.length === 1 || (named.length === wanted.length && named.every(({ name }) => name === first.name));
  return isOne ? first.name : named.map(({ arch, name }) => `${name} (${arch})`).join(', ');
}

/** The architecture that `seccomp_data.arch` names; undefined: one whose system calls have no names here. */
export function seccompArch(value: number): SeccompArch | undefined {
  return (Object.keys(SECCOMP_ARCHES) as SeccompArch[]).find((arch) => SECCOMP_ARCHES[arch] === value);
}

function syscallNumber(arch: SeccompArch, name: string): bigint | undefined {
  const nr = SYSCALLS[arch].get(name);
  return nr === undefined ? undefined : BigInt(nr);
}

function unknownSyscall(arch: SeccompArch | undefined, name: string): string {
  if (arch === undefined) return `nr ${name}: names need an architecture that is known; give a number`;
  const near = suggest(name, SYSCALLS[arch].keys());
  return `nr ${name}: ${arch} has no such system call${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function numberOf(text: string, bits: number): bigint | undefined {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const value = BigInt(text);
  return value < 1n << BigInt(bits) ? value : undefined;
}

function wrong(message: string): SeccompData {
  return { ok: false, message };
}

/** `SECCOMP_RET_…` by value, without the data in the lower 16 bits. */
const ACTIONS: ReadonlyMap<number, string> = new Map([
  [0x8000_0000, 'SECCOMP_RET_KILL_PROCESS'],
  [0x0000_0000, 'SECCOMP_RET_KILL_THREAD'],
  [0x0003_0000, 'SECCOMP_RET_TRAP'],
  [0x0005_0000, 'SECCOMP_RET_ERRNO'],
  [0x7fc0_0000, 'SECCOMP_RET_USER_NOTIF'],
  [0x7ff0_0000, 'SECCOMP_RET_TRACE'],
  [0x7ffc_0000, 'SECCOMP_RET_LOG'],
  [0x7fff_0000, 'SECCOMP_RET_ALLOW'],
]);

/**
 * What a seccomp filter's return value (unsigned 32 bits) means: the action in the upper 16 bits with the
 * data in the lower ones. The kernel kills the process for an action that it does not know.
 */
export function seccompActionText(value: number): string {
  const action = (value & 0xffff_0000) >>> 0;
  const data = value & 0xffff;
  const name = ACTIONS.get(action);
  if (name === undefined) return `no action (0x${value.toString(16)}): the process is killed`;
  return data === 0 ? name : `${name} (${data})`;
}
