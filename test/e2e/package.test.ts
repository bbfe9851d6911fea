import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { unzip } from './zip.ts';

/** What a user installs: `npm run e2e` has just built it. */
const archive = readFileSync(inRoot('bpf-workbench.vsix'));
const files = new Map(
  [...unzip(archive)].map(([name, bytes]) => [name.replace(/^extension\//, ''), bytes] as const),
);
const names = [...files.keys()].filter(
  (name) => !/^(\[Content_Types\]\.xml|extension\.vsixmanifest)$/.test(name),
);
const manifest = JSON.parse(files.get('package.json')?.toString() ?? '{}');

describe('the extension file', () => {
  test('is under 3 MB', () => {
    expect(archive.length).toBeLessThan(3_000_000);
  });

  test('has every file that its manifest names, and what these load', () => {
    expect(names).toEqual(
      expect.arrayContaining(filesOf([manifest.main, manifest.icon, manifest.contributes])),
    );
    expect(names).toEqual(
      expect.arrayContaining([
        ...['client.cjs', 'server.cjs', 'adapter.cjs', 'worker.cjs', 'cli.js'].map((file) => `dist/${file}`),
        ...['registers', 'stack', 'stats'].flatMap((view) => [
          `dist/webview/${view}.js`,
          `dist/webview/${view}.css`,
        ]),
      ]),
    );
  });

  test('has the pictures that the client shows', () => {
    for (const theme of ['light', 'dark']) expect(names).toContain(`media/stack-frame-${theme}.svg`);
  });

  test('has its licence, the notices of what is bundled, and the examples with their captures', () => {
    expect(files.get('LICENSE.txt')?.toString()).toMatch(/^MIT License/);
    const notices = files.get('dist/THIRD_PARTY_NOTICES.txt')?.toString() ?? '';
    for (const bundled of ['vscode-languageclient', 'vscode-languageserver', '@vscode/debugadapter'])
      expect(notices).toContain(bundled);
    for (const example of ['xdp-firewall', 'socket-filter', 'map-counter', 'fib']) {
      const own = names.filter((name) => name.startsWith(`examples/${example}/`));
      expect(own.map((name) => name.replace(/.*\.(\w+)$/, '$1')).sort()).toEqual(['md', 'pcap', 's']);
    }
    expect(names).toContain('examples/classic-filter/tcp-port-80.cbpf');
    expect(names).toContain('examples/classic-filter/traffic.pcap');
    const classic = names.filter((name) => name.startsWith('examples/classic-filter/'));
    expect(classic.map((name) => name.replace(/.*\.(\w+)$/, '$1')).sort()).toEqual(['cbpf', 'md', 'pcap']);
    expect(names).toContain('examples/.vscode/launch.json');
  });

  test('has of koffi the loader and the binary for Linux, nothing else, and its licence', () => {
    const koffi = names.filter((name) => name.startsWith('dist/node_modules/')).sort();
    expect(koffi.map((name) => name.slice('dist/node_modules/'.length))).toEqual([
      '@koromix/koffi-linux-x64/index.js',
      '@koromix/koffi-linux-x64/linux_x64/koffi.node',
      '@koromix/koffi-linux-x64/package.json',
      'koffi/LICENSE.txt',
      'koffi/index.cjs',
      'koffi/package.json',
      'koffi/src/koffi/index.cjs',
      'koffi/src/koffi/src/static.cjs',
    ]);
    expect(files.get('dist/THIRD_PARTY_NOTICES.txt')?.toString()).toContain('koffi 3.3.4 (MIT)');
  });

  test('has no sources, tests, maps or packages, and no path of the machine that built it', () => {
    expect(
      names.filter((name) => /\.(ts|map|test\.\w+|lock)$|(^|\/)(test|scripts|node_modules)\//.test(name)),
    ).toEqual(names.filter((name) => name.startsWith('dist/node_modules/')));
    const folders = new Set(names.filter((name) => name.includes('/')).map((name) => name.split('/')[0]));
    expect([...folders].filter((name) => name !== 'docs').sort()).toEqual([
      'dist',
      'examples',
      'media',
      'syntaxes',
    ]);
    const root = inRoot('').replace(/[\\/]$/, '');
    expect(names.filter((name) => files.get(name)?.includes(root))).toEqual([]);
  });

  test('the pictures that its README shows are inside', () => {
    const readme = files.get('readme.md')?.toString() ?? '';
    const shown = [...readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map((match) => match[1]);
    expect(shown.length).toBeGreaterThan(0);
    expect(names).toEqual(expect.arrayContaining(shown));
  });
});

/** Paths of the extension's own files in a part of the manifest, as the archive has them. */
function filesOf(value: unknown): string[] {
  if (typeof value === 'string')
    return /^(\.\/)?(media|syntaxes|dist)\//.test(value) ? [value.replace(/^\.\//, '')] : [];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(filesOf))];
}
