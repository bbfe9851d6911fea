import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { writeElf } from '#core/elf/write.ts';
import { readElf } from './elf-file.ts';
import { hasTool } from './tools.ts';

const TEXT = `
.map ports, hash, 4, 8, 1024
.section xdp
.globl firewall
firewall:
  r1 = ports ll
  call bpf_ktime_get_ns
  call sub
  call away
  if r0 == 0 goto out
  r1 = word + 4 ll
out:
  exit
.size firewall, .-firewall
.extern away
.text
sub: r0 = 1
  exit
.data
.long 1
word: .quad ports
.bss
.zero 12
.license "GPL"
`;

function build(text: string): Buffer {
  const out = assemble(text, { fileName: 'x' });
  expect(out.diagnostics).toEqual([]);
  return Buffer.from(writeElf(out.value));
}

test('sections, symbols and relocations', () => {
  const elf = readElf(build(TEXT));
  expect(elf.machine).toBe(247);
  expect(elf.sections.map((s) => [s.name, s.size, s.flags])).toEqual([
    ['', 0, 0],
    ['.text', 16, 6],
    ['maps', 20, 3],
    ['xdp', 72, 6],
    ['.relxdp', 64, 0x40],
    ['.data', 12, 3],
    ['.rel.data', 16, 0x40],
    ['.bss', 12, 3],
    ['license', 4, 3],
    ['.symtab', expect.any(Number), 0],
    ['.strtab', expect.any(Number), 0],
  ]);
  const xdp = elf.sections.findIndex((s) => s.name === 'xdp');
  const name = (i: number) => elf.symbols[i]!.name || elf.sections[elf.symbols[i]!.shndx]!.name;
  expect(elf.relocs.get(xdp)!.map((r) => [r.offset, r.type, name(r.symbol)])).toEqual([
    [0, 1, 'ports'],
    [24, 10, '.text'],
    [32, 10, 'away'],
    [48, 1, '.data'],
  ]);
  const firewall = elf.symbols.find((s) => s.name === 'firewall')!;
  expect([firewall.info, firewall.size, firewall.shndx]).toEqual([0x12, 72, xdp]);
  const sub = elf.symbols.find((s) => s.name === 'sub')!;
  expect([sub.info, sub.size]).toEqual([0x02, 16]);
  const symtab = elf.sections.find((s) => s.name === '.symtab')!;
  expect(elf.symbols.slice(0, symtab.info).every((s) => s.info >> 4 === 0)).toBe(true);
  expect(elf.symbols.slice(symtab.info).every((s) => s.info >> 4 !== 0)).toBe(true);
});

test('LLVM and the kernel tools read what is written (when they are here)', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'bpf-elf-')), 'x.o');
  writeFileSync(file, build(TEXT));
  const tools: (readonly [string, readonly string[], string])[] = [
    ['llvm-objdump-19', ['-dr', file], 'R_BPF_64_64\tports'],
    ['llvm-readelf-19', ['-aW', file], 'FUNC    GLOBAL DEFAULT     3 firewall'],
    ['readelf', ['-aW', file], 'R_BPF'],
  ];
  let used = 0;
  for (const [tool, args, expected] of tools) {
    if (!hasTool(tool)) continue;
    used++;
    const run = execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (tool !== 'readelf') expect(run).toContain(expected);
    expect(run).not.toMatch(/warning|error|corrupt/i);
  }
  console.log(`elf: read by ${used} of ${tools.length} tools`);
});
