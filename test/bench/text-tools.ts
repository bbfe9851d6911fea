import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM_KINDS } from '#cli/bench/programs.ts';
import { assemble } from '#core/asm/assemble.ts';
import { disassembleText } from '#core/asm/disassemble.ts';
import { parseText } from '#core/asm/parse.ts';
import { writeElf } from '#core/elf/write.ts';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { versionOf } from './native-run.ts';
import { benchRow } from './report.ts';
import { PROGRAM_FOLDER } from './stored-programs.ts';

const LLVM = [19, 18, 17, 16, 15];
const COPIES = 120;

/** How fast text is read and written, beside LLVM's tools; those that are missing are named in `missing`. */
export function textTools(rounds: number, copies = COPIES): { rows: BenchRow[]; missing: string[] } {
  const text = compilerText(copies);
  const lines = text.split('\n').length;
  const { value, diagnostics } = assemble(text, { fileName: 'bench.s' });
  const wrong = diagnostics.find(({ severity }) => severity === 'error');
  if (wrong !== undefined) throw new Error(`the benchmark's text does not assemble: ${wrong.message}`);
  const code = value.sections.find(({ name }) => name === '.text')?.bytes ?? new Uint8Array();
  const mc = llvmTool('llvm-mc');
  const objdump = llvmTool('llvm-objdump');
  const folder = mkdtempSync(join(tmpdir(), 'bpf-text-'));
  try {
    const source = join(folder, 'bench.s');
    const object = join(folder, 'bench.o');
    writeFileSync(source, text);
    writeFileSync(object, writeElf(value));
    const works: [name: string, insns: number, work: () => void][] = [
      ['parse, lines', lines, () => void parseText(text)],
      ['parse and assemble, lines', lines, () => void assemble(text, { fileName: 'bench.s' })],
      ['disassemble, instructions', code.length / 8, () => void disassembleText(code, 'pseudoc')],
    ];
    if (mc !== undefined) {
      const args = ['-triple=bpf', '-mcpu=v3', '-filetype=obj', '-o', join(folder, 'llvm.o'), source];
      works.push([`${mc}, lines`, lines, () => runTool(mc, args)]);
    }
    if (objdump !== undefined) {
      const args = ['-d', '--mcpu=v3', '--section=.text', object];
      works.push([`${objdump} -d, instructions`, code.length / 8, () => runTool(objdump, args)]);
    }
    const samples = works.map((): number[] => []);
    for (let round = -1; round < rounds; round++) {
      for (const [i, [, count, work]] of works.entries()) {
        // Other processes have their own processor time: both by the clock on the wall.
        const began = performance.now();
        work();
        if (round >= 0) samples[i]?.push(count / (performance.now() - began) / 1000);
      }
    }
    const rows = works.map(([name], i) => benchRow(name, 'million/s', samples[i] ?? []));
    return { rows, missing: missingTools({ 'llvm-mc': mc, 'llvm-objdump': objdump }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All stored programs many times over, as a compiler writes them, with names of their own. */
function compilerText(copies: number): string {
  const texts = PROGRAM_KINDS.map(({ name }) => readFileSync(`${PROGRAM_FOLDER}${name}.bpf.s`, 'utf8')).map(
    (text) =>
      text
        .replaceAll(/^\s*\.(?:file|loc|addrsig|addrsig_sym|ident)\b.*\n/gm, '')
        .replaceAll(/^\s*\.section\s+xdp.*$/gm, '\t.text'),
  );
  return Array.from({ length: copies }, (_, copy) =>
    texts.map((text, i) => renamed(text, `_${copy}_${i}`)).join('\n'),
  ).join('\n');
}

function renamed(text: string, suffix: string): string {
  const labels = new Set([...text.matchAll(/^([.\w]+):/gm)].map(([, label]) => label ?? ''));
  return text.replaceAll(/[.\w]+/g, (word) => (labels.has(word) ? `${word}${suffix}` : word));
}

function llvmTool(name: string): string | undefined {
  return [...LLVM.map((version) => `${name}-${version}`), name].find((each) => versionOf(each) !== undefined);
}

function missingTools(tools: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(tools)
    .filter(([, found]) => found === undefined)
    .map(([name]) => `${name}: it is not installed`);
}

function runTool(tool: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(tool, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool}: ${stderr.slice(0, 300)}`);
}
