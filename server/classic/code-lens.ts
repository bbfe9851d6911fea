import type { CodeLens } from 'vscode-languageserver';
import { rangeOf } from '../line-index.ts';
import type { ClassicSnapshot } from './documents.ts';

/** The commands that a lens of a classic program can carry, and their titles. */
export const CLASSIC_LENS_COMMANDS = [
  { command: 'bpf.run', title: 'Run' },
  { command: 'bpf.debug', title: 'Debug' },
  { command: 'bpf.debugConverted', title: 'Debug as eBPF' },
] as const;

/**
 * `textDocument/codeLens` of classic BPF: above the first instruction, for those commands that the client has.
 * None where the program has errors.
 */
export function classicLenses(snapshot: ClassicSnapshot, commands: readonly string[]): CodeLens[] {
  const { value, object } = snapshot.source();
  const [first] = value.insns;
  const [program] = object?.programs ?? [];
  if (first === undefined || program === undefined) return [];
  const range = rangeOf(snapshot.index, first.range);
  return CLASSIC_LENS_COMMANDS.filter(({ command }) => commands.includes(command)).map(
    ({ command, title }) => ({
      range,
      command: { title, command, arguments: [snapshot.uri, program.name] },
    }),
  );
}
