import { expect, test } from 'vitest';
import { DapClient, HOSTS } from './dap-client.ts';

const inline = HOSTS.find(([name]) => name === 'inline')?.[1];

const SOURCE = { path: '/programs/p.bpf.s' };

test.each<[string, object, string]>([
  ['evaluate', {}, 'evaluate: "expression" must be a text'],
  ['evaluate', { expression: 5 }, 'evaluate: "expression" must be a text'],
  ['setExpression', { expression: 'r1' }, 'setExpression: "value" must be a text'],
  ['readMemory', { memoryReference: 5, count: 1 }, 'readMemory: "memoryReference" must be a text'],
  ['readMemory', { memoryReference: '0x0', count: 1.5 }, 'readMemory: "count" must be a whole number'],
  [
    'readMemory',
    { memoryReference: '0x0', count: 1, offset: 'x' },
    'readMemory: "offset" must be a whole number',
  ],
  ['setBreakpoints', { source: SOURCE, breakpoints: [{}] }, 'setBreakpoints: "line" must be a whole number'],
  [
    'setBreakpoints',
    { source: SOURCE, breakpoints: [{ line: 1, column: 'x' }] },
    'setBreakpoints: "column" must be a whole number',
  ],
  [
    'setBreakpoints',
    { source: SOURCE, breakpoints: [{ line: 1, condition: 5 }] },
    'setBreakpoints: "condition" must be a text',
  ],
  ['breakpointLocations', { source: SOURCE }, 'breakpointLocations: "line" must be a whole number'],
  ['writeMemory', { memoryReference: '0x0', data: null }, 'writeMemory: "data" must be a text'],
  [
    'writeMemory',
    { memoryReference: '0x0', data: '', offset: 0.5 },
    'writeMemory: "offset" must be a whole number',
  ],
  ['disassemble', { instructionCount: 1 }, 'disassemble: "memoryReference" must be a text'],
  ['disassemble', { memoryReference: '0x0' }, 'disassemble: "instructionCount" must be a whole number'],
  [
    'disassemble',
    { memoryReference: '0x0', instructionCount: 65_537 },
    'disassemble: "instructionCount" must be 0 to 65536, not 65537',
  ],
  [
    'disassemble',
    { memoryReference: '0x0', instructionCount: -1 },
    'disassemble: "instructionCount" must be 0 to 65536, not -1',
  ],
  [
    'disassemble',
    { memoryReference: '0x0', instructionCount: 1, offset: null },
    'disassemble: "offset" must be a whole number',
  ],
  [
    'disassemble',
    { memoryReference: 'packet', instructionCount: 1 },
    'there are no instructions at packet (any more)',
  ],
  [
    'setFunctionBreakpoints',
    {},
    expect.stringContaining('setFunctionBreakpoints: the arguments are not as the protocol says'),
  ],
  ['setFunctionBreakpoints', { breakpoints: [{ name: 5 }] }, 'setFunctionBreakpoints: "name" must be a text'],
  [
    'setInstructionBreakpoints',
    {},
    expect.stringContaining('setInstructionBreakpoints: the arguments are not as the protocol says'),
  ],
  [
    'setInstructionBreakpoints',
    { breakpoints: [{ instructionReference: 5 }] },
    'setInstructionBreakpoints: "instructionReference" must be a text',
  ],
  [
    'setInstructionBreakpoints',
    { breakpoints: [{ instructionReference: '0x0', condition: 5 }] },
    'setInstructionBreakpoints: "condition" must be a text',
  ],
])('%s %j says what is wrong', async (command, args, message) => {
  if (inline === undefined) throw new Error('no inline host');
  const dap = new DapClient(inline());
  dap.files.set('/programs/p.bpf.s', new TextEncoder().encode('r0 = 0\nexit\n'));
  await dap.request('initialize', { adapterID: 'bpf' });
  await dap.request('launch', { program: '/programs/p.bpf.s', stopOnEntry: true });
  await dap.request('configurationDone');
  await dap.event('stopped');
  expect(await dap.send(command, args)).toMatchObject({ success: false, message });
  await dap.request('disconnect');
});

test('a malformed breakpoint is not kept: a restart works', async () => {
  if (inline === undefined) throw new Error('no inline host');
  const dap = new DapClient(inline());
  dap.files.set(SOURCE.path, new TextEncoder().encode('r0 = 0\nexit\n'));
  await dap.launch({ program: SOURCE.path, stopOnEntry: true, seed: null });
  await dap.event('stopped');
  const breakpoints = [{ line: 2 }, { line: 2, condition: 5 }];
  expect(await dap.send('setBreakpoints', { source: SOURCE, breakpoints })).toMatchObject({ success: false });
  await dap.request('restart', {});
  expect(await dap.event('stopped')).toMatchObject({ reason: 'entry' });
  await dap.request('disconnect');
});

test('a program array that is not there is not there, whatever its name', async () => {
  if (inline === undefined) throw new Error('no inline host');
  const dap = new DapClient(inline());
  dap.files.set(SOURCE.path, new TextEncoder().encode('r0 = 0\nexit\n'));
  await dap.request('initialize', { adapterID: 'bpf' });
  const progArrays: unknown = JSON.parse('{ "__proto__": { "0": "p" } }');
  expect(await dap.send('launch', { program: SOURCE.path, progArrays })).toMatchObject({
    success: false,
    message: 'progArrays: __proto__ is no program array of this program',
  });
  await dap.request('disconnect');
});
