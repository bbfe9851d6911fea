import { readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { captureCommand } from './lib/exec.ts';
import { inRoot } from './lib/paths.ts';

const FOLDER = inRoot('test', 'bench', 'programs');
/** Later ones choose other instructions: results of years should be of the same programs. */
const CLANG = 'clang-19';
const FLAGS = ['-target', 'bpf', '-mcpu=v3', '-O2', '-gline-tables-only', '-S', '-o', '-'];

/**
 * Compiles the programs of the benchmarks (`test/bench/programs/NAME.c` → `NAME.bpf.s`); the results are in the
 * repository. Needs clang 19. Line records stay; sections for debuggers, which would be most of the text, do not.
 */
export async function main(): Promise<number> {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.c') && name !== 'native.c')) {
    const name = basename(file, '.c');
    const text = await captureCommand(CLANG, [...FLAGS, file], { cwd: FOLDER });
    const command = `${CLANG} ${FLAGS.join(' ')} ${file}`;
    writeFileSync(`${FOLDER}/${name}.bpf.s`, `# ${command}\n${withoutDebugging(text)}`);
    console.log(`${name}.bpf.s`);
  }
  return 0;
}

function withoutDebugging(text: string): string {
  const end = text.search(/^\s*\.section\s+\.debug_/m);
  return (end < 0 ? text : text.slice(0, end))
    .replace(/^\s*\.file\s+0 .*"(\w+\.c)".*$/m, '\t.file\t0 "." "$1"')
    .replaceAll(/^(?:\s*\.cfi_.*|\.L(?:tmp|func_begin)\d+:)\n/gm, '');
}
