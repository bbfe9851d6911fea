import { describe, test } from 'vitest';
import { DapClient, HOSTS } from './dap-client.ts';
import { expectGolden } from './golden.ts';

const FIREWALL = '/programs/firewall.bpf.s';

/** Each script drives one session; its transcript must be the same on every host. */
const SCRIPTS: readonly (readonly [name: string, script: (dap: DapClient) => Promise<void>])[] = [
  [
    'first-steps',
    async (dap) => {
      await dap.launch(
        { program: FIREWALL, stopOnEntry: true, data: 'builtin:tcp-syn' },
        { lines: [{ line: 14 }] },
      );
      await dap.event('stopped');
      await dap.request('threads');
      const { stackFrames } = await dap.request<{ stackFrames: { id: number }[] }>('stackTrace', {
        threadId: 1,
      });
      const { scopes } = await dap.request<{ scopes: { variablesReference: number }[] }>('scopes', {
        frameId: stackFrames[0]?.id,
      });
      for (const scope of scopes) {
        await dap.request('variables', { variablesReference: scope.variablesReference, start: 0, count: 11 });
      }
      await dap.stopAfter('continue');
      await dap.stopAfter('stepIn');
      await dap.where();
      await dap.stopAfter('stepOut');
      await dap.stopAfter('next');
      await dap.stopAfter('next');
      await dap.where();
      await dap.request('continue', { threadId: 1 });
      await dap.event('terminated');
    },
  ],
  [
    'fault',
    async (dap) => {
      await dap.launch({ program: '/programs/fault.bpf.s', data: '00112233' });
      await dap.event('stopped');
      await dap.request('exceptionInfo', { threadId: 1 });
      await dap.where();
      await dap.request('continue', { threadId: 1 });
      await dap.event('terminated');
    },
  ],
  [
    'all-packets',
    async (dap) => {
      await dap.launch(
        { program: '/programs/print.bpf.s', capture: 'three.pcap', packet: 'all' },
        { lines: [{ line: 12 }] },
      );
      await dap.event('stopped');
      await dap.stopAfter('continue');
      await dap.stopAfter('continue');
      await dap.request('continue', { threadId: 1 });
      await dap.event('terminated');
    },
  ],
  [
    'run-without-debugging',
    async (dap) => {
      await dap.launch(
        { program: '/programs/print.bpf.s', capture: 'three.pcap', packet: [3, 2], noDebug: true },
        { lines: [{ line: 12 }] },
      );
      await dap.event('terminated');
    },
  ],
  [
    'edits',
    async (dap) => {
      await dap.launch({ program: FIREWALL, data: 'builtin:udp-dns' }, { lines: [{ line: 15 }] });
      await dap.event('stopped');
      await dap.request('evaluate', { expression: 'r6', context: 'watch' });
      await dap.request('setExpression', { expression: 'r6', value: 'r6 + 4' });
      await dap.request('evaluate', { expression: '*(be16 *)(r6 + 8)', context: 'hover' });
      await dap.request('evaluate', { expression: 'hits[2] = 7', context: 'repl' });
      await dap.request('setExpression', { expression: '*(u8 *)(packet + 1)', value: '0xff' });
      await dap.send('setExpression', { expression: 'r10', value: '0' });
      await dap.send('evaluate', { expression: 'XDP_PASS', context: 'hover' });
      const { memoryReference } = await dap.request<{ memoryReference: string }>('evaluate', {
        expression: 'packet',
        context: 'watch',
      });
      await dap.request('readMemory', { memoryReference, offset: 0, count: 4 });
      await dap.request('writeMemory', { memoryReference, offset: 2, data: 'AQI=' });
      await dap.request('readMemory', { memoryReference, offset: -2, count: 8 });
      await dap.request('readMemory', { memoryReference, offset: 1 << 20, count: 8 });
      await dap.send('writeMemory', { memoryReference, offset: 1 << 20, data: 'AQI=' });
      await dap.request('disconnect');
    },
  ],
  [
    'views',
    async (dap) => {
      await dap.launch({ program: FIREWALL, data: 'builtin:tcp-syn' }, { lines: [{ line: 21 }] });
      await dap.event('stopped');
      await dap.stopAfter('next');
      const { stackFrames } = await dap.request<{ stackFrames: { id: number }[] }>('stackTrace', {
        threadId: 1,
      });
      await dap.request('bpf/registers', {});
      await dap.request('bpf/registers', { frameId: stackFrames[1]?.id });
      await dap.request('bpf/stack', { frameId: stackFrames[0]?.id });
      await dap.request('bpf/stats', {});
      await dap.request('terminate');
    },
  ],
  [
    'disassembly',
    async (dap) => {
      await dap.launch({ program: FIREWALL, data: 'builtin:tcp-syn', stopOnEntry: true });
      await dap.event('stopped');
      const { stackFrames } = await dap.request<{ stackFrames: { instructionPointerReference: string }[] }>(
        'stackTrace',
        { threadId: 1 },
      );
      const instructionReference = stackFrames[0]?.instructionPointerReference;
      await dap.request('disassemble', {
        memoryReference: instructionReference,
        offset: 0,
        instructionOffset: -2,
        instructionCount: 28,
        resolveSymbols: true,
      });
      await dap.request('setInstructionBreakpoints', {
        breakpoints: [
          { instructionReference, offset: 0x78 },
          { instructionReference, offset: 0x80 },
          { instructionReference, offset: 0x1000 },
          { instructionReference: '0xffffffff80000000' },
          { instructionReference, offset: 0x18, condition: 'r6 +' },
        ],
      });
      await dap.stopAfter('continue');
      await dap.stopAfter('next', { threadId: 1, granularity: 'instruction' });
      await dap.request('stackTrace', { threadId: 1 });
      await dap.request('setInstructionBreakpoints', { breakpoints: [] });
      await dap.request('continue', { threadId: 1 });
      await dap.event('terminated');
    },
  ],
  [
    'pause',
    async (dap) => {
      await dap.launch({ program: '/programs/loop.bpf.s' });
      // Expressions are answered between two slices of a running program.
      for (let r6 = ''; r6 !== '0x1'; ) {
        r6 = (await dap.request<{ result: string }>('evaluate', { expression: 'r6', context: 'watch' }))
          .result;
      }
      dap.transcript.length = 0;
      await dap.send('stackTrace', { threadId: 1 });
      await dap.stopAfter('pause');
      await dap.where();
      await dap.request('setExpression', { expression: 'r6', value: '0' });
      await dap.request('continue', { threadId: 1 });
      await dap.event('terminated');
    },
  ],
  [
    'counts-from-0',
    async (dap) => {
      await dap.launch(
        { program: FIREWALL, data: 'builtin:tcp-syn' },
        { initialize: { linesStartAt1: false, columnsStartAt1: false }, lines: [{ line: 13 }] },
      );
      await dap.event('stopped');
      await dap.request('breakpointLocations', { source: { path: FIREWALL }, line: 0, endLine: 9 });
      await dap.where();
      await dap.request('disconnect');
    },
  ],
];

describe.each(HOSTS)('on the %s host', (_, host) => {
  test.each(SCRIPTS)('%s', async (name, script) => {
    const dap = new DapClient(host());
    try {
      await script(dap);
    } finally {
      await dap.session.dispose();
    }
    // How far a spinning program came when it was paused is the machine's business.
    const lines = dap.transcript.map((line) =>
      name === 'pause' ? line.replace(/\d+ instructions/, 'N instructions') : line,
    );
    expectGolden(name, lines);
  });
});
