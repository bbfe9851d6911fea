import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import { errnoName } from '#core/platform/node/kernel/errors.ts';
import type { RefusedPrograms } from '#core/platform/node/kernel/kernel-programs.ts';
import { type Io, stylesFor } from './io.ts';
import type { ProgramInput } from './kernel-input.ts';

/** Last lines of the verifier's log that people are shown. */
const LOG_LINES = 12;

/** `--json` of a program that the kernel refused. */
export function refusedKernelJson(
  kernel: KernelBridge,
  input: ProgramInput,
  refused: RefusedPrograms,
): object {
  const { errno, log } = refused.refusal;
  const message = lastWords(log) ?? kernel.refusalText(refused.refusal);
  return {
    prog: input.attr.name,
    type: input.attr.progType,
    kernel: kernel.release,
    refused: { prog: refused.name, errno: errnoName(errno), message, log },
    results: [],
  };
}

/** The end of the verifier's log, or what the errno means. */
export function refusedKernelText(
  kernel: KernelBridge,
  input: ProgramInput,
  { name, refusal }: RefusedPrograms,
  io: Io,
): string {
  const styles = stylesFor(io);
  const lines = refusal.log
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
  const shown = lines.slice(-LOG_LINES);
  const head = `${styles.bold(name)}  ${input.attr.progType}, Linux ${kernel.release}\n`;
  const what = lines.length > 0 ? errnoName(refusal.errno) : kernel.refusalText(refusal);
  const more =
    lines.length > shown.length ? [styles.dim(`    … ${lines.length - shown.length} lines before`)] : [];
  const log = [...more, ...shown.map((line) => `    ${line}`)].map((line) => `${line}\n`).join('');
  return `${head}${styles.red('refused')}: ${what}\n${log}`;
}

/** The log's last line that is no statistics: what the verifier objects to. */
function lastWords(log: string): string | undefined {
  const lines = log
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
  return lines.findLast((line) => !/^(processed \d+ insns|verification time|stack depth)/.test(line));
}
