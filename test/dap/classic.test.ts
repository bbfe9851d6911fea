import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, expect, test } from 'vitest';
import type { ProgramTextReply, RegistersReply, StackReply, StatsReply } from '#core/protocol/messages.ts';
import { DapClient, HOSTS, hostNamed } from './dap-client.ts';

/** What `tcpdump -y EN10MB -d "tcp port 80"` printed, as it is. */
const PROGRAM = '/programs/tcp-port-80.cbpf';
const ETHERNET = `${'02000000000202000000000108'}00`;
const IPV4 = '4500002800004000400666cd0a0000010a000002';
const tcp = (port: string) => `${ETHERNET}${IPV4}9c40${port}${'00'.repeat(16)}`;

let dap: DapClient;
afterEach(() => dap.session.dispose());

const launch = async (args: object, lines?: readonly object[]) => {
  dap = new DapClient(hostNamed('inline')());
  await dap.launch({ program: PROGRAM, stopOnEntry: true, ...args }, lines === undefined ? {} : { lines });
  await dap.event('stopped');
};

const topFrame = async () => {
  const args = { threadId: 1 };
  const { stackFrames } = await dap.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', args);
  const [frame] = stackFrames;
  if (frame === undefined) throw new Error('there is no frame');
  return frame;
};

/** The Registers scope as `{ name: value }`, in the order in which it is shown. */
const registers = async () => {
  const { id: frameId } = await topFrame();
  const { scopes } = await dap.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
  const scope = scopes.find(({ name }) => name === 'Registers');
  const { variablesReference = 0 } = scope ?? {};
  const body = await dap.request<DebugProtocol.VariablesResponse['body']>('variables', {
    variablesReference,
  });
  return { variablesReference, values: Object.fromEntries(body.variables.map((v) => [v.name, v.value])) };
};

const value = async (expression: string) => {
  const reply = await dap.send('evaluate', { expression, context: 'watch' });
  return reply.success ? reply.body.result : `! ${reply.message}`;
};

test('in its own text, a step is a classic instruction, and A, X and M are the registers', async () => {
  await launch({ data: tcp('0050') });
  expect(await dap.where()).toEqual(['tcp-port-80:1']);
  const { values } = await registers();
  expect(Object.keys(values)).toEqual(['A', 'X', 'pc']);
  expect(values).toMatchObject({
    A: '0x0 (not written yet)',
    X: '0x0 (not written yet)',
    pc: '(000) ldh [12]',
  });
  const seen: unknown[] = [];
  for (let step = 0; step < 10; step++) {
    await dap.stopAfter('next', { threadId: 1, granularity: step % 2 === 0 ? 'line' : 'instruction' });
    const { A, X, pc } = (await registers()).values;
    seen.push([String(pc).slice(0, 5), A, X]);
  }
  expect(seen).toEqual([
    ['(001)', '0x800 (2048)', '0x0 (not written yet)'],
    ['(008)', '0x800 (2048)', '0x0 (not written yet)'],
    ['(009)', '0x800 (2048)', '0x0 (not written yet)'],
    ['(010)', '0x6', '0x0 (not written yet)'],
    ['(011)', '0x6', '0x0 (not written yet)'],
    ['(012)', '0x4000 (16384)', '0x0 (not written yet)'],
    ['(013)', '0x4000 (16384)', '0x0 (not written yet)'],
    ['(014)', '0x4000 (16384)', '0x14 (20)'],
    ['(015)', '0x9c40 (40000)', '0x14 (20)'],
    ['(016)', '0x9c40 (40000)', '0x14 (20)'],
  ]);
});

test('A, X and M[n] are written, and used in conditions and log messages', async () => {
  await launch({ data: tcp('0051') }, [
    { line: 16, condition: 'A == 40000 && X == 20 && M[3] == 0' },
    { line: 15, logMessage: 'A {A}, X {X}, M[3] {M[3]}, SRC {SRC}, IMM {IMM}' },
  ]);
  await dap.stopAfter('continue');
  // ldh [x + 14]: SRC is the register that X is kept in
  const logged = 'A 0x4000, X 0x14, M[3] 0x0, SRC 0x14, IMM 0xe\n';
  expect(await dap.event('output')).toMatchObject({ output: logged });
  expect(await dap.where()).toEqual(['tcp-port-80:16']);
  const asked = ['A', 'x', 'M[0]', 'M[15]', 'M[16]', 'M[-1]', 'M', 'A + X', 'M + 1'];
  expect(await Promise.all(asked.map(value))).toEqual([
    '0x9c40 (40000)',
    '0x14 (20)',
    'not written yet',
    'not written yet',
    '! M[16]: there are M[0] to M[15]',
    '! M[-1]: there are M[0] to M[15]',
    'scratch memory, 16 words',
    '0x9c54 (40020)',
    '! M is the scratch memory; name one of its words: M[0]',
  ]);
  const scratch = await dap.request<DebugProtocol.EvaluateResponse['body']>('evaluate', { expression: 'M' });
  const words = await dap.request<DebugProtocol.VariablesResponse['body']>('variables', {
    variablesReference: scratch.variablesReference,
  });
  expect(words.variables.map(({ name }) => name)).toEqual(Array.from({ length: 16 }, (_, k) => `M[${k}]`));
  const { variablesReference } = await registers();
  await dap.request('setExpression', { expression: 'M[3]', value: 'A + 1' });
  await dap.request('setVariable', { variablesReference, name: 'A', value: '80' });
  const { values } = await registers();
  expect(values).toMatchObject({ A: '0x50 (80)', 'M[3]': '0x9c41 (40001)' });
  expect(Object.keys(values)).toEqual(['A', 'X', 'pc', 'M[3]']);
  // jeq #0x50 with the A just set: the verdict is another one
  await dap.stopAfter('next');
  expect(await dap.where()).toEqual(['tcp-port-80:19']);
  const { description } = await dap.stopAfter('next');
  expect(description).toBe('accept 262144 bytes');
});

test('the Registers view shows them with 32 bits and marks what has changed', async () => {
  await launch({ data: tcp('0050') });
  await dap.stopAfter('next');
  const reply = await dap.request<RegistersReply>('bpf/registers');
  expect(reply.frame.pc).toBe(1);
  expect(reply.registers.map(({ name }) => name)).toEqual(['A', 'X']);
  expect(reply.registers[0]).toEqual({
    ...{ name: 'A', role: 'accumulator', value: '0x00000800', bits: 32 },
    ...{ changed: true, initialised: true, writable: true },
  });
  expect(reply.registers[1]).toMatchObject({ name: 'X', changed: false, initialised: false });
});

test('of the scratch memory the words that the program names are shown, and there is no stack', async () => {
  dap = new DapClient(hostNamed('inline')());
  const text = '\tldx #7\n\tstx M[2]\n\tst M[5]\n\tret #1\n';
  dap.files.set('/programs/scratch.cbpf', new TextEncoder().encode(text));
  await dap.launch({ program: '/programs/scratch.cbpf', data: tcp('0050'), stopOnEntry: true });
  await dap.event('stopped');
  expect(await value('x')).toBe('0x0 (not written yet)');
  const unwritten = { 'M[2]': 'not written yet', 'M[5]': 'not written yet' };
  const first = (await registers()).values;
  expect(first).toMatchObject(unwritten);
  expect(Object.keys(first)).toEqual(['A', 'X', 'pc', 'M[2]', 'M[5]']);
  await dap.stopAfter('next');
  await dap.stopAfter('next');
  expect((await registers()).values).toMatchObject({ ...unwritten, X: '0x7', 'M[2]': '0x7' });
  const view = await dap.request<RegistersReply>('bpf/registers');
  expect(view.registers.map(({ name, initialised }) => [name, initialised])).toEqual([
    ...[
      ['A', false],
      ['X', true],
      ['M[2]', true],
      ['M[5]', false],
    ],
  ]);
  expect(await dap.request<StackReply>('bpf/stack')).toEqual({ stop: 3, frames: [] });
  await dap.stopAfter('next');
  expect(await dap.stopAfter('next')).toMatchObject({ description: 'accept 1 byte' });
});

test('by choice the converted eBPF is debugged: a source of the adapter, with breakpoints in it', async () => {
  await launch({ data: tcp('0050'), view: 'ebpf' });
  const { source, line } = await topFrame();
  expect(source).toMatchObject({ name: 'tcp-port-80.ebpf', sourceReference: 1 });
  const { content } = await dap.request<DebugProtocol.SourceResponse['body']>('source', {
    source,
    sourceReference: 1,
  });
  const lines = content.split('\n');
  expect(lines[line - 1]).toBe('\tw0 = 0');
  const comment = lines.indexOf('// (014) ldh      [x + 14]');
  expect(lines[comment + 1]).toBe('\tr0 = *(u16 *)skb[r7 + 14]');
  const set = await dap.request<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
    source: { name: source?.name, sourceReference: 1 },
    breakpoints: [{ line: comment + 1, condition: 'X == 20' }],
  });
  expect(set.breakpoints).toMatchObject([
    { verified: true, line: comment + 2, source: { sourceReference: 1 } },
  ]);
  await dap.stopAfter('continue');
  expect((await topFrame()).line).toBe(comment + 2);
  const { values } = await registers();
  expect(Object.keys(values)).toEqual(Array.from({ length: 11 }, (_, n) => `r${n}`));
  expect(values).toMatchObject({ r0: '0x4000 (16384)', r7: '0x14 (20)' });
  await dap.stopAfter('next');
  expect(lines[(await topFrame()).line - 1]).toMatch(/^\tif r0 == 80 goto/);
});

test('a breakpoint in the classic text holds in the converted program too', async () => {
  await launch({ data: tcp('0050'), view: 'ebpf' }, [{ line: 14 }]);
  await dap.stopAfter('continue');
  const { content } = await dap.request<DebugProtocol.SourceResponse['body']>('source', {
    sourceReference: 1,
  });
  const lines = content.split('\n');
  expect(lines[(await topFrame()).line - 2]).toBe('// (013) ldxb     4*([14]&0xf)');
});

test.each([
  [{ view: 'both' }, /"view" must be "classic" .* or "ebpf" .*, not "both"/],
  [{ blind: 'yes' }, /"blind" must be true or false/],
  [{ kernel: 'six' }, /"kernel" must be a version of Linux, as in "6.18"/],
])('%j is refused', async (args, message) => {
  dap = new DapClient(hostNamed('inline')());
  await dap.request('initialize', { adapterID: 'bpf' });
  const reply = await dap.send('launch', { program: PROGRAM, ...args });
  expect(reply).toMatchObject({ success: false, message: expect.stringMatching(message) });
});

test('a source of another session is no error: its breakpoints lie nowhere', async () => {
  await launch({ data: tcp('0050') });
  const source = { name: 'other.ebpf', sourceReference: 7 };
  const { breakpoints } = await dap.request<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
    source,
    breakpoints: [{ line: 1 }],
  });
  expect(breakpoints).toEqual([{ verified: false, message: 'this text belongs to another session' }]);
  expect(await dap.send('source', { source, sourceReference: 7 })).toMatchObject({ success: false });
});

test.each(['0050', '0051'])('blinded, in both views, the verdict is the same: port 0x%s', async (port) => {
  const verdict = port === '0050' ? 'accept 262144 bytes' : 'drop (0)';
  for (const view of ['classic', 'ebpf']) {
    await launch({ data: tcp(port), view, blind: true, seed: 7 });
    await dap.request('continue', { threadId: 1 });
    await dap.event('terminated');
    const output = dap.events.filter(({ event }) => event === 'output').map(({ body }) => body.output);
    expect(output.join('')).toContain(verdict);
  }
});

test('the converted program is there beside the classic text, before the start and at each stop', async () => {
  dap = new DapClient(hostNamed('inline')());
  await dap.request('initialize', { adapterID: 'bpf' });
  await dap.request('launch', { program: PROGRAM, data: tcp('0050'), stopOnEntry: true });
  const before = await dap.request<ProgramTextReply>('bpf/programText', {});
  expect(before).toMatchObject({ stop: 0, form: 'converted', files: [PROGRAM] });
  await dap.request('configurationDone');
  await dap.event('stopped');
  for (let step = 0; step < 3; step++) await dap.stopAfter('next');
  const now = await dap.request<ProgramTextReply>('bpf/programText', { start: 0, count: 0 });
  expect(now).toMatchObject({ stop: 4, textId: before.textId, lines: [] });
  expect(before.lines[now.currentLine ?? -1]).toMatchObject({ origSlot: 9, source: { line: 10 } });
  expect(await dap.send('bpf/programText', { start: 'a' })).toMatchObject({ success: false });
});

/** Allows all but openat (on x86-64) with O_CREAT in its flags; kills what comes from elsewhere. */
const SECCOMP = `	ld [4]
	jne #0xc000003e, bad
	ld [0]
	jeq #257, args
	ret #0x7fff0000
args:	ld [32]
	jset #0x40, deny
	ret #0x7fff0000
deny:	ret #0x00050001
bad:	ret #0x80000000
`;

const launchSeccomp = async (args: object) => {
  dap = new DapClient(hostNamed('inline')());
  dap.files.set('/programs/filter.cbpf', new TextEncoder().encode(SECCOMP));
  await dap.request('initialize', { adapterID: 'bpf' });
  return dap.send('launch', {
    program: '/programs/filter.cbpf',
    progType: 'seccomp',
    stopOnEntry: true,
    ...args,
  });
};

test('a seccomp filter is debugged on a system call given by name, to its action', async () => {
  await launchSeccomp({ ctx: { nr: 'openat', 'args[2]': '0x241', 'args[0]': 3 } });
  await dap.request('configurationDone');
  await dap.event('stopped');
  for (let step = 0; step < 3; step++) await dap.stopAfter('next');
  expect((await registers()).values).toMatchObject({
    A: '0x101 nr openat',
    pc: '(003) jeq #0x101 jt 5 jf 4 ; openat',
  });
  const { id: frameId } = await topFrame();
  const { scopes } = await dap.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
  expect(scopes.map(({ name }) => name)).toEqual(['Registers', 'Memory', 'Context']);
  const { variablesReference = 0 } = scopes[2] ?? {};
  const context = async () => {
    const body = await dap.request<DebugProtocol.VariablesResponse['body']>('variables', {
      variablesReference,
    });
    return Object.fromEntries(body.variables.map((row) => [row.name, row.value]));
  };
  expect(await context()).toEqual({
    nr: '0x101 openat',
    arch: '0xc000003e AUDIT_ARCH_X86_64',
    instruction_pointer: '0x0',
    ...{ 'args[0]': '0x3', 'args[1]': '0x0', 'args[2]': '0x241 (577)' },
    ...{ 'args[3]': '0x0', 'args[4]': '0x0', 'args[5]': '0x0' },
  });
  for (let step = 0; step < 2; step++) await dap.stopAfter('next');
  expect((await registers()).values).toMatchObject({ A: '0x241 args[2] (low half)' });
  await dap.stopAfter('next');
  expect((await registers()).values).toMatchObject({ pc: '(008) ret #327681 ; SECCOMP_RET_ERRNO (1)' });
  expect(await dap.stopAfter('next')).toMatchObject({ description: 'SECCOMP_RET_ERRNO (1)' });
});

test('fields of the system call can be changed while it is judged', async () => {
  await launchSeccomp({ ctx: { nr: 'read' } });
  await dap.request('configurationDone');
  await dap.event('stopped');
  const { id: frameId } = await topFrame();
  const { scopes } = await dap.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
  const { variablesReference = 0 } = scopes[2] ?? {};
  await dap.request('setVariable', { variablesReference, name: 'arch', value: '0xc00000b7' });
  await dap.request('continue', { threadId: 1 });
  await dap.event('terminated');
  const output = dap.events.filter(({ event }) => event === 'output').map(({ body }) => body.output);
  expect(output.join('')).toContain('SECCOMP_RET_KILL_PROCESS');
});

test.each([
  [{ ctx: { nr: 'opena' } }, /x86-64 has no such system call; did you mean open\?/],
  [{ ctx: { nr: 'openat', arch: 'sparc' } }, /arch sparc: must be x86-64, arm64 or a number/],
  [{ ctx: { nr: [1] } }, /"ctx.nr" must be a whole number or a text/],
  [{ capture: 'three.pcap' }, /a seccomp filter sees no packets/],
  [{ program: '/programs/loop.bpf.s' }, /seccomp filters are classic BPF/],
  [{ program: PROGRAM }, /tcp-port-80.cbpf:1:7: seccomp filters cannot use ldh this way/],
])('a seccomp filter with %j is refused', async (args, message) => {
  expect(await launchSeccomp(args)).toMatchObject({
    success: false,
    message: expect.stringMatching(message),
  });
});

test('a restart keeps the text of the converted program while it is the same, and its breakpoints', async () => {
  await launch({ data: tcp('0050'), view: 'ebpf' });
  const first = (await topFrame()).source;
  const { content } = await dap.request<DebugProtocol.SourceResponse['body']>('source', {
    sourceReference: 1,
  });
  const line = content.split('\n').findIndex((text) => text.startsWith('// (009)')) + 2;
  const source = { sourceReference: 1 };
  await dap.request('setBreakpoints', { source, breakpoints: [{ line }] });
  await dap.request('restart', {});
  await dap.event('stopped');
  expect((await topFrame()).source).toEqual(first);
  await dap.stopAfter('continue');
  expect((await topFrame()).line).toBe(line);
  dap.files.set(PROGRAM, new TextEncoder().encode('ldh [12]\nret a\n'));
  await dap.request('restart', {});
  await dap.event('stopped');
  expect((await topFrame()).source).toMatchObject({ sourceReference: 2 });
  const texts = await Promise.all(
    [1, 2].map((sourceReference) =>
      dap.request<DebugProtocol.SourceResponse['body']>('source', { sourceReference }),
    ),
  );
  expect(texts.map(({ content }) => content.includes('(019) ret'))).toEqual([true, false]);
});

test.each(HOSTS)('on the %s host it is the same', async (_, host) => {
  dap = new DapClient(host());
  await dap.launch({ program: PROGRAM, data: tcp('0050'), stopOnEntry: true, view: 'ebpf' });
  await dap.event('stopped');
  expect((await topFrame()).source).toMatchObject({ sourceReference: 1 });
  const stats = await dap.request<StatsReply>('bpf/stats');
  expect(stats.programs[0]).toMatchObject({ type: 'socket_filter', name: 'tcp-port-80' });
  await dap.request('continue', { threadId: 1 });
  await dap.event('terminated');
});

test('the simulated kernel and blinding are what the launch says', async () => {
  await launch({ data: tcp('0050'), kernel: '5.10', blind: true, seed: 3 });
  const { programs } = await dap.request<StatsReply>('bpf/stats');
  expect(programs[0]?.object).toMatchObject({ kernel: '5.10', hash: 'sha1', blinded: true });
});
