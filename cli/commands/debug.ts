import { nodeHash } from '#core/platform/node/hash.ts';
import { TargetClient } from '#core/session/client.ts';
import { inlineTargetHost } from '#core/session/inline-target.ts';
import type { Command } from '../command.ts';
import { notSupported, UsageError } from '../failure.ts';
import { ATTACH_OPTION, MACHINE_OPTIONS, PROGRAM_OPTIONS } from '../run-options.ts';
import { sessionArgs } from '../session-args.ts';
import { Stepper } from '../stepper.ts';

/** `bpf-workbench debug` */
export const debugCommand: Command = {
  spec: {
    name: 'debug',
    usage: ['FILE [options]'],
    summary: 'Step through a program in the terminal.',
    options: {
      ...PROGRAM_OPTIONS,
      type: { value: 'TYPE', text: `${PROGRAM_OPTIONS.type.text}; seccomp for classic BPF` },
      view: { value: 'VIEW', text: 'classic BPF in its own text (classic, the default) or as ebpf' },
      ...MACHINE_OPTIONS,
      'max-insns': { value: 'N', text: 'stop after N instructions; no limit if not told' },
      attach: ATTACH_OPTION,
    },
    notes: ['Commands are read from stdin, a line each; help lists them. Ctrl+C pauses a running program.'],
  },
  async run(args, io) {
    const [path, ...others] = args.positionals;
    if (path === undefined || others.length > 0) throw new UsageError('debug: give one FILE');
    if (path === '-') throw notSupported('debug -: stdin is where the commands come from; give a file');
    const load = await sessionArgs(path, args, io);
    const client = await TargetClient.start(
      inlineTargetHost({
        hash: nodeHash,
        yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
        now: () => performance.now(),
      }),
    );
    try {
      const loaded = await client.request('load', load);
      if (!loaded.ok) {
        if (loaded.problem.kind !== 'refused') throw new UsageError(loaded.problem.message);
        io.err(`bpf-workbench: ${loaded.problem.message}`);
        return 1;
      }
      for (const message of loaded.messages) io.err(message);
      if (!loaded.hasLineInfo) {
        const instead = 'breakpoints stand on functions, and steps (n, s) go by instruction';
        io.err(`${path} has no line info: no breakpoint can stand on a line; ${instead}`);
      }
      const { generated } = loaded;
      const text = generated?.text ?? new TextDecoder().decode(load.source);
      return await new Stepper(client, io, text).run();
    } finally {
      await client.terminate();
    }
  },
};
