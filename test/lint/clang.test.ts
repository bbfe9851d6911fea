import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { lint } from '#core/lint/lint.ts';

const DATA = fileURLToPath(new URL('../testdata', import.meta.url));
const CLANGS = ['clang-19', 'clang-18', 'clang-16', 'clang'];

/** What a compiler wrote is right: neither errors nor registers without a value. */
function falseAlarms(text: string, fileName: string): string[] {
  return lint(assemble(text, { fileName }))
    .filter(({ severity, code }) => severity === 'error' || code === 'uninitialised-register')
    .map(({ code, message, range }) => {
      const line = text.slice(0, range.start).split('\n').length;
      return `${fileName}:${line}: ${code} ${JSON.stringify(text.slice(range.start, range.end))}: ${message}`;
    });
}

test.each(readdirSync(join(DATA, 'lint')).filter((name) => name.endsWith('.s')))(
  'recorded output of clang: %s',
  (name) => {
    expect(falseAlarms(readFileSync(join(DATA, 'lint', name), 'utf8'), name)).toEqual([]);
  },
);

const clang = CLANGS.find((name) => spawnSync(name, ['--version']).status === 0);
if (clang === undefined) console.log('no clang here: 0 compiled files checked, only the recorded ones');
else checkOutputOf(clang);

function checkOutputOf(compiler: string): void {
  const sources = readdirSync(join(DATA, 'c')).filter((name) => name.endsWith('.c'));
  const versions = ['-O0 -mcpu=v3', '-O2 -mcpu=v4 -g'];
  const cases = sources.flatMap((source) => versions.map((options) => ({ source, options })));
  test.each(cases)(`output of ${compiler}: $source $options`, ({ source, options }) => {
    const args = ['-target', 'bpf', ...options.split(' '), '-S', source, '-o', '-'];
    const { status, stdout } = spawnSync(compiler, args, {
      cwd: join(DATA, 'c'),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    // Not every version of clang can compile every file for every CPU.
    if (status === 0) expect(falseAlarms(stdout, source)).toEqual([]);
  });
}
