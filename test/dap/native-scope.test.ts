import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, test } from 'vitest';
import { DapClient, HOSTS } from './dap-client.ts';

test.each(HOSTS.slice(-1))('on the %s host: the Native scope of the innermost frame', async (_, host) => {
  const dap = new DapClient(host());
  const program = '/programs/firewall.bpf.s';
  await dap.launch({ program, engine: 'x86-64', data: 'builtin:tcp-syn' }, { lines: [{ line: 22 }] });
  await dap.event('stopped');
  const { stackFrames } = await dap.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
    threadId: 1,
  });
  const scopesOf = async (frameId: number | undefined): Promise<readonly DebugProtocol.Scope[]> => {
    const body = await dap.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
    return body.scopes;
  };
  const native = (await scopesOf(stackFrames[0]?.id)).find(({ name }) => name === 'Native');
  expect(native).toMatchObject({ presentationHint: 'registers', namedVariables: 18, expensive: false });
  expect((await scopesOf(stackFrames[1]?.id)).map(({ name }) => name)).not.toContain('Native');
  const variablesReference = native?.variablesReference;
  const { variables } = await dap.request<DebugProtocol.VariablesResponse['body']>('variables', {
    variablesReference,
  });
  const row = (name: string) => variables.find((one) => one.name === name);
  expect(row('rsi')).toMatchObject({
    value: expect.stringMatching(/ fp = r2$/),
    evaluateName: '$rsi',
    presentationHint: { attributes: ['readOnly'] },
  });
  const pointer = stackFrames[0]?.instructionPointerReference;
  expect(row('rip')?.value).toMatch(new RegExp(`^${pointer} count\\+\\d+$`));
  const set = await dap.send('setVariable', { variablesReference, name: 'rsi', value: '1' });
  expect(set.success).toBe(false);
  const again = await dap.request<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
    source: { path: program },
    breakpoints: [{ line: 22 }],
  });
  expect(again.breakpoints).toMatchObject([{ verified: true, instructionReference: pointer }]);
  await dap.session.dispose();
});
