import { decodeInsn } from '#core/isa/decode.ts';
import { printInsn } from '#core/isa/print.ts';
import { lint } from '#core/lint/lint.ts';
import type { Diagnostic, Severity } from '#core/object/object.ts';
import { type Place, placesIn } from '#core/object/text-place.ts';
import { checkProgram } from '#core/prog/check.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { type Io, type Styles, stylesFor } from '../io.ts';
import { readSeccomp, readSource, type Source } from '../source.ts';

/** One finding as `check --json` prints it. `line`, `column` from 1; `end…` one past the last character. */
interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
}

/** `bpf-workbench check` */
export const checkCommand: Command = {
  spec: {
    name: 'check',
    usage: ['FILE… [--json] [--type seccomp]'],
    summary: "The language server's diagnostics, for CI.",
    options: {
      json: { text: 'one JSON object: {"diagnostics": […], "errors": n, "warnings": n}' },
      type: { value: 'TYPE', text: 'seccomp: classic BPF as seccomp checks it' },
    },
    notes: ['Exit code 1 when there is an error; warnings alone are 0.'],
  },
  async run(args, io) {
    if (args.positionals.length === 0) throw new UsageError('check: give at least one FILE (- is stdin)');
    const isSeccomp = args.choice('type', ['seccomp']) !== undefined;
    const findings: Finding[] = [];
    // One by one: a damaged file has more findings than a call may have arguments.
    for (const path of args.positionals) {
      const source = await (isSeccomp ? readSeccomp(path, io) : readSource(path, io));
      for (const each of findingsOf(source)) findings.push(each);
    }
    const count = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
    const errors = count('error');
    const warnings = count('warning');
    if (args.flag('json')) {
      await io.out(`${JSON.stringify({ diagnostics: findings, errors, warnings })}\n`);
    } else await report(findings, args.positionals.length, io);
    return errors > 0 ? 1 : 0;
  },
};

function findingsOf(source: Source): Finding[] {
  if (source.kind === 'insns') return binaryFindings(source.name, source.insns);
  const placeOf = placesIn(source.text);
  const diagnostics = source.kind === 'cbpf' ? source.classic.diagnostics : lint(source.assembled);
  return [...diagnostics]
    .sort((a, b) => a.range.start - b.range.start)
    .map((each) => finding(source.name, placeOf, each));
}

function finding(file: string, placeOf: (offset: number) => Place, diagnostic: Diagnostic): Finding {
  const end = placeOf(diagnostic.range.end);
  return {
    file,
    ...placeOf(diagnostic.range.start),
    endLine: end.line,
    endColumn: end.column,
    severity: diagnostic.severity,
    code: diagnostic.code,
    message: diagnostic.message,
  };
}

/** Raw instructions have no lines: the slot's number, from 1, takes their place. */
function binaryFindings(file: string, insns: Uint8Array): Finding[] {
  const refusal = checkProgram(insns);
  if (refusal === undefined) return [];
  const slot = refusal.pc ?? 0;
  const text =
    refusal.pc === undefined || (slot + 1) * 8 > insns.length
      ? ''
      : `: ${printInsn(decodeInsn(insns, slot), 'pseudoc')}`;
  const message =
    refusal.pc === undefined ? refusal.message : `${refusal.message} (instruction ${slot}${text})`;
  const place = { line: slot + 1, column: 1, endLine: slot + 1, endColumn: 1 };
  return [{ file, ...place, severity: 'error', code: 'refused', message }];
}

async function report(findings: readonly Finding[], nFiles: number, io: Io): Promise<void> {
  const styles = stylesFor(io);
  const lines = findings.map(
    (each) =>
      `${styles.bold(`${each.file}:${each.line}:${each.column}:`)} ${severityText(each.severity, styles)}: ${each.message} ${styles.dim(`[${each.code}]`)}`,
  );
  const files = nFiles === 1 ? '1 file' : `${nFiles} files`;
  lines.push(findings.length === 0 ? `${files}: nothing to report` : `${files}: ${totals(findings)}`);
  await io.out(`${lines.join('\n')}\n`);
}

function severityText(severity: Severity, styles: Styles): string {
  if (severity === 'error') return styles.red(severity);
  return severity === 'warning' ? styles.yellow(severity) : styles.dim(severity);
}

function totals(findings: readonly Finding[]): string {
  const kinds: readonly Severity[] = ['error', 'warning', 'information', 'hint'];
  return kinds
    .map((kind) => [kind, findings.filter((each) => each.severity === kind).length] as const)
    .filter(([, n]) => n > 0)
    .map(([kind, n]) => `${n} ${kind}${n === 1 || kind === 'information' ? '' : 's'}`)
    .join(', ');
}
