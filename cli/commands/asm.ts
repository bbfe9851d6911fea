import { assemble } from '#core/asm/assemble.ts';
import { hexText } from '#core/bytes/hex.ts';
import { printClassic } from '#core/cbpf/print.ts';
import { filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { encodeFilters } from '#core/cbpf/sock-filter.ts';
import { writeElf } from '#core/elf/write.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, Diagnostic } from '#core/object/object.ts';
import { placesIn } from '#core/object/text-place.ts';
import type { Arguments, Command } from '../command.ts';
import { notSupported, UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { batch, optionalText, requiredText } from '../jsonl.ts';
import { DIALECTS, type Dialect, failOnErrors, objectOf, readSource } from '../source.ts';
import { writeOutput } from '../write-output.ts';

const MCPUS = ['v1', 'v2', 'v3', 'v4'] as const;
const LATER_DIALECTS = ['ubpf'];
/** Text forms of classic BPF that `--format` knows beside bin and hex. */
const CLASSIC_FORMATS = ['dd', 'ddd'] as const;

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
        text: 'bin, hex (one instruction a line) or elf; by the name of OUT, else hex; for classic BPF bin, hex, dd or ddd (as tcpdump prints it)',
      },
      dialect: { value: 'DIALECT', text: 'auto (the default), pseudoc, gnu or cbpf (classic BPF)' },
      mcpu: { value: 'CPU', text: 'v1 to v4: refuse instructions that the processor version does not have' },
      section: { value: 'NAME', text: 'one section as it stands, calls and maps unresolved (bin, hex)' },
      prog: { value: 'NAME', text: 'which of several programs (bin, hex); the first if not told' },
      jsonl: { text: 'batch: {"text", "dialect"} a line → {"insns", "diagnostics"}' },
    },
    notes: [
      'bin and hex hold one linked program: its function, then the functions that it calls.',
      'Classic BPF is assembled to struct sock_filter; bpf-workbench convert makes eBPF of it.',
    ],
  },
  run: (args, io) => (args.flag('jsonl') ? asmBatch(args, io) : asmFile(args, io)),
};

async function asmFile(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  if (path === undefined || others.length > 0) throw new UsageError('asm: give one FILE (- is stdin)');
  const dialect = args.choice('dialect', ['auto', ...DIALECTS, 'cbpf'], LATER_DIALECTS) ?? 'auto';
  const mcpu = args.choice('mcpu', MCPUS);
  const out = args.text('output') ?? '-';
  const format = args.choice('format', ['bin', 'hex', 'elf', ...CLASSIC_FORMATS]) ?? formatOfName(out);
  const section = args.text('section');
  if (format === 'elf' && section !== undefined) {
    throw new UsageError('--section is for bin and hex; an ELF object has every section');
  }
  const source = await readSource(path, io, { dialect, mcpu });
  const data =
    source.kind === 'cbpf'
      ? classicData(source.name, source.text, format)
      : ebpfData(objectOf(source), format, section, args.text('prog'));
  await writeOutput(out, data, io, 'give -o OUT or --format hex');
  return 0;
}

type Format = 'bin' | 'hex' | 'elf' | 'dd' | 'ddd';

/** An eBPF object in one of its formats. */
function ebpfData(
  object: BpfObject,
  format: Format,
  section: string | undefined,
  prog: string | undefined,
): string | Uint8Array {
  if (format === 'elf') return writeElf(object);
  if (format === 'dd' || format === 'ddd') {
    throw new UsageError(`--format ${format}: is for classic BPF; must be bin, hex or elf`);
  }
  const bytes = section === undefined ? linked(object, prog) : sectionBytes(object, section);
  return format === 'hex' ? hexLines(bytes) : bytes;
}

/** Classic BPF in one of its formats; as bpf_asm does, without asking whether the kernel would take it. */
function classicData(name: string, text: string, format: Format): string | Uint8Array {
  const parsed = readClassic(text);
  failOnErrors(name, text, parsed.diagnostics);
  const filters = filtersOf(parsed.value);
  if (format === 'elf') {
    throw new UsageError(
      '--format elf: an ELF object holds eBPF; bpf-workbench convert makes eBPF of classic BPF',
    );
  }
  if (format === 'dd' || format === 'ddd') return `${printClassic(filters, format).join('\n')}\n`;
  const bytes = encodeFilters(filters);
  return format === 'hex' ? hexLines(bytes) : bytes;
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
    if (told === 'cbpf') {
      const { value, diagnostics } = readClassic(text);
      return {
        insns: hexText(encodeFilters(filtersOf(value))),
        diagnostics: diagnosticsJson(text, diagnostics),
      };
    }
    const dialect = ['auto', ...DIALECTS].find((each) => each === told) as Dialect | 'auto' | undefined;
    if (dialect === undefined) {
      throw new UsageError(`dialect ${told}: must be auto, ${DIALECTS.join(', ')}, cbpf`);
    }
    const assembled = assemble(text, { fileName: 'stdin', dialect });
    const { value, errors } = linkProgram(assembled.value);
    const diagnostics = diagnosticsJson(text, assembled.diagnostics);
    const failed = diagnostics.some((each) => each.severity === 'error');
    // A link error matters only where assembling went well: else it repeats what is already told.
    const link = failed || value !== undefined || text.trim() === '' ? [] : errors.map(linkDiagnostic);
    return { insns: hexText(value?.insns ?? new Uint8Array()), diagnostics: [...diagnostics, ...link] };
  });
}

function diagnosticsJson(text: string, diagnostics: readonly Diagnostic[]) {
  const placeOf = placesIn(text);
  return diagnostics.map((each) => ({
    ...placeOf(each.range.start),
    start: each.range.start,
    end: each.range.end,
    severity: each.severity,
    code: each.code,
    message: each.message,
  }));
}

function linkDiagnostic(message: string): object {
  return { line: 1, column: 1, start: 0, end: 0, severity: 'error', code: 'link', message };
}
