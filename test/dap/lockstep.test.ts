import { afterEach, describe, expect, test, vi } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { mistaken } from '../session/lockstep-engines.ts';
import { DapClient, HOSTS, hostNamed } from './dap-client.ts';

const SUM = `.program raw
main:
	r0 = 0
	r1 = 10
next:	r0 += r1
	r1 += -1
	if r1 != 0 goto next
	exit
`;

afterEach(() => {
  vi.restoreAllMocks();
});

/** A client whose second engine adds 1 too many the fourth time that it adds two registers. */
function client(): DapClient {
  const right = { name: reference.name, run: reference.run };
  const wrong = mistaken(right, {
    insn: 'add64_reg',
    from: 4,
    harm: (_, cpu) => {
      cpu.writeReg(0, cpu.readReg(0) + 1n);
      return undefined;
    },
  });
  vi.spyOn(reference, 'run').mockImplementation(wrong.run);
  const made = new DapClient(hostNamed('inline')());
  made.files.set('/programs/sum.bpf.s', new TextEncoder().encode(SUM));
  return made;
}

describe('launch attribute lockstep', () => {
  const launch = { program: '/programs/sum.bpf.s', engine: 'x86-64', lockstep: 'reference' };

  test('stops with an exception that explains the difference, then goes on alone', async () => {
    const dap = client();
    await dap.launch(launch);
    expect(await dap.event('output')).toEqual({
      category: 'console',
      output: 'lockstep: x86-64 and reference run side by side; the session stops where they differ\n',
    });
    const stopped = await dap.event('stopped');
    const first = '/programs/sum.bpf.s:5:7';
    expect(stopped).toMatchObject({
      reason: 'exception',
      description: 'Paused where two engines differ',
      text: `x86-64 and reference differ in what ${first} does, after 11 instructions of packet 1: r0 += r1`,
    });
    expect(await dap.where()).toEqual(['main:5']);
    const info = await dap.request<{ exceptionId: string; description: string }>('exceptionInfo', {
      threadId: 1,
    });
    expect(info.exceptionId).toBe('lockstep');
    expect(info.description.split('\n').slice(1)).toEqual([
      '  r0: 0x22 (x86-64), 0x23 (reference)',
      '  x86-64 executes there:',
      expect.stringMatching(/^ {4}0xffffffffc[0-9a-f]{7} {2}add rax, rdi$/),
    ]);
    const { result } = await dap.request<{ result: string }>('evaluate', {
      expression: 'r0',
      context: 'watch',
    });
    expect(result).toMatch(/^0x1b/);
    await dap.request('continue', { threadId: 1 });
    expect(await dap.event('exited')).toEqual({ exitCode: 1 });
    const printed = dap.transcript.filter((line) => line.startsWith('** output')).join('\n');
    expect(printed).toContain('Going on executes with x86-64 alone; nothing is compared any more.');
    expect(printed).toContain('r0 = 0x37');
  });

  test.each(HOSTS)('engines that agree on the %s host: breakpoints, edits, pause, end', async (_, host) => {
    const dap = new DapClient(host());
    dap.files.set('/programs/sum.bpf.s', new TextEncoder().encode(SUM.replace('r1 = 10', 'r1 = 1000')));
    await dap.launch({ ...launch, engine: 'wasm' }, { lines: [{ line: 6, condition: 'r1 == 500' }] });
    expect(await dap.event('stopped')).toMatchObject({ reason: 'breakpoint' });
    const edit = { expression: 'r1', value: '0' };
    expect(await dap.request('setExpression', edit)).toMatchObject({ value: '0x0' });
    // 0 - 1 is not 0 for a long time.
    await dap.request('continue', { threadId: 1 });
    expect(await dap.stopAfter('pause')).toMatchObject({ reason: 'pause' });
    await dap.request('setExpression', { expression: 'r1', value: '2' });
    await dap.request('continue', { threadId: 1 });
    expect(await dap.event('exited')).toEqual({ exitCode: 0 });
    expect(dap.transcript.join('\n')).not.toContain('compared');
    expect(dap.transcript.join('\n')).toMatch(
      /lockstep: wasm and reference are equal after [\d,]+ instructions, 1 packet/,
    );
  });

  test('a restart after a switch to the second engine compares it with the first', async () => {
    const dap = new DapClient(hostNamed('inline')());
    dap.files.set('/programs/sum.bpf.s', new TextEncoder().encode(SUM));
    await dap.launch({ ...launch, stopOnEntry: true });
    await dap.event('stopped');
    await dap.request('bpf/engine', { engine: 'reference' });
    await dap.request('restart', {});
    await dap.event('stopped');
    expect(await dap.request('bpf/engine')).toMatchObject({ engine: 'reference' });
    await dap.request('continue', { threadId: 1 });
    expect(await dap.event('exited')).toEqual({ exitCode: 0 });
  });

  test('a name that is no engine is refused', async () => {
    const dap = client();
    await dap.request('initialize', { adapterID: 'bpf' });
    const refused = await dap.send('launch', { ...launch, lockstep: 'kernel' });
    expect(refused.message).toContain('lockstep: engine "kernel" is not there; the engines are "reference"');
  });
});
