import { writeFile } from 'node:fs/promises';
import { assemble } from '#core/asm/assemble.ts';
import { hexText } from '#core/bytes/hex.ts';
import { writeElf } from '#core/elf/write.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject } from '#core/object/object.ts';
import { placesIn } from '#core/object/text-place.ts';
import type { Arguments, Command } from '../command.ts';
import { messageOf, notSupported, UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { batch, optionalText, requiredText } from '../jsonl.ts';
import { DIALECTS, type Dialect, objectOf, readSource } from '../source.ts';

const MCPUS = ['v1', 'v2', 'v3', 'v4'] as const;
const LATER_DIALECTS = ['ubpf', 'cbpf'];

/** `bpf-workbench asm` */
export const asmCommand: Command = {
  spec: {
    name: 'asm',
    usage: ['FILE [-o OUT] [options]', '--jsonl < LINES'],
    summary: 'Assemble a program.',
    options: {
      output: { short: 'o', value: 'OUT', text: 'file to write; - (the default) is stdout' },
      format: {
        value: 'FORMAT',
        text: 'bin, hex (one instruction a line) or elf; by the name of OUT, else hex',
      },
      dialect: { value: 'DIALECT', text: 'auto (the default), pseudoc or gnu' },
      mcpu: { value: 'CPU', text: 'v1 to v4: refuse instructions that the processor version does not have' },
      section: { value: 'NAME', text: 'one section as it stands, calls and maps unresolved (bin, hex)' },
      prog: { value: 'NAME', text: 'which of several programs (bin, hex); the first if not told' },
      jsonl: { text: 'batch: {"text", "dialect"} a line → {"insns", "diagnostics"}' },
    },
    notes: ['bin and hex hold one linked program: its function, then the functions that it calls.'],
  },
  run: (args, io) => (args.flag('jsonl') ? asmBatch(args, io) : asmFile(args, io)),
};

async function asmFile(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  if (path === undefined || others.length > 0) throw new UsageError('asm: give one FILE (- is stdin)');
  const dialect = args.choice('dialect', ['auto', ...DIALECTS], LATER_DIALECTS) ?? 'auto';
  const mcpu = args.choice('mcpu', MCPUS);
  const out = args.text('output') ?? '-';
  const format = args.choice('format', ['bin', 'hex', 'elf']) ?? formatOfName(out);
  const section = args.text('section');
  if (format === 'elf' && section !== undefined) {
    throw new UsageError('--section is for bin and hex; an ELF object has every section');
  }
  const source = await readSource(path, io, { dialect, mcpu });
  const object = objectOf(source);
  const bytes =
    format === 'elf'
      ? writeElf(object)
      : section === undefined
        ? linked(object, args.text('prog'))
        : sectionBytes(object, section);
  const data = format === 'hex' ? hexLines(bytes) : bytes;
  if (out === '-') {
    if (format !== 'hex' && io.stdoutIsTerminal) {
      throw new UsageError(`asm: ${format} is binary and stdout is a terminal; give -o OUT or --format hex`);
    }
    await io.out(data);
    return 0;
  }
  try {
    await writeFile(out, data);
  } catch (error) {
    throw new UsageError(`${out}: cannot be written: ${messageOf(error)}`);
  }
  return 0;
}

function formatOfName(out: string): 'bin' | 'hex' | 'elf' {
  if (out.endsWith('.o')) return 'elf';
  return out.endsWith('.bin') ? 'bin' : 'hex';
}

function linked(object: BpfObject, programName: string | undefined): Uint8Array {
  const { value, errors } = linkProgram(object, programName);
  if (value === undefined) throw new UsageError(errors[0] ?? 'the file holds no program');
  return value.insns;
}

function sectionBytes(object: BpfObject, name: string): Uint8Array {
  const found = object.sections.find((each) => each.name === name);
  if (found !== undefined) return found.bytes;
  const known = object.sections.map((each) => each.name).filter((each) => each !== '');
  throw new UsageError(`--section ${name}: no such section; there is ${known.join(', ') || 'none'}`);
}

/** 8 bytes a line, a space between bytes: what every reader of hex text takes. */
function hexLines(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8) {
    text += `${hexText(bytes.subarray(at, at + 8), ' ')}\n`;
  }
  return text;
}

function asmBatch(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('asm --jsonl reads stdin; give no FILE');
  return batch(io, (line) => {
    const text = requiredText(line, 'text');
    const told = optionalText(line, 'dialect') ?? 'auto';
    if (LATER_DIALECTS.includes(told)) throw notSupported(`dialect ${told}`);
    const dialect = ['auto', ...DIALECTS].find((each) => each === told) as Dialect | 'auto' | undefined;
    if (dialect === undefined) throw new UsageError(`dialect ${told}: must be auto, ${DIALECTS.join(', ')}`);
    const assembled = assemble(text, { fileName: 'stdin', dialect });
    const { value, errors } = linkProgram(assembled.value);
    const placeOf = placesIn(text);
    const diagnostics = assembled.diagnostics.map((each) => ({
      ...placeOf(each.range.start),
      start: each.range.start,
      end: each.range.end,
      severity: each.severity,
      code: each.code,
      message: each.message,
    }));
    const failed = diagnostics.some((each) => each.severity === 'error');
    // A link error matters only where assembling went well: else it repeats what is already told.
    const link = failed || value !== undefined || text.trim() === '' ? [] : errors.map(linkDiagnostic);
    return { insns: hexText(value?.insns ?? new Uint8Array()), diagnostics: [...diagnostics, ...link] };
  });
}

function linkDiagnostic(message: string): object {
  return { line: 1, column: 1, start: 0, end: 0, severity: 'error', code: 'link', message };
}
