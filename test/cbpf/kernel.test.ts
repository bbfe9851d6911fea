import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bpfCheckClassic } from '#core/cbpf/check.ts';
import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { packetInput } from '#core/cbpf/packet-input.ts';
import { SKF_AD_OFF, SKF_LL_OFF, type SockFilter, sockFilter } from '#core/cbpf/sock-filter.ts';
import { classicRow } from '#core/cbpf/table.ts';
import { anyFilter, anyK } from './arbitrary.ts';

interface Answer {
  readonly accepted: boolean;
  readonly length?: number;
}

/** This machine's kernel, where it lets itself be asked: Linux with python3; no rights are needed. */
class Kernel {
  readonly cpu: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, cpu: number) {
    this.#child = child;
    this.#lines = lines;
    this.cpu = cpu;
  }

  static async start(): Promise<Kernel | undefined> {
    if (process.platform !== 'linux') return undefined;
    const child = spawn('python3', [join(import.meta.dirname, 'attach.py')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const failed = once(child, 'error').then(() => undefined);
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (first === undefined || first.done) return undefined;
    return new Kernel(child, lines, JSON.parse(first.value).cpu);
  }

  async ask(filters: readonly SockFilter[], data?: Uint8Array): Promise<Answer> {
    const rows = filters.map(({ code, jt, jf, k }) => [code, jt, jf, k]);
    const hex = data === undefined ? undefined : Buffer.from(data).toString('hex');
    this.#child.stdin?.write(`${JSON.stringify({ filters: rows, data: hex })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the helper has ended');
    return JSON.parse(value);
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await once(this.#child, 'exit');
  }
}

let kernel: Kernel | undefined;
beforeAll(async () => {
  kernel = await Kernel.start();
  if (kernel === undefined) console.log('kernel: not there, 0 classic filters compared');
});
afterAll(() => kernel?.stop());

/** More than any byte of the value plus one, so that a whole byte of it shows in the length that is accepted. */
const LENGTH = 300;

const anyData = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 90 }),
    // short runs of small numbers look like netlink attributes
    fc
      .array(fc.constantFrom(0, 1, 2, 4, 5, 8, 12, 16), { minLength: 20, maxLength: 60 })
      .map((bytes) => Uint8Array.from(bytes)),
  )
  .map((start) => {
    const data = new Uint8Array(LENGTH);
    data.set(start);
    return data;
  });

/** A datagram of a socket pair has no device and no headers: loads that need them become plain ones. */
function forSocketPair(filter: SockFilter): SockFilter {
  const row = classicRow(filter.code);
  if (row?.mode !== 'abs' && row?.mode !== 'ind' && row?.mode !== 'msh') return filter;
  const isHeader = filter.k >= SKF_LL_OFF && filter.k < SKF_AD_OFF;
  const isDevice = filter.k === SKF_AD_OFF + 8;
  return isHeader || isDevice ? sockFilter(filter.code, filter.k & 0x3f) : filter;
}

/** The program with its return value's bits from `shift` on, plus one, as the length to accept. */
function showingByte(filters: readonly SockFilter[], shift: number): SockFilter[] {
  const ret = filters.at(-1) ?? sockFilter(0x06);
  const value = ret.code === 0x06 ? [sockFilter(0x00, ret.k)] : [];
  const show = [sockFilter(0x74, shift), sockFilter(0x54, 0xff), sockFilter(0x04, 1), sockFilter(0x16)];
  return [...filters.slice(0, -1), ...value, ...show];
}

test('the kernel returns what the evaluator does, all 32 bits', async () => {
  if (kernel === undefined) return;
  const { cpu } = kernel;
  const names = [
    'PROTOCOL',
    'PKTTYPE',
    'MARK',
    'QUEUE',
    'RXHASH',
    'VLAN_TAG',
    'VLAN_TAG_PRESENT',
    'VLAN_TPID',
  ];
  const extensions = Object.fromEntries([...names.map((name) => [`SKF_AD_${name}`, 0]), ['SKF_AD_CPU', cpu]]);
  const numRuns = 5000;
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(anyFilter, anyData, async (drawn, bytes) => {
      const filters = drawn.map(forSocketPair);
      const want = evaluateClassic(filters, packetInput({ bytes, dataAt: 0, networkAt: 0, extensions }));
      if (want.kind !== 'return') throw new Error(want.message);
      let value = 0;
      for (const shift of [0, 8, 16, 24]) {
        const answer = await kernel?.ask(showingByte(filters, shift), bytes);
        expect(answer?.accepted).toBe(true);
        // a load outside of the packet or a division by X = 0 ends the program before its last lines
        if (answer?.length) value += (answer.length - 1) * 2 ** shift;
      }
      expect(value).toBe(want.value);
      if (value !== 0) accepted++;
    }),
    { seed: 20260601, numRuns },
  );
  expect(accepted).toBeGreaterThan(numRuns / 5);
  console.log(`kernel: ${numRuns} classic filters compared, ${accepted} with a result other than 0`);
}, 120_000);

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

test('the kernel accepts what bpfCheckClassic does, and nothing else', async () => {
  if (kernel === undefined) return;
  const programs = fc
    .tuple(fc.array(anyInsn, { maxLength: 7 }), fc.constantFrom(0x06, 0x06, 0x16, 0x07))
    .map(([insns, last]) => [...insns, sockFilter(last)]);
  const numRuns = 10_000;
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(programs, async (filters) => {
      const want = bpfCheckClassic(filters) === undefined;
      expect((await kernel?.ask(filters))?.accepted).toBe(want);
      if (want) accepted++;
    }),
    { seed: 3, numRuns },
  );
  expect(accepted).toBeGreaterThan(numRuns / 20);
  console.log(`kernel: ${numRuns} classic filters checked, ${accepted} accepted`);
}, 120_000);
