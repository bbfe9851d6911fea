import { assemble } from '#core/asm/assemble.ts';
import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { linkProgram } from '#core/object/link.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { type BenchRow, benchRow } from './report.ts';

const RUNS = 7;
/** Runs before the first that counts: the host compiles what is hot. */
const WARM_UP = 3;
/** What was promised of the WebAssembly interpreter: times the plain TypeScript one. */
const TARGET_RATIO = 3;

/** A loop of a kind of program; its body, between `r6 = rounds` and `r6 -= 1`, must leave R6 alone. */
export interface Kind {
  readonly name: string;
  readonly rounds: number;
  readonly before: string;
  readonly body: string;
  readonly after?: string;
}

/** What is measured of every engine. */
export const KINDS: readonly Kind[] = [
  {
    name: 'dependent 64-bit arithmetic',
    rounds: 400_000,
    before: 'r0 = 88172645463325252 ll',
    body: 'r1 = r0\nr1 <<= 13\nr0 ^= r1\nr1 = r0\nr1 >>= 7\nr0 ^= r1',
  },
  {
    name: '32-bit arithmetic',
    rounds: 400_000,
    before: 'w0 = 1',
    body: 'w1 = w0\nw1 <<= 13\nw0 ^= w1\nw1 = w0\nw1 >>= 17\nw0 ^= w1\nw0 *= 7',
  },
  {
    name: 'load, add, store on the stack',
    rounds: 400_000,
    before: 'r0 = 0\n*(u64 *)(r10 - 8) = r0',
    body: 'r1 = *(u64 *)(r10 - 8)\nr1 += r6\n*(u64 *)(r10 - 8) = r1',
  },
  {
    name: 'branches that chance decides',
    rounds: 300_000,
    before: 'r0 = 1',
    body: 'r0 *= 1103515245\nr0 += 12345\nr1 = r0\nr1 >>= 16\nr1 &= 3\nif r1 == 0 goto a\nif r1 == 1 goto b\nr0 ^= 5\ngoto done\na:\nr0 += 7\ngoto done\nb:\nr0 -= 3\ndone:',
  },
  {
    name: 'program-local calls',
    rounds: 200_000,
    before: 'r0 = 0',
    body: 'r1 = r6\ncall leaf',
    after: 'leaf:\nr0 = r1\nr0 += 1\nexit\n',
  },
  {
    name: 'helper calls',
    rounds: 100_000,
    before: 'r0 = 0',
    body: 'call bpf_ktime_get_ns',
  },
];

/** Instructions a second of both interpreters, run in turn, and how many times the one is as fast. */
export function interpreters(): BenchRow[] {
  return KINDS.flatMap((kind) => {
    const [plain, wasm] = [prepare(kind, reference), prepare(kind, interp)];
    for (let run = 0; run < WARM_UP; run++) for (const rate of [plain, wasm]) rate();
    const pairs = Array.from({ length: RUNS }, () => [plain(), wasm()] as const);
    return [
      benchRow(
        `reference: ${kind.name}, instructions`,
        'million/s',
        pairs.map(([slow]) => slow),
      ),
      benchRow(
        `interp: ${kind.name}, instructions`,
        'million/s',
        pairs.map(([, fast]) => fast),
      ),
      benchRow(
        `interp ÷ reference: ${kind.name}`,
        'times',
        pairs.map(([slow, fast]) => fast / slow),
        // A helper is the same TypeScript in both.
        kind.name === 'helper calls' ? undefined : TARGET_RATIO,
      ),
    ];
  });
}

/** A function that runs the program once and gives million instructions a second. */
export function prepare({ rounds, before, body, after }: Kind, engine: Engine): () => number {
  const text = `.program raw\nmain:\n${before}\nr6 = ${rounds}\nagain:\n${body}\nr6 -= 1\nif r6 != 0 goto again\nexit\n${after ?? ''}`;
  const linked = linkProgram(assemble(text, { fileName: 'bench.bpf.s' }).value);
  if (linked.value === undefined) throw new Error(linked.errors.join('\n'));
  const machine = new Machine({ shared: true });
  const loaded = bpfProgLoad(machine, linked.value);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const limits = { maxInsns: 100_000_000 };
  return () => {
    const began = performance.now();
    const result = runProgram(machine, loaded.prog, engine, { data: new Uint8Array(0) }, limits);
    if (result.fault !== undefined) throw new Error(result.fault.message);
    return Number(result.insnsExecuted) / (performance.now() - began) / 1000;
  };
}
