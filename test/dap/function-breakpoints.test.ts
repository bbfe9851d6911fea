import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, describe, expect, test } from 'vitest';
import { ENGINE_NAMES } from '#core/session/engines.ts';
import { DapClient, HOSTS } from './dap-client.ts';

const FIREWALL = '/programs/firewall.bpf.s';

// What the hosts differ in has nothing to do with functions; the worker is started for one of the tests only.
describe.each(HOSTS)('on the %s host', (hostName, host) => {
  let dap: DapClient;
  afterEach(() => dap.session.dispose());

  const launch = async (args: object = {}): Promise<void> => {
    dap = new DapClient(host());
    await dap.launch({ program: FIREWALL, data: 'builtin:tcp-syn', stopOnEntry: true, ...args });
    await dap.event('stopped');
  };

  const breakOn = async (...breakpoints: object[]): Promise<readonly DebugProtocol.Breakpoint[]> => {
    const command = 'setFunctionBreakpoints';
    const body = await dap.request<{ breakpoints: DebugProtocol.Breakpoint[] }>(command, { breakpoints });
    return body.breakpoints;
  };

  test('ids survive a restart', async () => {
    await launch();
    const [set] = await breakOn({ name: 'count' });
    await dap.request('restart', {});
    expect(await dap.event('breakpoint')).toMatchObject({
      reason: 'changed',
      breakpoint: { id: set?.id, verified: true, line: 21 },
    });
    await dap.event('stopped');
    expect(await dap.stopAfter('continue')).toMatchObject({ hitBreakpointIds: [set?.id] });
  });

  if (hostName === 'worker') return;

  test.each(ENGINE_NAMES)('engine %s: stops at the function, with the id and the reason', async (engine) => {
    await launch({ engine });
    const [set] = await breakOn({ name: 'count' });
    expect(set).toMatchObject({ verified: true, line: 21, source: { path: FIREWALL } });
    expect(await dap.stopAfter('continue')).toMatchObject({
      reason: 'function breakpoint',
      hitBreakpointIds: [set?.id],
    });
    expect(await dap.where()).toEqual(['count:21', 'firewall:14']);
    await breakOn();
    await dap.request('continue', { threadId: 1 });
    await dap.event('terminated');
  });

  test('a program by its name, again with each packet; condition and hit count', async () => {
    await launch({ capture: 'three.pcap', data: undefined, packet: 'all' });
    const [entry, never, second] = await breakOn(
      { name: 'firewall' },
      { name: 'count', condition: 'r1 == 1' },
      { name: 'count', hitCondition: '2' },
    );
    const ids: unknown[] = [];
    for (let stop = 0; stop < 3; stop++) ids.push((await dap.stopAfter('continue')).hitBreakpointIds);
    expect(ids).toEqual([[entry?.id], [second?.id], [entry?.id]]);
    expect(never?.verified).toBe(true);
  });

  test('a line and a function in one place: the line is the reason, both ids are hit', async () => {
    await launch();
    const [set] = await breakOn({ name: 'count' });
    const lines = await dap.request<{ breakpoints: DebugProtocol.Breakpoint[] }>('setBreakpoints', {
      source: { path: FIREWALL },
      breakpoints: [{ line: 21 }],
    });
    const stopped = await dap.stopAfter('continue');
    expect(stopped.reason).toBe('breakpoint');
    expect(new Set(stopped.hitBreakpointIds as number[])).toEqual(
      new Set([set?.id, lines.breakpoints[0]?.id]),
    );
  });

  test.each([
    [{ name: 'cuont' }, 'there is no function "cuont"; did you mean count?'],
    [{ name: 'parse' }, 'there is no function "parse"; there are firewall, count'],
    [{ name: ' ' }, "a function's name is missing; there are firewall, count"],
    [{ name: 'x'.repeat(1000) }, `there is no function "${'x'.repeat(80)}…"; there are firewall, count`],
    [{ name: 'count', condition: 'r1 =' }, /^condition: /],
    [{ name: 'count', hitCondition: 'often' }, /^hit count "often" is not understood/],
  ])('%j lies nowhere and says why', async (one, message) => {
    await launch();
    const [set] = await breakOn(one);
    expect(set?.verified).toBe(false);
    if (typeof message === 'string') expect(set?.message).toBe(message);
    else expect(set?.message).toMatch(message);
  });
});
