import { printClassic } from '#core/cbpf/print.ts';
import { type ClassicForm, filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { decodeFilters, type SockFilter } from '#core/cbpf/sock-filter.ts';
import { linkProgram } from '#core/object/link.ts';
import type { BpfObject, LoadAttr } from '#core/object/object.ts';
import { PROG_TYPES } from '#core/object/prog-types.ts';
import type { Arguments, Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { batch, optionalText, requiredInsns } from '../jsonl.ts';
import { listing, textLines } from '../listing.ts';
import { failOnErrors, objectOf, readSource, type Source } from '../source.ts';

const PRINTED = ['pseudoc', 'gnu', 'kernel'] as const;
const LATER_DIALECTS = ['ubpf'];

/** Dialects of classic BPF: the bpf_asm language and tcpdump's three lists. */
const CLASSIC: Readonly<Record<string, ClassicForm>> = {
  cbpf: 'asm',
  'cbpf-d': 'd',
  'cbpf-dd': 'dd',
  'cbpf-ddd': 'ddd',
};

/** `bpf-workbench disasm` */
export const disasmCommand: Command = {
  spec: {
    name: 'disasm',
    usage: ['FILE [options]', '--jsonl < LINES'],
    summary: 'Disassemble a program.',
    options: {
      dialect: {
        value: 'DIALECT',
        text: 'pseudoc (the default), gnu, or kernel (as verifier logs print it); for classic BPF cbpf (the default there), cbpf-d, cbpf-dd or cbpf-ddd (as tcpdump prints it)',
      },
      bytes: { text: 'with the number and the bytes of each instruction' },
      xlated: { text: 'the program as rewritten at load, with the original instruction of each' },
      prog: { value: 'NAME', text: 'which of several programs; all if not told' },
      type: { value: 'TYPE', text: 'program type for --xlated: xdp, sched_cls, socket_filter, raw' },
      jsonl: { text: 'batch: {"insns", "dialect"} a line → {"lines"}' },
    },
    notes: [
      'Classic BPF in another dialect, or with --bytes or --xlated, is shown as the eBPF that it is converted to. Raw instructions with a classic dialect are read as struct sock_filter.',
      'Without --bytes and --xlated, pseudoc and gnu output can be assembled again.',
    ],
  },
  run: (args, io) => (args.flag('jsonl') ? disasmBatch(args, io) : disasmFile(args, io)),
};

async function disasmFile(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  if (path === undefined || others.length > 0) throw new UsageError('disasm: give one FILE (- is stdin)');
  const told = args.choice('dialect', [...PRINTED, ...Object.keys(CLASSIC)], LATER_DIALECTS);
  const source = await readSource(path, io);
  const converted = args.flag('bytes') || args.flag('xlated');
  const form = CLASSIC[told ?? (source.kind === 'cbpf' && !converted ? 'cbpf' : '')];
  if (form !== undefined) {
    if (converted)
      throw new UsageError('--bytes and --xlated show eBPF; give --dialect pseudoc, gnu or kernel');
    await io.out(`${printClassic(classicFilters(source), form).join('\n')}\n`);
    return 0;
  }
  const dialect = PRINTED.find((each) => each === told) ?? 'pseudoc';
  const object = objectOf(source, args.choice('type', PROG_TYPES));
  const programs = programsOf(object, args.text('prog'));
  const texts = programs.map((attr) =>
    listing(attr, {
      dialect,
      bytes: args.flag('bytes'),
      xlated: args.flag('xlated'),
      sourceLines: source.kind !== 'insns' ? source.text.split(/\r?\n/) : undefined,
    }),
  );
  await io.out(`${texts.join('\n\n')}\n`);
  return 0;
}

/** The classic instructions of a source; throws `UsageError` where it holds none. */
function classicFilters(source: Source): readonly SockFilter[] {
  if (source.kind === 'insns') return decodeFilters(source.insns);
  if (source.kind === 'asm') {
    throw new UsageError(`${source.name}: eBPF has no form in classic BPF; give --dialect pseudoc or gnu`);
  }
  failOnErrors(source.name, source.text, readClassic(source.text).diagnostics);
  return filtersOf(source.classic.value);
}

/** Every program of the object, linked as it would be loaded. */
function programsOf(object: BpfObject, name: string | undefined): LoadAttr[] {
  const names = name === undefined ? object.programs.map((each) => each.name) : [name];
  if (names.length === 0) throw new UsageError('the file holds no program');
  return names.map((each) => {
    const { value, errors } = linkProgram(object, each);
    if (value === undefined) throw new UsageError(errors[0] ?? `program ${each} cannot be linked`);
    return value;
  });
}

function disasmBatch(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('disasm --jsonl reads stdin; give no FILE');
  return batch(io, (line) => {
    const insns = requiredInsns(line, 'insns');
    const told = optionalText(line, 'dialect') ?? 'pseudoc';
    if (LATER_DIALECTS.includes(told)) throw new UsageError(`not supported: dialect ${told}`);
    const form = Object.hasOwn(CLASSIC, told) ? CLASSIC[told] : undefined;
    if (form !== undefined) return { lines: printClassic(decodeFilters(insns), form) };
    const dialect = PRINTED.find((each) => each === told);
    if (dialect === undefined) {
      throw new UsageError(`dialect ${told}: must be ${[...PRINTED, ...Object.keys(CLASSIC)].join(', ')}`);
    }
    return { lines: textLines(insns, dialect) };
  });
}
