import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { type Adapter, DebugClient, launchToStop } from './debug-client.ts';
import { benchRow } from './report.ts';

/** What a person takes for at once. */
const MOST_MS = 100;
const MOST_STEP_MS = 20;
/** The line in the loop that breakpoints are set on. */
const LINE_INSIDE = 5;
/** Milliseconds that a program runs before a pause: each time others, so that pauses meet all of a slice. */
const RUNS_FOR = [20, 23, 31, 38, 44, 27];
/** The same where functions are long: the first is that of a person who looks whether the program ends. */
const LONG_RUNS_FOR = [700, 250, 330, 210, 290, 370];
const ENGINES = ['interp', 'wasm', 'x86-64'] as const;

const LOOP = `.program raw
main:
	r6 = 0
again:
	r6 += 1
	r0 = r6
	r0 ^= 7
	if r6 != 0 goto again
	exit
`;

/** How much is measured. */
export interface PauseLength {
  /** Pauses, steps and breakpoints of each engine. */
  readonly times: number;
  /** Instructions of each of the three functions of the other program, and how often that is launched. */
  readonly large: number;
  readonly launches: number;
  /** Milliseconds that programs run before a pause, at most. */
  readonly longest: number;
}

/** What it takes until a program that loops for ever has stopped: by a pause, at a breakpoint, after a step. */
export async function pauseLatency(
  { adapter, folder }: Adapter,
  { times, large, launches, longest }: PauseLength,
): Promise<BenchRow[]> {
  const loop = join(folder, 'loop.bpf.s');
  writeFileSync(loop, LOOP);
  const rows: BenchRow[] = [];
  for (const engine of ENGINES) {
    const client = new DebugClient(adapter);
    await launchToStop(client, { program: loop, engine });
    const pauses = await paused(
      client,
      Array.from({ length: times }, (_, i) => RUNS_FOR[i % RUNS_FOR.length] ?? 0),
    );
    const steps = await stops(client, 'next', times);
    await client.request('setBreakpoints', { source: { path: loop }, breakpoints: [{ line: LINE_INSIDE }] });
    const breakpoints = await stops(client, 'continue', times);
    client.end();
    rows.push(
      benchRow(`pause → stopped, a loop: ${engine}`, 'ms', pauses, MOST_MS),
      benchRow(`step → stopped, a loop: ${engine}`, 'ms', steps, MOST_STEP_MS),
      benchRow(`continue → breakpoint, a loop: ${engine}`, 'ms', breakpoints, MOST_STEP_MS),
    );
  }
  const program = join(folder, 'long-functions.bpf.s');
  writeFileSync(program, longFunctions(large));
  const pauses: number[] = [];
  for (let run = 0; run < launches; run++) {
    const client = new DebugClient(adapter);
    await launchToStop(client, { program, engine: 'wasm' });
    pauses.push(
      ...(await paused(
        client,
        LONG_RUNS_FOR.map((ms) => Math.min(ms, longest)),
      )),
    );
    client.end();
  }
  const name = `pause → stopped, 3 functions of ${large.toLocaleString('en')} instructions: wasm`;
  return [
    ...rows,
    benchRow(name, 'ms', pauses, MOST_MS),
    benchRow(`longest ${name}`, 'ms', [Math.max(...pauses)]),
  ];
}

/** Milliseconds from each pause to the stop, after the program has run for so many. */
async function paused(client: DebugClient, runsFor: readonly number[]): Promise<number[]> {
  const all: number[] = [];
  for (const ms of runsFor) {
    await client.request('continue', { threadId: 1 });
    await sleep(ms);
    all.push(await client.untilStopped('pause', { threadId: 1 }));
  }
  return all;
}

async function stops(client: DebugClient, command: string, times: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(await client.untilStopped(command, { threadId: 1 }));
  return all;
}

/** A program that calls three functions of `size` instructions for ever, each of which goes round its own 50 times. */
function longFunctions(size: number): string {
  const names = ['one', 'two', 'three'];
  const calls = names.map((name) => `\tr1 = r0\n\tcall ${name}\n`).join('');
  return `.program raw\nmain:\n\tr0 = 0\nagain:\n${calls}\tgoto again\n${names.map(body).join('')}`;

  function body(name: string): string {
    const lines = Array.from({ length: size }, (_, i) => `\t${lineAt(i)}\n`).join('');
    return `${name}:
	r0 = r1
	r3 = 0
	r4 = 50
	*(u64 *)(r10 - 8) = 1
${name}_again:
${lines}	r0 += 1
	r4 += -1
	if r4 == 0 goto ${name}_end
	gotol ${name}_again
${name}_end:
	exit
`;
  }
}

/** Arithmetic, accesses to the stack, jumps forward. */
function lineAt(i: number): string {
  const kinds = [
    `r0 += ${i}`,
    `*(u64 *)(r10 - ${8 * (1 + (i % 8))}) = r0`,
    'r3 = *(u64 *)(r10 - 8)',
    `if r3 > ${i % 77} goto +1`,
    'r0 ^= r3',
    'r3 = *(u32 *)(r10 - 8)',
  ];
  return kinds[i % kinds.length] ?? '';
}
