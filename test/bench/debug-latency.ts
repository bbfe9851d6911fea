import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** One measured thing: its spread over some runs, in milliseconds, and what it should stay under. */
export interface BenchRow {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly target: number | undefined;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = join(ROOT, 'examples/fib/fib.bpf.s');
const LAUNCHES = 7;
const STEPS = 100;

/**
 * Measures what a person waits for, with the adapter as VS Code runs it: a bundled process of its own and
 * its worker. F5 to the stopped line, and a step; each once bare and once with everything that the editor
 * and the three views ask for at a stop.
 */
export async function debugLatency(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-bench-'));
  try {
    const adapter = await bundleAdapter(folder);
    const large = join(folder, 'large.bpf.s');
    const body = Array.from({ length: 20_000 }, (_, i) => `\tr0 += ${i}`).join('\n');
    writeFileSync(large, `.program raw\nmain:\n\tr0 = 0\n${body}\n\texit\n`);
    return [
      ...(await measure('', adapter, { program: EXAMPLE, data: '0a', stopOnEntry: true })),
      ...(await measure(', 20,000 instructions', adapter, { program: large, stopOnEntry: true })).map(
        // The target is for what people debug; this shows how it grows.
        (one) => (one.name.startsWith('step') ? one : { ...one, target: undefined }),
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundleAdapter(folder: string): Promise<string> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: { adapter: 'debugger/node-main.ts', worker: 'core/platform/node/worker-entry.ts' },
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2024',
    mainFields: ['module', 'main'],
    minify: true,
  });
  return join(folder, 'adapter.cjs');
}

async function measure(suffix: string, adapter: string, launch: object): Promise<BenchRow[]> {
  const starts: number[] = [];
  const launches: number[] = [];
  const shown: number[] = [];
  const steps: number[] = [];
  const shownSteps: number[] = [];
  for (let run = 0; run < LAUNCHES; run++) {
    const began = performance.now();
    const client = new Client(adapter);
    await client.request('initialize', { adapterID: 'bpf', supportsVariablePaging: true });
    const asked = performance.now();
    await client.request('launch', launch);
    await client.request('setExceptionBreakpoints', { filters: ['fault'] });
    const stopped = client.stopped();
    await client.request('configurationDone', {});
    await stopped;
    launches.push(performance.now() - asked);
    starts.push(performance.now() - began);
    await client.show();
    shown.push(performance.now() - began);
    for (let step = 0; run === LAUNCHES - 1 && step < STEPS; step++) {
      const before = performance.now();
      const next = client.stopped();
      await client.request('next', { threadId: 1 });
      if (!(await next)) break;
      steps.push(performance.now() - before);
      await client.show();
      shownSteps.push(performance.now() - before);
    }
    client.end();
  }
  return [
    row(`launch request → stopped${suffix}`, launches, 1000),
    row(`F5 (process start) → stopped${suffix}`, starts, 1000),
    row(`F5 → variables and views shown${suffix}`, shown, 1000),
    row(`step → stopped${suffix}`, steps, 20),
    row(`step → variables and views shown${suffix}`, shownSteps, 20),
  ];
}

function row(name: string, times: readonly number[], target: number): BenchRow {
  const sorted = [...times].sort((a, b) => a - b);
  return {
    name,
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    runs: sorted.length,
    target,
  };
}

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

/** The smallest client that can wait for responses and stops. */
class Client {
  readonly #process;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #onStopped: (stopped: boolean) => void = () => {};
  #data = Buffer.alloc(0);
  #seq = 1;

  constructor(adapter: string) {
    this.#process = spawn(process.execPath, [adapter], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout.on('data', (data: Buffer) => this.#read(data));
  }

  async request(command: string, args: object): Promise<unknown> {
    const seq = this.#seq++;
    const json = JSON.stringify({ seq, type: 'request', command, arguments: args });
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
    const answer = await new Promise<Message>((resolve) => this.#waiting.set(seq, resolve));
    if (answer.success !== true) throw new Error(`${command}: ${answer.message}`);
    return answer.body;
  }

  /** Resolves at the next stop; false: the session ended instead. */
  stopped(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#onStopped = resolve;
    });
  }

  /** What VS Code and the three views ask for at each stop. */
  async show(): Promise<void> {
    const [, trace] = await Promise.all([
      this.request('threads', {}),
      this.request('stackTrace', { threadId: 1, startFrame: 0, levels: 20 }),
    ]);
    const frameId = (trace as { stackFrames: { id: number }[] }).stackFrames[0]?.id;
    const scopes = (await this.request('scopes', { frameId })) as {
      scopes: { variablesReference: number }[];
    };
    await Promise.all([
      ...scopes.scopes.map(({ variablesReference }) => this.request('variables', { variablesReference })),
      ...['bpf/registers', 'bpf/stack', 'bpf/stats'].map((view) => this.request(view, { frameId })),
    ]);
  }

  end(): void {
    this.#process.kill();
  }

  #read(data: Buffer): void {
    this.#data = Buffer.concat([this.#data, data]);
    for (;;) {
      const header = this.#data.indexOf('\r\n\r\n');
      if (header < 0) return;
      const length = Number(/Content-Length: (\d+)/.exec(this.#data.toString('latin1', 0, header))?.[1]);
      if (this.#data.length < header + 4 + length) return;
      const message = JSON.parse(this.#data.toString('utf8', header + 4, header + 4 + length)) as Message;
      this.#data = this.#data.subarray(header + 4 + length);
      if (message.type === 'response') this.#waiting.get(message.request_seq ?? 0)?.(message);
      else if (message.event === 'stopped') this.#onStopped(true);
      else if (message.event === 'terminated') this.#onStopped(false);
    }
  }
}

/** `node test/bench/debug-latency.ts [--json]` */
export async function main(args: readonly string[]): Promise<number> {
  const rows = await debugLatency();
  if (args.includes('--json')) {
    console.log(JSON.stringify({ unit: 'ms', node: process.version, rows }, undefined, 2));
    return 0;
  }
  const width = Math.max(...rows.map(({ name }) => name.length));
  console.log(`${'milliseconds'.padEnd(width)}  median     min     max  target`);
  for (const { name, median, min, max, target } of rows) {
    const numbers = [median, min, max].map((value) => value.toFixed(2).padStart(7)).join(' ');
    console.log(`${name.padEnd(width)} ${numbers} ${target === undefined ? '' : `< ${target}`.padStart(7)}`);
  }
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
