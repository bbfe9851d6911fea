import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { workerTargetHost } from '#core/platform/node/worker-target.ts';
import { TargetClient } from '#core/session/client.ts';
import type { TargetEvent } from '#core/session/target-api.ts';
import type { TargetHost } from '#core/session/target-host.ts';
import { HOSTS } from '../dap/dap-client.ts';

const SPIN = '.program raw\nmain:\n\tr0 = 0\nagain:\n\tr0 += 1\n\tgoto again\n\texit\n';
const FILE = '/work/spin.bpf.s';

/** A client with a program loaded and a promise of the next stop at hand. */
async function connect(host: TargetHost, source = SPIN) {
  const client = await TargetClient.start(host);
  const stops: TargetEvent[] = [];
  let wake: () => void = () => {};
  client.onEvent((event) => {
    if (event.kind === 'output') return;
    stops.push(event);
    wake();
  });
  const stopped = async (): Promise<TargetEvent> => {
    for (;;) {
      const event = stops.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const loaded = await client.request('load', { fileName: FILE, source: new TextEncoder().encode(source) });
  expect(loaded.ok).toBe(true);
  return { client, stopped, loaded };
}

describe.each(HOSTS)('a target on the %s host', (name, host) => {
  test('a spinning program answers, takes breakpoints and edits, and can be paused', async () => {
    const { client, stopped, loaded } = await connect(host());
    expect(loaded.ok && loaded.control !== undefined).toBe(name === 'worker');
    await client.request('start', { stopOnEntry: false, debug: true });
    const counts: bigint[] = [];
    while (counts.length < 2) {
      const { insns } = await client.request('stats', null);
      if (BigInt(insns) > (counts.at(-1) ?? 0n)) counts.push(BigInt(insns));
    }
    await client.pause();
    expect(await stopped()).toMatchObject({ kind: 'stopped', report: { reason: 'pause' } });
    await client.request('resume', { kind: 'continue' });
    await client.request('assign', { target: 'r0', value: '0', frame: 0 });
    await client.request('setBreakpoints', {
      file: FILE,
      breakpoints: [{ line: 6, condition: 'r0 > 1000' }],
    });
    expect(await stopped()).toMatchObject({ report: { reason: 'breakpoint' } });
    // It was set to 0 while the program ran, and ran on until the breakpoint was there.
    const held = await client.request('evaluate', { expression: 'r0 > 1000', frame: 0, context: 'watch' });
    expect(held).toMatchObject({ ok: true, row: { value: '0x1' } });
    await client.terminate();
  });

  test('a pause while it stands still is forgotten', async () => {
    const { client, stopped } = await connect(host());
    await client.request('setBreakpoints', { file: FILE, breakpoints: [{ line: 6 }] });
    await client.request('start', { stopOnEntry: true, debug: true });
    expect(await stopped()).toMatchObject({ report: { reason: 'entry' } });
    await client.pause();
    await client.request('resume', { kind: 'continue' });
    expect(await stopped()).toMatchObject({ report: { reason: 'breakpoint' } });
    await client.terminate();
  });

  test('a spinning program can be terminated; what was asked fails, nothing hangs', async () => {
    const { client } = await connect(host());
    await client.request('start', { stopOnEntry: false, debug: true });
    const closed = new Promise((resolve) => client.onClose(resolve));
    const asked = client.request('stats', null).catch((error: Error) => error.message);
    await client.terminate();
    expect(await closed).toBeUndefined();
    expect(await asked).toBe('the session has ended');
    await expect(client.request('stats', null)).rejects.toThrow('the session has ended');
  });

  test('a large program can be terminated too', async () => {
    const source = `.program raw\nmain:\n\tr0 = 0\nagain:\n${'\tr0 += 1\n'.repeat(20_000)}\tgoto again\n\texit\n`;
    const { client, stopped } = await connect(host(), source);
    await client.request('start', { stopOnEntry: false, debug: true });
    await client.pause();
    expect(await stopped()).toMatchObject({ report: { reason: 'pause' } });
    await client.terminate();
  });

  test('a request that cannot be done is refused, and the target lives on', async () => {
    const { client } = await connect(host());
    await expect(client.request('resume', { kind: 'continue' })).rejects.toThrow(
      'the program is not stopped',
    );
    expect(await client.request('frames', null)).toEqual([]);
    await client.terminate();
  });
});

describe('a worker that goes wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-worker-'));

  test('that cannot be loaded is told at the start', async () => {
    await expect(TargetClient.start(workerTargetHost(join(folder, 'none.cjs')))).rejects.toThrow('none.cjs');
  });

  test('that dies is told, and what was asked fails', async () => {
    const path = join(folder, 'dies.cjs');
    writeFileSync(
      path,
      `const { parentPort } = require('node:worker_threads');
      parentPort.on('message', () => { throw new Error('out of cheese'); });
      parentPort.postMessage('ready');`,
    );
    const client = await TargetClient.start(workerTargetHost(path));
    const closed = new Promise<Error | undefined>((resolve) => client.onClose(resolve));
    await expect(client.request('frames', null)).rejects.toThrow('out of cheese');
    expect((await closed)?.message).toBe('out of cheese');
    await client.terminate();
  });
});
