import { afterAll, beforeAll, expect, test } from 'vitest';
import { SKF_AD_OFF, SKF_LL_OFF, SKF_NET_OFF } from '#core/cbpf/sock-filter.ts';
import { reference } from '#core/interp/reference.ts';
import type { InsnId } from '#core/isa/table.ts';
import { type KernelBridge, openKernel } from '#core/platform/node/kernel/bridge.ts';
import { ctxBytes } from '#core/platform/node/kernel/ctx-bytes.ts';
import { type BpfProg, bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf } from '../prog/build.ts';
import { Code } from './code.ts';

let kernel: KernelBridge | undefined;
beforeAll(() => {
  const opened = openKernel();
  if (opened.ok) kernel = opened.kernel;
  else console.log(`kernel: ${opened.message}; 0 packet loads compared, recorded vectors serve (test/prog)`);
});
afterAll(() => kernel?.dispose());

const TYPES = ['socket_filter', 'sched_cls'] as const;
const ABS = ['ldabsb', 'ldabsh', 'ldabsw'] as const;
const IND = ['ldindb', 'ldindh', 'ldindw'] as const;
/** Packet lengths; TEST_RUN wants 14 at least, which leave a socket filter nothing. */
const LENGTHS = [14, 15, 16, 17, 18, 21, 34, 64];
const ETH_HLEN = 14;
const INT_MIN = -0x80000000;

/** No byte is 0, so that a load that ends the program can be told from one that does not. */
const packetOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 37 + 129) & 0xff || 1);

/** From 8 below to 8 above each place at which something begins or ends, for every packet length. */
function boundaries(): readonly number[] {
  const ends = LENGTHS.flatMap((length) => [length, length - ETH_HLEN]);
  const bases = [0, SKF_NET_OFF | 0, SKF_LL_OFF | 0];
  const places = [
    ...bases.flatMap((base) => [base, ...ends.map((end) => base + end)]),
    ...[SKF_AD_OFF | 0, INT_MIN + 8, 0x7fffffff - 8, -0x10000, 0x10000, 0x8000],
    // where headers are too far away for the rest of what the offset can say
    ...[(SKF_NET_OFF | 0) + 0x10000, (SKF_LL_OFF | 0) + 0x10000, (SKF_NET_OFF | 0) - 0x8000],
  ];
  const found = new Set<number>();
  for (const place of places) for (let by = -8; by <= 8; by++) found.add((place + by) | 0);
  return [...found].sort((a, b) => a - b);
}

const OFFSETS = boundaries();

/** `r0 = packet[offset]`, with the offset in the instruction or, for LD_IND, half of it in R7. */
function absolute(id: InsnId, offset: number): Uint8Array {
  const code = new Code();
  code.emit('mov64_reg', { dst: 6, src: 1 });
  code.emit(id, { imm: offset });
  code.emit('exit');
  return code.bytes();
}

/** The same with the register's part of the offset from the context (`mark`), under 32 bits that do not count. */
function indirect(id: InsnId, imm: number, high: number): Uint8Array {
  const code = new Code();
  code.emit('mov64_reg', { dst: 6, src: 1 });
  code.emit('ldxw', { dst: 7, src: 1, off: 8 });
  code.emit('lddw', { dst: 8, imm: 0, next: high });
  code.emit('or64_reg', { dst: 7, src: 8 });
  code.emit(id, { src: 7, imm });
  code.emit('exit');
  return code.bytes();
}

/** A program loaded on both sides. */
class Pair {
  readonly #kernel: KernelBridge;
  readonly #machine = new Machine({ shared: false });

  constructor(bridge: KernelBridge) {
    this.#kernel = bridge;
  }

  /** Runs on each packet with each mark; one line for each difference, and how many results were other than 0. */
  compare(
    progType: (typeof TYPES)[number],
    insns: Uint8Array,
    marks: readonly number[],
  ): { runs: number; inside: number; other: string[] } {
    const there = this.#kernel.load({ insns, progType });
    if (there.refused) throw new Error(there.log);
    const loaded = bpfProgLoad(this.#machine, attrOf(progType, insns));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const other: string[] = [];
    let [runs, inside] = [0, 0];
    for (const length of LENGTHS) {
      const data = packetOf(length);
      for (const mark of marks) {
        const fields = { mark: BigInt(mark >>> 0) };
        const ctx = ctxBytes(progType, fields, data);
        const want = this.#kernel.testRun(there, { data, ctx }).retval;
        const got = this.#run(loaded.prog, data, fields);
        runs++;
        if (want !== 0) inside++;
        if (got !== want) other.push(`${length} bytes, mark ${mark | 0}: here ${got}, in the kernel ${want}`);
      }
    }
    this.#kernel.close(there);
    bpfProgFree(this.#machine, loaded.prog);
    return { runs, inside, other };
  }

  #run(prog: BpfProg, data: Uint8Array, ctx: Record<string, bigint>): number | string {
    const result = runProgram(this.#machine, prog, reference, { data, ctx, attach: 'test_run' });
    return result.fault?.message ?? result.retval;
  }
}

test.each(TYPES.flatMap((progType) => ABS.map((id) => [progType, id] as const)))(
  '%s: %s at every boundary gives what the kernel gives',
  (progType, id) => {
    if (kernel === undefined) return;
    const pair = new Pair(kernel);
    let [runs, inside] = [0, 0];
    for (const offset of OFFSETS) {
      const result = pair.compare(progType, absolute(id, offset), [0]);
      expect(result.other, `offset ${offset}`).toEqual([]);
      runs += result.runs;
      inside += result.inside;
    }
    console.log(
      `kernel: ${progType} ${id}: ${OFFSETS.length} offsets, ${runs} runs (${inside} inside), 0 different`,
    );
    expect(inside).toBeGreaterThan(100);
  },
  120_000,
);

/** The instruction's part of the offset, and the upper half of the register with the other part. */
const PARTS = [
  [0, 0],
  [14, -1],
  [-1, 0x7fffffff],
  [SKF_NET_OFF | 0, 0],
  [SKF_LL_OFF | 0, 1],
  [0x7fffffff, 0],
  [INT_MIN, -0x80000000],
] as const;

test.each(TYPES.flatMap((progType) => IND.map((id) => [progType, id] as const)))(
  '%s: %s at every boundary gives what the kernel gives, however the offset is split',
  (progType, id) => {
    if (kernel === undefined) return;
    const pair = new Pair(kernel);
    let [runs, inside] = [0, 0];
    for (const [imm, high] of PARTS) {
      const marks = OFFSETS.map((offset) => (offset - imm) | 0);
      const result = pair.compare(progType, indirect(id, imm, high), marks);
      expect(result.other, `imm ${imm}, upper half ${high}`).toEqual([]);
      runs += result.runs;
      inside += result.inside;
    }
    console.log(
      `kernel: ${progType} ${id}: ${OFFSETS.length} offsets in ${PARTS.length} splits, ${runs} runs (${inside} inside), 0 different`,
    );
    expect(inside).toBeGreaterThan(100);
  },
  120_000,
);
