import { printClassic } from '#core/cbpf/print.ts';
import { type ClassicForm, filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { seccompNotes } from '#core/cbpf/seccomp-flow.ts';
import { decodeFilters, type SockFilter } from '#core/cbpf/sock-filter.ts';
import type { BpfObject, LoadAttr } from '#core/object/object.ts';
import { PROG_TYPES } from '#core/object/prog-types.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import type { BpfProg } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Arguments, Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { batch, optionalText, requiredInsns } from '../jsonl.ts';
import { listing, textLines } from '../listing.ts';
import { noticeNoLines, ShownPrograms } from '../load-shown.ts';
import { programsOf } from '../object-programs.ts';
import { PROGRAM_OPTIONS } from '../run-options.ts';
import { failOnErrors, objectOf, readSource, type Source } from '../source.ts';
import { xlatedHeader, xlatedListing } from '../xlated-listing.ts';

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
      xlated: {
        text: 'the program as rewritten at load, as bpftool prog dump xlated prints it; with --dialect pseudoc or gnu, the original instruction of each',
      },
      linum: { text: 'with --xlated: file, line and column of each source line' },
      prog: { value: 'NAME', text: 'which of several programs; all if not told' },
      type: {
        value: 'TYPE',
        text: `with --xlated: ${PROGRAM_OPTIONS.type.text}; seccomp: classic BPF with names of system calls and actions`,
      },
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
  const type = args.choice('type', [...PROG_TYPES, 'seccomp']);
  const isSeccomp = type === 'seccomp';
  const source = await readSource(path, io, isSeccomp ? { attach: 'seccomp' } : {});
  const converted = args.flag('bytes') || args.flag('xlated');
  const form = CLASSIC[told ?? (source.kind === 'cbpf' && !converted ? 'cbpf' : '')];
  if (form !== undefined) {
    if (converted)
      throw new UsageError('--bytes and --xlated show eBPF; give --dialect pseudoc, gnu or kernel');
    const filters = classicFilters(source);
    const notes = isSeccomp ? seccompNotes(filters) : [];
    await io.out(`${printClassic(filters, form, notes).join('\n')}\n`);
    return 0;
  }
  const dialect = PRINTED.find((each) => each === told) ?? 'pseudoc';
  const object = objectOf(
    source,
    PROG_TYPES.find((each) => each === type),
  );
  const programs = programsOf(object, source.name, args.text('prog'));
  const asBpftool = args.flag('xlated') && (told === undefined || told === 'kernel');
  if (asBpftool) return xlatedFile(args, io, source, object, programs);
  if (args.flag('linum')) throw new UsageError('--linum belongs to --xlated as bpftool prints it');
  const shown = new ShownPrograms(new Machine({ shared: false, hash: nodeHash }), object);
  const texts = programs.map((attr) =>
    listing(attr, {
      dialect,
      bytes: args.flag('bytes'),
      xlated: args.flag('xlated') ? loadedAs(shown, attr) : undefined,
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

/** `bpftool prog dump xlated`: every program loaded into one machine, so that maps have one id. */
async function xlatedFile(
  args: Arguments,
  io: Io,
  source: Source,
  object: BpfObject,
  programs: readonly LoadAttr[],
): Promise<number> {
  const machine = new Machine({ shared: false, hash: nodeHash });
  // Only assembly names its functions; the names that other programs get are ours.
  const named = (attr: LoadAttr): LoadAttr => (source.kind === 'asm' ? attr : { ...attr, funcs: [] });
  const shown = new ShownPrograms(machine, object);
  const options = {
    opcodes: args.flag('bytes'),
    linum: args.flag('linum'),
    sourceLines: source.kind !== 'insns' ? source.text.split(/\r?\n/) : undefined,
  };
  const texts = programs.map((attr) => {
    const prog = loadedAs(shown, attr);
    if (options.linum) noticeNoLines(prog, source, io);
    const lines = xlatedListing(machine, prog, named(attr), options);
    return programs.length === 1 ? lines : [xlatedHeader(machine, prog), ...lines, ''];
  });
  await io.out(`${texts.flat().join('\n')}\n`);
  return 0;
}

/** The program once it is loaded; throws `UsageError` for one that is refused. */
function loadedAs(programs: ShownPrograms, attr: LoadAttr): BpfProg {
  const loaded = programs.load(attr);
  if (loaded.ok) return loaded.prog;
  const { pc, message } = loaded.refusal;
  const place = pc === undefined ? '' : ` (instruction ${pc})`;
  throw new UsageError(`${attr.name} is refused at load: ${message}${place}`);
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
