import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bpfCheckClassic } from '#core/cbpf/check.ts';
import { type ClassicInput, evaluateClassic } from '#core/cbpf/evaluate.ts';
import { EXTENSIONS } from '#core/cbpf/extensions.ts';
import { packetInput } from '#core/cbpf/packet-input.ts';
import { printClassic } from '#core/cbpf/print.ts';
import { SKF_AD_OFF, SKF_LL_OFF, SKF_NET_OFF, type SockFilter, sockFilter } from '#core/cbpf/sock-filter.ts';
import { openClassicFilters } from '#core/platform/node/kernel/bridge.ts';
import type { ClassicFilters } from '#core/platform/node/kernel/classic-filters.ts';
import { anyFilter, anyK } from '../cbpf/arbitrary.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20260601);
const FILTERS = Number(process.env.FUZZ_FILTERS ?? 5000);
const TIMEOUT = 120_000 + 20 * FILTERS;

let sockets: ClassicFilters | undefined;
beforeAll(() => {
  const opened = openClassicFilters();
  if (opened.ok) sockets = opened.sockets;
  else console.log(`kernel: ${opened.message}; 0 classic filters compared`);
});
afterAll(() => sockets?.dispose());

/** What shows of a 32-bit value at a time: so much, plus one, is accepted of a packet that is longer. */
const BITS = 4;
const SHIFTS = [0, 4, 8, 12, 16, 20, 24, 28];
const SHOWN = 2 ** BITS;

const anyPacket = fc.oneof(
  fc.uint8Array({ minLength: SHOWN + 1, maxLength: 100, size: 'max' }),
  // short runs of small numbers look like netlink attributes
  fc
    .array(fc.constantFrom(0, 1, 2, 4, 5, 8, 12, 16), { minLength: 20, maxLength: 60, size: 'max' })
    .map((bytes) => Uint8Array.from(bytes)),
);

/** Extensions that read the device: a datagram of a socket pair has none, which ends the filter with A. */
const OF_DEVICE = ['SKF_AD_IFINDEX', 'SKF_AD_HATYPE'];
/** Their value of a datagram of a socket pair; `SKF_AD_CPU` is the sender's, and changes. */
const VALUES = Object.fromEntries(
  EXTENSIONS.map(({ constant }) => [constant, 0]).filter(([name]) => !OF_DEVICE.includes(String(name))),
);
const UNSTEADY = ['SKF_AD_CPU', 'SKF_AD_RANDOM'].map(
  (name) => SKF_AD_OFF + (EXTENSIONS.find(({ constant }) => constant === name)?.offset ?? 0),
);

/**
 * A datagram of a socket pair, as measured on Linux 6.18: its network header is said to be at its first
 * byte, a MAC header is not there.
 */
function datagram(bytes: Uint8Array, noDevice: (a: number) => void): ClassicInput {
  const input = packetInput({ bytes, dataAt: 0, networkAt: 0, extensions: VALUES });
  const isOfMac = (offset: number): boolean => offset >>> 0 >= SKF_LL_OFF && offset >>> 0 < SKF_NET_OFF;
  return {
    ...input,
    load: (offset, size) => (isOfMac(offset) ? undefined : input.load(offset, size)),
    extension(constant, a, x) {
      if (OF_DEVICE.includes(constant)) noDevice(a);
      return input.extension(constant, a, x);
    },
  };
}

/** What the filter returns for the datagram, unsigned 32 bits; `ended`: before its last lines. */
function returned(filters: readonly SockFilter[], bytes: Uint8Array): { value: number; ended: boolean } {
  let a = 0;
  const result = evaluateClassic(
    filters,
    datagram(bytes, (now) => {
      a = now;
    }),
  );
  if (result.kind === 'return') return { value: result.value, ended: false };
  if (OF_DEVICE.some((name) => result.message.includes(name))) return { value: a, ended: true };
  throw new Error(result.message);
}

/** The program with bits of its return value from `shift` on, plus one, as the length to accept. */
function showingBits(filters: readonly SockFilter[], shift: number): SockFilter[] {
  const ret = filters.at(-1) ?? sockFilter(0x06);
  const value = ret.code === 0x06 ? [sockFilter(0x00, ret.k)] : [];
  const show = [sockFilter(0x74, shift), sockFilter(0x54, SHOWN - 1), sockFilter(0x04, 1), sockFilter(0x16)];
  return [...filters.slice(0, -1), ...value, ...show];
}

/** With one of the extensions that `anyFilter` does not draw somewhere in it. */
const anyCompared = fc
  .tuple(
    anyFilter,
    fc.constantFrom(undefined, undefined, 'SKF_AD_HATYPE', 'SKF_AD_PAY_OFFSET'),
    fc.nat({ max: 30 }),
  )
  .map(([drawn, name, at]) => {
    const filters = drawn.map((each) =>
      UNSTEADY.includes(each.k) ? sockFilter(each.code, each.k & 63) : each,
    );
    const extension = EXTENSIONS.find(({ constant }) => constant === name);
    if (extension === undefined) return filters;
    return filters.toSpliced(at % filters.length, 0, sockFilter(0x20, SKF_AD_OFF + extension.offset));
  });

/** Throws the smallest filter and packet for which `check` tells something, in words that can be run again. */
function forAll<T extends unknown[]>(
  arbitraries: { [I in keyof T]: fc.Arbitrary<T[I]> },
  numRuns: number,
  check: (...drawn: T) => string | undefined,
  words: (...drawn: T) => string,
): void {
  const property = fc.property(fc.tuple(...arbitraries), (drawn) => check(...(drawn as T)) === undefined);
  const { counterexample, failed, errorInstance } = fc.check(property, { seed: SEED, numRuns });
  const found = counterexample?.[0] as T | undefined;
  if (found !== undefined) throw new Error(`seed ${SEED}: ${check(...found)}\n${words(...found)}`);
  if (failed) throw errorInstance;
}

test(
  `the kernel returns what the evaluator does, all 32 bits (seed ${SEED})`,
  () => {
    if (sockets === undefined) return;
    const accepts = sockets.accepts.bind(sockets);
    let others = 0;
    let runs = 0;
    forAll<[SockFilter[], Uint8Array[]]>(
      [anyCompared, fc.array(anyPacket, { minLength: 3, maxLength: 3 })],
      FILTERS,
      (filters, packets) => {
        const values = packets.map(() => 0);
        const passed = accepts(filters, packets);
        for (const shift of SHIFTS) {
          // a load outside of the packet or a division by X = 0 ends the program before its last lines
          for (const [i, length] of accepts(showingBits(filters, shift), packets).entries()) {
            if (length > 0) values[i] = (values[i] ?? 0) + (length - 1) * 2 ** shift;
          }
        }
        for (const [i, packet] of packets.entries()) {
          const { value, ended } = returned(filters, packet);
          // without its last lines it shows no more than the length that passes
          const want = ended ? Math.min(value, packet.length) : value;
          const got = ended ? passed[i] : values[i];
          if (got !== want) return `here ${want}, in the kernel ${got} for packet ${i}`;
          runs++;
          if (want !== 0) others++;
        }
        return undefined;
      },
      (filters, packets) =>
        [...printClassic(filters, 'd'), ...packets.map((packet) => Buffer.from(packet).toString('hex'))].join(
          '\n',
        ),
    );
    expect(others).toBeGreaterThan(runs / 5);
    console.log(
      `kernel: ${FILTERS} classic filters compared on ${runs} packets (${others} results other than 0), 0 different`,
    );
  },
  TIMEOUT,
);

test(
  `short packets pass to the length that the evaluator gives (seed ${SEED})`,
  () => {
    if (sockets === undefined) return;
    const accepts = sockets.accepts.bind(sockets);
    const anyShort = fc.uint8Array({ minLength: 1, maxLength: 24, size: 'max' });
    forAll<[SockFilter[], Uint8Array[]]>(
      [anyCompared, fc.array(anyShort, { minLength: 4, maxLength: 4 })],
      FILTERS,
      (filters, packets) => {
        const want = packets.map((packet) => Math.min(packet.length, returned(filters, packet).value));
        const got = accepts(filters, packets);
        return String(got) === String(want) ? undefined : `here ${want}, in the kernel ${got}`;
      },
      (filters, packets) =>
        [...printClassic(filters, 'd'), ...packets.map((packet) => Buffer.from(packet).toString('hex'))].join(
          '\n',
        ),
    );
    console.log(
      `kernel: ${FILTERS} classic filters compared on ${4 * FILTERS} packets of 1 to 24 bytes, 0 different`,
    );
  },
  TIMEOUT,
);

const anyInsn = fc
  .record({
    code: fc.oneof(
      fc.constantFrom(
        ...[0x20, 0x28, 0x30, 0x40, 0x00, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x05],
      ),
      fc.constantFrom(
        ...[0x15, 0x1d, 0x25, 0x35, 0x45, 0x04, 0x34, 0x64, 0x74, 0x84, 0x94, 0x9c, 0x06, 0x0e],
      ),
      fc.integer({ min: 0, max: 0x1ff }),
    ),
    jt: fc.integer({ min: 0, max: 4 }),
    jf: fc.integer({ min: 0, max: 4 }),
    k: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 5 }) },
      anyK,
      fc.integer({ min: 0, max: 70 }).map((offset) => SKF_AD_OFF + offset),
      fc.constantFrom(15, 16, 31, 32),
    ),
  })
  .map(({ code, jt, jf, k }) => sockFilter(code, k, jt, jf));

test(
  `the kernel accepts what bpfCheckClassic does, and nothing else (seed ${SEED})`,
  () => {
    if (sockets === undefined) return;
    const check = sockets.check.bind(sockets);
    const programs = fc
      .tuple(fc.array(anyInsn, { maxLength: 7 }), fc.constantFrom(0x06, 0x06, 0x16, 0x07))
      .map(([insns, last]) => [...insns, sockFilter(last)]);
    const numRuns = 2 * FILTERS;
    let accepted = 0;
    forAll<[SockFilter[]]>(
      [programs],
      numRuns,
      (filters) => {
        const refusal = bpfCheckClassic(filters);
        const errno = check(filters);
        if (errno === 0) accepted++;
        if ((refusal === undefined) === (errno === 0)) return undefined;
        return `here ${refusal?.message ?? 'accepted'}, in the kernel errno ${errno}`;
      },
      (filters) => JSON.stringify(filters),
    );
    expect(accepted).toBeGreaterThan(numRuns / 20);
    console.log(`kernel: ${numRuns} classic filters checked (${accepted} accepted), 0 different`);
  },
  TIMEOUT,
);
