/**
 * Records pairs of clang's text and bytes into test/testdata/c/recorded, for machines without clang:
 * `node test/asm/record-clang.ts`. One file a configuration.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import { C_DIR, C_FILES, type ClangConfig, type Compiled, compile } from './clang-case.ts';

const CONFIGS: readonly ClangConfig[] = [
  { clang: 'clang-14', mcpu: 'v1', opt: '2', debug: true },
  { clang: 'clang-15', mcpu: 'v2', opt: '1', debug: true },
  { clang: 'clang-16', mcpu: 'v3', opt: '0', debug: true },
  { clang: 'clang-19', mcpu: 'v4', opt: '2', debug: true },
  { clang: 'clang-19', mcpu: 'v3', opt: '3', debug: false },
];

mkdirSync(`${C_DIR}recorded`, { recursive: true });
for (const config of CONFIGS) {
  const out: Record<string, Compiled> = {};
  for (const file of C_FILES) {
    const compiled = compile(file, config);
    if (!compiled) continue;
    // debug information is most of the bytes and says little more than the tests with a clang do
    const keep = (name: string) => !name.startsWith('.debug_');
    out[file] = {
      text: compiled.text,
      sections: Object.fromEntries(Object.entries(compiled.sections).filter(([name]) => keep(name))),
      relocs: Object.fromEntries(Object.entries(compiled.relocs).filter(([name]) => keep(name))),
    };
  }
  const data = brotliCompressSync(JSON.stringify(out), { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } });
  const name = `${config.clang}-${config.mcpu}-O${config.opt}${config.debug ? '-g' : ''}.json.br`;
  writeFileSync(`${C_DIR}recorded/${name}`, data);
  console.log(`${name}: ${Object.keys(out).length} programs, ${data.length} bytes`);
}
