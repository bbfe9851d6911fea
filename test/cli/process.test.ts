import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundles } from '#scripts/build.ts';
import { file, ROOT } from './harness.ts';

const DIST = mkdtempSync(join(tmpdir(), 'bpf-workbench-dist-'));
const CLI = join(DIST, 'cli.js');
const RETURN_5 = 'b7000000050000009500000000000000';

beforeAll(async () => {
  const wanted = bundles({ production: true }).filter((each) => each.platform === 'node');
  await Promise.all(wanted.map((each) => build({ ...each, outdir: DIST })));
}, 60_000);

function run(argv: readonly string[], input = ''): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...argv], {
    maxBuffer: 64 << 20,
    input,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** What Node 20 has not: `node dist/cli.js` runs there too, as the machine's own Node may be that old. */
const NEWER_THAN_NODE_20 = `data:text/javascript,
  delete Map.groupBy; delete Object.groupBy; delete Promise.withResolvers; delete Promise.try; delete Array.fromAsync;
  delete globalThis.Iterator; delete RegExp.escape; delete Error.isError; delete ArrayBuffer.prototype.transfer;
  for (const name of ['union', 'intersection', 'difference', 'isSubsetOf', 'isDisjointFrom'])
    delete Set.prototype[name];
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
  for (const name of ['map', 'filter', 'take', 'drop', 'flatMap', 'toArray', 'some', 'every', 'find', 'reduce'])
    delete iterator[name];`.replaceAll('\n', ' ');

function start(argv: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [CLI, ...argv]);
}

/** Collects output until `done` holds. */
function until(stream: NodeJS.ReadableStream, done: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
      if (done(text)) resolve(text);
    });
    stream.on('end', () => (done(text) ? resolve(text) : reject(new Error(`ended with: ${text}`))));
  });
}

function ended(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  return new Promise((resolve) => {
    child.on('close', (code) => resolve(code));
  });
}

describe('the bundled command line', () => {
  test('runs a program and ends with its exit code', () => {
    const ok = file('ok.bpf.s', 'r0 = 5\nexit\n');
    expect(run(['run', ok, '--json'])).toMatchObject({ code: 0, stderr: '' });
    expect(run(['run', file('fault.bpf.s', 'r1 = 0\nr0 = *(u8 *)(r1 + 0)\nexit\n')]).code).toBe(1);
    expect(run(['frob'])).toMatchObject({ code: 2, stdout: '' });
    expect(run(['conformance', 'aabb'], RETURN_5)).toMatchObject({ code: 0, stdout: '5\n' });
  });

  test.each([
    [
      'run',
      'examples/xdp-firewall/firewall.bpf.s',
      '--pcap',
      'examples/xdp-firewall/traffic.pcap',
      '--packet',
      'all',
    ],
    ['asm', 'examples/xdp-firewall/firewall.bpf.s', '--format', 'elf', '-o', join(DIST, 'firewall.o')],
    ['disasm', 'examples/xdp-firewall/firewall.bpf.s', '--xlated'],
    ['check', 'examples/map-counter/counter.bpf.s'],
    ['debug', 'examples/fib/fib.bpf.s', '--data', '0a'],
  ])('%s does without what Node 20 has not', (...argv) => {
    const { status, stderr } = spawnSync(process.execPath, ['--import', NEWER_THAN_NODE_20, CLI, ...argv], {
      cwd: ROOT,
      input: 'n\nregisters\nq\n',
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('each line of a batch is answered before the next is sent', async () => {
    const child = start(['run', '--jsonl']);
    for (let n = 1; n <= 3; n++) {
      const answer = until(child.stdout, (text) => text.endsWith('\n'));
      child.stdin.write(`{"insns":"b70000000${n}0000009500000000000000"}\n`);
      expect(JSON.parse(await answer).r0).toBe(`0x${n}`);
      child.stdout.removeAllListeners('data');
    }
    child.stdin.end();
    expect(await ended(child)).toBe(0);
  });

  test('a reader that goes away ends it quietly', async () => {
    const child = start(['run', '--jsonl']);
    const errors: string[] = [];
    child.stderr.on('data', (chunk) => errors.push(String(chunk)));
    child.stdin.on('error', () => {});
    child.stdout.once('data', () => child.stdout.destroy());
    for (let n = 0; n < 2000; n++) child.stdin.write(`{"insns":"${RETURN_5}"}\n`);
    child.stdin.end();
    expect(await ended(child)).toBe(0);
    expect(errors.join('')).toBe('');
  });

  test('two thousand lines are answered, each by a machine of its own', () => {
    const { code, stdout } = run(['run', '--jsonl'], `{"insns":"${RETURN_5}"}\n`.repeat(2000));
    expect(code).toBe(0);
    const answers = stdout.trimEnd().split('\n');
    expect(answers).toHaveLength(2000);
    expect(new Set(answers).size).toBe(1);
  }, 60_000);

  test('lsp --stdio answers initialize and ends with exit', async () => {
    const child = start(['lsp', '--stdio']);
    const send = (message: object): void => {
      const body = JSON.stringify({ jsonrpc: '2.0', ...message });
      child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    };
    const reply = until(child.stdout, (text) => text.includes('"capabilities"'));
    send({ id: 1, method: 'initialize', params: { processId: null, rootUri: null, capabilities: {} } });
    expect(await reply).toMatch(/"hoverProvider":true/);
    const stopped = until(child.stdout, (text) => text.includes('"id":2'));
    send({ id: 2, method: 'shutdown' });
    await stopped;
    send({ method: 'exit' });
    expect(await ended(child)).toBe(0);
  });

  test('dap --stdio debugs a program with the worker beside the command line', async () => {
    const child = start(['dap', '--stdio']);
    let seq = 0;
    const send = (command: string, args: object = {}): void => {
      const body = JSON.stringify({ type: 'request', seq: ++seq, command, arguments: args });
      child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    };
    const says = (text: string) => until(child.stdout, (all) => all.includes(text));
    const initialised = says('supportsConfigurationDoneRequest');
    send('initialize', { adapterID: 'bpf' });
    await initialised;
    const ready = says('"event":"initialized"');
    send('launch', { program: `${ROOT}/examples/fib/fib.bpf.s`, data: '05', stopOnEntry: true });
    await ready;
    const stopped = says('"reason":"entry"');
    send('configurationDone');
    await stopped;
    send('disconnect');
    child.stdin.end();
    expect(await ended(child)).toBe(0);
  });

  test('dap --port listens on the loopback interface', async () => {
    const child = start(['dap', '--port', '0']);
    const line = await until(child.stderr, (text) => text.endsWith('\n'));
    expect(line).toMatch(/^listening on 127\.0\.0\.1:\d+\n$/);
    child.kill();
    await ended(child);
  });

  test('debug reads commands from stdin', () => {
    const { code, stdout } = run(['debug', `${ROOT}/examples/fib/fib.bpf.s`, '--data', '05'], 'n\nc\n');
    expect(code).toBe(0);
    expect(stdout).toMatch(/r0 = 0x5/);
  });
});
