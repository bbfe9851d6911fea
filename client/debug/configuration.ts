import * as vscode from 'vscode';
import type { ProgramSummary } from '#core/protocol/language.ts';
import { isBpfDocument } from '../bpf-document.ts';
import type { LanguageService } from '../language-service.ts';
import { inputArguments, readChoice } from './packet-choice.ts';
import { pickPackets } from './packet-picker.ts';
import { type ProgramOfPerson, programOfPerson, rememberStarted } from './program-of-person.ts';

/** Types whose programs are given packets. */
const PACKET_TYPES = ['xdp', 'socket_filter', 'sched_cls'];

/** VS Code's variable for the active editor's file. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is VS Code that replaces it
const ACTIVE_FILE = '${file}';

/**
 * Completes launch configurations. With no launch.json it makes one up for the active editor's program; a
 * configuration for the active editor's file gets what it leaves open in the same way. A packet is asked for here
 * and not in the adapter, so that VS Code's Restart, which reuses what was resolved, does not ask again.
 */
export function createConfigurationProvider(
  language: LanguageService,
  memory: vscode.Memento,
): vscode.DebugConfigurationProvider {
  return {
    async resolveDebugConfiguration(_folder, config) {
      if (!isAllowed()) return undefined;
      if (config.type && config.program !== ACTIVE_FILE) return config;
      const active = await activeProgram(memory);
      if (!active) return undefined;
      const { document } = active;
      const program = await chosenProgram(language, active);
      const made = configurationFor(document.uri, program);
      if (!config.type) return { ...config, ...made };
      const { packet: _ofType, ...found } = made;
      const { packet, ...said } = config;
      const asked = packet === undefined || (packet === 'ask' && !isGivenBytes(program)) ? {} : { packet };
      return { ...found, ...said, ...asked, program: made.program } as vscode.DebugConfiguration;
    },

    async resolveDebugConfigurationWithSubstitutedVariables(folder, config, token) {
      if (typeof config.program !== 'string' || config.program === '') {
        void vscode.window.showErrorMessage(
          'The launch configuration has no "program": the path of the BPF assembly file to debug.',
        );
        return undefined;
      }
      const program = vscode.Uri.file(absolutePath(config.program, folder));
      const input = await resolveInput(config, program);
      if (input === undefined || token?.isCancellationRequested) return undefined;
      const { packet: _asked, ...rest } = config;
      await rememberStarted(memory, { program: program.fsPath, prog: config.prog });
      return {
        internalConsoleOptions: 'openOnSessionStart',
        ...(config.packet === 'ask' ? rest : config),
        ...input,
        program: program.fsPath,
        stopOnEntry: config.noDebug !== true && (config.stopOnEntry ?? !hasBreakpoint(program)),
      } as vscode.DebugConfiguration;
    },
  };

  /** Launch arguments to add, `{}` where nothing was to ask, undefined when the person pressed Escape. */
  async function resolveInput(
    config: vscode.DebugConfiguration,
    program: vscode.Uri,
  ): Promise<object | undefined> {
    if (config.packet !== 'ask') return {};
    const key = `packet:${program.toString()}`;
    const last = readChoice(memory.get(key));
    const choice = await pickPackets(language, { program, last });
    if (choice === undefined) return undefined;
    await memory.update(key, choice);
    return inputArguments(choice, await language.builtins()) ?? {};
  }
}

/** Offers a configuration for each program of the active editor, in the debug view's list of configurations. */
export function createDynamicConfigurations(language: LanguageService): vscode.DebugConfigurationProvider {
  return {
    async provideDebugConfigurations() {
      const document = vscode.window.activeTextEditor?.document;
      if (!isBpfDocument(document) || document.isUntitled) return [];
      const programs = await language.programs(document.uri);
      return (programs.length > 0 ? programs : [undefined]).map((program) =>
        configurationFor(document.uri, program),
      );
    },
  };
}

/** What a lens, a button or a command starts. */
export interface StartOptions {
  /** Name of the program; undefined or unknown: the one around the cursor. */
  readonly prog: string | undefined;
  readonly noDebug: boolean;
  /** Further launch attributes. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Runs or debugs one program of a file, as the code lenses and the editor's title do. */
export async function startProgram(
  language: LanguageService,
  memory: vscode.Memento,
  uri: vscode.Uri | undefined,
  options: StartOptions,
): Promise<void> {
  if (!isAllowed()) return;
  const document = uri && (await saved(await vscode.workspace.openTextDocument(uri)));
  const active = uri ? document && { document } : await activeProgram(memory);
  if (!active) return;
  const { uri: file } = active.document;
  const { prog = active.prog } = options;
  const config = configurationFor(file, await chosenProgram(language, { ...active, prog }));
  const folder = vscode.workspace.getWorkspaceFolder(file);
  await vscode.debug.startDebugging(folder, { ...config, ...options.more }, { noDebug: options.noDebug });
}

/**
 * A program that gets packets is asked for one; a raw program gets empty memory, a tracepoint its arguments. An
 * extension runs in its place, in the first program of the file.
 */
function configurationFor(uri: vscode.Uri, program: ProgramSummary | undefined): vscode.DebugConfiguration {
  return {
    type: 'bpf',
    request: 'launch',
    name: program ? `BPF: ${program.name}` : 'BPF: Active Program',
    program: uri.fsPath,
    ...(program?.type === 'ext' ? { freplace: [program.name] } : {}),
    ...(program && program.type !== 'ext' ? { prog: program.name } : {}),
    ...(program && PACKET_TYPES.includes(program.type) ? { packet: 'ask' } : {}),
    // no text says so: the language server has looked at what the program does
    ...(program?.type === 'seccomp' ? { progType: 'seccomp' } : {}),
  };
}

/** Whether there is anything to choose: a packet, or the memory of a raw program. */
function isGivenBytes(program: ProgramSummary | undefined): boolean {
  return program === undefined || program.type === 'raw' || PACKET_TYPES.includes(program.type);
}

/** The program that is named, else the one around the cursor where its file has several, else the first. */
async function chosenProgram(
  language: LanguageService,
  { document, prog }: { readonly document: vscode.TextDocument; readonly prog?: string | undefined },
): Promise<ProgramSummary | undefined> {
  const programs = await language.programs(document.uri);
  const editor = vscode.window.visibleTextEditors.find((each) => each.document === document);
  const line = editor?.selection.active.line ?? 0;
  return (
    programs.find((program) => program.name === prog) ??
    programs.findLast((program) => program.line <= line) ??
    programs[0]
  );
}

/** The person's BPF document, saved; undefined (and a word to the person) when there is none. */
async function activeProgram(memory: vscode.Memento): Promise<ProgramOfPerson | undefined> {
  const found = await programOfPerson(memory);
  if (!isBpfDocument(found?.document)) {
    void vscode.window.showInformationMessage(
      'Open a BPF assembly file (.bpf.s) or a classic BPF filter (.cbpf) to debug it, or try “BPF: Open Example…”.',
    );
    return undefined;
  }
  const document = await saved(found.document);
  return document && { ...found, document };
}

/** The adapter reads files: an untitled document needs a name first. */
async function saved(document: vscode.TextDocument): Promise<vscode.TextDocument | undefined> {
  if (!document.isUntitled) return document;
  const uri = await vscode.workspace.save(document.uri);
  return uri && vscode.workspace.openTextDocument(uri);
}

/** A launch configuration may name any file: not in Restricted Mode, and then with a word why. */
function isAllowed(): boolean {
  if (!vscode.workspace.isTrusted) void explainRestrictedMode();
  return vscode.workspace.isTrusted;
}

async function explainRestrictedMode(): Promise<void> {
  const manage = 'Manage Workspace Trust';
  const answer = await vscode.window.showWarningMessage(
    'BPF programs are not run in Restricted Mode: a launch configuration may name any file. Highlighting, checks and hovers work.',
    manage,
  );
  if (answer === manage) await vscode.commands.executeCommand('workbench.trust.manage');
}

function hasBreakpoint(program: vscode.Uri): boolean {
  return vscode.debug.breakpoints.some(
    (each) =>
      each.enabled &&
      each instanceof vscode.SourceBreakpoint &&
      isSamePath(each.location.uri.fsPath, program.fsPath),
  );
}

/** Windows writes drive letters in either case. */
function isSamePath(a: string, b: string): boolean {
  const folded = (path: string) => path.replace(/^[A-Za-z]:/, (drive) => drive.toLowerCase());
  return folded(a) === folded(b);
}

function absolutePath(path: string, folder: vscode.WorkspaceFolder | undefined): string {
  const isAbsolute = /^([/\\]|[A-Za-z]:[/\\])/.test(path);
  return isAbsolute || !folder ? path : vscode.Uri.joinPath(folder.uri, path).fsPath;
}
