import { seccompCheckFilter } from './check.ts';
import { seccompActionText, syscallNames } from './seccomp.ts';
import { fieldName, SECCOMP_ARCH, SECCOMP_NR } from './seccomp-data.ts';
import { BPF_MEMWORDS, type SockFilter } from './sock-filter.ts';
import { AUDIT_ARCHES, SECCOMP_ARCHES, type SeccompArch } from './syscalls.ts';
import { classicRow } from './table.ts';

/**
 * What registers hold before an instruction, where every path agrees: offset in `struct seccomp_data` that
 * the value was loaded from; −1: anything.
 */
export interface SeccompState {
  readonly a: number;
  readonly x: number;
  readonly m: readonly number[];
  /** Architectures that the filter can still be running for; undefined: any. */
  readonly arches: readonly SeccompArch[] | undefined;
}

const UNKNOWN = -1;

/** What A, X and M[] hold at each instruction of a seccomp filter; undefined where no path leads. */
export function seccompFlow(filters: readonly SockFilter[]): readonly (SeccompState | undefined)[] {
  const states = new Array<SeccompState | undefined>(filters.length).fill(undefined);
  const arrive = (pc: number, state: SeccompState): void => {
    const known = states[pc];
    if (pc < states.length) states[pc] = known === undefined ? state : merged(known, state);
  };
  const nothing = Array.from({ length: BPF_MEMWORDS }, () => UNKNOWN);
  arrive(0, { a: UNKNOWN, x: UNKNOWN, m: nothing, arches: undefined });
  for (const [pc, filter] of filters.entries()) {
    const state = states[pc];
    const row = classicRow(filter.code);
    if (state === undefined || row === undefined || row.name === 'ret') continue;
    if (row.mode === 'jump') arrive(pc + 1 + filter.k, state);
    else if (row.mode === 'cond_k' || row.mode === 'cond_x') {
      const decides = row.id === 'jeq_k' && state.a === SECCOMP_ARCH;
      arrive(pc + 1 + filter.jt, decides ? { ...state, arches: onlyArch(state, filter.k) } : state);
      arrive(pc + 1 + filter.jf, decides ? { ...state, arches: withoutArch(state, filter.k) } : state);
    } else arrive(pc + 1, after(row.id, filter.k, state));
  }
  return states;
}

function merged(left: SeccompState, right: SeccompState): SeccompState {
  const same = (l: number, r: number | undefined): number => (l === r ? l : UNKNOWN);
  const arches =
    left.arches === undefined || right.arches === undefined
      ? undefined
      : [...new Set([...left.arches, ...right.arches])];
  return {
    a: same(left.a, right.a),
    x: same(left.x, right.x),
    m: left.m.map((held, k) => same(held, right.m[k])),
    arches,
  };
}

function onlyArch({ arches }: SeccompState, k: number): readonly SeccompArch[] {
  const known = arches ?? (Object.keys(SECCOMP_ARCHES) as SeccompArch[]);
  return known.filter((arch) => SECCOMP_ARCHES[arch] === k);
}

/** Behind a comparison that failed; a filter that knows one architecture only has come to others now. */
function withoutArch({ arches }: SeccompState, k: number): readonly SeccompArch[] | undefined {
  return arches?.filter((arch) => SECCOMP_ARCHES[arch] !== k);
}

function after(id: string, k: number, state: SeccompState): SeccompState {
  switch (id) {
    case 'ld_abs':
      return { ...state, a: k };
    case 'ld_mem':
      return { ...state, a: state.m[k] ?? UNKNOWN };
    case 'ldx_mem':
      return { ...state, x: state.m[k] ?? UNKNOWN };
    case 'ldx_imm':
    case 'ldx_len':
      return { ...state, x: UNKNOWN };
    case 'tax':
      return { ...state, x: state.a };
    case 'txa':
      return { ...state, a: state.x };
    case 'st':
    case 'stx':
      return { ...state, m: state.m.with(k, id === 'st' ? state.a : state.x) };
    default:
      return { ...state, a: UNKNOWN };
  }
}

/**
 * Words for each instruction of a seccomp filter: the field that it loads, the system call or architecture
 * that it compares with, the action that it returns; undefined where there is nothing to say.
 */
export function seccompNotes(filters: readonly SockFilter[]): readonly (string | undefined)[] {
  const states = seccompFlow(filters);
  return filters.map(({ code, k }, pc) => {
    const row = classicRow(code);
    const state = states[pc];
    if (row?.id === 'ret_k') return seccompActionText(k);
    if (row?.id === 'ld_abs') return fieldName(k);
    if (row?.mode !== 'cond_k' || state === undefined) return undefined;
    return row.id === 'jset_k' && k !== X32_BIT ? undefined : valueName(state.a, k, state.arches);
  });
}

/** `__X32_SYSCALL_BIT`, arch/x86/include/uapi/asm/unistd.h. */
const X32_BIT = 0x4000_0000;

/**
 * Name of a value loaded from `offset` of `struct seccomp_data`: a system call of `arches` (undefined: of any
 * that is known), an architecture; undefined where it has none.
 */
export function valueName(
  offset: number,
  value: number,
  arches: readonly SeccompArch[] | undefined,
): string | undefined {
  if (offset === SECCOMP_ARCH) return AUDIT_ARCHES.get(value);
  if (offset !== SECCOMP_NR) return undefined;
  if (value === X32_BIT && (arches === undefined || arches.includes('x86-64'))) return '__X32_SYSCALL_BIT';
  return syscallNames(value, arches);
}

/**
 * Whether a program that is accepted as a seccomp filter is meant as one: it looks at the system call or the
 * architecture, and returns actions. Texts do not say what they are attached to.
 */
export function looksLikeSeccomp(filters: readonly SockFilter[]): boolean {
  const loads = filters.some(
    ({ code, k }) => classicRow(code)?.id === 'ld_abs' && (k === SECCOMP_NR || k === SECCOMP_ARCH),
  );
  if (!loads || seccompCheckFilter(filters) !== undefined) return false;
  const returned = filters.filter(({ code }) => classicRow(code)?.id === 'ret_k');
  return (
    returned.length > 0 &&
    returned.every(({ k }) => seccompActionText(k).startsWith('SECCOMP_RET_')) &&
    returned.some(({ k }) => k !== 0)
  );
}
