import { readFileSync } from 'node:fs';
import { assemble } from '#core/asm/assemble.ts';
import { linkProgram } from '#core/object/link.ts';
import type { LoadAttr } from '#core/object/object.ts';

/** A program of the benchmarks; `NAME.c` and what clang made of it, `NAME.bpf.s`, lie in `test/bench/programs`. */
export interface ProgramKind {
  readonly name: string;
  readonly title: string;
  /** The low 32 bits of R0, unsigned. */
  readonly result: number;
  /** The kernel's verifier takes it. */
  readonly inKernel: boolean;
}

/** The eight programs. */
export const PROGRAM_KINDS: readonly ProgramKind[] = [
  { name: 'alu64', title: '64-bit arithmetic', result: 4231641986, inKernel: true },
  { name: 'alu32', title: '32-bit arithmetic', result: 1852007781, inKernel: true },
  { name: 'hash', title: 'hash over a buffer', result: 1308182564, inKernel: true },
  { name: 'sieve', title: 'sieve', result: 33840, inKernel: true },
  { name: 'calls', title: 'program-local calls', result: 2031054141, inKernel: true },
  { name: 'recursion', title: 'recursion', result: 2033252960, inKernel: false },
  { name: 'checksum', title: 'packet checksum', result: 6015, inKernel: true },
  { name: 'states', title: 'branchy state machine', result: 2711749404, inKernel: true },
];

/** The packet that every program runs on; `test/bench/programs/native.c` makes the same. */
export const PACKET: Uint8Array = Uint8Array.from({ length: 1514 }, (_, i) => i * 7 + (i >> 8));

/** Texts by name, which the build puts into the bundle (`scripts/build.ts`); not there when started from the sources. */
declare const BENCH_PROGRAMS: Readonly<Record<string, string>> | undefined;

function textOf(fileName: string): string {
  if (typeof BENCH_PROGRAMS !== 'undefined') return BENCH_PROGRAMS[fileName] ?? '';
  return readFileSync(new URL(`../../test/bench/programs/${fileName}`, import.meta.url), 'utf8');
}

/** A stored program, ready to load, its lines those of the C text. Throws Error where its text is damaged. */
export function storedProgram(name: string): LoadAttr {
  const fileName = `${name}.bpf.s`;
  const { value, diagnostics } = assemble(textOf(fileName), { fileName });
  const wrong = diagnostics.find(({ severity }) => severity === 'error');
  if (wrong !== undefined) throw new Error(`${fileName}: ${wrong.message}`);
  const sections = value.sections.map((section) => ({
    ...section,
    lineInfo: section.locInfo ?? section.lineInfo,
  }));
  const linked = linkProgram({ ...value, sections }, name);
  if (linked.value === undefined) throw new Error(`${fileName}: ${linked.errors.join('; ')}`);
  return linked.value;
}
