import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bpfConvertFilter } from '#core/cbpf/convert.ts';
import { printClassic } from '#core/cbpf/print.ts';
import { SKF_AD_OFF, type SockFilter, sockFilter } from '#core/cbpf/sock-filter.ts';
import { reference } from '#core/interp/reference.ts';
import { type KernelBridge, openKernel } from '#core/platform/node/kernel/bridge.ts';
import { ctxBytes } from '#core/platform/node/kernel/ctx-bytes.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { anyFilter } from '../cbpf/arbitrary.ts';
import { attrOf } from '../prog/build.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20260602);
const FILTERS = Number(process.env.FUZZ_FILTERS ?? 5000);
/**
 * Extensions that are left out: the values of `SKF_AD_CPU` and `SKF_AD_RANDOM` are the run's own; searches for
 * netlink attributes become loops whose end the verifier does not see.
 */
const LEFT_OUT = [36, 56, 12, 16].map((offset) => SKF_AD_OFF + offset);

let kernel: KernelBridge | undefined;
beforeAll(() => {
  const opened = openKernel();
  if (opened.ok) kernel = opened.kernel;
  else console.log(`kernel: ${opened.message}; 0 converted filters compared`);
});
afterAll(() => kernel?.dispose());

const machine = new Machine({ shared: false });
const anyPacket = fc.uint8Array({ minLength: 14, maxLength: 90, size: 'max' });
const anyMark = fc.bigInt({ min: 0n, max: 0xffffffffn });

let compared = 0;
let refused = 0;

/** In what the kernel and the reference engine differ for the converted filter; undefined: in nothing. */
function check(
  bridge: KernelBridge,
  filters: readonly SockFilter[],
  packets: readonly Uint8Array[],
  mark: bigint,
): string | undefined {
  const converted = bpfConvertFilter(filters, 'socket_filter');
  if ('message' in converted) return converted.message;
  const { insns } = converted;
  const there = bridge.load({ insns, progType: 'socket_filter' });
  if (there.refused) {
    // a classic filter may have such instructions, an eBPF program may not
    const unreachable = there.log.startsWith('unreachable insn');
    if (unreachable) refused++;
    return unreachable ? undefined : `the verifier refuses it: ${there.log}`;
  }
  const loaded = bpfProgLoad(machine, attrOf('socket_filter', insns));
  if (!loaded.ok) return loaded.refusal.message;
  const ctx = { mark };
  const other: string[] = [];
  for (const data of packets) {
    const want = bridge.testRun(there, { data, ctx: ctxBytes('socket_filter', ctx, data) }).retval;
    const { retval, fault } = runProgram(machine, loaded.prog, reference, { data, ctx, attach: 'test_run' });
    if (fault !== undefined || retval !== want) {
      other.push(`here ${fault?.message ?? retval}, in the kernel ${want}`);
    }
  }
  compared++;
  bridge.close(there);
  bpfProgFree(machine, loaded.prog);
  return other[0];
}

test(`the verifier takes converted filters, and the kernel runs them as we do (seed ${SEED})`, () => {
  if (kernel === undefined) return;
  const bridge = kernel;
  const steady = anyFilter.map((filters) =>
    filters.map((each) => (LEFT_OUT.includes(each.k) ? sockFilter(each.code, each.k & 63) : each)),
  );
  const drawn = fc.tuple(steady, fc.array(anyPacket, { minLength: 3, maxLength: 3 }), anyMark);
  const { counterexample, failed, errorInstance } = fc.check(
    fc.property(drawn, (given) => check(bridge, ...given) === undefined),
    { seed: SEED, numRuns: FILTERS },
  );
  const found = counterexample?.[0];
  if (found !== undefined) {
    const [filters, packets] = found;
    const words = [
      ...printClassic(filters, 'd'),
      ...packets.map((packet) => Buffer.from(packet).toString('hex')),
    ];
    throw new Error(`seed ${SEED}: ${check(bridge, ...found)}\n${words.join('\n')}`);
  }
  expect(failed, String(errorInstance)).toBe(false);
  console.log(
    `kernel: ${compared} converted filters compared on ${3 * compared} packets, ${refused} with unreachable instructions refused, 0 different`,
  );
  expect(compared).toBeGreaterThan(FILTERS / 2);
}, 120_000);
