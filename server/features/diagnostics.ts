import {
  type CancellationToken,
  type Connection,
  DiagnosticSeverity,
  DiagnosticTag,
  type DocumentDiagnosticParams,
  type DocumentDiagnosticReport,
  LSPErrorCodes,
  type Diagnostic as LspDiagnostic,
  type PublishDiagnosticsParams,
  ResponseError,
} from 'vscode-languageserver';
import type { Diagnostic, Severity } from '#core/object/object.ts';
import type { DocumentStore, Snapshot } from '../documents.ts';
import { rangeOf } from '../line-index.ts';

/** Milliseconds of silence before a document is analysed: little for small ones, more where it costs. */
const SMALL_DELAY = 60;
const BIG_DELAY = 300;
/** Lines from which on a document is big. */
const BIG_DOCUMENT = 5000;
/** More than a reader can use, and more than an editor likes to draw. */
const MAX_DIAGNOSTICS = 1000;

/** Says when diagnostics are computed and how they travel: pulled or pushed, never both. */
export interface DiagnosticScheduler {
  /** `pull`: the client asks by itself. */
  start(pull: boolean): void;
  /** The document has a new state. */
  changed(uri: string): void;
  closed(uri: string): void;
  /** Answers `textDocument/diagnostic` for the newest state, once the typing has paused. */
  pull(params: DocumentDiagnosticParams, token: CancellationToken): Promise<DocumentDiagnosticReport>;
  /** Drops what is still waiting. */
  stop(): void;
}

/** The scheduler of one connection. */
export function diagnosticScheduler(connection: Connection, documents: DocumentStore): DiagnosticScheduler {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let push = false;
  let stopped = false;

  const send = (params: PublishDiagnosticsParams) => {
    // Rejected only when the client is gone already.
    connection.sendDiagnostics(params).catch(() => undefined);
  };
  const forget = (uri: string) => {
    clearTimeout(timers.get(uri));
    timers.delete(uri);
  };
  const publish = (uri: string) => {
    timers.delete(uri);
    const snapshot = documents.get(uri);
    if (snapshot === undefined || stopped) return;
    // Nobody awaits a timer: what goes wrong here would end the process.
    try {
      send({ uri, version: snapshot.version, diagnostics: toLspDiagnostics(snapshot) });
    } catch (error) {
      connection.console.error(`diagnostics of ${uri} failed: ${String(error)}`);
    }
  };

  return {
    start(pull) {
      push = !pull;
    },
    changed(uri) {
      if (!push) return;
      forget(uri);
      timers.set(
        uri,
        setTimeout(() => publish(uri), delayFor(documents.get(uri))),
      );
    },
    closed(uri) {
      if (!push) return;
      forget(uri);
      send({ uri, diagnostics: [] });
    },
    async pull({ textDocument, previousResultId }, token) {
      // Wait until no edit came during a whole delay: a report of a state that is gone helps nobody.
      for (let version: number | undefined; ; ) {
        const snapshot = documents.get(textDocument.uri);
        if (token.isCancellationRequested) {
          // By the client, which asks again. Told by ServerCancelled that it need not, vscode-languageclient
          // would never ask for this document again.
          throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
        }
        if (snapshot === undefined) return { kind: 'full', items: [] };
        const resultId = String(snapshot.version);
        if (previousResultId === resultId && snapshot.version === version)
          return { kind: 'unchanged', resultId };
        if (snapshot.version === version)
          return { kind: 'full', resultId, items: toLspDiagnostics(snapshot) };
        version = snapshot.version;
        await new Promise<void>((resolve) => setTimeout(resolve, delayFor(snapshot)));
      }
    },
    stop() {
      stopped = true;
      for (const uri of [...timers.keys()]) forget(uri);
    },
  };
}

/** The diagnostics of a document in LSP's words, worst first where there are too many to send. */
function toLspDiagnostics(snapshot: Snapshot): LspDiagnostic[] {
  const all = snapshot.diagnostics();
  const kept =
    all.length <= MAX_DIAGNOSTICS
      ? all
      : [...all].sort((a, b) => SEVERITIES[a.severity] - SEVERITIES[b.severity]).slice(0, MAX_DIAGNOSTICS);
  return kept.map((diagnostic) => toLspDiagnostic(snapshot, diagnostic));
}

/** One diagnostic in LSP's words. */
export function toLspDiagnostic(snapshot: Snapshot, diagnostic: Diagnostic): LspDiagnostic {
  return {
    range: rangeOf(snapshot.index, diagnostic.range),
    severity: SEVERITIES[diagnostic.severity],
    code: diagnostic.code,
    source: 'bpf',
    message: diagnostic.message,
    ...(diagnostic.unnecessary ? { tags: [DiagnosticTag.Unnecessary] } : {}),
  };
}

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

function delayFor(snapshot: Snapshot | undefined): number {
  return snapshot !== undefined && snapshot.index.starts.length >= BIG_DOCUMENT ? BIG_DELAY : SMALL_DELAY;
}
