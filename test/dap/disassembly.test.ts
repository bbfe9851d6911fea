import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, describe, expect, test } from 'vitest';
import { DapClient, HOSTS } from './dap-client.ts';
import { DisassemblyView, type Row } from './disassembly-view.ts';

const FIREWALL = '/programs/firewall.bpf.s';
const CLASSIC = '/programs/tcp-port-80.cbpf';

describe.each(HOSTS)('on the %s host', (_, host) => {
  let dap: DapClient;
  let view: DisassemblyView;
  afterEach(() => dap.session.dispose());

  const launch = async (args: object, initialize: object = {}) => {
    dap = new DapClient(host());
    view = new DisassemblyView(dap);
    await dap.launch({ program: FIREWALL, stopOnEntry: true, ...args }, { initialize });
    await dap.event('stopped');
  };

  /** What a view does: one list of rows by address, the current one found by its text. */
  const rowOfFrame = async (index = 0): Promise<Row | undefined> => {
    const reference = await view.pointer(index);
    const list = await view.rows(reference, { instructionOffset: -50, instructionCount: 100 });
    expect(list).toHaveLength(100);
    const known = list.filter((row) => row.address !== '-1').map((row) => BigInt(row.address));
    expect(known).toEqual([...new Set(known)].sort((a, b) => (a < b ? -1 : 1)));
    expect(list[50]?.address).toBe(reference);
    return list[50];
  };

  test('a view around the pointer: every frame has its row, sources are named once', async () => {
    await launch({ data: 'builtin:tcp-syn' });
    const list = await view.rows(await view.pointer(), { instructionOffset: -3, instructionCount: 12 });
    for (const row of list.slice(0, 3)) {
      expect(row).toMatchObject({ address: '-1', presentationHint: 'invalid' });
    }
    expect(list.map((row) => row.location?.path)).toEqual([
      ...[undefined, undefined, undefined, FIREWALL],
      ...new Array<undefined>(8).fill(undefined),
    ]);
    expect(list.slice(3).map((row) => row.line)).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(await rowOfFrame()).toMatchObject({
      line: 8,
      symbol: 'firewall',
      instructionBytes: expect.stringMatching(/^61 16/),
    });
    for (let step = 0; step < 7; step++) {
      await dap.stopAfter('stepIn', { threadId: 1, granularity: 'instruction' });
    }
    expect(await rowOfFrame(0)).toMatchObject({ line: 21, symbol: 'count', instruction: 'r2 = r10' });
    expect(await rowOfFrame(1)).toMatchObject({ line: 14, symbol: 'firewall' });
  });

  test('a breakpoint set on a row is hit there, with its id and reason', async () => {
    await launch({ data: 'builtin:tcp-syn' });
    const reference = await view.pointer();
    const list = await view.rows(reference, { instructionCount: 30, resolveSymbols: true });
    const call = list.find((row) => row.instruction === 'call bpf_map_lookup_elem');
    const offset = Number(BigInt(call?.address ?? '0') - BigInt(reference));
    const [set] = await view.breakAt([{ instructionReference: reference, offset }]);
    expect(set).toMatchObject({ verified: true, instructionReference: call?.address, line: 26 });
    const stopped = await dap.stopAfter('continue');
    expect(stopped).toMatchObject({ reason: 'instruction breakpoint', hitBreakpointIds: [set?.id] });
    expect(await view.pointer()).toBe(call?.address);
    await view.breakAt([]);
    await dap.request('continue', { threadId: 1 });
    await dap.event('terminated');
  });

  test('breakpoints set before the program starts are hit on entry, and again after a restart', async () => {
    dap = new DapClient(host());
    view = new DisassemblyView(dap);
    await dap.request('initialize', { adapterID: 'bpf' });
    await dap.request('launch', { program: FIREWALL, data: 'builtin:tcp-syn', stopOnEntry: true });
    await dap.request('configurationDone');
    await dap.event('stopped');
    const reference = await view.pointer();
    const [set] = await view.breakAt([{ instructionReference: reference, offset: 8 }]);
    await dap.request('restart', {});
    expect(await dap.event('breakpoint')).toMatchObject({
      reason: 'changed',
      breakpoint: { id: set?.id, verified: true, line: 9 },
    });
    expect(await dap.event('stopped')).toMatchObject({ reason: 'entry' });
    expect(await dap.stopAfter('continue')).toMatchObject({ hitBreakpointIds: [set?.id] });
  });

  test('breakpoints keep their ids over a restart, in whatever order they were set', async () => {
    await launch({ data: 'builtin:tcp-syn' });
    const reference = await view.pointer();
    const source = { path: FIREWALL };
    const [byAddress] = await view.breakAt([{ instructionReference: reference, offset: 8 }]);
    const lines = await dap.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
      source,
      breakpoints: [{ line: 11 }],
    });
    const byLine = lines.breakpoints[0];
    await dap.request('restart', {});
    await dap.event('stopped');
    expect(await dap.stopAfter('continue')).toMatchObject({ hitBreakpointIds: [byAddress?.id] });
    expect(await dap.stopAfter('continue')).toMatchObject({ hitBreakpointIds: [byLine?.id] });
    const again = await dap.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
      source,
      breakpoints: [{ line: 11 }, { line: 12 }],
    });
    expect(again.breakpoints[0]?.id).toBe(byLine?.id);
    expect(new Set([byAddress, ...again.breakpoints].map((one) => one?.id)).size).toBe(3);
  });

  test('a classic program: its own instructions; as eBPF the converted ones, in their text', async () => {
    await launch({ program: CLASSIC });
    const own = await view.rows(await view.pointer(), { instructionCount: 21 });
    expect(own[0]).toMatchObject({
      instruction: '(000) ldh [12]',
      line: 1,
      instructionBytes: expect.stringMatching(/^28 00/),
    });
    expect(own.map((row) => row.presentationHint)).toEqual([
      ...new Array<undefined>(20).fill(undefined),
      'invalid',
    ]);
    const [set] = await view.breakAt([
      { instructionReference: own[18]?.address },
      { instructionReference: own[19]?.address },
    ]);
    expect(set).toMatchObject({ verified: true, line: 19 });
    const stopped = await dap.stopAfter('continue');
    expect(stopped).toMatchObject({ reason: 'instruction breakpoint' });
    await dap.session.dispose();
    await launch({ program: CLASSIC, view: 'ebpf' });
    const converted = await view.rows(await view.pointer(), { instructionCount: 10 });
    const [frame] = await view.frames();
    expect(converted[0]).toMatchObject({ location: frame?.source, line: frame?.line });
    expect(converted[0]?.location?.sourceReference).toBe(1);
  });

  test('a program without line info: rows without lines, and the frame leads to them', async () => {
    dap = new DapClient(host());
    view = new DisassemblyView(dap);
    const hex = 'b700000002000000 9500000000000000';
    dap.files.set('/programs/two.hex', new TextEncoder().encode(hex));
    await dap.launch({ program: '/programs/two.hex', stopOnEntry: true });
    await dap.event('stopped');
    const list = await view.rows(await view.pointer(), { instructionCount: 3 });
    expect(list.map((row) => [row.instruction, row.line, row.location])).toEqual([
      ['r0 = 2', undefined, undefined],
      ['exit', undefined, undefined],
      ['(no instruction)', undefined, undefined],
    ]);
    const [set] = await view.breakAt([{ instructionReference: list[1]?.address }]);
    expect(set).toEqual({ id: set?.id, verified: true, instructionReference: list[1]?.address });
    expect(await dap.stopAfter('continue')).toMatchObject({ hitBreakpointIds: [set?.id] });
  });

  test('columns and lines as the client counts them', async () => {
    await launch({ data: 'builtin:tcp-syn' }, { linesStartAt1: false, columnsStartAt1: false });
    const [row] = await view.rows(await view.pointer(), { instructionCount: 1 });
    expect(row).toMatchObject({ line: 7, column: 1 });
  });
});
