import { X86_PRESETS, type X86Config } from '#core/jit/x86-64/config.ts';
import { linkProgram } from '#core/object/link.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { bpfProgFree } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Arguments, Command } from '../command.ts';
import { messageOf, UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { jitBatch } from '../jit-batch.ts';
import { CONFIG_NOTE, configOfText, DEFAULT_PRESET, presetNamed } from '../jit-config.ts';
import { wasmCompiler } from '../jit-wasm.ts';
import { x86Compiler } from '../jit-x86.ts';
import { u64Of } from '../jsonl.ts';
import { noticeNoLines, ShownPrograms } from '../load-shown.ts';
import { MACHINE_OPTIONS, PROGRAM_OPTIONS, progTypeNamed } from '../run-options.ts';
import { refusedReport } from '../run-report.ts';
import { objectOf, readInput, readSource } from '../source.ts';
import { writeOutput } from '../write-output.ts';

/** Largest configuration: a file of vectors may be given. */
const MAX_CONFIG_BYTES = 64 << 20;

/** Characters that are written at once. */
const CHUNK = 1 << 16;

const ARCHS = ['x86-64', 'wasm'] as const;
type Arch = (typeof ARCHS)[number];
const DEFAULT_ARCH: Arch = 'x86-64';

/** `bpf-workbench jit` */
export const jitCommand: Command = {
  spec: {
    name: 'jit',
    usage: ['FILE [options]', '--jsonl < LINES'],
    summary: 'Show the native code of a program: what the kernel makes of it, or the engine wasm.',
    options: {
      arch: { value: 'ARCH', text: `${ARCHS.join(', ')}; ${DEFAULT_ARCH} if not told` },
      linum: { text: 'with file, line and column of each source line' },
      opcodes: { text: 'with the bytes of each instruction' },
      config: {
        value: 'FILE',
        text: `the kernel's addresses and the CPU: a file, or a preset by name; ${DEFAULT_PRESET} if not told`,
      },
      debuggable: { text: 'with --arch wasm: the code of debug sessions, which tests for breakpoints' },
      prog: PROGRAM_OPTIONS.prog,
      type: PROGRAM_OPTIONS.type,
      blind: MACHINE_OPTIONS.blind,
      seed: { value: 'N', text: 'seed of the keys of --blind; 0 if not told' },
      output: {
        short: 'o',
        value: 'OUT',
        text: "write the code itself: a WebAssembly module, or the functions' bytes; - is stdout",
      },
      json: { text: 'one JSON object and nothing else' },
      jsonl: {
        text: 'batch: {"xlated", "func_insn_start", "stack_depth", "image_addr", …} a line → {"jited", "func_len", "insn_to_jit_off", "jited_line_info", "map_imm_at"}',
      },
    },
    notes: [CONFIG_NOTE, 'Exit code 1 when the program is refused or has no machine code.'],
  },
  run(args, io) {
    const arch = args.choice('arch', ARCHS) ?? DEFAULT_ARCH;
    if (arch === 'wasm' && args.has('config')) {
      throw new UsageError('jit: --config tells of kernels and CPUs, which --arch wasm does not ask for');
    }
    if (arch !== 'wasm' && args.flag('debuggable')) {
      throw new UsageError('jit: --debuggable is for --arch wasm');
    }
    if (!args.flag('jsonl')) return jitFile(args, arch, io);
    if (arch === 'wasm') throw new UsageError('jit: --jsonl is for x86-64 only');
    if (args.positionals.length > 0) throw new UsageError('jit --jsonl reads stdin; give no FILE');
    return jitBatch(io);
  },
};

async function jitFile(args: Arguments, arch: Arch, io: Io): Promise<number> {
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
  if (arch === 'wasm' && attr.progType === 'ext') {
    throw new UsageError(
      `${source.name}: ${attr.name} is an extension, which --arch wasm does not show; give --arch x86-64`,
    );
  }
  const machine = new Machine({
    shared: false,
    hash: nodeHash,
    seed: args.has('seed') ? u64Of(args.text('seed'), '--seed') : 0n,
    ...(args.flag('blind') ? { settings: { bpfJitHarden: 2 } } : {}),
  });
  const compiler =
    arch === 'wasm'
      ? wasmCompiler(machine, attr, !args.flag('debuggable'))
      : x86Compiler(machine, attr, config);
  const programs = new ShownPrograms(machine, object, ({ name }) =>
    name === attr.name ? compiler.jit : undefined,
  );
  const loaded = programs.load(attr);
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
    else io.err(`bpf-workbench: ${attr.name} has no machine code: ${withoutName(why, attr.name)}`);
    return 1;
  }
  const shown = compiler.shown(prog);
  const out = args.text('output');
  if (out !== undefined) await writeOutput(out, shown.bytes(), io, 'give -o OUT');
  else if (args.flag('json')) await writePieces(shown.json(), '\n', io);
  else {
    if (args.flag('linum')) noticeNoLines(prog, source, io);
    const options = {
      linum: args.flag('linum'),
      opcodes: args.flag('opcodes'),
      sourceLines: source.kind === 'insns' ? undefined : source.text.split(/\r?\n/),
    };
    await writePieces(shown.text(options), '', io);
  }
  bpfProgFree(machine, prog);
  return 0;
}

/** A reason that may begin with the program's name. */
function withoutName(why: string, name: string): string {
  return why.startsWith(`${name}, `) ? why.slice(name.length + 2) : why;
}

/** Writes pieces together, in chunks of some size. */
async function writePieces(pieces: Iterable<string>, end: string, io: Io): Promise<void> {
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK) continue;
    await io.out(chunk);
    chunk = '';
  }
  await io.out(chunk + end);
}

async function configOf(path: string | undefined, io: Io): Promise<X86Config> {
  const preset = presetNamed(path ?? DEFAULT_PRESET);
  if (path === undefined || preset !== undefined) return preset ?? X86_PRESETS[DEFAULT_PRESET];
  let bytes: Uint8Array;
  try {
    bytes = await readInput(path, MAX_CONFIG_BYTES, io);
  } catch (error) {
    const presets = Object.keys(X86_PRESETS).join(', ');
    throw new UsageError(`--config: ${messageOf(error)}, nor a preset of that name; presets are ${presets}`);
  }
  return configOfText(Buffer.from(bytes).toString('utf8'), path);
}
