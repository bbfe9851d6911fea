import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { benchRow } from './report.ts';

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
    benchRow(`launch request → stopped${suffix}`, 'ms', launches, 1000),
    benchRow(`F5 (process start) → stopped${suffix}`, 'ms', starts, 1000),
    benchRow(`F5 → variables and views shown${suffix}`, 'ms', shown, 1000),
    benchRow(`step → stopped${suffix}`, 'ms', steps, 20),
    benchRow(`step → variables and views shown${suffix}`, 'ms', shownSteps, 20),
  ];
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
