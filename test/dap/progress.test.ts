import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import type { FromTarget, ToTarget } from '#core/session/target-api.ts';
import type { TargetHost } from '#core/session/target-host.ts';
import { DapClient, hostNamed } from './dap-client.ts';

const PROGRAM = '/programs/big.bpf.s';
const INITIALIZE = { adapterID: 'bpf', supportsProgressReporting: true };

/** A program of so many instructions. */
function programOf(nInsns: number): Uint8Array {
  const text = `.section xdp\n.globl main\nmain:\n\tr0 = 2\n${'\tr0 += 1\n'.repeat(nInsns - 2)}\texit\n`;
  return new TextEncoder().encode(text);
}

/** A target that says what it is told to say, and a clock that stands until it is told to go on. */
class Scripted {
  readonly host: TargetHost;
  readonly asked: ToTarget[] = [];
  readonly timers: { readonly ms: number; readonly act: () => void }[] = [];
  terminated = 0;
  #receive: (message: FromTarget) => void = () => {};

  constructor() {
    this.host = {
      startTarget: async () => ({
        post: (message) => this.asked.push(message),
        onMessage: (listener) => {
          this.#receive = listener;
        },
        onClose: () => {},
        terminate: async () => {
          this.terminated++;
        },
      }),
    };
  }

  readonly after = (ms: number, act: () => void): (() => void) => {
    const timer = { ms, act };
    this.timers.push(timer);
    return () => this.timers.splice(this.timers.indexOf(timer), 1);
  };

  say(message: FromTarget): void {
    this.#receive(message);
  }

  progress(stage: string, percentage: number): void {
    this.say({ progress: { stage, percentage } });
  }

  /** Answers the request `load`. */
  loaded(): void {
    const reply = { ok: true, name: 'main', progType: 'xdp', nPackets: 1, messages: [] };
    this.say({ id: this.asked[0]?.id ?? 0, reply });
  }
}

/** A launch that is under way in a scripted target. */
async function launching(
  initialize: object = INITIALIZE,
): Promise<{ dap: DapClient; target: Scripted; launch: Promise<DebugProtocol.Response> }> {
  const target = new Scripted();
  const dap = new DapClient(target.host, target.after);
  dap.files.set(PROGRAM, programOf(2));
  await dap.request('initialize', initialize);
  const launch = dap.send('launch', { program: PROGRAM });
  while (target.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return { dap, target, launch };
}

const told = (dap: DapClient): unknown[] => dap.events.filter(({ event }) => event.startsWith('progress'));

describe('a launch that takes long', () => {
  test('is told of after half a second, with its stages, until it has ended', async () => {
    const { dap, target, launch } = await launching();
    target.progress('Assembling', 3);
    expect(told(dap)).toEqual([]);
    expect(target.timers.map(({ ms }) => ms)).toEqual([500]);
    target.timers[0]?.act();
    target.progress('Loading main', 40);
    target.progress('Compiling main for wasm', 75);
    target.loaded();
    expect((await launch).success).toBe(true);
    const progressId = 'launch-2';
    expect(told(dap)).toEqual([
      {
        event: 'progressStart',
        body: {
          progressId,
          title: 'Launching big.bpf.s',
          requestId: 2,
          cancellable: true,
          message: 'Assembling',
          percentage: 3,
        },
      },
      { event: 'progressUpdate', body: { progressId, message: 'Loading main', percentage: 40 } },
      { event: 'progressUpdate', body: { progressId, message: 'Compiling main for wasm', percentage: 75 } },
      { event: 'progressEnd', body: { progressId } },
    ]);
    expect(target.timers).toEqual([]);
  });

  test('is not told of when it ends before', async () => {
    const { dap, target, launch } = await launching();
    target.progress('Assembling', 3);
    target.loaded();
    expect((await launch).success).toBe(true);
    expect(target.timers).toEqual([]);
    expect(told(dap)).toEqual([]);
  });

  test('is not told of to a client that shows no progress', async () => {
    const { dap, target, launch } = await launching({ adapterID: 'bpf' });
    expect(target.timers).toEqual([]);
    target.progress('Assembling', 3);
    target.loaded();
    await launch;
    expect(told(dap)).toEqual([]);
  });

  test.each([
    ['its progress', { progressId: 'launch-2' }],
    ['its request', { requestId: 2 }],
  ])('is cancelled by %s: the target ends, the answer says so', async (_, args) => {
    const { dap, target, launch } = await launching();
    target.timers[0]?.act();
    expect((await dap.send('cancel', args)).success).toBe(true);
    expect(target.terminated).toBeGreaterThan(0);
    const { success, message, body } = await launch;
    expect({ success, message, showUser: body.error.showUser }).toEqual({
      success: false,
      message: 'cancelled',
      showUser: false,
    });
    expect(told(dap).at(-1)).toEqual({ event: 'progressEnd', body: { progressId: 'launch-2' } });
    expect(await dap.event('output')).toMatchObject({
      output: 'The launch of big.bpf.s was cancelled.\n',
    });
    // Another launch is another target.
    const again = dap.send('launch', { program: PROGRAM });
    while (target.asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
    target.say({ id: 1, reply: { ok: true, name: 'main', progType: 'xdp', nPackets: 1, messages: [] } });
    expect((await again).success).toBe(true);
  });

  test.each([
    ['a request that is over', { requestId: 1 }],
    ['a progress that is not there', { progressId: 'none' }],
    ['nothing', undefined],
  ])('goes on when %s is cancelled', async (_, args) => {
    const { dap, target, launch } = await launching();
    expect((await dap.send('cancel', args)).success).toBe(true);
    expect(target.terminated).toBe(0);
    target.loaded();
    expect((await launch).success).toBe(true);
  });

  test('ends with its session', async () => {
    const { dap, target, launch } = await launching();
    await dap.request('disconnect');
    expect(target.terminated).toBeGreaterThan(0);
    expect((await launch).success).toBe(false);
  });
});

describe('over a real worker', () => {
  /** Shows progress at once, and counts the targets that are there. */
  function client(nInsns: number): { dap: DapClient; running: () => number } {
    const host = hostNamed('worker')();
    let running = 0;
    const counting: TargetHost = {
      startTarget: async () => {
        const port = await host.startTarget();
        running++;
        return {
          post: (message) => port.post(message),
          onMessage: (listener) => port.onMessage(listener),
          onClose: (listener) => port.onClose(listener),
          terminate: () => port.terminate().then(() => void running--),
        };
      },
    };
    const at = (_: number, act: () => void): (() => void) => {
      act();
      return () => {};
    };
    const dap = new DapClient(counting, at);
    dap.files.set(PROGRAM, programOf(nInsns));
    return { dap, running: () => running };
  }

  test('stages come in their order, percentages never fall', async () => {
    const { dap } = client(30_000);
    await dap.request('initialize', INITIALIZE);
    expect((await dap.send('launch', { program: PROGRAM, engine: 'x86-64' })).success).toBe(true);
    const bodies = dap.events.filter(({ event }) => event === 'progressUpdate').map(({ body }) => body);
    expect([...new Set(bodies.map(({ message }) => message))]).toEqual([
      'Assembling',
      'Loading main',
      'Compiling main for x86-64',
    ]);
    const percentages = bodies.map(({ percentage }) => Number(percentage));
    expect(percentages).toEqual(percentages.toSorted((a, b) => a - b));
    expect(bodies.filter(({ message }) => message === 'Assembling').length).toBeGreaterThan(5);
    await dap.request('disconnect');
  });

  test('a cancelled launch leaves no worker', async () => {
    const { dap, running } = client(100_000);
    await dap.request('initialize', INITIALIZE);
    const launch = dap.send('launch', { program: PROGRAM });
    const { progressId } = await dap.event('progressStart');
    await dap.event('progressUpdate');
    expect((await dap.send('cancel', { progressId })).success).toBe(true);
    expect(await launch).toMatchObject({ success: false, message: 'cancelled' });
    expect(running()).toBeLessThanOrEqual(0);
    await dap.request('disconnect');
  });
});
