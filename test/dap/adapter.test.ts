import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test } from 'vitest';
import { workerTargetHost } from '#core/platform/node/worker-target.ts';
import type { TargetHost } from '#core/session/target-host.ts';
import { DapClient, HOSTS, hostNamed } from './dap-client.ts';

const FIREWALL = '/programs/firewall.bpf.s';
const inline = hostNamed('inline');

async function launched(args: object, lines: readonly object[] = []): Promise<DapClient> {
  const dap = new DapClient(inline());
  await dap.launch(args, { lines });
  return dap;
}

describe('launch failures', () => {
  const rows: readonly (readonly [name: string, args: object, id: number, message: RegExp])[] = [
    ['no program', {}, 2001, /"program" is missing/],
    ['a program that is a number', { program: 5 }, 2001, /"program" must be a text, not 5/],
    [
      'a file that is not there',
      { program: '/programs/none.s' },
      2002,
      /"program": \/programs\/none\.s cannot be read: no such file/,
    ],
    [
      'a capture that is not there',
      { program: FIREWALL, capture: 'none.pcap' },
      2002,
      /"capture": \/programs\/none\.pcap cannot be read/,
    ],
    [
      'data that is not there',
      { program: FIREWALL, data: '@none' },
      2002,
      /"data": \/programs\/none cannot be read/,
    ],
    [
      'mistakes in the text',
      { program: '/programs/broken.bpf.s' },
      2003,
      /^\/programs\/broken\.bpf\.s:3:\d+: /,
    ],
    [
      'a refused program',
      { program: '/programs/refused.bpf.s' },
      2004,
      /refused\.bpf\.s:3:\d+: main is refused at load/,
    ],
    [
      'an unknown program name',
      { program: '/programs/two.bpf.s', prog: 'third' },
      2005,
      /no program "third"; it has first, second/,
    ],
    ['an unknown program type', { program: FIREWALL, progType: 'kprobe' }, 2006, /use xdp, socket_filter/],
    [
      'a packet that is not there',
      { program: FIREWALL, capture: 'three.pcap', packet: 4 },
      2007,
      /packet 4: three\.pcap has packets 1 to 3/,
    ],
    [
      'packet 0',
      { program: FIREWALL, capture: 'three.pcap', packet: 0 },
      2001,
      /"packet" must be a number from 1/,
    ],
    [
      'a packet by name',
      { program: FIREWALL, capture: 'three.pcap', packet: 'first' },
      2001,
      /"packet" must be a number from 1, a list of numbers or "all", not "first"/,
    ],
    ['an unanswered "ask"', { program: FIREWALL, packet: 'ask' }, 2001, /"ask" is answered by the editor/],
    ['a capture that is none', { program: FIREWALL, capture: FIREWALL }, 2008, /./],
    ['data that is no hex', { program: FIREWALL, data: 'xyz' }, 2009, /^data, character 1/],
    [
      'an unknown built-in packet',
      { program: FIREWALL, data: 'builtin:x' },
      2009,
      /there is no built-in packet "x"/,
    ],
    ['an unknown context field', { program: FIREWALL, ctx: { x: 1 } }, 2010, /has no field x/],
    ['a context that is a list', { program: FIREWALL, ctx: [1] }, 2001, /"ctx" must be an object/],
    [
      'a fraction in the context',
      { program: FIREWALL, ctx: { mark: 1.5 } },
      2001,
      /"ctx.mark" must be a whole number/,
    ],
    ['an unknown engine', { program: FIREWALL, engine: 'warp' }, 2011, /engine "warp" is not there/],
    [
      'an unknown attach point',
      { program: FIREWALL, attach: 'here' },
      2001,
      /"attach" must be "packet" or "test_run"/,
    ],
    [
      'a flag that is none',
      { program: FIREWALL, stopOnEntry: 'yes' },
      2001,
      /"stopOnEntry" must be true or false/,
    ],
    ['a CPU that is not there', { program: FIREWALL, cpu: -1 }, 2001, /cpu -1: a whole number from 0 to 63/],
    [
      'program arrays by number',
      { program: FIREWALL, progArrays: { a: 1 } },
      2001,
      /"progArrays" must name programs/,
    ],
  ];
  test.each(rows)('%s', async (_, args, id, message) => {
    const dap = new DapClient(inline());
    await dap.request('initialize', { adapterID: 'bpf' });
    const response = await dap.send('launch', args);
    expect(response).toMatchObject({
      success: false,
      message: expect.stringMatching(message),
      body: { error: { id, showUser: true, format: '{text}' } },
    });
    expect(dap.events.some((one) => one.event === 'initialized')).toBe(false);
  });

  test('every mistake of the file is listed in the console', async () => {
    const dap = new DapClient(inline());
    await dap.request('initialize', { adapterID: 'bpf' });
    await dap.send('launch', { program: '/programs/broken.bpf.s' });
    const lines = dap.events.filter((one) => one.event === 'output').map((one) => one.body.output);
    expect(lines).toEqual([
      expect.stringMatching(/:3:\d+: .*XDP_PASS/s),
      expect.stringMatching(/:4:\d+: .*nowhere/s),
    ]);
  });
});

describe('the protocol', () => {
  test('capabilities are those of the handlers', async () => {
    const dap = new DapClient(inline());
    const capabilities = await dap.request<DebugProtocol.Capabilities>('initialize', { adapterID: 'bpf' });
    expect(capabilities).toMatchObject({
      supportsConfigurationDoneRequest: true,
      supportsConditionalBreakpoints: true,
      supportsDisassembleRequest: true,
      supportsInstructionBreakpoints: true,
      supportsSteppingGranularity: true,
      exceptionBreakpointFilters: [{ filter: 'fault', default: true }],
    });
    expect(capabilities.supportsStepBack).toBeUndefined();
  });

  test.each([
    ['an unknown request', 'fly', {}, 1001, 'the request "fly" is not supported'],
    ['a name of Object', 'toString', {}, 1001, 'the request "toString" is not supported'],
    ['a step before the launch', 'next', { threadId: 1 }, 1002, 'no program is running'],
    [
      'URIs for paths',
      'initialize',
      { adapterID: 'bpf', pathFormat: 'uri' },
      1006,
      'paths of the format "uri" are not supported; use "path"',
    ],
  ])('%s is refused', async (_, command, args, id, message) => {
    const response = await new DapClient(inline()).send(command, args);
    expect(response).toMatchObject({ success: false, message, body: { error: { id } } });
  });

  test('requests without what they need are refused, and the session goes on', async () => {
    const dap = await launched({ program: FIREWALL, stopOnEntry: true });
    await dap.event('stopped');
    for (const command of [
      'setBreakpoints',
      'scopes',
      'variables',
      'setVariable',
      'evaluate',
      'setExpression',
      'readMemory',
      'writeMemory',
      'setExceptionBreakpoints',
    ]) {
      const response = await dap.send(command);
      expect(response.success, command).toBe(command === 'scopes');
    }
    expect(await dap.where()).toEqual(['firewall:8']);
    await dap.session.dispose();
  });

  test('ids of an earlier stop show nothing, and nothing is done with them', async () => {
    const dap = await launched({ program: FIREWALL, stopOnEntry: true });
    await dap.event('stopped');
    const { stackFrames } = await dap.request<{ stackFrames: { id: number }[] }>('stackTrace', {
      threadId: 1,
    });
    const frameId = stackFrames[0]?.id;
    const { scopes } = await dap.request<{ scopes: { variablesReference: number }[] }>('scopes', { frameId });
    const variablesReference = scopes[0]?.variablesReference;
    await dap.stopAfter('next');
    expect(await dap.request('scopes', { frameId })).toEqual({ scopes: [] });
    expect(await dap.request('variables', { variablesReference })).toEqual({ variables: [] });
    for (const [command, args] of [
      ['setVariable', { variablesReference, name: 'r1', value: '1' }],
      ['evaluate', { frameId, expression: 'r1' }],
      ['bpf/registers', { frameId }],
    ] as const) {
      expect(await dap.send(command, args)).toMatchObject({ success: false, body: { error: { id: 1004 } } });
    }
    await dap.session.dispose();
  });

  test('a second launch is refused', async () => {
    const dap = await launched({ program: FIREWALL, stopOnEntry: true });
    expect(await dap.send('launch', { program: FIREWALL })).toMatchObject({ body: { error: { id: 1008 } } });
    await dap.session.dispose();
  });

  test('hostile expressions are refused without a dialog', async () => {
    const dap = await launched({ program: FIREWALL, stopOnEntry: true });
    await dap.event('stopped');
    for (const expression of [
      '('.repeat(5000),
      '',
      '"',
      'r1 = ',
      '*(u64 *)(-1)',
      '\u0000',
      'constructor',
      '__proto__',
      'ports[__proto__]',
    ]) {
      expect(await dap.send('evaluate', { expression, context: 'repl' })).toMatchObject({
        success: false,
        body: { error: { id: 3001, showUser: false } },
      });
    }
    await dap.session.dispose();
  });
});

describe('editing', () => {
  test('setVariable on registers, stack slots, packet bytes and map values', async () => {
    const dap = await launched({ program: FIREWALL, data: 'builtin:tcp-syn' }, [{ line: 15 }]);
    await dap.event('stopped');
    const { stackFrames } = await dap.request<{ stackFrames: { id: number }[] }>('stackTrace', {
      threadId: 1,
    });
    type Scopes = { scopes: { name: string; variablesReference: number }[] };
    const { scopes } = await dap.request<Scopes>('scopes', { frameId: stackFrames[0]?.id });
    const rows = async (variablesReference: number | undefined) =>
      (await dap.request<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference }))
        .variables;
    const scope = (name: string) => scopes.find((one) => one.name === name)?.variablesReference;
    const set = (variablesReference: number | undefined, name: string, value: string) =>
      dap.send('setVariable', { variablesReference, name, value });

    expect(await set(scope('Registers'), 'r7', '5')).toMatchObject({ success: true, body: { value: '0x5' } });
    expect(await set(scope('Registers'), 'r10', '5')).toMatchObject({
      message: 'r10 cannot be set: it is the frame pointer',
    });
    expect(await set(scope('Registers'), 'r99', '5')).toMatchObject({ message: 'r99 cannot be set' });
    expect(await set(scope('Stack'), 'fp - 8', 'r10 - 16')).toMatchObject({
      success: true,
      body: { value: expect.stringMatching(/ fp - 16$/), type: 'pointer' },
    });
    const [firstRow] = await rows(scope('Packet'));
    expect(await set(firstRow?.variablesReference, '[13]', '0x11')).toMatchObject({
      body: { value: '0x11 (17)' },
    });
    const maps = await rows(scope('Maps'));
    const hits = maps.find((row) => row.name === 'hits')?.variablesReference;
    expect(await set(hits, '[2]', 'hits[2] + 41')).toMatchObject({ body: { value: '0x2a (42)' } });
    expect((await rows(hits)).map((row) => row.value)).toEqual(['0x0', '0x0', '0x2a (42)', '0x0']);
    expect(await set(scope('Context'), 'data', '0')).toMatchObject({
      message: 'data cannot be set: the kernel fills it in; a launch sets it with "ctx"',
    });
    expect(dap.events.filter((one) => one.event === 'memory').map((one) => one.body.count)).toEqual([
      8, 1, 8,
    ]);
    await dap.session.dispose();
  });

  test('a refused value is shown in a dialog, unless a view asked, which shows it itself', async () => {
    const dap = await launched({ program: FIREWALL, stopOnEntry: true });
    await dap.event('stopped');
    const refused = (args: object) => dap.send('setExpression', { expression: 'r1', value: '1 +', ...args });
    expect(await refused({})).toMatchObject({
      message: expect.stringMatching(/^r1: a register, number/),
      body: { error: { showUser: true } },
    });
    expect(await refused({ quiet: true })).toMatchObject({ body: { error: { showUser: false } } });
    await dap.session.dispose();
  });

  test('maps and memory are paged', async () => {
    const dap = await launched({ program: FIREWALL, stopOnEntry: true, data: '00'.repeat(1000) });
    await dap.event('stopped');
    type Scopes = { scopes: { name: string; variablesReference: number; indexedVariables?: number }[] };
    const { scopes } = await dap.request<Scopes>('scopes', { frameId: 0 });
    const packet = scopes.find((one) => one.name === 'Packet');
    expect(packet?.indexedVariables).toBe(63);
    const { variables } = await dap.request<DebugProtocol.VariablesResponse['body']>('variables', {
      variablesReference: packet?.variablesReference,
      filter: 'indexed',
      start: 61,
      count: 10,
    });
    expect(variables.map((row) => row.name)).toEqual(['[976 … 991]', '[992 … 999]']);
    await dap.session.dispose();
  });
});

describe('restart', () => {
  test('reads the file again and keeps breakpoints and packets', async () => {
    const dap = new DapClient(inline());
    const file = '/elsewhere/main.bpf.s';
    const text = (verdict: string, line: string) =>
      new TextEncoder().encode(`.section xdp,"ax"\nmain:\n${line}\tr0 = ${verdict}\n\texit\n`);
    dap.files.set(file, text('XDP_DROP', ''));
    await dap.launch({ program: file, data: 'builtin:arp' }, { lines: [{ line: 3 }] });
    await dap.event('stopped');
    dap.files.set(file, text('XDP_TX', '# a comment\n'));
    await dap.request('restart', {});
    expect(await dap.event('continued')).toEqual({ threadId: 1, allThreadsContinued: true });
    expect(await dap.event('breakpoint')).toMatchObject({
      reason: 'changed',
      breakpoint: { line: 4, verified: true },
    });
    await dap.event('stopped');
    expect(await dap.where()).toEqual(['main:4']);
    await dap.request('continue', { threadId: 1 });
    const outputs = [await dap.event('output'), await dap.event('exited')];
    expect(outputs).toEqual([
      expect.objectContaining({ output: 'packet 1/1: XDP_TX (3), 2 instructions, r0 = 0x3\n' }),
      { exitCode: 0 },
    ]);
  });

  test('a file that is broken by now ends the session with its mistake', async () => {
    const dap = new DapClient(inline());
    dap.files.set('/work/a.bpf.s', new TextEncoder().encode('.program raw\nmain:\n\tr0 = 0\n\texit\n'));
    await dap.launch({ program: '/work/a.bpf.s', stopOnEntry: true });
    await dap.event('stopped');
    dap.files.set('/work/a.bpf.s', new TextEncoder().encode('.program raw\nmain:\n\tr0 0\n'));
    expect(await dap.send('restart', {})).toMatchObject({
      success: false,
      message: expect.stringContaining('/work/a.bpf.s:3:'),
    });
    await dap.event('terminated');
  });

  test.each(['terminate', 'disconnect'])('overtaken by %s leaves no program behind', async (command) => {
    const { dap, running } = await counted();
    const restart = dap.send('restart', {});
    await dap.request(command);
    expect(await restart).toMatchObject({ success: false, message: 'the session has ended' });
    expect(running()).toBe(0);
    expect(dap.events.filter(({ event }) => event === 'stopped')).toEqual([]);
    expect(await dap.send('restart', {})).toMatchObject({ success: false, message: 'the session has ended' });
  });

  test('what it overtakes is told so, without a dialog', async () => {
    const { dap } = await counted();
    const overtaken = dap.send('evaluate', { expression: 'r1' });
    const restart = dap.send('restart', {});
    expect(await overtaken).toMatchObject({
      success: false,
      message: 'the program was restarted, or has ended',
      body: { error: { showUser: false } },
    });
    expect(await restart).toMatchObject({ success: true });
    await dap.request('terminate');
    await dap.request('terminate');
    expect(dap.events.filter(({ event }) => event === 'terminated')).toHaveLength(1);
  });

  test('overtaken by another one gives way to it', async () => {
    const { dap, running } = await counted();
    const first = dap.send('restart', {});
    const second = dap.send('restart', {});
    expect(await first).toMatchObject({ success: false, message: 'cancelled' });
    expect(await second).toMatchObject({ success: true });
    await dap.event('stopped');
    expect(dap.events.filter(({ event }) => event === 'stopped')).toEqual([]);
    expect(running()).toBe(1);
    await dap.request('disconnect');
    expect(running()).toBe(0);
  });

  /** A session stopped on entry, and how many targets there are. */
  async function counted(): Promise<{ dap: DapClient; running: () => number }> {
    const host = inline();
    let running = 0;
    const targets: TargetHost = {
      startTarget: async () => {
        const port = await host.startTarget();
        running++;
        let isThere = true;
        return {
          post: (message) => port.post(message),
          onMessage: (listener) => port.onMessage(listener),
          onClose: (listener) => port.onClose(listener),
          terminate: async () => {
            await port.terminate();
            if (isThere) running--;
            isThere = false;
          },
        };
      },
    };
    const dap = new DapClient(targets);
    await dap.launch({ program: FIREWALL, data: 'builtin:tcp-syn', stopOnEntry: true });
    await dap.event('stopped');
    return { dap, running: () => running };
  }

  test('while the program spins', async () => {
    const dap = await launched({ program: '/programs/loop.bpf.s' });
    await dap.request('restart', {});
    await dap.stopAfter('pause');
    await dap.session.dispose();
  });
});

test.each(['next', 'stepIn', 'stepOut', 'continue'] as const)(
  '%s while the program runs is no error: a held key asks again',
  async (command) => {
    const dap = await launched({ program: '/programs/loop.bpf.s' });
    await dap.request(command, { threadId: 1 });
    await dap.stopAfter('pause');
    await dap.session.dispose();
  },
);

test.each(HOSTS)('%s: every step asked for at a stop is made, however soon after it', async (_, host) => {
  const dap = new DapClient(host());
  const text = `.program raw\nmain:\n${'\tr0 = 1\n'.repeat(40)}\texit\n`;
  dap.files.set('/work/steps.bpf.s', new TextEncoder().encode(text));
  await dap.launch({ program: '/work/steps.bpf.s', stopOnEntry: true });
  await dap.event('stopped');
  for (let step = 0; step < 30; step++) {
    // neither the answer is waited for nor what a client asks about the stop
    void dap.send('next', { threadId: 1 });
    expect(await dap.event('stopped')).toMatchObject({ reason: 'step' });
  }
  expect(await dap.where()).toEqual(['main:33']);
  await dap.session.dispose();
});

describe('a worker that dies', () => {
  test('ends the session with a clear text', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'bpf-dap-')), 'dies.cjs');
    writeFileSync(
      path,
      `const { parentPort } = require('node:worker_threads');
      parentPort.on('message', ({ id, method }) => {
        if (method === 'start') throw new Error('out of cheese');
        parentPort.postMessage({ id, reply: method === 'load' ? { ok: true, hasLineInfo: true, messages: [] } : method === 'setBreakpoints' ? [] : null });
      });
      parentPort.postMessage('ready');`,
    );
    const dap = new DapClient(workerTargetHost(path));
    await dap.launch({ program: FIREWALL });
    expect(await dap.event('output')).toMatchObject({
      category: 'important',
      output: expect.stringContaining('out of cheese'),
    });
    expect(await dap.event('exited')).toEqual({ exitCode: 1 });
    await dap.event('terminated');
    expect(await dap.send('threads')).toMatchObject({ success: true });
    expect(await dap.send('next', { threadId: 1 })).toMatchObject({ success: false });
    await dap.request('disconnect');
  });
});

test('a client that leaves during the launch leaves no target behind', async () => {
  let alive = 0;
  const hosts = inline();
  const dap = new DapClient({
    async startTarget() {
      const port = await hosts.startTarget();
      alive++;
      const terminate = (): Promise<void> => {
        alive--;
        return port.terminate();
      };
      return { ...port, terminate };
    },
  });
  await dap.request('initialize', { adapterID: 'bpf' });
  const launch = dap.send('launch', { program: FIREWALL });
  await dap.request('disconnect');
  expect(await launch).toMatchObject({ success: false, message: 'the session has ended' });
  expect(alive).toBe(0);
});
