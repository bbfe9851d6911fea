import { linkProgram } from '#core/object/link.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { unloadPrograms } from '#core/prog/extend.ts';
import { chooseEngine, compilerFor, ENGINE_NAMES } from '#core/session/engines.ts';
import { Machine } from '#core/vm/machine.ts';
import { DEFAULT_SETTINGS, kernelVersionText } from '#core/vm/settings.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { inspected, inspectText, type Traced } from '../inspect-report.ts';
import { kernelNamed } from '../kernel-option.ts';
import { extensionsNamed, loadPrograms, programsForArrays } from '../program-arrays.ts';
import { PROGRAM_OPTIONS, progTypeNamed } from '../run-options.ts';
import { refusedReport } from '../run-report.ts';
import { objectOf, readSeccomp, readSource } from '../source.ts';

/** `bpf-workbench inspect` */
export const inspectCommand: Command = {
  spec: {
    name: 'inspect',
    usage: ['FILE [options]'],
    summary: 'Show the program object that a program becomes when it is loaded.',
    options: {
      prog: PROGRAM_OPTIONS.prog,
      type: { value: 'TYPE', text: `${PROGRAM_OPTIONS.type.text}; seccomp for classic BPF` },
      freplace: PROGRAM_OPTIONS.freplace,
      kernel: {
        value: 'VERSION',
        text: `the kernel whose tag it is; ${kernelVersionText(DEFAULT_SETTINGS.kernel)} if not told`,
      },
      blind: { text: 'with constants blinded, as bpf_jit_harden does' },
      engine: {
        value: 'ENGINE',
        text: `loaded with the compiler of this engine: ${ENGINE_NAMES.join(', ')}; without one if not told`,
      },
      linum: { text: 'with each line record: instruction, native address, place' },
      trace: { text: 'with the calls of the life cycle functions, from loading to freeing' },
      json: { text: 'one JSON object and nothing else' },
    },
    notes: ['Exit code 1 when the program is refused.'],
  },
  async run(args, io) {
    const [path, ...others] = args.positionals;
    if (path === undefined || others.length > 0) throw new UsageError('inspect: give one FILE (- is stdin)');
    const isSeccomp = args.text('type') === 'seccomp';
    const progType = isSeccomp ? undefined : progTypeNamed(args.text('type'));
    const kernel = kernelNamed(args.text('kernel'), '--kernel');
    const source = await (isSeccomp ? readSeccomp(path, io) : readSource(path, io));
    const object = objectOf(source, progType);
    const linked = linkProgram(object, args.text('prog'), progType === undefined ? {} : { progType });
    const attr = linked.value;
    if (attr === undefined) {
      throw new UsageError(`${source.name}: ${linked.errors[0] ?? 'the file holds no program'}`);
    }
    const type = isSeccomp ? 'seccomp' : attr.progType;
    const bpfJitHarden = args.flag('blind') ? 2 : DEFAULT_SETTINGS.bpfJitHarden;
    const engine = chooseEngine(args.choice('engine', ENGINE_NAMES) ?? 'reference')?.engine;
    const machine = new Machine({ shared: false, hash: nodeHash, settings: { kernel, bpfJitHarden } });
    const loaded = loadPrograms(
      machine,
      attr,
      programsForArrays(object, attr),
      extensionsNamed(object, args.list('freplace')),
      engine && compilerFor(engine, machine),
    );
    const trace = (): Traced => (args.flag('trace') ? { trace: machine.lifeCycle.calls } : {});
    if (!loaded.ok) {
      const { pc, message } = loaded.refusal;
      const refused = { pc: pc ?? null, message };
      const json = { name: attr.name, type, refused, ...trace() };
      if (args.flag('json')) await io.out(`${JSON.stringify(json)}\n`);
      else await io.out(refusedReport(loaded.name, attr, loaded.refusal, source, io));
      return 1;
    }
    const shown = { ...inspected(machine, loaded.main), type };
    unloadPrograms(machine, loaded.main, loaded.others, loaded.links);
    const all = { ...shown, ...trace() };
    await io.out(
      args.flag('json') ? `${JSON.stringify(all)}\n` : inspectText(all, io, { linum: args.flag('linum') }),
    );
    return 0;
  },
};
