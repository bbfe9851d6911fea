import {
  type KernelHost,
  openClassicFilters,
  openKernel,
  ownHost,
} from '#core/platform/node/kernel/bridge.ts';
import type { Arguments, Command, CommandSpec } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { kernelCompareClassic, kernelRunClassic } from '../kernel-classic.ts';
import { kernelCompare } from '../kernel-compare.ts';
import { printKernelInfo } from '../kernel-info.ts';
import { type ClassicInput, type KernelInput, kernelInput } from '../kernel-input.ts';
import { kernelRun } from '../kernel-run.ts';
import { PROGRAM_OPTIONS } from '../run-options.ts';

const SPEC: CommandSpec = {
  name: 'kernel',
  usage: ['info [--json]', 'run FILE [options]', 'compare FILE [options]'],
  summary: 'Ask the running kernel: what it can do, what it makes of a program, whether we agree.',
  options: {
    prog: PROGRAM_OPTIONS.prog,
    type: {
      value: 'TYPE',
      text: 'xdp, sched_cls, socket_filter or raw_tracepoint, where the file does not tell',
    },
    data: { value: 'HEX|@FILE', text: 'one packet, 14 bytes at least' },
    pcap: PROGRAM_OPTIONS.pcap,
    packet: PROGRAM_OPTIONS.packet,
    ctx: PROGRAM_OPTIONS.ctx,
    repeat: {
      value: 'N',
      text: 'run: each packet N times for the mean duration; the packet is not set back between them',
    },
    linum: { text: 'run: with the line info, by slot of the rewritten program and native address' },
    json: { text: 'one JSON object and nothing else' },
  },
  notes: [
    'Linux on a 64-bit x86 or arm processor, with koffi installed and CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON (root has them); kernel info tells what is missing.',
    'A program is loaded, run with BPF_PROG_TEST_RUN and unloaded; nothing is attached to a hook. A classic filter judges packets on a pair of sockets, which needs no rights.',
    'Exit code 1: info, the kernel cannot be asked; run, the program is refused; compare, it is refused or something differs.',
  ],
};

/** `bpf-workbench kernel` */
export const kernelCommand: Command = kernelCommandOn(ownHost());

/** The command on a machine of the caller's choice. */
export function kernelCommandOn(host: KernelHost): Command {
  return { spec: SPEC, run: (args, io) => runCommand(host, args, io) };
}

async function runCommand(host: KernelHost, args: Arguments, io: Io): Promise<number> {
  const [action, path, ...others] = args.positionals;
  if (action === 'info') {
    if (path !== undefined) throw new UsageError('kernel info takes no FILE');
    for (const name of Object.keys(SPEC.options)) {
      if (name !== 'json' && args.has(name)) throw new UsageError(`--${name}: not for kernel info`);
    }
    return printKernelInfo(host, args.flag('json'), io);
  }
  if (action !== 'run' && action !== 'compare') {
    throw new UsageError('kernel: say info, run FILE or compare FILE');
  }
  if (path === undefined || others.length > 0) {
    throw new UsageError(`kernel ${action}: give one FILE (- is stdin)`);
  }
  for (const name of ['repeat', 'linum']) {
    if (action === 'compare' && args.has(name)) throw new UsageError(`--${name}: for kernel run only`);
  }
  const repeat = args.integer('repeat', 1, 100_000_000) ?? 1;
  const json = args.flag('json');
  const input = await kernelInput(path, args, io);
  if (input.kind === 'classic') return runClassic(host, action, input, json, io);
  const opened = openKernel(host);
  if (!opened.ok) throw new UsageError(opened.message);
  const { kernel } = opened;
  try {
    tell(input, io);
    if (action === 'compare') return await kernelCompare(kernel, input, json, io);
    return await kernelRun(kernel, input, { repeat, json, linum: args.flag('linum') }, io);
  } finally {
    kernel.dispose();
  }
}

/** Classic filters need no rights, only sockets. */
async function runClassic(
  host: KernelHost,
  action: 'run' | 'compare',
  input: ClassicInput,
  json: boolean,
  io: Io,
): Promise<number> {
  const opened = openClassicFilters(host);
  if (!opened.ok) throw new UsageError(opened.message);
  try {
    tell(input, io);
    return await (action === 'run' ? kernelRunClassic : kernelCompareClassic)(
      opened.sockets,
      input,
      json,
      io,
    );
  } finally {
    opened.sockets.dispose();
  }
}

function tell({ inputs }: KernelInput, io: Io): void {
  for (const message of inputs.messages) io.err(`bpf-workbench: ${message}`);
}
