import { defineConfig } from 'vitest/config';

/**
 * All that needs a browser: the views' pages, and the real editor. One server and browser a file, one file after
 * the other, no retries.
 */
export default defineConfig({
  test: {
    include: ['test/webview/**/*.test.ts', 'test/e2e/**/*.test.ts'],
    // The theme matrix takes minutes: `npm run e2e -- --all`.
    exclude: process.env.BPF_WORKBENCH_E2E_ALL ? [] : ['test/e2e/themes.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    maxWorkers: 1,
    expect: { poll: { timeout: 30_000, interval: 100 } },
    retry: 0,
    bail: 0,
  },
});
