import { disassemble } from '#core/asm/disassemble.ts';
import { printClassic } from '#core/cbpf/print.ts';
import { type ClassicProgram, filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import type { BpfObject } from '#core/object/object.ts';
import type { Arguments, Command } from '../command.ts';
import { notSupported, UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { failOnErrors, objectOf, readSource } from '../source.ts';

const TO = ['pseudoc', 'gnu', 'cbpf', 'cbpf-d', 'cbpf-dd', 'cbpf-ddd'] as const;
const LATER_TO = ['ubpf'];

/** `bpf-workbench convert` */
export const convertCommand: Command = {
  spec: {
    name: 'convert',
    usage: ['FILE --to DIALECT'],
    summary: 'Convert classic BPF to eBPF, or one of its forms to another.',
    options: {
      to: {
        value: 'DIALECT',
        text: 'pseudoc or gnu: eBPF that can be assembled and loaded as a socket filter; cbpf (the bpf_asm language), cbpf-d, cbpf-dd or cbpf-ddd (as tcpdump prints it)',
      },
    },
    notes: [
      'In eBPF, each group of instructions stands behind the classic lines that it comes from, as comments.',
    ],
  },
  run: convert,
};

async function convert(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  if (path === undefined || others.length > 0) throw new UsageError('convert: give one FILE (- is stdin)');
  const to = args.choice('to', TO, LATER_TO);
  if (to === undefined) throw new UsageError(`convert: give --to ${TO.join(', ')}`);
  const source = await readSource(path, io);
  if (source.kind !== 'cbpf') throw notSupported(`convert of eBPF (${source.name}); give classic BPF`);
  let lines: string[];
  if (to === 'pseudoc' || to === 'gnu') {
    lines = ebpfLines(objectOf(source), source.classic.value, to);
  } else {
    failOnErrors(source.name, source.text, readClassic(source.text).diagnostics);
    const forms = { cbpf: 'asm', 'cbpf-d': 'd', 'cbpf-dd': 'dd', 'cbpf-ddd': 'ddd' } as const;
    lines = printClassic(filtersOf(source.classic.value), forms[to]);
  }
  await io.out(`${lines.join('\n')}\n`);
  return 0;
}

/** The converted program as text, each classic instruction as a comment before what became of it. */
function ebpfLines(object: BpfObject, program: ClassicProgram, dialect: 'pseudoc' | 'gnu'): string[] {
  const [section] = object.sections;
  if (section === undefined) throw new UsageError('the file holds no program');
  const mark = dialect === 'gnu' ? '#' : '//';
  const texts = classicLines(program);
  const comments = new Map<number, string[]>();
  for (const [pc, { insnOff }] of section.lineInfo.entries()) {
    const lines = (texts[pc] ?? []).map((text) => `${mark} ${text}`);
    comments.set(insnOff, [...(comments.get(insnOff) ?? []), ...lines]);
  }
  const name = object.programs[0]?.name ?? 'main';
  const names = { label: (slot: number) => (slot === 0 ? name : undefined) };
  const body = disassemble(section.bytes, dialect, names).flatMap(({ insnOff, labels, text }) => [
    ...labels.map((label) => `${label}:`),
    ...(comments.get(insnOff) ?? []).map((comment) => `\t${comment}`),
    `\t${text}`,
  ]);
  return ['.section socket,"ax",@progbits', `.globl ${name}`, ...body];
}

/**
 * For each instruction the lines of the classic text that lead to it, comments and labels with them;
 * numeric lists, which say nothing to people, as tcpdump -d prints them.
 */
function classicLines(program: ClassicProgram): string[][] {
  if (program.form === 'dd' || program.form === 'ddd') {
    return printClassic(filtersOf(program), 'd').map((line) => [line.replace(/\s+/g, ' ').trimEnd()]);
  }
  const lines = program.text.split(/\r?\n/);
  let done = 0;
  return program.insns.map(({ line }) => {
    const own = lines.slice(done, Math.max(done, line)).map((text) => text.trim());
    done = Math.max(done, line);
    return own.filter((text) => text !== '');
  });
}
