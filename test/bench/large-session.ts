import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import {
  type Adapter,
  DebugClient,
  INITIALIZE,
  launchToStop,
  Refused,
  type TimedEvent,
} from './debug-client.ts';
import { benchRow } from './report.ts';

/** A program without a hang: what a launch, what goes on meanwhile unseen, and what each request may take at most. */
const MOST_LAUNCH_MS = 10_000;
const MOST_SILENT_MS = 2000;
const MOST_WAIT_MS = 2000;
const MOST_LISTING_MS = 5000;
const MOST_CANCEL_MS = 1000;
/** Launches that are over by then tell nothing of their progress. */
const QUIET_MS = 500;
/** Compiled to WebAssembly a program may not be that long, to machine code it may. */
const ENGINES = ['wasm', 'x86-64'] as const;
const HEAD = ['.program raw', 'main:', ...[0, 1, 2, 3, 4, 5].map((reg) => `\tr${reg} = ${reg}`), 'again:'];
const PAGE = 100;

/** How much is measured. */
export interface LargeSessionLength {
  /** Instructions of the program. */
  readonly insns: number;
  /** Sessions of each engine. */
  readonly sessions: number;
  /** Steps, stops at a breakpoint, pauses and pages of each. */
  readonly times: number;
  /** Milliseconds between a launch and its cancellation. */
  readonly cancelAfter: number;
}

/** What is waited for in one session, in milliseconds. */
interface Waits {
  readonly launch: number[];
  readonly silence: number[];
  readonly progress: number[];
  readonly step: number[];
  readonly breakpoint: number[];
  readonly pause: number[];
  readonly page: number[];
  readonly listing: number[];
  readonly rows: number[];
  readonly cancel: number[];
}

/**
 * Sessions of a program of `insns` instructions that loops for ever: launched, stepped, stopped, paused, shown;
 * and one whose launch is cancelled.
 */
export async function largeSession(
  { adapter, folder }: Adapter,
  length: LargeSessionLength,
): Promise<BenchRow[]> {
  const program = join(folder, 'large-session.bpf.s');
  const body = Array.from(
    { length: length.insns },
    (_, i) => `\tr${i % 6} ${['+=', '^=', '-=', '*='][i % 4]} ${i}`,
  );
  writeFileSync(program, [...HEAD, ...body, '\tgotol again', '\texit', ''].join('\n'));
  const rows: BenchRow[] = [];
  for (const engine of ENGINES) {
    const waits: Waits = {
      launch: [],
      silence: [],
      progress: [],
      step: [],
      breakpoint: [],
      pause: [],
      page: [],
      listing: [],
      rows: [],
      cancel: [],
    };
    let executes = '';
    for (let i = 0; i < length.sessions; i++) {
      executes = await session(adapter, { program, engine }, length, waits);
      waits.cancel.push(await cancelled(adapter, { program, engine }, length.cancelAfter));
    }
    const what = executes === engine ? engine : `${engine} (${executes} runs)`;
    rows.push(...rowsOf(`${length.insns} instructions, ${what}`, waits));
  }
  return rows;
}

function rowsOf(name: string, waits: Waits): BenchRow[] {
  const { launch, silence, progress, step, breakpoint, pause, page, listing, rows, cancel } = waits;
  const isTold = launch.some((ms) => ms > QUIET_MS);
  const longest = Math.max(...step, ...breakpoint, ...pause, ...page, ...rows);
  return [
    benchRow(`${name}: launch → stopped`, 'ms', launch, MOST_LAUNCH_MS),
    benchRow(`${name}: progress told`, 'events', progress, isTold ? { least: 1 } : undefined),
    benchRow(`${name}: longest silence at launch`, 'ms', silence, MOST_SILENT_MS),
    benchRow(`${name}: cancelled launch → ended`, 'ms', cancel, MOST_CANCEL_MS),
    benchRow(`${name}: step → stopped`, 'ms', step),
    benchRow(`${name}: continue → breakpoint`, 'ms', breakpoint),
    benchRow(`${name}: pause → stopped`, 'ms', pause),
    benchRow(`${name}: page of disassembly`, 'ms', page),
    benchRow(`${name}: page of the JIT view`, 'ms', rows),
    benchRow(`${name}: longest wait`, 'ms', [longest], MOST_WAIT_MS),
    benchRow(`${name}: JIT view, listing`, 'ms', listing, MOST_LISTING_MS),
  ];
}

/** One session, its waits added to `waits`; the engine that executes the program. */
async function session(
  adapter: string,
  launch: { readonly program: string; readonly engine: string },
  { insns, times, cancelAfter }: LargeSessionLength,
  waits: Waits,
): Promise<string> {
  const client = new DebugClient(adapter);
  const { asked, launched, stopped } = await launchToStop(client, launch);
  waits.launch.push(stopped - asked);
  const told = client.events.filter(({ event }) => event.startsWith('progress'));
  waits.progress.push(told.length);
  waits.silence.push(longestSilence(asked, told, launched));

  const stop = async (into: number[], command: string): Promise<void> => {
    for (let i = 0; i < times; i++) into.push(await client.untilStopped(command, { threadId: 1 }));
  };
  await stop(waits.step, 'next');
  const source = { path: launch.program };
  const line = HEAD.length + (insns >> 1);
  await client.request('setBreakpoints', { source, breakpoints: [{ line }] });
  await stop(waits.breakpoint, 'continue');
  const { stackFrames } = await client.request<{
    stackFrames: { line: number; instructionPointerReference: string }[];
  }>('stackTrace', { threadId: 1, startFrame: 0, levels: 1 });
  const frame = stackFrames[0];
  if (frame?.line !== line) throw new Error(`a breakpoint on line ${line} has stopped on ${frame?.line}`);
  await client.request('setBreakpoints', { source, breakpoints: [] });
  for (let i = 0; i < times; i++) {
    await client.request('continue', { threadId: 1 });
    await sleep(Math.min(100, cancelAfter));
    waits.pause.push(await client.untilStopped('pause', { threadId: 1 }));
  }

  const timed = async <T>(into: number[], command: string, args: object): Promise<T> => {
    const began = performance.now();
    const body = await client.request<T>(command, args);
    into.push(performance.now() - began);
    return body;
  };
  for (let i = 0; i < times; i++) {
    await timed(waits.page, 'disassemble', {
      memoryReference: frame.instructionPointerReference,
      instructionOffset: PAGE * i,
      instructionCount: PAGE,
      resolveSymbols: true,
    });
  }
  const view = await timed<{ engine: string; listingId: string }>(waits.listing, 'bpf/jit', {});
  for (let i = 0; i < times; i++) {
    const start = Math.floor((insns / times) * i);
    const part = { listingId: view.listingId, column: 'native', start, count: PAGE };
    await timed(waits.rows, 'bpf/jitRows', part);
  }
  client.end();
  return view.engine;
}

/** Milliseconds from the cancellation of a launch until the adapter, which is told to end then, has ended. */
async function cancelled(adapter: string, launch: object, after: number): Promise<number> {
  const client = new DebugClient(adapter);
  await client.request('initialize', INITIALIZE);
  const requestId = client.nextSeq;
  const launched = client.request('launch', launch).then(
    () => 'launched',
    (error: unknown) => (error instanceof Refused ? error.message : Promise.reject(error)),
  );
  if (after > 0) await sleep(after);
  const began = performance.now();
  await client.request('cancel', { requestId });
  const answer = await launched;
  if (answer !== 'launch: cancelled') throw new Error(`a cancelled launch was answered with ${answer}`);
  await client.disconnect();
  return performance.now() - began;
}

function longestSilence(began: number, told: readonly TimedEvent[], ended: number): number {
  const times = [began, ...told.map(({ at }) => at), ended];
  return Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
}
