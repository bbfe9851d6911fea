import { afterEach, describe, expect, test } from 'vitest';
import type { StatsReply } from '#core/protocol/messages.ts';
import { TEXT, TRACEPOINT } from '../prog/extensions.ts';
import { DapClient, HOSTS } from './dap-client.ts';

const FILE = '/programs/made.bpf.s';
const data = '00'.repeat(60);

describe.each(HOSTS)('in the %s host', (_, host) => {
  let dap: DapClient;
  afterEach(() => dap.session.dispose());

  const client = (text: string): DapClient => {
    dap = new DapClient(host());
    dap.files.set(FILE, new TextEncoder().encode(text));
    return dap;
  };

  test.each([
    ['a name', 'plus_length'],
    ['a list', ['plus_length']],
  ])('freplace as %s: stepping in leads into the extension', async (_what, freplace) => {
    await client(TEXT).launch({ program: FILE, freplace, data, stopOnEntry: true });
    await dap.event('stopped');
    for (let step = 0; step < 3; step++) await dap.stopAfter('stepIn');
    expect((await dap.where()).map((frame) => frame.replace(/:\d+$/, ''))).toEqual(['plus_length', 'main']);
    await dap.stopAfter('stepOut');
    expect((await dap.where()).length).toBe(1);
  });

  test.each([
    ['no name', { freplace: 5 }, /"freplace" must be the name of a program or a list of names, not 5/],
    ['a program that is not there', { freplace: 'nobody' }, /has no program "nobody"/],
    ['a static function', { freplace: 'of_static' }, /Cannot replace static functions/],
    ['an extension alone', { prog: 'whole' }, /Tracing programs must provide btf_id/],
  ])('refused: %s', async (_what, args, message) => {
    await client(TEXT).request('initialize', { adapterID: 'bpf' });
    const response = await dap.send('launch', { program: FILE, ...args });
    expect(response).toMatchObject({ success: false, message: expect.stringMatching(message) });
  });

  test('a raw tracepoint: arguments from ctx, a nested entry in the statistics', async () => {
    await client(TRACEPOINT).launch({
      program: FILE,
      ctx: { 'args[11]': '0x2a00000001' },
      stopOnEntry: true,
      stats: false,
    });
    await dap.event('stopped');
    await dap.stopAfter('next');
    const r6 = await dap.request<{ result: string }>('evaluate', { expression: 'r6', context: 'watch' });
    expect(r6.result).toContain('0x2a00000001');
    for (let step = 0; step < 6; step++) await dap.stopAfter('next');
    const stats = await dap.request<StatsReply>('bpf/stats');
    // Runs are not counted here, misses always are.
    expect(stats.programs[0]?.cpus[0]).toMatchObject({ cpu: 0, cnt: '0', misses: '1' });
  });
});
