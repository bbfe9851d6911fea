import { readdirSync, readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { assembled, C_FILES, type Compiled, compile, configsOf } from './clang-case.ts';
import { hasTool } from './tools.ts';

/**
 * What `clang -S` writes assembles to the bytes that `clang -c` writes. Each program is compiled by
 * each clang at hand in one of 32 ways; BPF_CLANG=all tries all of them. Recorded pairs stand in where
 * there is no clang.
 */

const clangs = ['clang-14', 'clang-15', 'clang-16', 'clang-17', 'clang-18', 'clang-19', 'clang-20'].filter(
  hasTool,
);
const all = process.env.BPF_CLANG === 'all';
let compared = 0;
let unsupported = 0;
let recorded = 0;

afterAll(() => {
  console.log(
    `clang: ${compared} programs compared with ${clangs.length ? clangs.join(', ') : 'no clang, none is installed'}; ${unsupported} not compiled; ${recorded} recorded ones compared`,
  );
});

test('there are at least 30 programs', () => {
  expect(C_FILES.length).toBeGreaterThanOrEqual(30);
});

test.each(C_FILES.map((file, i) => [file, i] as const))(
  '%s',
  (file, i) => {
    for (const [k, clang] of clangs.entries()) {
      const configs = configsOf(clang);
      for (const config of all ? configs : [configs[(i * 7 + k * 11) % configs.length]!]) {
        const expected =
          compile(file, config) ?? (all ? undefined : compile(file, { ...config, mcpu: 'v3' }));
        if (!expected) {
          unsupported++;
          continue;
        }
        compared++;
        expect({ config, ...assembled(expected) }).toEqual({
          config,
          errors: [],
          sections: expected.sections,
          relocs: expected.relocs,
        });
      }
    }
  },
  all ? 600_000 : 60_000,
);

const RECORDED = new URL('../testdata/c/recorded/', import.meta.url);

test.each(readdirSync(RECORDED).sort())('recorded: %s', (name) => {
  const cases = JSON.parse(brotliDecompressSync(readFileSync(new URL(name, RECORDED))).toString()) as Record<
    string,
    Compiled
  >;
  expect(Object.keys(cases).length).toBeGreaterThanOrEqual(30);
  for (const [file, expected] of Object.entries(cases)) {
    recorded++;
    expect({ file, ...assembled(expected) }).toEqual({
      file,
      errors: [],
      sections: expected.sections,
      relocs: expected.relocs,
    });
  }
});
