import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, describe, expect, test } from 'vitest';
import { workerTargetHost } from '#core/platform/node/worker-target.ts';
import type { JitBreakpointReply, JitReply, JitRow, JitRowsReply, JitTextReply } from '#core/protocol/jit.ts';
import { DapClient, HOSTS } from './dap-client.ts';

const FIREWALL = '/programs/firewall.bpf.s';
const CLASSIC = '/programs/tcp-port-80.cbpf';

describe.each(HOSTS)('on the %s host', (_, host) => {
  let dap: DapClient;
  afterEach(() => dap.session.dispose());

  const launch = async (args: object) => {
    dap = new DapClient(host());
    await dap.launch({ program: FIREWALL, stopOnEntry: true, data: 'builtin:tcp-syn', ...args });
    await dap.event('stopped');
  };
  const jit = (args: object = {}) => dap.request<JitReply>('bpf/jit', args);
  const rows = async (column: 'bpf' | 'native'): Promise<readonly JitRow[]> => {
    const { listingId } = await jit();
    const args = { listingId, column, start: 0, count: 1000 };
    return (await dap.request<JitRowsReply>('bpf/jitRows', args)).rows;
  };
  const breakAt = (address: string | undefined, on: boolean) =>
    dap.request<JitBreakpointReply>('bpf/jitBreakpoint', { address, on });

  test('a breakpoint set on a native row is hit, outlives those of the client, and goes again', async () => {
    await launch({ engine: 'x86-64' });
    const add = (await rows('native')).find(({ text }) => text === 'add rdi, 0x1');
    expect(await breakAt(add?.address, true)).toEqual({ verified: true });
    await dap.request('setInstructionBreakpoints', { breakpoints: [] });
    const { breakpoints } = await jit();
    expect(breakpoints).toMatchObject([{ column: 'native', address: add?.address }]);
    expect((await rows('native'))[breakpoints[0]?.nativeRow ?? -1]).toMatchObject({ at: add?.at });
    expect(await dap.stopAfter('continue')).toMatchObject({ reason: 'breakpoint' });
    expect((await jit()).current?.nativeRow).toBe(breakpoints[0]?.nativeRow);
    await breakAt(add?.address, false);
    expect((await jit()).breakpoints).toEqual([]);
    await dap.request('continue', { threadId: 1 });
    await dap.event('terminated');
  });

  test('without line info there is no source, and the console says once what that means', async () => {
    dap = new DapClient(host());
    dap.files.set('/programs/x.hex', new TextEncoder().encode('b7000000070000009500000000000000'));
    const args = { program: '/programs/x.hex', data: '00', stopOnEntry: true };
    await dap.launch(args, { lines: [{ line: 1 }] });
    await dap.event('stopped');
    expect((await jit()).listing?.files).toEqual([]);
    const said = dap.events.map(({ body }) => String(body?.output)).filter((text) => /line info/.test(text));
    expect(said).toEqual([expect.stringMatching(/^x\.hex has no line info: .*Disassembly view.*\n$/)]);
  });

  test('… which is of no interest where nothing stops', async () => {
    dap = new DapClient(host());
    dap.files.set('/programs/x.hex', new TextEncoder().encode('b7000000070000009500000000000000'));
    await dap.launch({ program: '/programs/x.hex', data: '00', noDebug: true });
    await dap.event('terminated');
    expect(dap.transcript.join()).not.toMatch(/line info/);
  });

  test('one on an instruction is set again by a restart', async () => {
    await launch({});
    const add = (await rows('bpf')).find(({ text }) => text === 'r1 += 1');
    await breakAt(add?.address, true);
    await dap.request('restart');
    await dap.event('stopped');
    expect(await dap.stopAfter('continue')).toMatchObject({ reason: 'breakpoint' });
    expect((await jit()).breakpoints).toHaveLength(1);
  });

  test.each([
    ['x86-64', 'reference'],
    ['wasm', 'interp'],
    ['wasm', 'x86-64'],
  ])('one on an instruction of %s lies there after a switch to %s and a restart', async (engine, other) => {
    await launch({ engine });
    const add = (await rows('native'))
      .filter(({ text }) => /^(add rdi, 1|add rdi|i64.add)/.test(text))
      .at(-1);
    expect(await breakAt(add?.address, true)).toMatchObject({ verified: true });
    const [before] = (await jit()).breakpoints;
    await dap.request('bpf/engine', { engine: other });
    await dap.request('restart');
    await dap.event('stopped');
    const [after] = (await jit()).breakpoints;
    expect(after?.bpfRow).toBe(before?.bpfRow);
    expect(await dap.stopAfter('continue')).toMatchObject({ reason: 'breakpoint' });
    expect((await jit()).current?.bpfRow).toBe(before?.bpfRow);
  });

  test('one of the client’s is shown and must be removed by the client; one nowhere is not set', async () => {
    await launch({});
    const [, first] = await rows('bpf');
    const instructionReference = first?.address;
    await dap.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference }] });
    expect((await jit()).breakpoints).toHaveLength(1);
    expect(await breakAt(first?.address, false)).toMatchObject({ verified: false, message: /Disassembly/ });
    expect(await breakAt('0x0000000000000008', true)).toMatchObject({ verified: false });
    expect((await jit()).breakpoints).toHaveLength(1);
  });

  test('the converted program of a classic filter is named as stack frames name it', async () => {
    await launch({ program: CLASSIC, view: 'ebpf' });
    const { listing } = await jit();
    const body = await dap.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 });
    const { name, sourceReference } = body.stackFrames[0]?.source ?? {};
    expect(listing?.files).toMatchObject([{ name, sourceReference }]);
    const { listingId } = await jit();
    const whole = { listingId, column: 'all', start: 0, count: 5000 };
    expect((await dap.request<JitTextReply>('bpf/jitText', whole)).text).toContain('.ebpf:');
  });

  test.each([
    ['bpf/jit', { form: 'raw' }, /"form" must be "loaded" or "xlated"/],
    ['bpf/jit', { blinded: 1 }, /"blinded" must be true or false/],
    ['bpf/jitRows', { column: 'bpf', start: 0, count: 1 }, /listingId/],
    ['bpf/jitRows', { listingId: 'x', column: 'bpf', start: -1, count: 1 }, /count from 0/],
    ['bpf/jitText', { listingId: 'x', column: 'source', start: 0, count: 1 }, /"column" must be/],
    ['bpf/jitBreakpoint', { on: true }, /address/],
  ])('%s %j is refused with what would be right', async (command, args, message) => {
    await launch({});
    await expect(dap.request(command, args)).rejects.toThrow(message);
  });
});

test('a big program, blinded and not, as machine code and WebAssembly, takes a quarter of the worker’s memory', async () => {
  const entry = new URL('../../core/platform/node/worker-entry.ts', import.meta.url);
  const dap = new DapClient(workerTargetHost(entry, 256));
  const text = `.program raw\nmain:\n${'r0 = 1\nr0 += 2\n'.repeat(100_000)}exit\n`;
  dap.files.set('/programs/big.bpf.s', new TextEncoder().encode(text));
  await dap.launch({ program: '/programs/big.bpf.s', data: '00', stopOnEntry: true });
  await dap.event('stopped');
  for (const arch of ['x86-64', 'wasm']) {
    for (const blinded of [false, true]) {
      const { listing } = await dap.request<JitReply>('bpf/jit', { arch, blinded });
      expect(listing?.bpf.count).toBe(blinded ? 600_002 : 200_002);
      const native = arch === 'wasm' ? { message: expect.stringMatching(/too long/) } : {};
      expect(listing?.native).toMatchObject(native);
    }
  }
  expect(await dap.stopAfter('next')).toMatchObject({ reason: 'step' });
  dap.session.dispose();
}, 60_000);
