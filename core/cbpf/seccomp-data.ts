/** A field of `struct seccomp_data`. */
export interface SeccompField {
  readonly name: string;
  /** Bytes from its start. */
  readonly offset: number;
  readonly size: 4 | 8;
}

/** Bytes of `struct seccomp_data`. */
export const SECCOMP_DATA_SIZE = 64;
/** Offsets of the system call's number and of the architecture (`AUDIT_ARCH_…`). */
export const SECCOMP_NR = 0;
export const SECCOMP_ARCH = 4;

/** The system call that a seccomp filter judges (include/uapi/linux/seccomp.h), in host order. */
export const SECCOMP_FIELDS: readonly SeccompField[] = [
  { name: 'nr', offset: SECCOMP_NR, size: 4 },
  { name: 'arch', offset: SECCOMP_ARCH, size: 4 },
  { name: 'instruction_pointer', offset: 8, size: 8 },
  ...Array.from({ length: 6 }, (_, i) => ({ name: `args[${i}]`, offset: 16 + 8 * i, size: 8 as const })),
];

/** What lies at an offset of `struct seccomp_data`: `nr`, `args[2] (high half)`; undefined where no word begins. */
export function fieldName(offset: number): string | undefined {
  const field = SECCOMP_FIELDS.find((each) => offset >= each.offset && offset < each.offset + each.size);
  if (field === undefined || offset % 4 !== 0) return undefined;
  if (field.size === 4) return field.name;
  return `${field.name} (${offset === field.offset ? 'low' : 'high'} half)`;
}
