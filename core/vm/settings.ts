/**
 * The platform's hash functions. Core does not hash itself: Node, or whoever else hosts it, hands them in.
 * Both take any number of bytes and give 20, respectively 32.
 */
export interface HashHost {
  sha1(bytes: Uint8Array): Uint8Array;
  sha256(bytes: Uint8Array): Uint8Array;
}

/** What a kernel's configuration decides about programs, as `/proc/sys/net/core` names it. */
export interface KernelSettings {
  /** `net.core.bpf_jit_enable`: 0 interpreter only, 1 compile, 2 compile and log. */
  readonly bpfJitEnable: 0 | 1 | 2;
  /** `net.core.bpf_jit_harden`: constants are blinded 0 never, 1 for users without CAP_BPF, 2 always. */
  readonly bpfJitHarden: 0 | 1 | 2;
  /** Whether programs are loaded by a user with CAP_BPF. */
  readonly privileged: boolean;
  /** The kernel that is simulated; decides how tags are computed. */
  readonly kernel: KernelVersion;
}

/** A version of Linux: `6.18` is `{ major: 6, minor: 18 }`. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** A machine's settings unless told otherwise: as distributions ship them, loaded by root. */
export const DEFAULT_SETTINGS: KernelSettings = {
  bpfJitEnable: 1,
  bpfJitHarden: 0,
  privileged: true,
  kernel: { major: 6, minor: 18 },
};

/** Reads `6.18`, `v5.10.3` or `6.1.0-rc3`; undefined for anything else. */
export function parseKernelVersion(text: string): KernelVersion | undefined {
  const found = /^v?(\d{1,3})\.(\d{1,4})(?:[.\-+_~].*)?$/.exec(text.trim());
  return found === null ? undefined : { major: Number(found[1]), minor: Number(found[2]) };
}

/** Whether `version` is `major.minor` or newer. */
export function isAtLeast(version: KernelVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

/** `6.18` */
export function kernelVersionText(version: KernelVersion): string {
  return `${version.major}.${version.minor}`;
}
