import { BPF_FUNC_CSUM_DIFF } from '../isa/helper-ids.ts';
import { HelperCall } from './args.ts';
import type { HelperImpl } from './impl.ts';

/**
 * `s64 bpf_csum_diff(from, from_size, to, to_size, seed)`: the checksum `seed` with the bytes of `from`
 * taken out and those of `to` put in, folded to 16 bits. A size of 0 leaves that side out. As measured on
 * Linux 6.18: kernels before 6.13 do not fold, and refuse sizes that are no multiple of 4 (−EINVAL).
 */
export const bpfCsumDiff: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_CSUM_DIFF, machine, cpu, regs);
  const fromSize = call.u32(2);
  const toSize = call.u32(4);
  const from = call.memory(1, fromSize, 'read', 'old bytes');
  if (from === 0) return call.fault;
  const to = call.memory(3, toSize, 'read', 'new bytes');
  if (to === 0) return call.fault;
  const { view } = machine.memory;
  const seed = call.u32(5);
  let sum = seed;
  if (fromSize > 0 && toSize > 0) {
    sum = add(partial(view, to, toSize, seed), invert(partial(view, from, fromSize, 0)));
  } else if (toSize > 0) sum = partial(view, to, toSize, seed);
  else if (fromSize > 0) sum = invert(partial(view, from, fromSize, invert(seed)));
  return call.result(fold(sum));
};

/**
 * One's complement sum of little-endian words, the last one filled up with zeroes; unsigned 32 bits. Of words and not
 * of half words: the two agree modulo 65535 only, and tell 0 from 65535 differently.
 */
function partial(view: DataView, at: number, size: number, seed: number): number {
  let sum = seed;
  const whole = size & ~3;
  for (let offset = 0; offset < whole; offset += 4) sum = add(sum, view.getUint32(at + offset, true));
  let rest = 0;
  for (let i = size - 1; i >= whole; i--) rest = rest * 256 + view.getUint8(at + i);
  return add(sum, rest);
}

/** Addition with end-around carry, unsigned 32 bits. */
function add(a: number, b: number): number {
  const sum = a + b;
  return sum >= 2 ** 32 ? sum - 2 ** 32 + 1 : sum;
}

function invert(n: number): number {
  return ~n >>> 0;
}

/** Both halves added with end-around carry. */
function fold(sum: number): number {
  const halves = (sum & 0xffff) + (sum >>> 16);
  return (halves & 0xffff) + (halves >>> 16);
}
