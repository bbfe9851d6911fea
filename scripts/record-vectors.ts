/**
 * Records what the running kernel does with the programs of `scripts/vectors`, in the format of the vectors that
 * came with the project, and what its socket filters accept.
 *
 *     node scripts/run.mjs record-vectors          (Linux on x86-64, root, koffi)
 *
 * Loads programs of its own, runs them with BPF_PROG_TEST_RUN alone, attaches classic filters to a socket pair of
 * its own only.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type KernelBridge, openKernel } from '../core/platform/node/kernel/bridge.ts';
import { inRoot } from './lib/paths.ts';
import { arithmeticPrograms } from './vectors/arithmetic.ts';
import { classicLines } from './vectors/classic.ts';
import { type MachineLine, machineLine } from './vectors/machine.ts';
import { mapPrograms } from './vectors/maps.ts';
import { packetLoadPrograms } from './vectors/packet-loads.ts';
import { Random, type VectorProgram } from './vectors/program.ts';
import { recordProgram } from './vectors/record.ts';
import { skbFieldPrograms } from './vectors/skb-fields.ts';
import { subprogramPrograms } from './vectors/subprograms.ts';
import { xdpPrograms } from './vectors/xdp.ts';

const folder = 'test/testdata/vectors';
const GIVEN = `${folder}/kernel-6.18-x86-64.jsonl.gz`;
const FURTHER = `${folder}/further-6.18-x86-64.jsonl.gz`;
const CLASSIC = `${folder}/classic-6.18.jsonl.gz`;

/** Bytes of the packet that a program runs on. */
const PACKET_SIZE = 64;
/** CPU that everything runs on: its values are the ones kept of per-CPU maps. */
const CPU = 0;

/** All programs, in the order of the file. */
export function vectorPrograms(): VectorProgram[] {
  return [
    ...xdpPrograms(),
    ...skbFieldPrograms(),
    ...subprogramPrograms(),
    ...mapPrograms(),
    ...arithmeticPrograms(),
    ...packetLoadPrograms(),
  ];
}

/** `node scripts/run.mjs record-vectors` */
export async function main(): Promise<number> {
  const opened = openKernel();
  if (!opened.ok) {
    console.error(opened.message);
    return 2;
  }
  const { kernel } = opened;
  const release = kernel.pin(CPU);
  try {
    mkdirSync(inRoot(folder), { recursive: true });
    const head = machineLine(firstLine(GIVEN), kernel);
    write(FURTHER, [head, ...record(kernel)]);
    write(CLASSIC, [{ kernel: kernel.release, note: head.note }, ...classicLines(kernel)]);
    return 0;
  } finally {
    release();
    kernel.dispose();
  }
}

function record(kernel: KernelBridge): object[] {
  const random = new Random(1);
  const names = new Set<string>();
  const refused: string[] = [];
  const lines = vectorPrograms().flatMap((program) => {
    if (names.has(program.name)) throw new Error(`two programs are called ${program.name}`);
    names.add(program.name);
    const data = random.bytes(PACKET_SIZE);
    try {
      return [recordProgram(kernel, program, data)];
    } catch (error) {
      refused.push(error instanceof Error ? error.message : String(error));
      return [];
    }
  });
  // A generator may draw what the verifier does not take; that has to be seen.
  for (const text of refused) console.log(`not recorded: ${text}\n`);
  console.log(`${lines.length} programs recorded, ${refused.length} refused`);
  return lines;
}

function firstLine(file: string): MachineLine {
  const text = gunzipSync(readFileSync(inRoot(file))).toString();
  return JSON.parse(text.slice(0, text.indexOf('\n')));
}

function write(file: string, lines: readonly object[]): void {
  const bytes = gzipSync(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`, { level: 9 });
  writeFileSync(inRoot(file), bytes);
  console.log(`${file}: ${lines.length - 1} lines, ${(bytes.length / 1024).toFixed(0)} KiB`);
}
