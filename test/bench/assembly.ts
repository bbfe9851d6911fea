import { readFileSync } from 'node:fs';
import { assemble } from '#core/asm/assemble.ts';
import { parseText } from '#core/asm/parse.ts';
import { type BenchRow, benchRow } from './report.ts';

const RUNS = 7;

/** How fast the assembler reads. */
export function assembly(): BenchRow[] {
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
