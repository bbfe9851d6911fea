import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inRoot } from '../../scripts/lib/paths.ts';
import { cli } from './harness.ts';

const FOLDER = 'test/testdata/xlated';
/** Programs that a real kernel rewrote and bpftool printed (`scripts/record-xlated-texts.ts`). */
const recorded = readdirSync(inRoot(FOLDER))
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace('.json', ''));

/**
 * Without what differs from machine to machine: addresses of kernel functions and variables, map ids, and
 * the tags of functions that hold them. bpftool 7.1 knows no per-CPU move and prints it as a plain one.
 */
function portable(name: string, lines: readonly string[]): string[] {
  const mapIds = new Map<string, number>();
  const idOf = (id: string): number => {
    if (!mapIds.has(id)) mapIds.set(id, mapIds.size + 1);
    return mapIds.get(id) ?? 0;
  };
  const texts = lines.map((line) =>
    line
      .replace(/map\[id:(\d+)\]/, (_, id: string) => `map[id:${idOf(id)}]`)
      .replace(/(call [a-z_]\w+)#-?\d{3,}$/, '$1#ADDRESS')
      // Only in this one no function holds an address.
      .replace(/bpf_prog_[0-9a-f]{16}/, name === 'functions' ? '$&' : 'bpf_prog_TAG')
      .replace(/&\(void __percpu \*\)\((r\d)\)/, '$1'),
  );
  return texts.map((line, index) => {
    const above = texts[index - 1] ?? '';
    // The bytes of what has just been replaced.
    if (/#ADDRESS|map\[id/.test(above))
      return line.replace(/^( {7}.{11}) [0-9a-f]{2}( [0-9a-f]{2}){3}/, '$1 IMM');
    const percpu = texts.slice(index + 1, index + 3).some((next) => /\(bf\) r0 = r0$/.test(next));
    if (percpu && /\(b7\) r0 = -?\d+$/.test(line)) return line.replace(/-?\d+$/, 'VARIABLE');
    return /VARIABLE|\(b7\) r0 = -?\d{6,}$/.test(above) || (percpu && /^ {7}b7 00/.test(line))
      ? line.replace(/( [0-9a-f]{2}){4}$/, ' IMM')
      : line;
  });
}

test.each(recorded)("disasm --xlated of %s is what bpftool prints of the kernel's program", async (name) => {
  const path = inRoot(`${FOLDER}/${name}.bpf.s`);
  const expected = JSON.parse(readFileSync(inRoot(`${FOLDER}/${name}.json`), 'utf8'));
  const shown = async (...options: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await cli(['disasm', '--xlated', path, ...options]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.replaceAll(path, `${name}.bpf.s`).trimEnd().split('\n');
  };
  expect(portable(name, await shown())).toEqual(portable(name, expected.text));
  expect(portable(name, await shown('--bytes'))).toEqual(portable(name, expected.opcodes));
  expect(portable(name, await shown('--linum'))).toEqual(portable(name, expected.linum));
});

const TWO = `.map hits, array, 4, 8, 1
.section xdp,"ax",@progbits
.globl first
first:
	r1 = hits ll
	r0 = 1
	exit
.globl second
second:
	r1 = hits ll
	r0 = 2
	exit
`;

test('several programs have the header that bpftool gives each, and share their maps', async () => {
  const { stdout } = await cli(['disasm', '-', '--xlated'], { stdin: TWO });
  expect(stdout).toMatch(
    /^1: xdp {2}name first {2}tag [0-9a-f]{16}\nint first\(\):\n; r1 = hits ll\n {3}0: \(18\) r1 = map\[id:1\]\n/,
  );
  expect(stdout).toMatch(
    /\n\n2: xdp {2}name second {2}tag [0-9a-f]{16}\nint second\(\):\n.*\n {3}0: \(18\) r1 = map\[id:1\]/,
  );
  const one = await cli(['disasm', '-', '--xlated', '--prog', 'second'], { stdin: TWO });
  expect(one.stdout).toMatch(/^int second\(\):\n/);
});

test('instructions alone have neither names nor lines', async () => {
  const stdin = '8510000001000000 9500000000000000 b700000005000000 9500000000000000';
  const { stdout } = await cli(['disasm', '-', '--xlated', '--bytes'], { stdin });
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^ {3}0: \(85\) call pc\+1#bpf_prog_[0-9a-f]{16}_F$/),
    '       85 10 01 00 01 00 00 00',
    '   1: (95) exit',
  ]);
});

test.each([
  [['--linum'], '', /--linum belongs to --xlated/],
  [['--xlated', '--linum', '--dialect', 'gnu'], '', /--linum belongs to --xlated/],
  [['--xlated', '--prog', 'third'], '', /^bpf-workbench: stdin: .*third/],
  [['--xlated'], 'b70b000000000000 9500000000000000', /is refused at load: R11 is invalid/],
])('%j is refused in words', async (options, text, message) => {
  const { code, stdout, stderr } = await cli(['disasm', '-', ...options], {
    stdin: text === '' ? TWO : text,
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
});
