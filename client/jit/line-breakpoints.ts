import * as vscode from 'vscode';
import type { JitFile } from '#core/protocol/jit.ts';
import type { JitLineBreakpoint } from '#core/protocol/jit-page.ts';
import { foldDrive } from '../program-text/layout.ts';
import { uriOfFile } from './sources.ts';

/** VS Code's breakpoints on lines of the files. */
export function lineBreakpoints(
  session: vscode.DebugSession,
  files: readonly JitFile[],
): readonly JitLineBreakpoint[] {
  const numbers = new Map(files.map((file, number) => [keyOf(uriOfFile(session, file)), number]));
  return sourceBreakpoints().flatMap(({ location, enabled }) => {
    const file = numbers.get(keyOf(location.uri));
    return file === undefined ? [] : [{ file, line: location.range.start.line + 1, enabled }];
  });
}

/** Sets a breakpoint on a line (from 1), or removes those that are there. */
export function setLineBreakpoint(
  session: vscode.DebugSession,
  file: JitFile,
  line: number,
  on: boolean,
): void {
  const uri = uriOfFile(session, file);
  const here = sourceBreakpoints().filter(
    ({ location }) => keyOf(location.uri) === keyOf(uri) && location.range.start.line === line - 1,
  );
  if (!on) vscode.debug.removeBreakpoints(here);
  else if (here.length === 0) {
    const location = new vscode.Location(uri, new vscode.Position(line - 1, 0));
    vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(location)]);
  }
}

function sourceBreakpoints(): vscode.SourceBreakpoint[] {
  return vscode.debug.breakpoints.filter((each) => each instanceof vscode.SourceBreakpoint);
}

function keyOf(uri: vscode.Uri): string {
  return uri.scheme === 'file' ? foldDrive(uri.fsPath) : uri.toString();
}
