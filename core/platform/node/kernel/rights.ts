import { readFileSync } from 'node:fs';
import { isAtLeast, type KernelVersion, parseKernelVersion } from '../../../vm/settings.ts';
import { ENOSYS, EPERM, errnoText } from './errors.ts';

/** Capabilities by name and bit (include/uapi/linux/capability.h). */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21, CAP_PERFMON: 38, CAP_BPF: 39 } as const;

/** What the bridge needs: to load, to load network programs, to see addresses and compare pointers. */
const WANTED = ['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'] as const;

/** First kernel with CAP_BPF and CAP_PERFMON. */
const CAP_BPF_SINCE: KernelVersion = { major: 5, minor: 8 };

/** A file of /proc or /sys, without its line end; undefined where it cannot be read. */
export type ReadText = (path: string) => string | undefined;

/** Reads from this machine. */
export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
};

/** Which of CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON this process lacks; CAP_SYS_ADMIN stands for the first and last. */
export function missingCapabilities(read: ReadText = readText): string[] {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  // Without /proc nobody knows: the kernel's own answer counts then.
  if (line === undefined) return [];
  const effective = BigInt(`0x${line}`);
  const has = (name: keyof typeof CAPABILITIES): boolean =>
    ((effective >> BigInt(CAPABILITIES[name])) & 1n) === 1n;
  return WANTED.filter((name) => !has(name) && (name === 'CAP_NET_ADMIN' || !has('CAP_SYS_ADMIN')));
}

/** One line: why bpf(2) said `errno`, and how to get what is missing. */
export function refusedText(errno: number, release: string, read: ReadText = readText): string {
  if (errno === ENOSYS) return `Linux ${release} has no bpf(2) system call, or this container hides it`;
  if (errno !== EPERM) return `Linux ${release} does not load programs: ${errnoText(errno)}`;
  const missing = missingCapabilities(read);
  if (missing.length === 0) {
    return `Linux ${release} refuses bpf(2) (EPERM) although the capabilities are there: a container's seccomp filter, a security module or lockdown forbids it; run outside of it`;
  }
  const sysctl = read('/proc/sys/kernel/unprivileged_bpf_disabled');
  const state = sysctl === undefined ? '' : `; kernel.unprivileged_bpf_disabled is ${sysctl}`;
  const how = hasSince(release, CAP_BPF_SINCE)
    ? `run as root, or once: sudo setcap ${WANTED.map((name) => name.toLowerCase()).join(',')}+ep "$(readlink -f "$(which node)")"`
    : 'run as root';
  return `this process lacks ${missing.join(', ')}, which loading programs needs: ${how}${state}`;
}

/** Has a kernel of `release` (`uname -r`) what came with `first`? No, where the release cannot be read. */
export function hasSince(release: string, first: KernelVersion): boolean {
  const version = parseKernelVersion(release);
  return version !== undefined && isAtLeast(version, first.major, first.minor);
}

/** CPUs that can ever be there: the length of a per-CPU value. 1 where the kernel does not say. */
export function possibleCpus(read: ReadText = readText): number {
  const text = read('/sys/devices/system/cpu/possible') ?? '0';
  const last = text.split(',').at(-1)?.split('-').at(-1);
  return Number(last ?? 0) + 1;
}
