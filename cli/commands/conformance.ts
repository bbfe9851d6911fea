import { bytesOfHex } from '#core/bytes/hex.ts';
import type { Engine } from '#core/interp/engine.ts';
import { linkProgram } from '#core/object/link.ts';
import { objectFromInsns } from '#core/object/raw.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { DEFAULT_MAX_INSNS, runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import type { Command } from '../command.ts';
import { notSupported, UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import { ENGINE_OPTION, engineChoice } from '../run-options.ts';
import { MAX_SOURCE_BYTES, readInput } from '../source.ts';

/** `bpf-workbench conformance`: the plugin side of the public bpf_conformance runner. */
export const conformanceCommand: Command = {
  spec: {
    name: 'conformance',
    usage: ['[MEMORY_HEX] [--engine ENGINE]'],
    summary: 'Plugin of the public bpf_conformance runner.',
    options: { engine: ENGINE_OPTION },
    later: ['elf'],
    notes: [
      'The program comes on stdin as hex text, the memory as hex argument. R1: the memory, R2: its length.',
      'Prints R0 as hex; any error goes to stderr with exit code 1.',
    ],
  },
  // The runner hands all of its --plugin_options over as one word, and an empty word where there are none.
  prepare: (argv) =>
    argv
      .filter((word) => word.trim() !== '')
      .flatMap((word) => (word.startsWith('-') ? word.trim().split(/\s+/) : [word])),
  async run(args, io) {
    const { engine } = engineChoice(args);
    const [memory = '', ...others] = args.positionals;
    if (others.length > 0)
      throw new UsageError('conformance: one MEMORY_HEX; put the bytes into one argument');
    try {
      await io.out(`${await r0Of(memory, engine, io)}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      io.err(error.message);
      return 1;
    }
  },
};

async function r0Of(memoryHex: string, engine: Engine, io: Io): Promise<string> {
  const data = bytesOfHex(memoryHex);
  if (data === undefined) throw new UsageError('the memory must be hex text, two digits a byte');
  const input = await readInput('-', MAX_SOURCE_BYTES, io);
  if (input[0] === 0x7f && input[1] === 0x45) throw notSupported('an ELF object on stdin');
  const text = new TextDecoder().decode(input);
  if (/^\s*7f\s*45\s*4c\s*46/i.test(text)) throw notSupported('an ELF object on stdin');
  const insns = bytesOfHex(text);
  if (insns === undefined) throw new UsageError('the program on stdin must be hex text, two digits a byte');
  if (insns.length % 8 !== 0) {
    throw new UsageError(`the program on stdin has ${insns.length} bytes; an instruction has 8`);
  }
  const { value: attr, errors } = linkProgram(objectFromInsns(insns, { name: 'main', progType: 'raw' }));
  if (attr === undefined) throw new UsageError(errors[0] ?? 'the program is empty');
  const machine = new Machine({ shared: false, hash: nodeHash });
  const loaded = bpfProgLoad(machine, attr);
  if (!loaded.ok) {
    const { pc, message } = loaded.refusal;
    throw new UsageError(`refused at load: ${message}${pc === undefined ? '' : ` (instruction ${pc})`}`);
  }
  const result = runProgram(machine, loaded.prog, engine, { data }, { maxInsns: DEFAULT_MAX_INSNS });
  if (result.fault !== undefined) {
    throw new UsageError(`${result.fault.kind} at instruction ${result.fault.pc}: ${result.fault.message}`);
  }
  return BigInt.asUintN(64, result.r0).toString(16);
}
