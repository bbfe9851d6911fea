import {
  type CancellationToken,
  CodeActionKind,
  type Connection,
  type InitializeParams,
  LSPErrorCodes,
  PositionEncodingKind,
  ResponseError,
  type ServerCapabilities,
  TextDocumentSyncKind,
} from 'vscode-languageserver';
import { CLASSIC_LENS_COMMANDS, classicLenses } from './classic/code-lens.ts';
import { classicCompletion } from './classic/completion.ts';
import { type ClassicSnapshot, createClassicStore } from './classic/documents.ts';
import { classicFolding } from './classic/folding.ts';
import { classicHover } from './classic/hover.ts';
import { classicInlineValues } from './classic/inline-values.ts';
import {
  classicDefinition,
  classicHighlights,
  classicPrepareRename,
  classicReferences,
  classicRename,
  classicSymbols,
} from './classic/labels.ts';
import { pushClassicTokens } from './classic/semantic-tokens.ts';
import { registerCustomRequests } from './custom-requests.ts';
import { createDocumentStore, type Snapshot } from './documents.ts';
import { codeActions } from './features/code-actions.ts';
import { codeLenses, LENS_COMMANDS } from './features/code-lens.ts';
import { createCompletion, resolveCompletion, TRIGGER_CHARACTERS } from './features/completion.ts';
import { diagnosticScheduler } from './features/diagnostics.ts';
import { foldingRanges } from './features/folding.ts';
import { hover } from './features/hover.ts';
import { inlineValues } from './features/inline-values.ts';
import { documentSymbols } from './features/outline.ts';
import { createTokenProvider, pushAsmTokens, TOKEN_LEGEND } from './features/semantic-tokens.ts';
import { definition, highlights, prepareRename, references, rename } from './features/symbols.ts';

/** What a client may hand in as `initializationOptions`. */
interface ClientOptions {
  /** Commands that the client has: code lenses carry only these. */
  readonly commands?: unknown;
}

/**
 * Serves the Language Server Protocol 3.18 on `connection` and starts to listen. Reads no file: it knows the
 * documents that the client opens, and nothing else.
 */
export function startServer(connection: Connection): void {
  const documents = createDocumentStore();
  const classic = createClassicStore();
  const scheduler = diagnosticScheduler(connection, {
    get: (uri) => documents.get(uri) ?? classic.get(uri),
  });
  const tokens = createTokenProvider(pushAsmTokens);
  const classicTokens = createTokenProvider(pushClassicTokens);

  let complete = createCompletion({ snippets: false });

  connection.onInitialize((params) => {
    const commands = commandsOf(params);
    const pull = params.capabilities.textDocument?.diagnostic !== undefined;
    complete = createCompletion({
      snippets: params.capabilities.textDocument?.completion?.completionItem?.snippetSupport === true,
    });
    scheduler.start(pull);
    if (commands.length > 0)
      connection.onCodeLens(
        onDocument(
          (snapshot) => codeLenses(snapshot, commands),
          [],
          (snapshot) => classicLenses(snapshot, commands),
        ),
      );
    return {
      capabilities: capabilitiesFor({ pull, lenses: commands.length > 0 }),
      serverInfo: { name: 'BPF Workbench' },
    };
  });

  connection.onDidOpenTextDocument(({ textDocument }) => {
    if (documents.open(textDocument) || classic.open(textDocument)) scheduler.changed(textDocument.uri);
  });
  connection.onDidChangeTextDocument(({ textDocument, contentChanges }) => {
    const { uri, version } = textDocument;
    const known =
      documents.change(uri, version, contentChanges) || classic.change(uri, version, contentChanges);
    if (known) scheduler.changed(uri);
  });
  connection.onDidCloseTextDocument(({ textDocument }) => {
    tokens.forget(textDocument.uri);
    classicTokens.forget(textDocument.uri);
    if (documents.close(textDocument.uri) || classic.close(textDocument.uri))
      scheduler.closed(textDocument.uri);
  });

  /**
   * Answers from the newest state of the document, after the edits that wait in front of it; `otherwise` when it is
   * not open, or is classic BPF and `ofClassic` is not given.
   */
  function onDocument<P extends { textDocument: { uri: string } }, R>(
    answer: (snapshot: Snapshot, params: P) => R,
    otherwise: R,
    ofClassic?: (snapshot: ClassicSnapshot, params: P) => R,
  ): (params: P, token: CancellationToken) => R | ResponseError<void> {
    return (params, token) => {
      if (token.isCancellationRequested) return cancelled();
      const snapshot = documents.get(params.textDocument.uri);
      if (snapshot !== undefined) return answer(snapshot, params);
      const old = classic.get(params.textDocument.uri);
      return old === undefined || ofClassic === undefined ? otherwise : ofClassic(old, params);
    };
  }

  connection.languages.diagnostics.on((params, token) => scheduler.pull(params, token));
  connection.onHover(onDocument(hover, null, classicHover));
  connection.onCompletion(
    onDocument((snapshot, params) => complete(snapshot, params), [], classicCompletion),
  );
  connection.onCompletionResolve((item) => resolveCompletion(item));
  connection.onDefinition(onDocument(definition, null, classicDefinition));
  connection.onReferences(onDocument(references, [], classicReferences));
  connection.onDocumentHighlight(onDocument(highlights, [], classicHighlights));
  connection.onPrepareRename(onDocument(prepareRename, null, classicPrepareRename));
  connection.onRenameRequest(onDocument(rename, null, classicRename));
  connection.onDocumentSymbol(onDocument(documentSymbols, [], classicSymbols));
  connection.onCodeAction(onDocument(codeActions, [], codeActions));
  connection.onFoldingRanges(onDocument(foldingRanges, [], classicFolding));
  connection.languages.semanticTokens.on(onDocument(tokens.full, { data: [] }, classicTokens.full));
  connection.languages.semanticTokens.onDelta(onDocument(tokens.delta, { data: [] }, classicTokens.delta));
  connection.languages.semanticTokens.onRange(onDocument(tokens.range, { data: [] }, classicTokens.range));
  connection.languages.inlineValue.on(onDocument(inlineValues, [], classicInlineValues));

  registerCustomRequests(connection, documents, classic);
  connection.onShutdown(() => scheduler.stop());
  connection.listen();
}

function cancelled(): ResponseError<void> {
  return new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
}

/** The commands for code lenses that the client declares; none for a client that says nothing. */
function commandsOf({ initializationOptions }: InitializeParams): string[] {
  const { commands } = (initializationOptions ?? {}) as ClientOptions;
  if (!Array.isArray(commands)) return [];
  const known = [...LENS_COMMANDS, ...CLASSIC_LENS_COMMANDS].map(({ command }): string => command);
  return commands.filter((command) => known.includes(command));
}

/** What this server does for this client; each has a test in `test/server`. */
function capabilitiesFor({ pull, lenses }: { pull: boolean; lenses: boolean }): ServerCapabilities {
  return {
    positionEncoding: PositionEncodingKind.UTF16,
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
    hoverProvider: true,
    completionProvider: { triggerCharacters: TRIGGER_CHARACTERS, resolveProvider: true },
    definitionProvider: true,
    referencesProvider: true,
    documentHighlightProvider: true,
    renameProvider: { prepareProvider: true },
    documentSymbolProvider: true,
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    foldingRangeProvider: true,
    semanticTokensProvider: { legend: TOKEN_LEGEND, full: { delta: true }, range: true },
    inlineValueProvider: true,
    ...(pull ? { diagnosticProvider: { interFileDependencies: false, workspaceDiagnostics: false } } : {}),
    ...(lenses ? { codeLensProvider: { resolveProvider: false } } : {}),
  };
}
