import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The adapter as VS Code runs it: a bundled process of its own, and its worker. */
export interface Adapter {
  /** Its entry. */
  readonly adapter: string;
  /** For files. */
  readonly folder: string;
}

/** Bundles the adapter into a folder that goes when `work` has ended. */
export async function withAdapter<T>(work: (adapter: Adapter) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-bench-'));
  try {
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
    return await work({ adapter: join(folder, 'adapter.cjs'), folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An event as it came, and when: milliseconds of `performance.now`. */
export interface TimedEvent {
  readonly event: string;
  readonly body: unknown;
  readonly at: number;
}

/** A request that was refused; `message` is what the adapter answered. */
export class Refused extends Error {}

/** The session has ended instead of what was waited for. */
export class SessionEnded extends Error {}

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

interface Waiting {
  resolve(body: unknown): void;
  reject(error: Error): void;
}

/** The smallest client: sends requests, keeps events, waits for stops. */
export class DebugClient {
  /** Everything told so far. */
  readonly events: TimedEvent[] = [];
  readonly #process;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting & { readonly command: string }>();
  readonly #listeners = new Set<Waiting & { readonly event: string }>();
  #chunks: Buffer[] = [];
  #wanted = 0;
  #got = 0;
  #seq = 1;
  #failure: Error | undefined;

  constructor(adapter: string) {
    this.#process = spawn(process.execPath, [adapter], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout.on('data', (data: Buffer) => this.#read(data));
    this.#exited = new Promise((resolve) => this.#process.on('exit', () => resolve()));
    void this.#exited.then(() => this.#fail(new Error('the adapter has ended')));
    // Its end says more.
    this.#process.stdin.on('error', () => {});
  }

  /** The number that the next request gets. */
  get nextSeq(): number {
    return this.#seq;
  }

  /** The answer's body. Rejects with Refused where it is an error, with SessionEnded, or with Error where the adapter ends. */
  request<T>(command: string, args: object): Promise<T> {
    const seq = this.#seq++;
    const json = JSON.stringify({ seq, type: 'request', command, arguments: args });
    const answer = new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else this.#waiting.set(seq, { command, resolve: (body) => resolve(body as T), reject });
    });
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
    return answer;
  }

  /** Resolves to the body of the next such event; rejects with SessionEnded where the session ends instead. */
  next<T>(event: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else this.#listeners.add({ event, resolve: (body) => resolve(body as T), reject });
    });
  }

  /** Sends a request that lets the program go on, and waits for its stop: milliseconds from one to the other. */
  async untilStopped(command: string, args: object): Promise<number> {
    const began = performance.now();
    const stopped = this.next('stopped');
    await Promise.all([this.request(command, args), stopped]);
    return (this.events.findLast(({ event }) => event === 'stopped')?.at ?? Number.NaN) - began;
  }

  /** Ends the adapter's process. */
  end(): void {
    this.#process.kill();
  }

  /** Asks the adapter to end, as editors do, and waits until its process has. */
  async disconnect(): Promise<void> {
    await this.request('disconnect', {});
    this.#process.stdin.end();
    await this.#exited;
  }

  #read(data: Buffer): void {
    this.#chunks.push(data);
    this.#got += data.length;
    // Long answers come in many pieces: put together once, not piece by piece.
    while (this.#got > this.#wanted) {
      const all = Buffer.concat(this.#chunks);
      this.#chunks = [all];
      const header = all.indexOf('\r\n\r\n');
      if (header < 0) return;
      const length = Number(/Content-Length: (\d+)/.exec(all.toString('latin1', 0, header))?.[1]);
      const end = header + 4 + length;
      if (all.length < end) {
        this.#wanted = end - 1;
        return;
      }
      this.#wanted = 0;
      this.#chunks = [all.subarray(end)];
      this.#got = all.length - end;
      this.#take(JSON.parse(all.toString('utf8', header + 4, end)) as Message);
    }
  }

  #take({ type, event, request_seq: seq = 0, success, message, body }: Message): void {
    const waiting = this.#waiting.get(seq);
    if (type === 'response' && waiting !== undefined) {
      this.#waiting.delete(seq);
      if (success === true) waiting.resolve(body);
      else waiting.reject(new Refused(`${waiting.command}: ${message}`));
    }
    if (type !== 'event' || event === undefined) return;
    this.events.push({ event, body, at: performance.now() });
    for (const listener of [...this.#listeners]) {
      if (listener.event !== event) continue;
      this.#listeners.delete(listener);
      listener.resolve(body);
    }
    if (event === 'terminated') this.#fail(new SessionEnded('the session has ended'));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const one of [...this.#waiting.values(), ...this.#listeners]) one.reject(this.#failure);
    this.#waiting.clear();
    this.#listeners.clear();
  }
}

/** What editors say of themselves. */
export const INITIALIZE = { adapterID: 'bpf', supportsVariablePaging: true, supportsProgressReporting: true };

/** Launches, begins and waits for the stop on entry: when the request went, was answered and had led there (`performance.now`). */
export async function launchToStop(
  client: DebugClient,
  launch: object,
): Promise<{ readonly asked: number; readonly launched: number; readonly stopped: number }> {
  await client.request('initialize', INITIALIZE);
  const asked = performance.now();
  await client.request('launch', { ...launch, stopOnEntry: true });
  const launched = performance.now();
  await client.request('setExceptionBreakpoints', { filters: ['fault'] });
  await client.untilStopped('configurationDone', {});
  return { asked, launched, stopped: performance.now() };
}
