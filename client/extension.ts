import * as vscode from 'vscode';
import { copyFromView } from './commands/copy.ts';
import { newProgram } from './commands/new-program.ts';
import { openExample, showOpenedExample } from './commands/open-example.ts';
import { switchEngine } from './commands/switch-engine.ts';
import {
  createConfigurationProvider,
  createDynamicConfigurations,
  startProgram,
} from './debug/configuration.ts';
import { classicExpressions, evaluatableExpressions } from './debug/evaluatable.ts';
import { openViewsAtFirstStop } from './debug/first-stop.ts';
import { watchSessions } from './debug/session-watch.ts';
import { JitPanel } from './jit/panel.ts';
import { createLanguageService } from './language-service.ts';
import { offerToSwitch, switchActiveFile } from './plain-assembly.ts';
import { ProgramPane } from './program-text/pane.ts';
import { registerViews } from './views/register-views.ts';

/** Called by VS Code when one of the activation events of `package.json` happens. */
export function activate(context: vscode.ExtensionContext): void {
  const language = createLanguageService(context);
  const watch = watchSessions();
  const views = registerViews(context, watch);
  const media = vscode.Uri.joinPath(context.extensionUri, 'media');
  const pane = new ProgramPane(media, watch, (visible) => views.showAx(visible));
  const jit = new JitPanel(context.extensionUri, watch);
  void showOpenedExample(context.globalState);
  const memory = context.workspaceState;
  const { registerCommand } = vscode.commands;
  const { registerDebugConfigurationProvider } = vscode.debug;
  const { DebugConfigurationProviderTriggerKind: Trigger } = vscode;

  context.subscriptions.push(
    watch,
    pane,
    jit,
    openViewsAtFirstStop(watch, views),
    offerToSwitch(context.globalState),
    vscode.languages.registerEvaluatableExpressionProvider({ language: 'bpf' }, evaluatableExpressions),
    vscode.languages.registerEvaluatableExpressionProvider({ language: 'bpf-classic' }, classicExpressions),
    vscode.languages.registerColorProvider({ language: 'bpf-classic' }, noColors),

    registerDebugConfigurationProvider('bpf', createConfigurationProvider(language, memory)),
    registerDebugConfigurationProvider('bpf', createDynamicConfigurations(language), Trigger.Dynamic),

    registerCommand('bpf.run', (file?: unknown, prog?: unknown) =>
      startProgram(language, memory, uriOf(file), { prog: textOf(prog), noDebug: true }),
    ),
    registerCommand('bpf.debug', (file?: unknown, prog?: unknown) =>
      startProgram(language, memory, uriOf(file), { prog: textOf(prog), noDebug: false }),
    ),
    registerCommand('bpf.debugConverted', (file?: unknown) =>
      startProgram(language, memory, uriOf(file), {
        prog: undefined,
        noDebug: false,
        more: { view: 'ebpf' },
      }),
    ),
    registerCommand('bpf.openExample', () => openExample(context)),
    registerCommand('bpf.newProgram', () => newProgram()),
    registerCommand('bpf.useForThisFile', () => switchActiveFile()),
    registerCommand('bpf.restartServer', () => language.restart()),
    registerCommand('bpf.showRewritten', () => pane.show()),
    registerCommand('bpf.switchEngine', () => switchEngine()),
    registerCommand('bpf.showJit', () => jit.show()),
    registerCommand('bpf.jit.copy', () => jit.copySelection()),
    registerCommand('bpf.jit.copyListing', () => jit.copyListing()),
    registerCommand('bpf.copyValue', (target: unknown) => copyFromView(target, 'bpfValue')),
    registerCommand('bpf.copyMeaning', (target: unknown) => copyFromView(target, 'bpfMeaning')),
    registerCommand('bpf.copyRow', (target: unknown) => copyFromView(target, 'bpfRow')),
  );
}

/**
 * `#262144` is a number, not a dark blue. A provider without colours instead of the setting `editor.colorDecorators`:
 * that one comes too late where the editor was restored or the language recognised in a text that was pasted.
 */
const noColors: vscode.DocumentColorProvider = {
  provideDocumentColors: () => [],
  provideColorPresentations: () => [],
};

/** A code lens hands over text, the editor's title a URI, the palette nothing. */
function uriOf(file: unknown): vscode.Uri | undefined {
  if (file instanceof vscode.Uri) return file;
  return typeof file === 'string' ? vscode.Uri.parse(file) : undefined;
}

/** The editor's title hands over further arguments that are no names. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
