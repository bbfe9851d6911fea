import { getSystemErrorMap } from 'node:util';

/** Error numbers that the bridge itself acts on (include/uapi/asm-generic/errno-base.h, errno.h). */
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const ENOSPC = 28;
export const ENOSYS = 38;
/** "Not supported" inside the kernel; it reaches user space in places and libc has no name for it. */
const ENOTSUPP = 524;

/** A system call that failed. `errno` is positive, as in `errno.h`. */
export class KernelError extends Error {
  readonly errno: number;

  /** @param what what was asked for, in words: `creating map counts`. */
  constructor(what: string, errno: number) {
    super(`${what}: ${errnoText(errno)}`);
    this.name = 'KernelError';
    this.errno = errno;
  }
}

/** Name of a positive errno: `EPERM`. */
export function errnoName(errno: number): string {
  if (errno === ENOTSUPP) return 'ENOTSUPP';
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`;
}

/** Name and meaning of a positive errno: `EPERM (operation not permitted)`. */
export function errnoText(errno: number): string {
  const meaning = errno === ENOTSUPP ? 'not supported' : getSystemErrorMap().get(-errno)?.[1];
  return meaning === undefined ? errnoName(errno) : `${errnoName(errno)} (${meaning})`;
}
