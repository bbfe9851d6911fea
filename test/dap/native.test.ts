import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, describe, expect, test } from 'vitest';
import { ENGINE_NAMES } from '#core/session/engines.ts';
import { ENGINE_INFOS } from '#debugger/engine.ts';
import { DapClient, HOSTS } from './dap-client.ts';
import { DisassemblyView } from './disassembly-view.ts';

const FIREWALL = '/programs/firewall.bpf.s';

// What the hosts differ in has nothing to do with addresses: transcripts are recorded on both.
describe.each(HOSTS.slice(-1))('on the %s host', (_, host) => {
  let dap: DapClient;
  let view: DisassemblyView;
  afterEach(() => dap.session.dispose());

  const launch = async (args: object, initialize: object = {}) => {
    dap = new DapClient(host());
    view = new DisassemblyView(dap);
    const program = { program: FIREWALL, data: 'builtin:tcp-syn', stopOnEntry: true };
    await dap.launch({ ...program, ...args }, { initialize });
    await dap.event('stopped');
  };

  test.each(['x86-64', 'wasm'])(
    '%s: a view holds each frame, ascending, BPF instructions as symbols',
    async (engine) => {
      await launch({ engine });
      for (let step = 0; step < 7; step++) {
        await dap.stopAfter('stepIn', { threadId: 1, granularity: 'line' });
      }
      expect(await dap.where()).toEqual(['count:21', 'firewall:14']);
      for (const index of [0, 1]) {
        const reference = await view.pointer(index);
        const list = await view.rows(reference, { instructionOffset: -999, instructionCount: 2000 });
        expect(list).toHaveLength(2000);
        const known = list.filter((row) => row.address !== '-1');
        const addresses = known.map((row) => BigInt(row.address));
        expect(addresses).toEqual([...new Set(addresses)].sort((a, b) => (a < b ? -1 : 1)));
        expect(addresses.every((one) => one >> 32n === 0xffffffffn)).toBe(true);
        expect(list[999]?.address).toBe(reference);
        const symbols = new Set(known.map((row) => row.symbol));
        for (const symbol of ['call count', 'r2 = r10', 'r1 += 1', 'count: prologue']) {
          expect(symbols).toContain(symbol);
        }
        expect(known.some((row) => row.instruction.includes(';  '))).toBe(false);
        const call = known.filter((row) => row.symbol === 'call count');
        expect(new Set(call.map((row) => row.line))).toEqual(new Set([14]));
        const read = await dap.request<{ data: string }>('readMemory', {
          memoryReference: known[0]?.address,
          count: 3,
        });
        const bytes = known.flatMap((row) => row.instructionBytes?.split(' ') ?? []);
        expect(Buffer.from(read.data, 'base64').toString('hex')).toBe(bytes.slice(0, 3).join(''));
      }
    },
  );

  test('x86-64: VS Code, which shows no symbols, gets them as comments', async () => {
    await launch({ engine: 'x86-64' }, { clientID: 'vscode' });
    const list = await view.rows(await view.pointer(), { instructionCount: 8 });
    expect(list.map((row) => row.instruction)).toEqual([
      'nop dword ptr [rax+rax] ; patch site: entry  ; firewall: prologue',
      'nop dword ptr [rax]',
      'push rbp',
      'mov rbp, rsp',
      'sub rsp, 0x8',
      'push rbx',
      'push r13',
      'mov rbx, qword ptr [rdi]        ; r6 = *(u64 *)(r1 + 0)',
    ]);
  });

  test.each([
    [{ engine: 'x86-64', disassembly: 'bpf' }],
    [{ engine: 'wasm', disassembly: 'bpf' }],
    [{ engine: 'interp', disassembly: 'native' }],
    [{ engine: 'reference' }],
  ])('%j shows the instructions of the program', async (args) => {
    await launch(args);
    const [row] = await view.rows(await view.pointer(), { instructionCount: 1 });
    expect(row).toMatchObject({ address: '0x0bbf000001000000', instruction: 'r6 = *(u32 *)(r1 + 0)' });
  });

  test('a wrong "disassembly" is refused with what would be right', async () => {
    dap = new DapClient(host());
    view = new DisassemblyView(dap);
    await dap.request('initialize', { adapterID: 'bpf' });
    const refused = await dap.send('launch', { program: FIREWALL, disassembly: 'x86' });
    expect(refused).toMatchObject({
      success: false,
      message: expect.stringMatching(/^"disassembly" must be "native" .* or "bpf"/),
    });
  });

  test.each(['x86-64', 'wasm'])(
    '%s: a breakpoint on a row where an instruction begins is hit there',
    async (engine) => {
      await launch({ engine });
      const reference = await view.pointer();
      const list = await view.rows(reference, { instructionCount: 3000 });
      const row = list.find(({ symbol }) => symbol === 'r1 += 1');
      const offset = Number(BigInt(row?.address ?? '0') - BigInt(reference));
      const [set] = await view.breakAt([{ instructionReference: reference, offset }]);
      expect(set).toMatchObject({ verified: true, instructionReference: row?.address, line: 29 });
      expect(await dap.stopAfter('continue')).toMatchObject({
        reason: 'instruction breakpoint',
        hitBreakpointIds: [set?.id],
      });
      expect(await view.pointer()).toBe(row?.address);
    },
  );

  test('bpf/engine names all engines, and switches: events follow the answer', async () => {
    await launch({ engine: 'x86-64' });
    const { engine, engines } = await dap.request<{ engine: string; engines: { name: string }[] }>(
      'bpf/engine',
    );
    expect(engine).toBe('x86-64');
    expect(engines.map(({ name }) => name).sort()).toEqual([...ENGINE_NAMES].sort());
    expect(ENGINE_INFOS.every(({ description }) => description.length > 20 && description.length < 90)).toBe(
      true,
    );
    const source = { path: FIREWALL };
    const lines = await dap.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
      source,
      breakpoints: [{ line: 11 }],
    });
    const native = await view.pointer();
    dap.transcript.length = 0;
    expect(await dap.request('bpf/engine', { engine: 'interp' })).toMatchObject({ engine: 'interp' });
    expect(dap.transcript.map((line) => line.slice(0, line.indexOf(' {')))).toEqual([
      '-> bpf/engine',
      '<- bpf/engine',
      '** breakpoint',
      '** output',
      '** invalidated',
    ]);
    expect(await dap.event('invalidated')).toEqual({ areas: ['all'] });
    expect(await view.pointer()).toBe('0x0bbf000001000000');
    // What a view still shows of the code that ran before stays readable.
    expect((await view.rows(native, { instructionCount: 1 }))[0]?.address).toBe(native);
    expect(await dap.stopAfter('continue')).toMatchObject({ hitBreakpointIds: [lines.breakpoints[0]?.id] });
    const stats = await dap.request<{ engine: string }>('bpf/stats');
    expect(stats.engine).toBe('interp');
    await dap.request('restart', {});
    await dap.event('stopped');
    expect(await dap.request('bpf/engine')).toMatchObject({ engine: 'interp' });
  });

  test.each([
    [{ engine: 'qemu' }, /^there is no engine "qemu"; the engines are /],
    [{ engine: 7 }, /"engine" must be a text/],
  ])('bpf/engine %j is refused', async (args, message) => {
    await launch({});
    expect(await dap.send('bpf/engine', args)).toMatchObject({
      success: false,
      message: expect.stringMatching(message),
    });
    expect(await dap.request('bpf/engine')).toMatchObject({ engine: 'interp' });
  });
});
