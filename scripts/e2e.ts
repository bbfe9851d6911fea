import { existsSync } from 'node:fs';
import { packageExtension } from './package.ts';
import { runVitest } from './test.ts';
import { chromiumPath } from './workbench/chromium.ts';
import { installWorkbench } from './workbench/install.ts';

/** `npm run e2e [-- --all] [-- FILTER…]`: the browser tests; `--all` adds the theme matrix. */
export async function main(args: readonly string[]): Promise<number> {
  const chromium = chromiumPath();
  if (chromium === undefined || !existsSync(chromium)) {
    console.error(
      'The browser tests need Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM=/path/to/it.',
    );
    return 2;
  }
  await installWorkbench((text) => console.log(text));
  const packaged = await packageExtension({ quiet: true });
  if (packaged !== 0) return packaged;
  if (args.includes('--all')) process.env.BPF_WORKBENCH_E2E_ALL = '1';
  return runVitest('e2e', ['--config', 'vitest.e2e.config.ts', ...args.filter((arg) => arg !== '--all')]);
}
