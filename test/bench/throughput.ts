import { readFileSync } from 'node:fs';
import { assemble } from '#core/asm/assemble.ts';
import { parseText } from '#core/asm/parse.ts';
import type { Engine } from '#core/interp/engine.ts';
import { linkProgram } from '#core/object/link.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { ENGINES } from '#core/session/engines.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { type BenchRow, benchRow } from './report.ts';

const RUNS = 7;

/** Loops that stand for kinds of programs; `ROUNDS` is replaced by how often each goes round. */
const PROGRAMS: readonly (readonly [name: string, text: string])[] = [
  [
    'dependent 64-bit arithmetic',
    `r0 = 88172645463325252 ll\nr6 = ROUNDS\nagain:\nr1 = r0\nr1 <<= 13\nr0 ^= r1\nr1 = r0\nr1 >>= 7\nr0 ^= r1\nr6 -= 1\nif r6 != 0 goto again\nexit\n`,
  ],
  [
    'load, add, store on the stack',
    `r0 = 0\n*(u64 *)(r10 - 8) = r0\nr6 = ROUNDS\nagain:\nr1 = *(u64 *)(r10 - 8)\nr1 += r6\n*(u64 *)(r10 - 8) = r1\nr6 -= 1\nif r6 != 0 goto again\nr0 = r1\nexit\n`,
  ],
  [
    'program-local calls',
    `r0 = 0\nr6 = ROUNDS\nagain:\nr1 = r6\ncall leaf\nr6 -= 1\nif r6 != 0 goto again\nexit\nleaf:\nr0 = r1\nr0 += 1\nexit\n`,
  ],
  [
    'hash of 64 bytes of memory',
    `r0 = 0\nr7 = r1\nr6 = ROUNDS\nagain:\nr3 = r7\nr4 = 0\nbyte:\nr5 = *(u8 *)(r3 + 0)\nr0 += r5\nr0 *= 31\nr3 += 1\nr4 += 1\nif r4 < 64 goto byte\nr6 -= 64\nif r6 s> 0 goto again\nexit\n`,
  ],
  [
    'state machine, 32-bit',
    `r0 = 1\nr6 = ROUNDS\nw1 = 0\nagain:\nw2 = w0\nw2 &= 3\nif w2 == 0 goto zero\nif w2 == 1 goto one\nw0 ^= w6\nw1 += 1\ngoto next\nzero:\nw0 >>= 2\nw0 += w6\ngoto next\none:\nw0 *= 5\nw0 += 1\nnext:\nr6 -= 1\nif r6 != 0 goto again\nexit\n`,
  ],
  [
    'calls of a helper (bpf_get_prandom_u32)',
    `r6 = ROUNDS\nagain:\ncall 7\nr6 -= 1\nif r6 != 0 goto again\nexit\n`,
  ],
];

/** Rounds on the reference engine, and how many times as many the others make in about the same time. */
const ROUNDS = 300_000;
const FASTER: Readonly<Record<string, number>> = { interp: 8, wasm: 30 };

/** How fast the engines execute, each program on all of them one after the other, and the assembler reads. */
export function throughput(): BenchRow[] {
  const runs = PROGRAMS.flatMap(([name, text]) => ENGINES.map((engine) => execution(engine, name, text)));
  return [...runs, ...assembly()];
}

function execution(engine: Engine, name: string, text: string): BenchRow {
  const rounds = String(ROUNDS * (FASTER[engine.name] ?? 1));
  const source = `.program raw\nmain:\n${text.replace('ROUNDS', rounds)}`;
  const linked = linkProgram(assemble(source, { fileName: 'bench.bpf.s' }).value);
  if (linked.value === undefined) throw new Error(linked.errors.join('\n'));
  const machine = new Machine({ shared: true });
  const loaded = bpfProgLoad(machine, linked.value);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const rates = Array.from({ length: RUNS }, () => {
    const began = performance.now();
    const input = { data: new Uint8Array(64).fill(7) };
    const result = runProgram(machine, loaded.prog, engine, input, { maxInsns: Number.POSITIVE_INFINITY });
    if (result.fault !== undefined) throw new Error(result.fault.message);
    return Number(result.insnsExecuted) / (performance.now() - began) / 1000;
  });
  return benchRow(`${engine.name}: ${name}, instructions`, 'million/s', rates);
}

function assembly(): BenchRow[] {
  const text = readFileSync(new URL('../../examples/xdp-firewall/firewall.bpf.s', import.meta.url), 'utf8');
  // Many copies with names of their own: a file as long as a compiler's.
  const copies = Array.from({ length: 300 }, (_, i) => body(text).replaceAll(/\b([a-z_0-9]+):/g, `$1_${i}:`))
    .map((copy, i) => copy.replaceAll(/goto ([a-z_0-9]+)/g, `goto $1_${i}`))
    .map((copy, i) => copy.replaceAll(/call count/g, `call count_${i}`))
    .join('\n');
  const whole = `${text}\n.section xdp\n${copies}`;
  const lines = whole.split('\n').length;
  const rate = (work: () => void) =>
    Array.from({ length: RUNS }, () => {
      const began = performance.now();
      work();
      return lines / (performance.now() - began) / 1000;
    });
  return [
    benchRow(
      `parse, lines (file of ${lines})`,
      'million/s',
      rate(() => void parseText(whole)),
    ),
    benchRow(
      `parse and assemble, lines (file of ${lines})`,
      'million/s',
      rate(() => {
        const { diagnostics } = assemble(whole, { fileName: 'bench.bpf.s' });
        if (diagnostics.some(({ severity }) => severity === 'error'))
          throw new Error(diagnostics[0]?.message);
      }),
    ),
  ];
}

/** The instructions of the example: what stands between its first label and its licence. */
function body(text: string): string {
  const code = text.slice(text.indexOf('\nfirewall:\n') + 1, text.indexOf('.section license'));
  return code
    .split('\n')
    .filter((line) => !/^\s*\.(globl|type|size|text)\b/.test(line))
    .join('\n');
}
