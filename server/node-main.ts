import { createConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-languageserver/node';
import { startServer } from './server.ts';

/**
 * Serves the language server on two streams, as `bpf-workbench lsp --stdio` does. The streams carry the base
 * protocol of LSP (`Content-Length` headers and JSON). The process ends with the client's `exit`, or when the
 * input ends.
 */
export function serveLsp(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): void {
  startServer(createConnection(input, output));
}

/** Started as a process of its own: over the parent's IPC channel with `--node-ipc`, else over stdio. */
function main(): void {
  if (process.argv.includes('--node-ipc')) {
    startServer(createConnection(new IPCMessageReader(process), new IPCMessageWriter(process)));
  } else serveLsp(process.stdin, process.stdout);
}

// The command line's bundle holds this module too, and must not start a server by merely loading it.
if (/(^|[\\/])(server\.cjs|server[\\/]node-main\.ts)$/.test(process.argv[1] ?? '')) main();
