import { type KernelHost, openKernel, ownHost } from '#core/platform/node/kernel/bridge.ts';
import type { Arguments } from './command.ts';
import { UsageError } from './failure.ts';
import type { Io } from './io.ts';
import { stylesFor } from './io.ts';
import { runChecks, withKernelPrograms } from './kernel-compare.ts';
import type { Check } from './kernel-compare-code.ts';
import { around } from './kernel-compare-report.ts';
import { kernelInput } from './kernel-input.ts';
import { engineChoice } from './run-options.ts';

/** Options of `run` that BPF_PROG_TEST_RUN has no counterpart of. */
const NOT_WITH_KERNEL = ['freplace', 'tracepoint', 'cpu', 'seed', 'max-insns', 'repeat'] as const;

/**
 * `run FILE --lockstep kernel`: each packet in the running kernel and on an engine. The kernel shows nothing of a run
 * but what it leaves behind, so that is what is compared. Resolves to 1 when it differs or the kernel refuses the
 * program; throws `UsageError` where the kernel cannot be asked.
 */
export async function lockstepWithKernel(
  path: string,
  args: Arguments,
  io: Io,
  host: KernelHost = ownHost(),
): Promise<number> {
  for (const name of NOT_WITH_KERNEL) {
    if (args.has(name)) throw new UsageError(`--${name}: not with --lockstep kernel`);
  }
  if (args.text('attach') === 'packet') {
    throw new UsageError('--attach packet: the kernel runs programs as with --attach test_run');
  }
  const { engine, message } = engineChoice(args);
  if (message !== undefined) io.err(`bpf-workbench: ${message}`);
  const json = args.flag('json');
  const input = await kernelInput(path, args, io);
  if (input.kind === 'classic') {
    throw new UsageError('--lockstep kernel: a classic filter is compared by kernel compare FILE');
  }
  const opened = openKernel(host);
  if (!opened.ok) throw new UsageError(opened.message);
  const { kernel } = opened;
  const blind = args.flag('blind');
  try {
    return await withKernelPrograms(kernel, input, json, io, async (loaded, cpu) => {
      const checks = runChecks(kernel, loaded, input, cpu, [{ name: engine.name, engine, blind }]);
      const equal = checks.every((each) => each.equal !== false);
      const { attr, progType, inputs } = input;
      const head = {
        prog: attr.name,
        type: progType,
        engines: [engine.name, 'kernel'],
        kernel: kernel.release,
      };
      const packets = inputs.packets.length;
      const end = { ...head, compared: 'end', equal, packets, checks };
      await io.out(json ? `${JSON.stringify(end)}\n` : endText(end, io));
      return equal ? 0 : 1;
    });
  } finally {
    kernel.dispose();
  }
}

function endText(
  all: {
    readonly prog: string;
    readonly type: string;
    readonly engines: readonly string[];
    readonly kernel: string;
    readonly equal: boolean;
    readonly packets: number;
    readonly checks: readonly Check[];
  },
  io: Io,
): string {
  const styles = stylesFor(io);
  const lines = [`${styles.bold(all.prog)}  ${all.type}, ${all.engines[0]} and Linux ${all.kernel}`];
  const whats = [...new Set(all.checks.map(({ what }) => what))].join(', ');
  const packets = `${all.packets} packet${all.packets === 1 ? '' : 's'}`;
  const only = `compared at the end of each run, as the kernel shows nothing before: ${whats}`;
  if (all.equal) lines.push(`${styles.green('equal')} after ${packets}`, only);
  else {
    for (const { equal, what, packet, kernel, here, note } of all.checks) {
      if (equal !== false) continue;
      const [theirs, ours] = around(kernel, here);
      const why = note === '' ? '' : `: ${note}`;
      lines.push(`${styles.red('different')} after packet ${packet}, ${what}${why}`);
      lines.push(`    kernel  ${theirs}`, `    ${(all.engines[0] ?? '').padEnd(6)}  ${ours}`);
    }
    lines.push(only, `run FILE --lockstep ENGINE finds the instruction where two engines here differ`);
  }
  return `${lines.join('\n')}\n`;
}
