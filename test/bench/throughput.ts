import { readFileSync } from 'node:fs';
import { assemble } from '#core/asm/assemble.ts';
import { parseText } from '#core/asm/parse.ts';
import { reference } from '#core/interp/reference.ts';
import { linkProgram } from '#core/object/link.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { type BenchRow, benchRow } from './report.ts';

const RUNS = 7;

/** Loops that stand for kinds of programs; each runs some millions of instructions. */
const PROGRAMS: readonly (readonly [name: string, text: string])[] = [
  [
    'dependent 64-bit arithmetic',
    `r0 = 88172645463325252 ll\nr6 = 400000\nagain:\nr1 = r0\nr1 <<= 13\nr0 ^= r1\nr1 = r0\nr1 >>= 7\nr0 ^= r1\nr6 -= 1\nif r6 != 0 goto again\nexit\n`,
  ],
  [
    'load, add, store on the stack',
    `r0 = 0\n*(u64 *)(r10 - 8) = r0\nr6 = 400000\nagain:\nr1 = *(u64 *)(r10 - 8)\nr1 += r6\n*(u64 *)(r10 - 8) = r1\nr6 -= 1\nif r6 != 0 goto again\nr0 = r1\nexit\n`,
  ],
  [
    'program-local calls',
    `r0 = 0\nr6 = 200000\nagain:\nr1 = r6\ncall leaf\nr6 -= 1\nif r6 != 0 goto again\nexit\nleaf:\nr0 = r1\nr0 += 1\nexit\n`,
  ],
];

/** How fast the reference engine executes and the assembler reads. */
export function throughput(): BenchRow[] {
  return [...PROGRAMS.map(([name, text]) => execution(name, text)), ...assembly()];
}

function execution(name: string, text: string): BenchRow {
  const linked = linkProgram(assemble(`.program raw\nmain:\n${text}`, { fileName: 'bench.bpf.s' }).value);
  if (linked.value === undefined) throw new Error(linked.errors.join('\n'));
  const machine = new Machine({ shared: true });
  const loaded = bpfProgLoad(machine, linked.value);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const rates = Array.from({ length: RUNS }, () => {
    const began = performance.now();
    const input = { data: new Uint8Array(0) };
    const result = runProgram(machine, loaded.prog, reference, input, { maxInsns: Number.POSITIVE_INFINITY });
    if (result.fault !== undefined) throw new Error(result.fault.message);
    return Number(result.insnsExecuted) / (performance.now() - began) / 1000;
  });
  return benchRow(`reference: ${name}, instructions`, 'million/s', rates);
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
