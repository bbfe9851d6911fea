import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { desktopEditor, parseOptions } from '#scripts/start.ts';
import { removeLeftovers } from '#scripts/workbench/install.ts';
import { checkPort } from '#scripts/workbench/serve.ts';

const dir = mkdtempSync(join(tmpdir(), 'bpf-workbench-start-'));
writeFileSync(join(dir, 'code'), '');
chmodSync(join(dir, 'code'), 0o755);
afterAll(() => rmSync(dir, { recursive: true }));

describe('the editor that npm start opens', () => {
  test('is the one that BPF_WORKBENCH_EDITOR names, even without a display', () => {
    expect(desktopEditor({ BPF_WORKBENCH_EDITOR: '/opt/code' }, 'linux')).toBe('/opt/code');
  });

  test('is the browser on Linux without a display', () => {
    expect(desktopEditor({ PATH: dir }, 'linux')).toBeUndefined();
  });

  test('is never a desktop editor for root on Linux, which VS Code refuses', () => {
    const expected = process.getuid?.() === 0 ? undefined : join(dir, 'code');
    expect(desktopEditor({ PATH: dir, DISPLAY: ':0' }, 'linux')).toBe(expected);
  });

  test('is `code` on the PATH elsewhere', () => {
    expect(desktopEditor({ PATH: `/nonexistent:${dir}` }, 'darwin')).toBe(join(dir, 'code'));
  });
});

describe('the options of npm start', () => {
  test.each<[string[], ReturnType<typeof parseOptions>]>([
    [[], { help: false, browser: false, port: undefined }],
    [['--browser'], { help: false, browser: true, port: undefined }],
    [['--port', '8080'], { help: false, browser: false, port: 8080 }],
    [['--port=8080'], { help: false, browser: false, port: 8080 }],
    [['-h'], { help: true, browser: false, port: undefined }],
    [['--port', 'abc'], '--port wants a number from 1 to 65535, not "abc"'],
    [['--port', '0'], '--port wants a number from 1 to 65535, not "0"'],
    [['--port'], "Option '--port <value>' argument missing"],
    [['--prot', '1'], "Unknown option '--prot'"],
    [['8080'], "Unexpected argument '8080'"],
  ])('%j', (args, expected) => {
    expect(parseOptions(args)).toEqual(expected);
  });

  test('a port that something listens on is refused before anything is installed or built', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await expect(checkPort(port)).rejects.toThrow(
      `port ${port} is in use: choose another, or leave --port out and get any free one`,
    );
    taken.close();
    await once(taken, 'close');
    await expect(checkPort(port)).resolves.toBeUndefined();
  });
});

test('what a killed installation left is removed, what may be going on is not', () => {
  const cache = mkdtempSync(join(tmpdir(), 'bpf-workbench-cache-'));
  for (const name of ['workbench-1', 'workbench-1.partial-5', 'workbench-1.partial-6']) {
    mkdirSync(join(cache, name, 'node_modules'), { recursive: true });
  }
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of ['workbench-1', 'workbench-1.partial-5'])
    utimesSync(join(cache, name), longAgo, longAgo);
  removeLeftovers(cache);
  expect(readdirSync(cache).sort()).toEqual(['workbench-1', 'workbench-1.partial-6']);
  rmSync(cache, { recursive: true });
  expect(() => removeLeftovers(cache)).not.toThrow();
});
