import { MemoryLimitError } from '#core/vm/memory.ts';
import { type Command, helpText, parseArguments } from './command.ts';
import { asmCommand } from './commands/asm.ts';
import { benchCommand } from './commands/bench.ts';
import { checkCommand } from './commands/check.ts';
import { conformanceCommand } from './commands/conformance.ts';
import { convertCommand } from './commands/convert.ts';
import { dapCommand } from './commands/dap.ts';
import { debugCommand } from './commands/debug.ts';
import { disasmCommand } from './commands/disasm.ts';
import { inspectCommand } from './commands/inspect.ts';
import { jitCommand } from './commands/jit.ts';
import { kernelCommand } from './commands/kernel.ts';
import { lspCommand } from './commands/lsp.ts';
import { runCommand } from './commands/run.ts';
import { tagCommand } from './commands/tag.ts';
import { messageOf, notSupported, UsageError } from './failure.ts';
import type { Io } from './io.ts';

const COMMANDS: readonly Command[] = [
  runCommand,
  debugCommand,
  asmCommand,
  disasmCommand,
  convertCommand,
  checkCommand,
  tagCommand,
  inspectCommand,
  jitCommand,
  kernelCommand,
  benchCommand,
  lspCommand,
  dapCommand,
  conformanceCommand,
];

/** Commands of `cli.md` that come with later versions. */
const LATER = ['test'];

/**
 * Runs `bpf-workbench` with the words after the program's name. Resolves to the exit code: 0 fine,
 * 1 a program faulted or a check failed, 2 bad usage or unreadable input.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const [name, ...rest] = argv;
    if (name === undefined) throw new UsageError(`no command given; one of ${names()}, or --help`);
    if (name === '--help' || name === '-h' || name === 'help') return await help(rest[0], io);
    const command = find(name);
    if (wantsHelp(rest)) return await help(name, io);
    return await command.run(parseArguments(command.spec, command.prepare?.(rest) ?? rest), io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`bpf-workbench: ${messageOf(error)}`);
      return 2;
    }
    if (error instanceof MemoryLimitError) {
      io.err(`bpf-workbench: ${messageOf(error)}`);
      return 2;
    }
    io.err(
      `bpf-workbench: internal error, please report it: ${error instanceof Error ? error.stack : error}`,
    );
    return 2;
  }
}

function find(name: string): Command {
  const command = COMMANDS.find((each) => each.spec.name === name);
  if (command !== undefined) return command;
  if (LATER.includes(name)) throw notSupported(name);
  throw new UsageError(`unknown command ${JSON.stringify(name)}; one of ${names()}`);
}

async function help(name: string | undefined, io: Io): Promise<number> {
  if (name !== undefined && !name.startsWith('-')) {
    await io.out(helpText(find(name).spec));
    return 0;
  }
  const width = Math.max(...COMMANDS.map((each) => each.spec.name.length));
  const rows = COMMANDS.map((each) => `  ${each.spec.name.padEnd(width + 2)}${each.spec.summary}`);
  await io.out(
    [
      'Usage: bpf-workbench COMMAND [options]',
      '',
      'Assemble, run and debug BPF programs in a simulation of the kernel.',
      '',
      'Commands:',
      ...rows,
      '',
      'Files are recognised by content, then by name: assembly text (.bpf.s, .s, .bpfasm, .ebpf),',
      'raw instructions (.bin), hex text (.hex), classic BPF (.cbpf, and what tcpdump -d, -dd, -ddd print).',
      '`-` is stdin. A u64 in JSON is a "0x…" string.',
      'Exit codes: 0 fine; 1 a program faulted or a check failed; 2 bad usage or unreadable input.',
      'bpf-workbench COMMAND --help tells the options of a command.',
      '',
    ].join('\n'),
  );
  return 0;
}

/** `--help` before any `--` asks for help, whatever else is there. */
function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

function names(): string {
  return COMMANDS.map((each) => each.spec.name).join(', ');
}
