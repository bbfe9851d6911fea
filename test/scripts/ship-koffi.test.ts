import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openClassicFilters, ownHost } from '#core/platform/node/kernel/bridge.ts';
import { findKoffi } from '#core/platform/node/kernel/koffi.ts';
import { shipKoffi } from '#scripts/lib/ship-koffi.ts';

const folder = mkdtempSync(join(tmpdir(), 'bpf-workbench-dist-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('what is shipped of koffi loads from dist alone, and makes system calls', () => {
  const packages = shipKoffi(folder);
  const isHere = process.platform === 'linux' && process.arch === 'x64';
  if (packages.length === 0 || !isHere) {
    // npm installs the binary of its own platform: nothing to ship, or nothing that loads here.
    console.log('koffi: its binary for Linux on x86-64 is not installed, or this is another platform');
    return;
  }
  expect(packages).toEqual(['node_modules/koffi']);
  const found = findKoffi(createRequire(join(folder, 'cli.js')));
  expect(found).toMatchObject({ ok: true });
  const opened = openClassicFilters({ ...ownHost(), findKoffi: () => found });
  expect(opened.ok).toBe(true);
  if (opened.ok) opened.sockets.dispose();
});
