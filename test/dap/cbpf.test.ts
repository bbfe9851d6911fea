import { afterEach, expect, test } from 'vitest';
import { DapClient, hostNamed } from './dap-client.ts';

/** What `tcpdump -y EN10MB -d "tcp port 80"` printed, as it is. */
const PROGRAM = '/programs/tcp-port-80.cbpf';
const ETHERNET = `${'02000000000202000000000108'}00`;
const IPV4 = '4500002800004000400666cd0a0000010a000002';
const tcp = (port: string) => `${ETHERNET}${IPV4}9c40${port}${'00'.repeat(16)}`;

let dap: DapClient;
afterEach(() => dap.session.dispose());

test.each([
  ['0050', 'accept 262144 bytes'],
  ['0051', 'drop (0)'],
])('a filter of tcpdump is debugged in its own text to its verdict: port 0x%s', async (port, verdict) => {
  dap = new DapClient(hostNamed('inline')());
  await dap.launch({ program: PROGRAM, data: tcp(port), stopOnEntry: true }, { lines: [{ line: 15 }] });
  await dap.event('stopped');
  expect(await dap.where()).toEqual(['tcp-port-80:1']);
  await dap.stopAfter('next');
  expect(await dap.where()).toEqual(['tcp-port-80:2']);
  await dap.stopAfter('continue');
  // ldh [x + 14], the source port
  expect(await dap.where()).toEqual(['tcp-port-80:15']);
  await dap.request('continue', { threadId: 1 });
  await dap.event('terminated');
  const output = dap.events.filter(({ event }) => event === 'output').map(({ body }) => body.output);
  expect(output.join('')).toContain(verdict);
});
