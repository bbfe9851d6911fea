import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { type Adapter, DebugClient, launchToStop, SessionEnded } from './debug-client.ts';
import { benchRow } from './report.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/fib/fib.bpf.s', import.meta.url));

/** How much is measured. */
export interface LatencyLength {
  readonly launches: number;
  /** Steps, of the last launch. */
  readonly steps: number;
  /** Instructions of the longer of the two programs. */
  readonly large: number;
}

/** Measures F5 to the stopped line, and a step; each once bare and once with everything that the editor and the three views ask for at a stop. */
export async function debugLatency(
  { adapter, folder }: Adapter,
  { launches, steps, large }: LatencyLength,
): Promise<BenchRow[]> {
  const program = join(folder, 'large.bpf.s');
  const body = Array.from({ length: large }, (_, i) => `\tr0 += ${i}`).join('\n');
  writeFileSync(program, `.program raw\nmain:\n\tr0 = 0\n${body}\n\texit\n`);
  const measure = (suffix: string, launch: object): Promise<BenchRow[]> =>
    measured(suffix, adapter, launch, launches, steps);
  return [
    ...(await measure('', { program: EXAMPLE, data: '0a' })),
    ...(await measure(`, ${large.toLocaleString('en')} instructions`, { program })).map(
      // The target is for what people debug; this shows how it grows.
      (one) => (one.name.startsWith('step') ? one : { ...one, target: undefined }),
    ),
  ];
}

async function measured(
  suffix: string,
  adapter: string,
  launch: object,
  nLaunches: number,
  nSteps: number,
): Promise<BenchRow[]> {
  const starts: number[] = [];
  const launches: number[] = [];
  const shown: number[] = [];
  const steps: number[] = [];
  const shownSteps: number[] = [];
  for (let run = 0; run < nLaunches; run++) {
    const began = performance.now();
    const client = new DebugClient(adapter);
    const { asked, stopped } = await launchToStop(client, launch);
    launches.push(stopped - asked);
    starts.push(stopped - began);
    await show(client);
    shown.push(performance.now() - began);
    for (let step = 0; run === nLaunches - 1 && step < nSteps; step++) {
      const before = performance.now();
      const took = await stepped(client);
      if (took === undefined) break;
      steps.push(took);
      await show(client);
      shownSteps.push(performance.now() - before);
    }
    client.end();
  }
  return [
    benchRow(`launch request → stopped${suffix}`, 'ms', launches, 1000),
    benchRow(`F5 (process start) → stopped${suffix}`, 'ms', starts, 1000),
    benchRow(`F5 → variables and views shown${suffix}`, 'ms', shown, 1000),
    benchRow(`step → stopped${suffix}`, 'ms', steps, 20),
    benchRow(`step → variables and views shown${suffix}`, 'ms', shownSteps, 20),
  ];
}

/** Milliseconds of a step; undefined: the program has ended. */
async function stepped(client: DebugClient): Promise<number | undefined> {
  try {
    return await client.untilStopped('next', { threadId: 1 });
  } catch (error) {
    if (error instanceof SessionEnded) return undefined;
    throw error;
  }
}

/** Asks for what VS Code and the three views ask for at each stop. */
async function show(client: DebugClient): Promise<void> {
  const [, trace] = await Promise.all([
    client.request('threads', {}),
    client.request<{ stackFrames: { id: number }[] }>('stackTrace', {
      threadId: 1,
      startFrame: 0,
      levels: 20,
    }),
  ]);
  const frameId = trace.stackFrames[0]?.id;
  const { scopes } = await client.request<{ scopes: { variablesReference: number }[] }>('scopes', {
    frameId,
  });
  await Promise.all([
    ...scopes.map(({ variablesReference }) => client.request('variables', { variablesReference })),
    ...['bpf/registers', 'bpf/stack', 'bpf/stats'].map((view) => client.request(view, { frameId })),
  ]);
}
