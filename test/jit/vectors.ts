import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { bytesOfHex } from '#core/bytes/hex.ts';
import { X86_PRESETS, type X86Config } from '#core/jit/x86-64/config.ts';
import { readMachineLine } from '#core/jit/x86-64/machine-line.ts';
import type { X86Program } from '#core/jit/x86-64/program.ts';
import type { ProgType } from '#core/object/object.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import type { VectorLine } from '#scripts/vectors/record.ts';

/** One program of a file of vectors (test/testdata/vectors/README.md). */
export type Vector = VectorLine & { readonly prog_type: ProgType };

/** The machine's configuration, its line, and the programs of a file. */
export interface Vectors {
  readonly config: X86Config;
  readonly machine: object;
  readonly vectors: readonly Vector[];
}

/** Reads `test/testdata/vectors/NAME.jsonl.gz`. */
export function vectorsOf(name: string): Vectors {
  const text = gunzipSync(readFileSync(inRoot(`test/testdata/vectors/${name}.jsonl.gz`))).toString('utf8');
  const [machine, ...vectors] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const config = readMachineLine(machine as Record<string, unknown>, X86_PRESETS['linux-6.18']);
  if (typeof config === 'string') throw new Error(config);
  return { config, machine: machine as object, vectors: vectors as Vector[] };
}

/** What the compiler is given for a vector. */
export function programOf(vector: Vector): X86Program {
  return {
    insns: bytesOfHex(vector.xlated) ?? new Uint8Array(),
    funcs: vector.func_insn_start,
    stackDepths: vector.stack_depth,
    imageAddrs: vector.image_addr.map(BigInt),
    tailCall: vector.tail_call ?? undefined,
  };
}
