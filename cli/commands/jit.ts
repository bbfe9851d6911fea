import { hexText } from '#core/bytes/hex.ts';
import { X86_PRESETS, type X86Config } from '#core/jit/x86-64/config.ts';
import { x86JitCompiler } from '#core/jit/x86-64/jit-compiler.ts';
import type { X86Func } from '#core/jit/x86-64/program.ts';
import { linkProgram } from '#core/object/link.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { tagText } from '#core/prog/bpf-prog-calc-tag.ts';
import { type BpfProg, bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Arguments, Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { jitBatch } from '../jit-batch.ts';
import { CONFIG_NOTE, configOfText, DEFAULT_PRESET } from '../jit-config.ts';
import { jitText, mapImms, type NativeFunc, nativeFuncs } from '../jit-listing.ts';
import { hex64 } from '../json.ts';
import { u64Of } from '../jsonl.ts';
import { MACHINE_OPTIONS, PROGRAM_OPTIONS, progTypeNamed } from '../run-options.ts';
import { refusedReport } from '../run-report.ts';
import { objectOf, readInput, readSource } from '../source.ts';

/** Largest configuration: a file of vectors may be given. */
const MAX_CONFIG_BYTES = 64 << 20;

/** `bpf-workbench jit` */
export const jitCommand: Command = {
  spec: {
    name: 'jit',
    usage: ['FILE [options]', '--jsonl < LINES'],
    summary: 'Show the machine code that the kernel makes of a program.',
    options: {
      arch: { value: 'ARCH', text: 'x86-64' },
      linum: { text: 'with file, line and column of each source line' },
      opcodes: { text: 'with the bytes of each instruction' },
      config: { value: 'FILE', text: `the kernel's addresses and the CPU; ${DEFAULT_PRESET} if not told` },
      prog: PROGRAM_OPTIONS.prog,
      type: PROGRAM_OPTIONS.type,
      blind: MACHINE_OPTIONS.blind,
      seed: { value: 'N', text: 'seed of the keys of --blind; 0 if not told' },
      json: { text: 'one JSON object and nothing else' },
      jsonl: {
        text: 'batch: {"xlated", "func_insn_start", "stack_depth", "image_addr", …} a line → {"jited", "func_len", "insn_to_jit_off", "jited_line_info", "map_imm_at"}',
      },
    },
    notes: [CONFIG_NOTE, 'Exit code 1 when the program is refused or has no machine code.'],
  },
  run(args, io) {
    args.choice('arch', ['x86-64'], ['wasm']);
    if (!args.flag('jsonl')) return jitFile(args, io);
    if (args.positionals.length > 0) throw new UsageError('jit --jsonl reads stdin; give no FILE');
    return jitBatch(io);
  },
};

async function jitFile(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  if (path === undefined || others.length > 0) throw new UsageError('jit: give one FILE (- is stdin)');
  const config = await configOf(args.text('config'), io);
  const progType = progTypeNamed(args.text('type'));
  const source = await readSource(path, io);
  const object = objectOf(source, progType);
  const linked = linkProgram(object, args.text('prog'), progType === undefined ? {} : { progType });
  const attr = linked.value;
  if (attr === undefined) {
    throw new UsageError(`${source.name}: ${linked.errors[0] ?? 'the file holds no program'}`);
  }
  const machine = new Machine({
    shared: false,
    hash: nodeHash,
    seed: args.has('seed') ? u64Of(args.text('seed'), '--seed') : 0n,
    ...(args.flag('blind') ? { settings: { bpfJitHarden: 2 } } : {}),
  });
  let funcs: readonly X86Func[] = [];
  const jit = x86JitCompiler({
    machine,
    attr,
    config,
    wasClassic: source.kind === 'cbpf',
    compiled: (made) => {
      funcs = made;
    },
  });
  const loaded = bpfProgLoad(machine, attr, { jit });
  if (!loaded.ok) {
    const { pc, message } = loaded.refusal;
    const refused = { pc: pc ?? null, message };
    if (args.flag('json')) await io.out(`${JSON.stringify({ name: attr.name, refused })}\n`);
    else await io.out(refusedReport(attr.name, attr, loaded.refusal, source, io));
    return 1;
  }
  const { prog } = loaded;
  if (!prog.jited) {
    const why = auxOf(prog).whyInterpreted ?? 'no machine code';
    bpfProgFree(machine, prog);
    if (args.flag('json')) await io.out(`${JSON.stringify({ name: attr.name, why_interpreted: why })}\n`);
    else io.err(`bpf-workbench: ${attr.name} has no machine code: ${why}`);
    return 1;
  }
  const shown = nativeFuncs(machine, prog, funcs, config);
  const text = args.flag('json')
    ? `${JSON.stringify(jitJson(machine, prog, shown))}\n`
    : jitText(prog, shown, {
        linum: args.flag('linum'),
        opcodes: args.flag('opcodes'),
        sourceLines: source.kind === 'insns' ? undefined : source.text.split(/\r?\n/),
      });
  bpfProgFree(machine, prog);
  await io.out(text);
  return 0;
}

async function configOf(path: string | undefined, io: Io): Promise<X86Config> {
  if (path === undefined) return X86_PRESETS[DEFAULT_PRESET];
  const bytes = await readInput(path, MAX_CONFIG_BYTES, io);
  return configOfText(Buffer.from(bytes).toString('utf8'), path);
}

function jitJson(machine: Machine, prog: BpfProg, funcs: readonly NativeFunc[]): object {
  const { tag } = auxOf(prog);
  return {
    name: prog.name,
    type: prog.progType,
    tag: tag === undefined ? null : tagText(tag.tag),
    arch: 'x86-64',
    blinded: prog.blinded,
    bytes_jited: auxOf(prog).jitedLen,
    funcs: funcs.map(({ name, func, insns }) => ({
      name,
      addr: hex64(func.addr),
      start: func.start,
      end: func.end,
      length: func.image.length,
      passes: func.passes,
      jited: hexText(func.image),
      insn_to_jit_off: Array.from(func.insnToJitOff),
      map_imms: mapImms(prog, func),
      insns: insns.map(({ pc, operation, opcodes, insn, lines }) => ({
        pc: `0x${pc.toString(16)}`,
        operation,
        opcodes,
        xlated_pc: insn < 0 ? null : insn,
        orig_pc: insn < 0 ? null : (prog.origIdx[insn] ?? 0),
        lines: lines.map(({ file, line, column }) => ({ file: prog.attr.files[file] ?? null, line, column })),
      })),
    })),
    line_info: prog.xlatedLineInfo.map(({ insnOff, file, line, column }, i) => ({
      insn_off: insnOff,
      file: prog.attr.files[file] ?? null,
      line,
      column,
      jited: hex64(jitedLinfo(machine, prog)?.[i] ?? 0n),
    })),
  };
}
