import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What needs a browser runs in `npm run e2e`.
    exclude: ['test/e2e/**', 'test/webview/**', 'test/testdata/**', 'node_modules/**'],
    testTimeout: 30_000,
  },
});
