import { vi } from 'vitest';

/** A small `vscode` for tests of the client's logic: what a person would see and do is recorded and answered here. */
export interface FakeState {
  trusted: boolean;
  activeDocument: FakeDocument | undefined;
  breakpoints: unknown[];
  messages: string[];
  started: { config: Record<string, unknown>; options: unknown }[];
  /** Chooses a row of a quick pick by its label, or presses Escape. */
  choose: (labels: readonly string[]) => string | undefined;
  shownLabels: string[][];
  /** Files by path; their bytes. */
  files: Map<string, Uint8Array>;
  clipboard: string;
  /** Documents that were brought into an editor, and the line (from 0). */
  shown: { readonly path: string; readonly line: number | undefined }[];
}

export interface FakeDocument {
  readonly uri: FakeUri;
  readonly languageId: string;
  readonly isUntitled: boolean;
}

export class FakeUri {
  readonly scheme = 'file';
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  get fsPath(): string {
    return this.path;
  }
  toString(): string {
    return `file://${this.path}`;
  }
  static from({ path }: { path: string }): FakeUri {
    return new FakeUri(path);
  }
  static file(path: string): FakeUri {
    return new FakeUri(path);
  }
  static joinPath(base: FakeUri, ...parts: string[]): FakeUri {
    return new FakeUri([base.path, ...parts].join('/'));
  }
}

export class FakeSourceBreakpoint {
  readonly enabled: boolean;
  readonly location: FakeLocation;
  /** @param place a path, or what VS Code's own constructor takes. */
  constructor(place: string | FakeLocation, enabled = true, line = 0) {
    this.enabled = enabled;
    this.location =
      typeof place === 'string' ? new FakeLocation(FakeUri.file(place), { line, character: 0 }) : place;
  }
}

export class FakeLocation {
  readonly uri: FakeUri;
  readonly range: { readonly start: { readonly line: number } };
  constructor(uri: FakeUri, start: { line: number; character: number }) {
    this.uri = uri;
    this.range = { start };
  }
}

export const state: FakeState = {
  trusted: true,
  activeDocument: undefined,
  breakpoints: [],
  messages: [],
  started: [],
  choose: () => undefined,
  shownLabels: [],
  files: new Map(),
  clipboard: '',
  shown: [],
};

/** Forgets what the last test did. */
export function resetFake(): void {
  Object.assign(state, {
    trusted: true,
    activeDocument: undefined,
    breakpoints: [],
    messages: [],
    started: [],
    choose: () => undefined,
    shownLabels: [],
    files: new Map(),
    clipboard: '',
    shown: [],
  });
  panels.length = 0;
}

type Listener<T> = (value: T) => unknown;

/** As `vscode.EventEmitter`, and what the fakes of events are made of. */
export class FakeEmitter<T> {
  readonly #listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>) => {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

export class FakeStackFrame {
  readonly session: unknown;
  readonly frameId: number;
  constructor(session: unknown, frameId: number) {
    this.session = session;
    this.frameId = frameId;
  }
}

interface Tracker {
  onWillStartSession(): void;
  onWillReceiveMessage(message: object): void;
  onDidSendMessage(message: object): void;
}

/** The debugger as the client sees it. */
export const debugging = {
  stackItem: new FakeEmitter<unknown>(),
  activeSession: new FakeEmitter<unknown>(),
  terminated: new FakeEmitter<unknown>(),
  activeStackItem: undefined as unknown,
  activeDebugSession: undefined as { type: string; configuration: Record<string, unknown> } | undefined,
  factory: undefined as { createDebugAdapterTracker(session: unknown): Tracker } | undefined,
};

/** A webview in an editor. */
export interface FakePanel {
  visible: boolean;
  readonly webview: { options: object; html: string };
  readonly fromPage: FakeEmitter<unknown>;
  readonly viewState: FakeEmitter<void>;
  /** What the page was sent. */
  readonly posted: unknown[];
}

/** The webview panels that were made. */
export const panels: FakePanel[] = [];

/** As `window.createWebviewPanel`, and as VS Code does when it brings one back. */
export function createWebviewPanel(): FakePanel {
  const fromPage = new FakeEmitter<unknown>();
  const viewState = new FakeEmitter<void>();
  const disposed = new FakeEmitter<void>();
  const posted: unknown[] = [];
  const panel = {
    ...{ visible: true, fromPage, viewState, posted, iconPath: undefined },
    webview: {
      ...{ options: {}, html: '', cspSource: 'https://csp' },
      asWebviewUri: (uri: FakeUri) => `webview:${uri.path}`,
      onDidReceiveMessage: fromPage.event,
      postMessage: async (message: unknown) => posted.push(message),
    },
    onDidChangeViewState: viewState.event,
    onDidDispose: disposed.event,
    reveal: () => undefined,
    dispose: () => disposed.fire(),
  };
  panels.push(panel);
  return panel;
}

const breakpointsChanged = new FakeEmitter<void>();

interface Row {
  readonly label: string;
  readonly kind?: number;
}

const message = vi.fn(async (text: string) => {
  state.messages.push(text);
  return undefined;
});

/** A list that is answered as soon as its rows are there. */
function createQuickPick() {
  const on = { accept: [] as (() => void)[], hide: [] as (() => void)[] };
  let rows: readonly Row[] = [];
  const pick = {
    selectedItems: [] as Row[],
    get items() {
      return rows;
    },
    set items(items: readonly Row[]) {
      rows = items;
      const labels = rows.map(({ label }) => label);
      state.shownLabels.push(labels);
      const chosen = state.choose(labels);
      queueMicrotask(() => {
        if (chosen === undefined) return pick.hide();
        pick.selectedItems = rows.filter(({ label }) => label === chosen);
        for (const listener of on.accept) listener();
      });
    },
    onDidAccept: (listener: () => void) => void on.accept.push(listener),
    onDidHide: (listener: () => void) => void on.hide.push(listener),
    show: () => undefined,
    hide: () => {
      for (const listener of on.hide) listener();
    },
    dispose: () => undefined,
  };
  return pick;
}

/** An editor in sight, which keeps what is drawn on it. */
export class FakeEditor {
  readonly document: {
    readonly uri: { readonly scheme: string; readonly fsPath: string };
    getText(): string;
  };
  /** Lines that each decoration lies on, by the decoration's number. */
  readonly marks = new Map<number, number[]>();
  readonly revealed: number[] = [];
  selection = { active: { line: 0 } };
  selections: { start: { line: number }; end: { line: number } }[] = [];
  constructor(scheme: string, path: string, getText: () => string) {
    this.document = { uri: { scheme, fsPath: path }, getText };
  }
  /** Puts the cursor into a line. */
  select(line: number): void {
    this.selections = [{ start: { line }, end: { line } }];
    editing.selection.fire({ textEditor: this });
  }
  setDecorations({ id }: { id: number }, ranges: readonly FakeRange[]): void {
    this.marks.set(
      id,
      ranges.map(({ start }) => start.line),
    );
  }
  revealRange({ start }: FakeRange): void {
    this.revealed.push(start.line);
  }
}

export class FakeRange {
  readonly start: { line: number; character: number };
  readonly end: { line: number; character: number };
  constructor(line: number, character: number, endLine: number, endCharacter: number) {
    this.start = { line, character };
    this.end = { line: endLine, character: endCharacter };
  }
}

/** The editors as the client sees them. */
export const editing = {
  visible: [] as FakeEditor[],
  active: undefined as FakeEditor | undefined,
  visibleChanged: new FakeEmitter<void>(),
  activeChanged: new FakeEmitter<unknown>(),
  selection: new FakeEmitter<{ textEditor: FakeEditor }>(),
  documentChanged: new FakeEmitter<{ document: FakeEditor['document'] }>(),
  decorations: 0,
};

const nothing = () => ({ dispose: () => undefined });

/** What `vi.mock('vscode')` returns. */
export const fakeVscode = {
  Uri: FakeUri,
  SourceBreakpoint: FakeSourceBreakpoint,
  Location: FakeLocation,
  Position: class {
    readonly line: number;
    readonly character: number;
    constructor(line: number, character: number) {
      this.line = line;
      this.character = character;
    }
  },
  ViewColumn: { One: 1, Beside: -2 },
  ProgressLocation: { Window: 10 },
  env: {
    clipboard: {
      writeText: async (text: string) => {
        state.clipboard = text;
      },
    },
  },
  QuickPickItemKind: { Separator: -1, Default: 0 },
  FileType: { File: 1, Directory: 2 },
  EventEmitter: FakeEmitter,
  DebugStackFrame: FakeStackFrame,
  Range: FakeRange,
  ThemeColor: class {},
  OverviewRulerLane: { Center: 2 },
  TextEditorRevealType: { InCenterIfOutsideViewport: 2 },
  languages: { registerHoverProvider: nothing },
  workspace: {
    registerTextDocumentContentProvider: nothing,
    onDidChangeTextDocument: editing.documentChanged.event,
    textDocuments: [],
    get isTrusted() {
      return state.trusted;
    },
    openTextDocument: async (uri: FakeUri) => ({
      ...{ uri, languageId: 'bpf', isUntitled: false },
      getText: () => `text of ${uri.path}`,
    }),
    getWorkspaceFolder: () => undefined,
    asRelativePath: (uri: FakeUri) => uri.path.replace(/^\/work\//, ''),
    findFiles: async () =>
      [...state.files.keys()].filter((path) => /\.pcap(ng)?$/.test(path)).map(FakeUri.file),
    fs: {
      readDirectory: async (folder: FakeUri) =>
        [...state.files.keys()]
          .filter((path) => path.slice(0, path.lastIndexOf('/')) === folder.path)
          .map((path) => [path.slice(path.lastIndexOf('/') + 1), 1] as const),
      stat: async (uri: FakeUri) => ({ size: state.files.get(uri.path)?.length ?? 0 }),
      readFile: async (uri: FakeUri) => state.files.get(uri.path) ?? new Uint8Array(),
    },
  },
  window: {
    createTextEditorDecorationType: () => ({ id: ++editing.decorations, dispose: () => undefined }),
    onDidChangeVisibleTextEditors: editing.visibleChanged.event,
    onDidChangeActiveTextEditor: editing.activeChanged.event,
    onDidChangeTextEditorSelection: editing.selection.event,
    get activeTextEditor() {
      return editing.active ?? (state.activeDocument && { document: state.activeDocument });
    },
    get visibleTextEditors() {
      if (editing.visible.length > 0) return editing.visible;
      return state.activeDocument
        ? [{ document: state.activeDocument, selection: { active: { line: 20 } } }]
        : [];
    },
    createQuickPick,
    createWebviewPanel,
    registerWebviewPanelSerializer: nothing,
    showTextDocument: async (uri: FakeUri, { selection }: { selection?: FakeRange } = {}) => {
      state.shown.push({ path: uri.path, line: selection?.start.line });
    },
    withProgress: (_options: unknown, work: (progress: unknown, token: object) => unknown) =>
      work({}, { isCancellationRequested: false }),
    showQuickPick: async (rows: readonly Row[]) => {
      const labels = rows.map(({ label }) => label);
      state.shownLabels.push(labels);
      const chosen = state.choose(labels);
      return chosen === undefined ? undefined : rows.filter(({ label }) => label === chosen);
    },
    showInputBox: async () => state.choose(['<hex>']),
    showInformationMessage: message,
    showWarningMessage: message,
    showErrorMessage: message,
  },
  debug: {
    onDidChangeActiveStackItem: debugging.stackItem.event,
    onDidChangeActiveDebugSession: debugging.activeSession.event,
    onDidTerminateDebugSession: debugging.terminated.event,
    get activeDebugSession() {
      return debugging.activeDebugSession;
    },
    get activeStackItem() {
      return debugging.activeStackItem;
    },
    registerDebugAdapterTrackerFactory: (_type: string, factory: typeof debugging.factory) => {
      debugging.factory = factory;
      return { dispose: () => undefined };
    },
    get breakpoints() {
      return state.breakpoints;
    },
    onDidChangeBreakpoints: breakpointsChanged.event,
    addBreakpoints: (added: readonly unknown[]) => {
      state.breakpoints = [...state.breakpoints, ...added];
      breakpointsChanged.fire();
    },
    removeBreakpoints: (removed: readonly unknown[]) => {
      state.breakpoints = state.breakpoints.filter((each) => !removed.includes(each));
      breakpointsChanged.fire();
    },
    startDebugging: async (_folder: unknown, config: Record<string, unknown>, options: unknown) => {
      state.started.push({ config, options });
      return true;
    },
  },
  commands: { executeCommand: async () => undefined },
};
