import type { Command } from '../command.ts';
import { UsageError } from '../failure.ts';

/** `bpf-workbench lsp` */
export const lspCommand: Command = {
  spec: {
    name: 'lsp',
    usage: ['--stdio'],
    summary: 'The language server, for any editor that speaks LSP.',
    options: { stdio: { text: 'talk over stdin and stdout' } },
  },
  async run(args) {
    if (args.positionals.length > 0) throw new UsageError(`lsp: unexpected ${args.positionals[0]}`);
    if (!args.flag('stdio')) throw new UsageError('lsp: give --stdio');
    // Loaded here only: the language server is half of the bundle, and other commands start often.
    const { serveLsp } = await import('#server/node-main.ts');
    serveLsp(process.stdin, process.stdout);
    // The server ends the process itself, with the exit code that LSP's `exit` asks for.
    return await new Promise<number>(() => {});
  },
};
