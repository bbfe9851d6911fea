import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { desktopEditor } from '#scripts/start.ts';

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
