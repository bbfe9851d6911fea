import { join } from 'node:path';
import * as vscode from 'vscode';
import { LanguageClient, State, TransportKind } from 'vscode-languageclient/node';
import type {
  BuiltinPacketInfo,
  CaptureReply,
  LanguageRequests,
  ProgramSummary,
} from '#core/protocol/language.ts';
import { BPF_LANGUAGES, isBpfDocument } from './bpf-document.ts';
import { messageOf } from './error-message.ts';

/** Commands that the server may name in code lenses. */
const LENS_COMMANDS = ['bpf.run', 'bpf.debug', 'bpf.debugConverted'];

/** What the client asks the language server besides LSP. Each rejects when the server cannot be started. */
export interface LanguageService {
  /** Programs of an assembly file, opened in the background if need be; empty for what is no BPF text. */
  programs(uri: vscode.Uri): Promise<readonly ProgramSummary[]>;
  /** The first 1,000 packets of a capture. */
  capture(bytes: Uint8Array): Promise<CaptureReply>;
  builtins(): Promise<readonly BuiltinPacketInfo[]>;
  /** Starts the server again, or for the first time. */
  restart(): Promise<void>;
}

/** A language server that is started by the first open BPF document or the first request, and ends with the extension. */
export function createLanguageService(context: vscode.ExtensionContext): LanguageService {
  const module = join(context.extensionPath, 'dist', 'server.cjs');
  const client = new LanguageClient(
    'bpf',
    'BPF Language Server',
    {
      run: { module, transport: TransportKind.ipc },
      debug: { module, transport: TransportKind.ipc, options: { execArgv: ['--nolazy', '--inspect=6017'] } },
    },
    {
      documentSelector: BPF_LANGUAGES.map((language) => ({ language })),
      initializationOptions: { commands: LENS_COMMANDS },
      diagnosticCollectionName: 'bpf',
    },
  );
  let started: Promise<void> | undefined;
  const start = () => {
    started ??= client.start();
    return started;
  };
  const startFor = (document: vscode.TextDocument) => {
    if (isBpfDocument(document)) start().catch(showStartFailure);
  };
  context.subscriptions.push(vscode.workspace.onDidOpenTextDocument(startFor), {
    dispose: () => void started?.then(() => client.dispose()).catch(() => undefined),
  });
  vscode.workspace.textDocuments.forEach(startFor);

  async function ask<M extends keyof LanguageRequests>(
    method: M,
    params: LanguageRequests[M]['params'],
  ): Promise<LanguageRequests[M]['result']> {
    await start();
    return client.sendRequest<LanguageRequests[M]['result']>(method, params);
  }

  return {
    async programs(uri) {
      const document = await openInBackground(uri);
      return isBpfDocument(document) ? ask('bpf/programs', { uri: document.uri.toString() }) : [];
    },
    capture: (bytes) => ask('bpf/capture', { base64: Buffer.from(bytes).toString('base64') }),
    builtins: () => ask('bpf/builtins', null),
    restart: () => (client.state === State.Running ? client.restart() : start()),
  };
}

async function openInBackground(uri: vscode.Uri): Promise<vscode.TextDocument | undefined> {
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch {
    return undefined; // binary or missing: the adapter says which
  }
}

function showStartFailure(error: unknown): void {
  void vscode.window.showErrorMessage(`The BPF language server did not start: ${messageOf(error)}`);
}
