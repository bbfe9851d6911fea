import { assemble } from '#core/asm/assemble.ts';
import { linkProgram } from '#core/object/link.ts';
import { type BpfProg, bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Region } from '#core/vm/region.ts';

/** Times that each CPU goes through the loop. An odd number: `xor` leaves every CPU's bit. */
export const ROUNDS = 20_001;

/** Where the program's words are; 8 bytes each. */
export const WORD = {
  arrived: 0,
  add64: 8,
  fetchAdd64: 16,
  sumOfFetched64: 24,
  add32: 32,
  fetchAdd32: 40,
  sumOfFetched32: 48,
  xor64: 56,
  xor32: 64,
  /** Each CPU sets a bit and clears it. */
  bits64: 72,
  bits32: 80,
  /** Holds what was put in last; `exchanged64` is what was taken less what was put in. */
  xchg64: 88,
  exchanged64: 96,
  xchg32: 104,
  exchanged32: 112,
  cmpxchg64: 120,
  cmpxchg32: 128,
  data: 136,
  flag: 144,
  /** Two halves that are always equal. */
  halves: 152,
  errors: 160,
} as const;
export const SIZE = 168;

const at = (name: keyof typeof WORD): string => `(r6 + ${WORD[name]})`;

/** Adds one to the words with an exchange that compares; `w`: by 32 bits. */
const countUp = (label: string, name: 'cmpxchg64' | 'cmpxchg32'): string => {
  const w = name === 'cmpxchg32';
  const [type, r0, r2] = w ? ['u32', 'w0', 'w2'] : ['u64', 'r0', 'r2'];
  const exchange = w
    ? `w0 = cmpxchg32_32(r6 + ${WORD[name]}, w0, w2)`
    : `r0 = cmpxchg_64(r6 + ${WORD[name]}, r0, r2)`;
  return `${label}:
	${r0} = *(${type} *)${at(name)}
	r3 = r0
	${r2} = ${r0}
	r2 += 1
	${exchange}
	if r0 != r3 goto ${label}`;
};

/**
 * What both CPUs execute. R6: the words, R7: rounds left, R8: this CPU's bit, R9: its number. The stack keeps sums.
 * An error is a value that no order of whole operations gives.
 */
const PROGRAM = `
	.section raw
	.globl main
main:
	r6 = r1
	call bpf_get_smp_processor_id
	r9 = r0
	r8 = 1
	r8 <<= r0
	r7 = ${ROUNDS}
	*(u64 *)(r10 - 8) = 0
	*(u64 *)(r10 - 16) = 0
	*(u64 *)(r10 - 24) = 0
	*(u64 *)(r10 - 32) = 0
	*(u64 *)(r10 - 40) = 0
	r1 = 1
	lock *(u64 *)${at('arrived')} += r1
wait:
	r1 = load_acquire((u64 *)${at('arrived')})
	if r1 != 2 goto wait
loop:
	r1 = 1
	lock *(u64 *)${at('add64')} += r1
	r1 = 1
	r1 = atomic_fetch_add((u64 *)${at('fetchAdd64')}, r1)
	r2 = *(u64 *)(r10 - 8)
	r2 += r1
	*(u64 *)(r10 - 8) = r2
	w1 = 1
	lock *(u32 *)${at('add32')} += w1
	w1 = 1
	w1 = atomic_fetch_add((u32 *)${at('fetchAdd32')}, w1)
	r2 = *(u64 *)(r10 - 16)
	r2 += r1
	*(u64 *)(r10 - 16) = r2
	lock *(u64 *)${at('xor64')} ^= r8
	lock *(u32 *)${at('xor32')} ^= w8
	r1 = r8
	r1 = atomic_fetch_or((u64 *)${at('bits64')}, r1)
	if r1 & r8 goto error
	r1 = r8
	r1 ^= -1
	r1 = atomic_fetch_and((u64 *)${at('bits64')}, r1)
	r1 &= r8
	if r1 != r8 goto error
	w1 = w8
	w1 = atomic_fetch_or((u32 *)${at('bits32')}, w1)
	if w1 & w8 goto error
	w1 = w8
	w1 ^= -1
	w1 = atomic_fetch_and((u32 *)${at('bits32')}, w1)
	w1 &= w8
	if w1 != w8 goto error
	r1 = r7
	r1 <<= 32
	r1 |= r8
	r2 = *(u64 *)(r10 - 24)
	r2 -= r1
	r1 = xchg_64(r6 + ${WORD.xchg64}, r1)
	r2 += r1
	*(u64 *)(r10 - 24) = r2
	w1 = w7
	w1 <<= 2
	w1 |= w8
	r2 = *(u64 *)(r10 - 32)
	r2 -= r1
	w1 = xchg32_32(r6 + ${WORD.xchg32}, w1)
	r2 += r1
	*(u64 *)(r10 - 32) = r2
${countUp('again64', 'cmpxchg64')}
${countUp('again32', 'cmpxchg32')}
	if r9 != 0 goto reader
	r1 = ${ROUNDS + 1}
	r1 -= r7
	*(u64 *)${at('data')} = r1
	store_release((u64 *)${at('flag')}, r1)
	r2 = r1
	r2 <<= 32
	r1 |= r2
	store_release((u64 *)${at('halves')}, r1)
	goto next
reader:
	r1 = load_acquire((u64 *)${at('flag')})
	r2 = *(u64 *)${at('data')}
	if r2 < r1 goto error
	r1 = load_acquire((u64 *)${at('halves')})
	w2 = w1
	r1 >>= 32
	if r1 != r2 goto error
	goto next
error:
	r1 = 1
	lock *(u64 *)${at('errors')} += r1
next:
	r7 += -1
	if r7 != 0 goto loop
	r1 = *(u64 *)(r10 - 8)
	lock *(u64 *)${at('sumOfFetched64')} += r1
	r1 = *(u64 *)(r10 - 16)
	lock *(u64 *)${at('sumOfFetched32')} += r1
	r1 = *(u64 *)(r10 - 24)
	lock *(u64 *)${at('exchanged64')} += r1
	r1 = *(u64 *)(r10 - 32)
	lock *(u64 *)${at('exchanged32')} += r1
	r0 = 0
	exit
`;

/** A machine of two CPUs that stand at the program's start. */
export interface TwoCpus {
  readonly machine: Machine;
  readonly prog: BpfProg;
  readonly words: Region;
}

/** Makes it. The same calls give the same addresses in every thread. */
export function twoCpus(): TwoCpus {
  const machine = new Machine({ shared: true, nCpus: 2, maxMemory: 2 ** 24 });
  const words = machine.space.alloc({ name: 'words', kind: 'memory', size: SIZE, perm: 'rw', align: 8 });
  const assembled = assemble(PROGRAM, { fileName: 'two-cpus.s' });
  const linked = linkProgram(assembled.value, undefined, { progType: 'raw' });
  const problem =
    assembled.diagnostics.find(({ severity }) => severity === 'error')?.message ?? linked.errors[0];
  if (linked.value === undefined || problem !== undefined) throw new Error(problem);
  const loaded = bpfProgLoad(machine, linked.value);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  for (const cpu of [0, 1]) machine.enter(cpu, loaded.prog, words.addr, BigInt(SIZE));
  return { machine, prog: loaded.prog, words };
}
