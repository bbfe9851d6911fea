import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assemble } from '#core/asm/assemble.ts';
import { type ElfFile, readElf } from './elf-file.ts';

/** Comparing the assembler with what `clang -c` makes of the same C program. */

/** Where the C programs are. */
export const C_DIR = fileURLToPath(new URL('../testdata/c/', import.meta.url));

/** The C programs, by name. */
export const C_FILES: readonly string[] = readdirSync(C_DIR)
  .filter((f) => f.endsWith('.c'))
  .sort();

/** One way to compile. */
export interface ClangConfig {
  readonly clang: string;
  readonly mcpu: string;
  readonly opt: string;
  readonly debug: boolean;
}

/** Every way that is tried with a clang: processor versions, optimisation levels, with and without `-g`. */
export function configsOf(clang: string): ClangConfig[] {
  return ['v1', 'v2', 'v3', 'v4'].flatMap((mcpu) =>
    ['0', '1', '2', '3'].flatMap((opt) => [true, false].map((debug) => ({ clang, mcpu, opt, debug }))),
  );
}

/** A compiled program: clang's text, and what each section must hold (hexadecimal). */
export interface Compiled {
  readonly text: string;
  readonly sections: Readonly<Record<string, string>>;
  /** `offset type symbol` of each relocation of a section. */
  readonly relocs: Readonly<Record<string, readonly string[]>>;
}

/** Runs clang twice; undefined where it does not know the processor version. */
export function compile(file: string, config: ClangConfig): Compiled | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-clang-'));
  try {
    const args = [
      `-O${config.opt}`,
      ...(config.debug ? ['-g'] : []),
      '-target',
      'bpf',
      `-mcpu=${config.mcpu}`,
      '-w',
      file,
    ];
    const run = (mode: string, out: string) =>
      execFileSync(config.clang, [...args, mode, '-o', join(dir, out)], { cwd: C_DIR, stdio: 'pipe' });
    try {
      run('-c', 'x.o');
    } catch {
      return undefined;
    }
    run('-S', 'x.s');
    const elf = readElf(readFileSync(join(dir, 'x.o')));
    return { text: readFileSync(join(dir, 'x.s'), 'utf8'), ...expectationOf(elf) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Sections that LLVM makes itself from `.loc`, `.cfi_…` and `.addrsig`: not carried here. */
const GENERATED = /^\.(debug_(line|line_str|frame)|llvm_addrsig|eh_frame|strtab|shstrtab|symtab|comment)$/;

const SHT_REL = 9;
const SHT_GROUP = 17;

function expectationOf(elf: ElfFile): Pick<Compiled, 'sections' | 'relocs'> {
  const sections: Record<string, string> = {};
  const relocs: Record<string, string[]> = {};
  for (const [i, s] of elf.sections.entries()) {
    if (!s.name || GENERATED.test(s.name) || s.type === SHT_REL || s.type === SHT_GROUP) continue;
    sections[s.name] = s.type === 8 ? `nobits ${s.size}` : s.bytes.toString('hex');
    const list = (elf.relocs.get(i) ?? []).map((r) => {
      const symbol = elf.symbols[r.symbol]!;
      return `${r.offset} ${r.type} ${symbol.name || elf.sections[symbol.shndx]!.name}`;
    });
    if (list.length) relocs[s.name] = list.sort();
  }
  return { sections, relocs };
}

/** The same of the assembler's output, for the sections that `expected` has; errors are listed too. */
export function assembled(expected: Compiled): Pick<Compiled, 'sections' | 'relocs'> & { errors: string[] } {
  const out = assemble(expected.text, { fileName: 'x.s' });
  const sections: Record<string, string> = {};
  const relocs: Record<string, string[]> = {};
  for (const s of out.value.sections) {
    if (!(s.name in expected.sections)) continue;
    sections[s.name] = s.type === 8 ? `nobits ${s.size}` : Buffer.from(s.bytes).toString('hex');
    const list = s.relocs.map((r) => `${r.offset} ${r.type} ${out.value.symbols[r.symbol]!.name}`);
    if (list.length) relocs[s.name] = list.sort();
  }
  const errors = out.diagnostics.filter((d) => d.severity === 'error').map((d) => d.message);
  return { sections, relocs, errors };
}
