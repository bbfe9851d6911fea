import { readFile } from 'node:fs/promises';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { nodeHash } from '#core/platform/node/hash.ts';
import { workerTargetHost } from '#core/platform/node/worker-target.ts';
import { inlineTargetHost } from '#core/session/inline-target.ts';
import type { TargetHost } from '#core/session/target-host.ts';
import type { AdapterHost } from '#debugger/host.ts';
import type { OutgoingMessage } from '#debugger/outbox.ts';
import { BpfDebugSession } from '#debugger/session.ts';
import { pcapOf } from '../session/pcap.ts';

/** The hosts that every session test runs on. */
export const HOSTS: readonly (readonly [name: string, host: () => TargetHost])[] = [
  ['worker', () => workerTargetHost(new URL('../../core/platform/node/worker-entry.ts', import.meta.url))],
  [
    'inline',
    () =>
      inlineTargetHost({
        hash: nodeHash,
        yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
        now: () => performance.now(),
      }),
  ],
];

/** Packets of `/programs/three.pcap`: of 60, 61 and 62 bytes. */
const THREE = pcapOf([60, 61, 62].map((length) => new Uint8Array(length)));

/** What a client asked and was told, one message a line. */
export class DapClient {
  readonly session: BpfDebugSession;
  readonly transcript: string[] = [];
  readonly events: { readonly event: string; readonly body: Record<string, unknown> }[] = [];
  readonly files = new Map<string, Uint8Array>([['/programs/three.pcap', THREE]]);
  readonly #waiting = new Map<number, (response: DebugProtocol.Response) => void>();
  #seq = 1;
  #notify: () => void = () => {};

  /** `after`: as that of an `AdapterHost`, which shows no progress without it. */
  constructor(targets: TargetHost, after?: AdapterHost['after']) {
    const host = { targets, readFile: (path: string) => this.#readFile(path), ...(after && { after }) };
    this.session = new BpfDebugSession(host, (message) => this.#receive(message));
  }

  /** Sends a request; resolves to its response, also when that is a refusal. */
  async send(command: string, args?: object): Promise<DebugProtocol.Response> {
    const seq = this.#seq++;
    if (command !== 'initialize') {
      this.transcript.push(`-> ${command}${args === undefined ? '' : ` ${JSON.stringify(args)}`}`);
    }
    const response = new Promise<DebugProtocol.Response>((resolve) => this.#waiting.set(seq, resolve));
    void this.session.handle({ seq, type: 'request', command, arguments: args });
    return response;
  }

  /** Sends a request that must succeed; resolves to its body. */
  async request<B = Record<string, never>>(command: string, args?: object): Promise<B> {
    const response = await this.send(command, args);
    if (!response.success) throw new Error(`${command}: ${response.message}`);
    return response.body as B;
  }

  /** Resolves to the body of the next event of this kind that was not waited for yet. */
  async event(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const at = this.events.findIndex((one) => one.event === name);
      if (at >= 0) return this.events.splice(at, 1)[0]?.body ?? {};
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
  }

  /** initialize, launch, breakpoints, configurationDone. Resolves when the program runs. */
  async launch(
    args: object,
    options: { lines?: readonly object[]; filters?: readonly string[]; initialize?: object } = {},
  ): Promise<void> {
    await this.request('initialize', {
      adapterID: 'bpf',
      supportsVariableType: true,
      supportsVariablePaging: true,
      supportsMemoryReferences: true,
      supportsInvalidatedEvent: true,
      supportsMemoryEvent: true,
      ...options.initialize,
    });
    await this.request('launch', args);
    await this.event('initialized');
    const path = (args as { program: string }).program;
    if (options.lines) await this.request('setBreakpoints', { source: { path }, breakpoints: options.lines });
    await this.request('setExceptionBreakpoints', { filters: options.filters ?? ['fault'] });
    await this.request('configurationDone');
  }

  /** Sends a request and waits for the stop that it leads to. */
  async stopAfter(command: string, args: object = { threadId: 1 }): Promise<Record<string, unknown>> {
    await this.request(command, args);
    return this.event('stopped');
  }

  /** Name and line of every frame, as `count:21`. */
  async where(): Promise<readonly string[]> {
    const { stackFrames } = await this.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
      threadId: 1,
    });
    return stackFrames.map((frame) => `${frame.name}:${frame.line}`);
  }

  #readFile(path: string): Promise<Uint8Array> {
    const inMemory = this.files.get(path);
    if (inMemory !== undefined) return Promise.resolve(inMemory);
    const name = /^\/programs\/([\w.-]+)$/.exec(path)?.[1];
    if (name === undefined) return Promise.reject(new Error('no such file'));
    return readFile(new URL(`./programs/${name}`, import.meta.url)).catch(() => {
      throw new Error('no such file');
    });
  }

  #receive(message: OutgoingMessage): void {
    if (message.type === 'response') {
      const response = message as DebugProtocol.Response;
      const text = response.success
        ? response.body === undefined
          ? ''
          : ` ${JSON.stringify(response.body)}`
        : ` refused ${response.body.error.id}: ${response.message}`;
      if (response.command !== 'initialize') this.transcript.push(`<- ${response.command}${shortened(text)}`);
      this.#waiting.get(response.request_seq)?.(response);
      this.#waiting.delete(response.request_seq);
    } else {
      const event = message as DebugProtocol.Event;
      this.transcript.push(
        `** ${event.event}${event.body === undefined ? '' : ` ${JSON.stringify(event.body)}`}`,
      );
      this.events.push({ event: event.event, body: event.body ?? {} });
      this.#notify();
    }
  }
}

/** Long runs of zeroes tell nothing in a transcript. */
function shortened(text: string): string {
  return text.replace(/(?:00){16,}/g, (zeroes) => `<${zeroes.length / 2} zero bytes>`);
}

/** One of `HOSTS` by its name. */
export function hostNamed(name: string): () => TargetHost {
  const host = HOSTS.find(([known]) => known === name)?.[1];
  if (host === undefined) throw new Error(`there is no host ${name}`);
  return host;
}
