import { afterEach, beforeEach, expect, test } from 'vitest';
import { startClient, type TestClient } from './harness.ts';

let client: TestClient;
beforeEach(async () => {
  client = await startClient();
});
afterEach(async () => {
  expect(client.errors).toEqual([]);
  await client.stop();
});

/** A pcap file (little endian, microseconds, Ethernet) with one frame of 60 zero bytes, and what is `cut` off its end. */
function capture({ cut = 0 } = {}): string {
  const bytes = Buffer.alloc(24 + 16 + 60);
  bytes.writeUInt32LE(0xa1b2c3d4, 0);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(4, 6);
  bytes.writeUInt32LE(65535, 16);
  bytes.writeUInt32LE(1, 20);
  bytes.writeUInt32LE(60, 32);
  bytes.writeUInt32LE(60, 36);
  return bytes.subarray(0, bytes.length - cut).toString('base64');
}

test('bpf/programs: the programs of an open document, in the order of the text', async () => {
  const uri = await client.open(
    '.section xdp\nfirst:\n r0 = 2\n exit\n.section socket\nsecond:\n r0 = 0\n exit\n',
  );
  expect(await client.rpc.sendRequest('bpf/programs', { uri })).toEqual([
    { name: 'first', type: 'xdp', line: 1 },
    { name: 'second', type: 'socket_filter', line: 5 },
  ]);
  expect(await client.rpc.sendRequest('bpf/programs', { uri: 'file:///not/open' })).toEqual([]);
});

test('bpf/programs without a URI is refused', async () => {
  await expect(client.rpc.sendRequest('bpf/programs', {})).rejects.toThrow(/wants \{ uri \}/);
});

test('bpf/capture: one line a packet', async () => {
  const reply = await client.rpc.sendRequest('bpf/capture', { base64: capture() });
  expect(reply).toMatchObject({ total: 1, packets: [{ length: 60, summary: expect.any(String) }] });
  expect(reply).not.toHaveProperty('message');
});

test('bpf/capture: a damaged file says where', async () => {
  const reply = await client.rpc.sendRequest<{ total: number; message: string }>('bpf/capture', {
    base64: capture({ cut: 10 }),
  });
  expect(reply.message).toMatch(/byte/);
});

test('bpf/builtins: packets that need no capture', async () => {
  const packets = await client.rpc.sendRequest<{ name: string; hex: string }[]>('bpf/builtins', null);
  expect(packets.map(({ name }) => name)).toContain('tcp-syn');
  for (const { hex } of packets) expect(hex).toMatch(/^([0-9a-f]{2})+$/);
});
