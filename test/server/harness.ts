import { PassThrough } from 'node:stream';
import {
  type ClientCapabilities,
  createProtocolConnection,
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  type Range,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import { serveLsp } from '#server/node-main.ts';

/** A language client on the other end of two streams: everything below travels as real protocol messages. */
export interface TestClient {
  readonly rpc: ProtocolConnection;
  readonly initialized: InitializeResult;
  /** What the server logged as errors: handlers that failed. */
  readonly errors: string[];
  readonly published: PublishDiagnosticsParams[];
  /** Opens a text as language bpf (unless told otherwise) and returns its URI. */
  open(text: string, options?: { uri?: string; languageId?: string }): Promise<string>;
  change(uri: string, version: number, edits: readonly { range?: Range; text: string }[]): Promise<void>;
  /** Pulls diagnostics. */
  diagnostics(uri: string): Promise<Diagnostic[]>;
  stop(): Promise<void>;
}

/** What VS Code's client says about itself, as far as this server looks at it. */
export const PULLING: ClientCapabilities = {
  textDocument: {
    diagnostic: { dynamicRegistration: false },
    completion: { completionItem: { snippetSupport: true } },
  },
};

/** Starts a server and a client that has said `initialize`. */
export async function startClient(
  capabilities: ClientCapabilities = PULLING,
  initializationOptions?: unknown,
): Promise<TestClient> {
  const toServer = new PassThrough();
  const toClient = new PassThrough();
  serveLsp(toServer, toClient);
  const rpc = createProtocolConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer));
  const errors: string[] = [];
  const published: PublishDiagnosticsParams[] = [];
  rpc.onNotification('window/logMessage', ({ type, message }: { type: number; message: string }) => {
    if (type === 1) errors.push(message);
  });
  rpc.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
    published.push(params);
  });
  rpc.listen();
  const initialized = await rpc.sendRequest<InitializeResult>('initialize', {
    processId: null,
    rootUri: null,
    capabilities,
    ...(initializationOptions === undefined ? {} : { initializationOptions }),
  });
  await rpc.sendNotification('initialized', {});
  let opened = 0;
  return {
    rpc,
    initialized,
    errors,
    published,
    async open(text, { uri = `file:///w/prog${++opened}.bpf.s`, languageId = 'bpf' } = {}) {
      await rpc.sendNotification('textDocument/didOpen', {
        textDocument: { uri, languageId, version: 1, text },
      });
      return uri;
    },
    change: (uri, version, contentChanges) =>
      rpc.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges }),
    async diagnostics(uri) {
      const report = await rpc.sendRequest<{ items: Diagnostic[] }>('textDocument/diagnostic', {
        textDocument: { uri },
      });
      return report.items;
    },
    async stop() {
      await rpc.sendRequest('shutdown');
      rpc.dispose();
    },
  };
}

/** Position of the n-th (1-based) occurrence of `needle`, `into` units inside it. */
export function positionIn(text: string, needle: string, into = 0, nth = 1): Position {
  let offset = -1;
  for (let n = 0; n < nth; n++) {
    offset = text.indexOf(needle, offset + 1);
    if (offset < 0) throw new Error(`no ${nth}. ${JSON.stringify(needle)} in the text`);
  }
  const before = text.slice(0, offset + into).split('\n');
  return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
}

/** The text that an LSP range covers. */
export function textIn(text: string, range: Range): string {
  const lines = text.split('\n');
  const offset = ({ line, character }: Position) =>
    lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0) + character;
  return text.slice(offset(range.start), offset(range.end));
}
