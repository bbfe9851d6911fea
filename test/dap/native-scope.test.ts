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
  const evaluated = async (expression: string, frame = 0) => {
    const args = { expression, frameId: stackFrames[frame]?.id, context: 'repl' };
    const reply = await dap.send('evaluate', args);
    return reply.success ? reply.body.result : reply.message;
  };
  expect(await evaluated('$rsi - $rbp')).toMatch(/^0x0/);
  const written =
    "$rsi cannot be written: it is the native code's; write the register of the program, r0 to r9";
  expect(await evaluated('$rsi = 1')).toBe(written);
  expect(await evaluated('$r6')).toBe("$r6: the processor has no such register; r6 is the program's");
  const outer = '$rsi: the processor has one set of registers: they are those of the innermost frame';
  expect(await evaluated('$rsi', 1)).toBe(outer);
  expect(await evaluated('$eax')).toBe('"$eax" is no register, constant or map; did you mean $rax?');
  const pointer = stackFrames[0]?.instructionPointerReference;
  expect(row('rip')?.value).toMatch(new RegExp(`^${pointer} count\\+\\d+$`));
  const set = await dap.send('setVariable', { variablesReference, name: 'rsi', value: '1' });
  expect(set.success).toBe(false);
  const again = await dap.request<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
    source: { path: program },
    breakpoints: [{ line: 22 }],
  });
  expect(again.breakpoints).toMatchObject([{ verified: true, instructionReference: pointer }]);
  await dap.request('bpf/engine', { engine: 'interp' });
  const missing = '$rip: a register of the processor, which the engine interp has not';
  expect(await evaluated('$rip')).toBe(missing);
  await dap.session.dispose();
});
