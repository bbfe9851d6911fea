import type { CodeLens } from 'vscode-languageserver';
import type { Snapshot } from '../documents.ts';
import { rangeOf } from '../line-index.ts';

/** The two commands a lens can carry, and their titles. */
export const LENS_COMMANDS = [
  { command: 'bpf.run', title: 'Run' },
  { command: 'bpf.debug', title: 'Debug' },
] as const;

/** `textDocument/codeLens`: `Run` and `Debug` above each program, for those commands that the client has. */
export function codeLenses(snapshot: Snapshot, commands: readonly string[]): CodeLens[] {
  return snapshot.assembled().value.programs.flatMap((program) => {
    if (program.range === undefined) return [];
    const range = rangeOf(snapshot.index, program.range);
    return LENS_COMMANDS.filter(({ command }) => commands.includes(command)).map(({ command, title }) => ({
      range,
      command: { title, command, arguments: [snapshot.uri, program.name] },
    }));
  });
}
