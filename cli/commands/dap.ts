import type { Command } from '../command.ts';
import { messageOf, UsageError } from '../failure.ts';

/** `bpf-workbench dap` */
export const dapCommand: Command = {
  spec: {
    name: 'dap',
    usage: ['--stdio', '--port N'],
    summary: 'The debug adapter, for any editor that speaks DAP.',
    options: {
      stdio: { text: 'talk over stdin and stdout' },
      port: { value: 'N', text: 'listen on this TCP port of the loopback interface; 0 picks a free one' },
    },
  },
  async run(args, io) {
    if (args.positionals.length > 0) throw new UsageError(`dap: unexpected ${args.positionals[0]}`);
    const port = args.integer('port', 0, 65_535);
    if (args.flag('stdio') === (port !== undefined)) throw new UsageError('dap: give --stdio or --port N');
    // Loaded here only, so that the other commands start faster.
    const { listenDap, serveDap } = await import('#debugger/node-main.ts');
    if (port === undefined) {
      await serveDap(process.stdin, process.stdout);
      return 0;
    }
    try {
      const server = await listenDap(port);
      io.err(`listening on 127.0.0.1:${server.port}`);
      return await new Promise<number>(() => {});
    } catch (error) {
      throw new UsageError(`--port ${port}: ${messageOf(error)}`);
    }
  },
};
