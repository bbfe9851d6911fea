import { nodeHash } from '#core/platform/node/hash.ts';
import { bpfProgCalcTag, tagHash, tagText } from '#core/prog/bpf-prog-calc-tag.ts';
import { DEFAULT_SETTINGS, kernelVersionText } from '#core/vm/settings.ts';
import type { Arguments, Command } from '../command.ts';
import { UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { batch, optionalText, requiredInsns } from '../jsonl.ts';
import { kernelNamed } from '../kernel-option.ts';
import { programsOf } from '../object-programs.ts';
import { objectOf, readSource } from '../source.ts';

const DEFAULT_KERNEL = kernelVersionText(DEFAULT_SETTINGS.kernel);

/** `bpf-workbench tag` */
export const tagCommand: Command = {
  spec: {
    name: 'tag',
    usage: ['FILE [options]', '--jsonl < LINES'],
    summary: 'Print the tag by which a kernel knows a program.',
    options: {
      kernel: { value: 'VERSION', text: `the kernel whose tag it is; ${DEFAULT_KERNEL} if not told` },
      prog: { value: 'NAME', text: 'which of several programs; all if not told' },
      json: { text: 'one JSON object and nothing else' },
      jsonl: { text: 'batch: {"insns", "kernel"} a line → {"tag"}' },
    },
    notes: ['Tags are made with SHA-1 from Linux 4.10 on and with SHA-256 from 6.18 on.'],
  },
  run: (args, io) => (args.flag('jsonl') ? tagBatch(args, io) : tagFile(args, io)),
};

async function tagFile(args: Arguments, io: Io): Promise<number> {
  const [path, ...others] = args.positionals;
  if (path === undefined || others.length > 0) throw new UsageError('tag: give one FILE (- is stdin)');
  const version = kernelNamed(args.text('kernel'), '--kernel');
  const hash = tagHash(version) ?? 'sha1';
  const source = await readSource(path, io);
  const rows = programsOf(objectOf(source), source.name, args.text('prog')).map((attr) => ({
    prog: attr.name,
    tag: tagText(bpfProgCalcTag(attr.insns, nodeHash, version).tag),
  }));
  const kernel = kernelVersionText(version);
  if (args.flag('json')) await io.out(`${JSON.stringify({ ...rows[0], hash, kernel, programs: rows })}\n`);
  else {
    const name = hash === 'sha1' ? 'SHA-1' : 'SHA-256';
    await io.out(rows.map(({ prog, tag }) => `${tag}  ${prog}  (${name}, Linux ${kernel})\n`).join(''));
  }
  return 0;
}

function tagBatch(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('tag --jsonl reads stdin; give no FILE');
  return batch(io, (line) => {
    const version = kernelNamed(optionalText(line, 'kernel') ?? args.text('kernel'), '"kernel"');
    return { tag: tagText(bpfProgCalcTag(requiredInsns(line, 'insns'), nodeHash, version).tag) };
  });
}
