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
  readonly location: { uri: FakeUri };
  constructor(path: string, enabled = true) {
    this.enabled = enabled;
    this.location = { uri: FakeUri.file(path) };
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
  });
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

/** What a tab of a text editor shows. */
export class FakeTabInput {
  readonly uri: { readonly scheme: string; readonly path: string; toString(): string };
  constructor(path: string) {
    this.uri = { scheme: 'bpf-program', path, toString: () => `file://${path}` };
  }
}

/** A tab of the pane. */
interface FakeTab {
  readonly input: FakeTabInput;
  readonly group: { readonly viewColumn: number };
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
  tabs: [] as FakeTab[],
};

const nothing = () => ({ dispose: () => undefined });

/** What `vi.mock('vscode')` returns. */
export const fakeVscode = {
  Uri: FakeUri,
  SourceBreakpoint: FakeSourceBreakpoint,
  QuickPickItemKind: { Separator: -1, Default: 0 },
  FileType: { File: 1, Directory: 2 },
  EventEmitter: FakeEmitter,
  DebugStackFrame: FakeStackFrame,
  Range: FakeRange,
  ThemeColor: class {},
  OverviewRulerLane: { Center: 2 },
  TextEditorRevealType: { InCenterIfOutsideViewport: 2 },
  TabInputText: FakeTabInput,
  ViewColumn: { Beside: -2 },
  languages: {
    registerHoverProvider: nothing,
    setTextDocumentLanguage: async (document: object) => document,
  },
  workspace: {
    registerTextDocumentContentProvider: nothing,
    onDidChangeTextDocument: editing.documentChanged.event,
    textDocuments: [],
    get isTrusted() {
      return state.trusted;
    },
    openTextDocument: async (uri: FakeUri) => ({ uri, languageId: 'bpf', isUntitled: false }),
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
    tabGroups: {
      get all() {
        return [{ tabs: editing.tabs }];
      },
      close: async (closed: readonly FakeTab[]) => {
        editing.tabs = editing.tabs.filter((tab) => !closed.includes(tab));
      },
    },
    showTextDocument: async ({ uri }: { uri: FakeUri }, { viewColumn }: { viewColumn: number }) => {
      if (editing.tabs.some(({ input }) => input.uri.path === uri.path)) return;
      editing.tabs.push({ input: new FakeTabInput(uri.path), group: { viewColumn } });
    },
    createQuickPick,
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
    startDebugging: async (_folder: unknown, config: Record<string, unknown>, options: unknown) => {
      state.started.push({ config, options });
      return true;
    },
  },
  commands: { executeCommand: async () => undefined },
};
