import { extensionAt } from './extensions.ts';
import { SECCOMP_DATA_SIZE } from './seccomp-data.ts';
import { BPF_MAXINSNS, BPF_MEMWORDS, SKF_AD_OFF, type SockFilter } from './sock-filter.ts';
import { type ClassicInsnRow, classicRow } from './table.ts';

/** Why the kernel refuses a classic program (it says EINVAL and no more). */
export interface ClassicRefusal {
  /** Instruction, from 0; undefined: the program as a whole. */
  readonly pc: number | undefined;
  /** Stable kebab-case word. */
  readonly code: string;
  readonly message: string;
}

/**
 * What `SO_ATTACH_FILTER` and its kin check: length, opcodes, division by a constant zero, shifts,
 * scratch indices, jumps, extensions, the last instruction, and that every scratch word is written on
 * every path before it is read. Mirrors `bpf_check_basics_ok`, `bpf_check_classic` and
 * `check_load_and_stores`, net/core/filter.c. Undefined: the program is accepted.
 */
export function bpfCheckClassic(filters: readonly SockFilter[]): ClassicRefusal | undefined {
  const n = filters.length;
  if (n === 0) return refusal(undefined, 'empty-program', 'a program has at least one instruction');
  if (n > BPF_MAXINSNS) {
    return refusal(
      undefined,
      'too-long',
      `the program has ${n} instructions; the kernel takes at most ${BPF_MAXINSNS}`,
    );
  }
  for (const [pc, filter] of filters.entries()) {
    const row = classicRow(filter.code);
    if (row === undefined) {
      return refusal(pc, 'unknown-code', `code 0x${filter.code.toString(16)} is no instruction`);
    }
    const found = checkInsn(row, filter, pc, n);
    if (found !== undefined) return found;
  }
  const last = classicRow(filters.at(-1)?.code ?? 0);
  if (last?.name !== 'ret') {
    return refusal(n - 1, 'no-return', 'the last instruction must be ret #k or ret a');
  }
  return checkLoadAndStores(filters);
}

function checkInsn(
  row: ClassicInsnRow,
  filter: SockFilter,
  pc: number,
  n: number,
): ClassicRefusal | undefined {
  const { k, jt, jf } = filter;
  switch (row.id) {
    case 'ret_x':
      return refusal(pc, 'unknown-code', 'Linux does not know ret x; write txa, then ret a');
    case 'div_k':
    case 'mod_k':
      return k === 0 ? refusal(pc, 'division-by-zero', `${row.name} by the constant 0`) : undefined;
    case 'lsh_k':
    case 'rsh_k':
      return k < 32 ? undefined : refusal(pc, 'shift-range', `shift by ${k}; A has 32 bits, so 0 to 31`);
  }
  switch (row.mode) {
    case 'mem':
      if (k < BPF_MEMWORDS) return undefined;
      return refusal(pc, 'scratch-index', `M[${k}]: scratch memory has ${BPF_MEMWORDS} words, M[0] to M[15]`);
    case 'jump':
      return k < n - pc - 1 ? undefined : jumpRefusal(pc, k, n);
    case 'cond_k':
    case 'cond_x': {
      const skip = pc + 1 + jt >= n ? jt : jf;
      return pc + 1 + skip >= n ? jumpRefusal(pc, skip, n) : undefined;
    }
    case 'abs': {
      const isKnown = k < SKF_AD_OFF || extensionAt(k - SKF_AD_OFF) !== undefined;
      if (isKnown) return undefined;
      return refusal(
        pc,
        'unknown-extension',
        `offset ${k | 0}: the kernel knows no extension SKF_AD_OFF + ${k - SKF_AD_OFF}`,
      );
    }
    default:
      return undefined;
  }
}

function jumpRefusal(pc: number, skip: number, n: number): ClassicRefusal {
  const message = `jump to instruction ${pc + 1 + skip}; the program has ${n}, numbered from 0`;
  return refusal(pc, 'jump-range', message);
}

/**
 * Scratch words that are surely written, as bits, flow down the program. As in the kernel, the
 * instruction behind a `ret` keeps the bits of the ret, although it is only reached by jumps.
 */
function checkLoadAndStores(filters: readonly SockFilter[]): ClassicRefusal | undefined {
  const arriving = new Uint16Array(filters.length).fill(0xffff);
  let written = 0;
  const arrive = (target: number): void => {
    arriving[target] = (arriving[target] ?? 0) & written;
  };
  for (const [pc, { code, k, jt, jf }] of filters.entries()) {
    written &= arriving[pc] ?? 0;
    const row = classicRow(code);
    if (row?.id === 'st' || row?.id === 'stx') written |= 1 << k;
    else if (row?.mode === 'mem' && ((written >> k) & 1) === 0) {
      return refusal(pc, 'scratch-unwritten', `M[${k}] is read before it is written on every path to here`);
    } else if (row?.mode === 'jump') {
      arrive(pc + 1 + k);
      written = 0xffff;
    } else if (row?.mode === 'cond_k' || row?.mode === 'cond_x') {
      arrive(pc + 1 + jt);
      arrive(pc + 1 + jf);
      written = 0xffff;
    }
  }
  return undefined;
}

/**
 * What seccomp checks beyond `bpfCheckClassic`: only 32-bit aligned loads inside `struct seccomp_data`,
 * and no packet, remainder or extension. Mirrors `seccomp_check_filter`, kernel/seccomp.c.
 */
export function seccompCheckFilter(filters: readonly SockFilter[]): ClassicRefusal | undefined {
  const found = bpfCheckClassic(filters);
  if (found !== undefined) return found;
  for (const [pc, { code, k }] of filters.entries()) {
    const row = classicRow(code);
    if (row?.accept !== 'all') {
      return refusal(
        pc,
        'not-in-seccomp',
        `seccomp filters cannot use ${row?.name ?? 'this instruction'} this way`,
      );
    }
    if (row.id === 'ld_abs' && (k >= SECCOMP_DATA_SIZE || (k & 3) !== 0)) {
      return refusal(
        pc,
        'seccomp-offset',
        `offset ${k}: struct seccomp_data has ${SECCOMP_DATA_SIZE} bytes and is read in aligned words, so 0, 4, … 60`,
      );
    }
  }
  return undefined;
}

function refusal(pc: number | undefined, code: string, message: string): ClassicRefusal {
  return { pc, code, message };
}
