import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, the longest first: begun last it would leave a processor idle at the end. */
const LONG = [
  'test/kernel/programs.test.ts',
  'test/agreement/random.test.ts',
  'test/filetests/filetests.test.ts',
  'test/jit/on-wasm.test.ts',
  'test/prog/further-vectors.test.ts',
  'test/asm/clang.test.ts',
  'test/interp/agree.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONG.length : at;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What needs a browser runs in `npm run e2e`.
    exclude: ['test/e2e/**', 'test/webview/**', 'test/testdata/**', 'node_modules/**'],
    testTimeout: 30_000,
    // As vitest does, but two on two processors; a worker takes up to half a gigabyte.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongFirst },
  },
});
