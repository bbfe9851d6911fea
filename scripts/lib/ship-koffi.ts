import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './paths.ts';

/**
 * What of koffi goes into `dist/node_modules`, so that `dist/cli.js` reaches the kernel wherever the extension is
 * installed: the loader and the binary for Linux on x86-64. An npm installation brings koffi for its own platform.
 */
const SHIPPED: readonly string[] = [
  'koffi/package.json',
  'koffi/LICENSE.txt',
  'koffi/index.cjs',
  'koffi/src/koffi/index.cjs',
  'koffi/src/koffi/src/static.cjs',
  '@koromix/koffi-linux-x64/package.json',
  '@koromix/koffi-linux-x64/index.js',
  '@koromix/koffi-linux-x64/linux_x64/koffi.node',
];

/** Folders of the packages that are shipped so, for the licence notices. */
const PACKAGES: readonly string[] = ['node_modules/koffi'];

/**
 * Copies them into `dist` (an absolute path); returns the packages whose licences have to be told. Nothing is copied where koffi's binary for Linux
 * is not installed (npm installs the one of its own platform): the bridge is for Linux, and says so elsewhere.
 */
export function shipKoffi(dist = inRoot('dist')): readonly string[] {
  if (!SHIPPED.every((file) => existsSync(inRoot('node_modules', file)))) return [];
  for (const file of SHIPPED) cpSync(inRoot('node_modules', file), join(dist, 'node_modules', file));
  return PACKAGES;
}
