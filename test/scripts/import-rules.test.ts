import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';

/** Import rules of docs/architecture.md as the linter sees them: a file, what it imports. */
type Case = readonly [file: string, specifier: string];

const ALLOWED: readonly Case[] = [
  ['core/isa/a.ts', './insn.ts'],
  ['core/object/a.ts', '../isa/insn.ts'],
  ['core/maps/a.ts', '../bytes/hex.ts'],
  ['core/cbpf/a.ts', '../asm/suggest.ts'],
  ['core/jit/x86-64/a.ts', '../../prog/prog.ts'],
  ['core/jit/x86-64/b.ts', './rows.ts'],
  ['core/x86-sim/a.ts', '../jit/x86-64/row.ts'],
  ['core/wasm-sim/a.ts', '../jit/wasm/locals.ts'],
  ['core/interp-wasm/a.ts', '../interp/op.ts'],
  ['core/interp-wasm/b.ts', '../wasm/code.ts'],
  ['core/session/a.ts', '../protocol/messages.ts'],
  ['core/session/b.ts', './lockstep/report.ts'],
  ['core/session/lockstep/a.ts', '../loaded.ts'],
  ['core/session/native/a.ts', '../../wasm-sim/wasm-sim.ts'],
  ['core/session/lockstep/b.ts', '../expression/eval.ts'],
  ['core/session/expression/a.ts', '../../vm/cpu.ts'],
  ['core/protocol/a.ts', './views.ts'],
  ['core/platform/node/a.ts', 'node:worker_threads'],
  ['core/platform/node/b.ts', '../../session/driver.ts'],
  ['core/platform/node/kernel/a.ts', '../../../object/object.ts'],
  ['core/platform/node/kernel/b.ts', 'node:module'],
  ['core/platform/node/kernel/c.ts', './errors.ts'],
  ['server/a.ts', '#core/isa/insn.ts'],
  ['server/b.ts', 'vscode-languageserver'],
  ['server/features/a.ts', '../documents.ts'],
  ['server/node-main.ts', 'vscode-languageserver/node'],
  ['debugger/a.ts', '#core/session/client.ts'],
  ['debugger/node-main.ts', '#core/platform/node/worker-target.ts'],
  ['client/a.ts', 'vscode'],
  ['client/debug/a.ts', '../language-service.ts'],
  ['client/debug/b.ts', '#core/protocol/language.ts'],
  ['client/debug/c.ts', 'node:path'],
  ['client/webview/stack/a.ts', '../common/dom.ts'],
  ['client/webview/stack/b.ts', '#core/protocol/messages.ts'],
  ['cli/commands/a.ts', '../command.ts'],
  ['cli/commands/b.ts', '#debugger/node-main.ts'],
  ['cli/commands/c.ts', 'node:fs/promises'],
];

const REFUSED: readonly Case[] = [
  ['core/bytes/y.ts', '../isa/insn.ts'],
  ['core/isa/y.ts', '../object/object.ts'],
  ['core/isa/nested/y.ts', '../../session/run.ts'],
  ['core/isa/z.ts', './../session/run.ts'],
  ['core/asm/y.ts', '../object/../session/run.ts'],
  ['core/cbpf/y.ts', '../asm/assemble.ts'],
  ['core/vm/y.ts', '../prog/load.ts'],
  ['core/prog/y.ts', '../interp/reference.ts'],
  ['core/interp/y.ts', '../session/run.ts'],
  ['core/interp/z.ts', '../interp-wasm/interp.ts'],
  ['core/interp-wasm/y.ts', '../session/run.ts'],
  ['core/x86-sim/y.ts', '../session/run.ts'],
  ['core/wasm-sim/y.ts', '../x86-sim/state.ts'],
  ['core/jit/x86-64/x.ts', '../../x86-sim/x86-sim.ts'],
  ['core/wasm/y.ts', '../isa/insn.ts'],
  ['core/jit/x86-64/y.ts', '../../interp/reference.ts'],
  ['core/jit/x86-64/z.ts', '../../isa/../session/run.ts'],
  ['core/jit/wasm/y.ts', '../../session/run.ts'],
  ['core/session/y.ts', '../platform/node/worker-target.ts'],
  ['core/session/z.ts', '#server/server.ts'],
  ['core/session/lockstep/x.ts', '../../platform/node/worker-target.ts'],
  ['core/session/lockstep/y.ts', '../../vm/../platform/node/worker-target.ts'],
  ['core/session/expression/y.ts', '../../../server/server.ts'],
  ['core/session/expression/z.ts', '#server/server.ts'],
  ['core/y.ts', 'vscode'],
  ['core/a-new-folder/x.ts', 'node:fs'],
  ['core/a-new-folder/y.ts', '../platform/node/worker-target.ts'],
  ['core/protocol/y.ts', '../isa/insn.ts'],
  ['core/platform/node/y.ts', '../../../server/server.ts'],
  ['core/platform/node/z.ts', '#cli/json.ts'],
  ['core/platform/node/kernel/w.ts', '../../../../server/server.ts'],
  ['core/platform/node/kernel/x.ts', '../../../object/../../server/server.ts'],
  ['core/platform/node/kernel/y.ts', '#cli/json.ts'],
  ['core/platform/node/kernel/z.ts', 'koffi'],
  ['server/y.ts', 'vscode-languageserver/node'],
  ['server/z.ts', '#core/platform/node/worker-target.ts'],
  ['server/features/w.ts', '#debugger/session.ts'],
  ['server/features/x.ts', 'node:fs/promises'],
  ['server/features/y.ts', '../../cli/json.ts'],
  ['server/features/z.ts', 'fs'],
  ['debugger/x.ts', '@vscode/debugadapter'],
  ['debugger/y.ts', '#server/server.ts'],
  ['debugger/z.ts', 'node:fs'],
  ['client/y.ts', './webview/common/dom.ts'],
  ['client/z.ts', '../server/server.ts'],
  ['client/debug/y.ts', '#core/isa/insn.ts'],
  ['client/debug/z.ts', '../../core/isa/insn.ts'],
  ['client/webview/stack/x.ts', 'node:path'],
  ['client/webview/stack/y.ts', 'vscode'],
  ['client/webview/stack/z.ts', '../../extension.ts'],
  ['cli/y.ts', '#scripts/build.ts'],
  ['cli/commands/y.ts', '../../client/extension.ts'],
];

interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly location: { readonly path: string };
  }[];
}

const folder = mkdtempSync(join(tmpdir(), 'import-rules-'));
let refused: ReadonlySet<string>;

beforeAll(() => {
  const { vcs: _git, $schema: _schema, ...config } = JSON.parse(readFileSync(inRoot('biome.json'), 'utf8'));
  write('biome.json', JSON.stringify(config));
  for (const [file, specifier] of [...ALLOWED, ...REFUSED]) {
    write(file, `import { x } from '${specifier}';\nexport const y = x;\n`);
  }
  write('core/isa/re-export.ts', "export { x } from '../session/run.ts';\n");
  write('core/isa/dynamic.ts', "export const x = import('../session/run.ts');\n");
  write('core/isa/type-only.ts', "import type { X } from '../session/run.ts';\nexport type Y = X;\n");
  const { diagnostics } = lint();
  refused = new Set(
    diagnostics
      .filter(({ category }) => /noRestrictedImports|useNodejsImportProtocol/.test(category))
      .map(({ location }) => location.path.replaceAll('\\', '/')),
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the linter', () => {
  test.each(ALLOWED)('lets %s import %s', (file) => {
    expect(refused).not.toContain(file);
  });

  test.each(REFUSED)('keeps %s from importing %s', (file) => {
    expect(refused).toContain(file);
  });

  test.each(['re-export', 'dynamic', 'type-only'])('sees an import that is %s', (form) => {
    expect(refused).toContain(`core/isa/${form}.ts`);
  });
});

test('each folder of core has a rule of its own', () => {
  const { overrides } = JSON.parse(readFileSync(inRoot('biome.json'), 'utf8')) as {
    overrides: { includes: string[] }[];
  };
  const ruled = overrides.flatMap(({ includes }) => includes);
  const folders = readdirSync(inRoot('core'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'platform')
    .map((entry) => `core/${entry.name}/**`);
  expect(folders.length).toBeGreaterThan(10);
  expect(folders.filter((each) => !ruled.includes(each))).toEqual([]);
});

function write(file: string, text: string): void {
  mkdirSync(join(folder, dirname(file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

/** Biome ends with an exit code other than 0 when it finds anything, which here it must. */
function lint(): Report {
  try {
    execFileSync(
      process.execPath,
      [
        inRoot('node_modules/@biomejs/biome/bin/biome'),
        'lint',
        '--reporter=json',
        '--max-diagnostics=none',
        '.',
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' },
    );
  } catch (error) {
    return JSON.parse((error as { stdout: string }).stdout) as Report;
  }
  throw new Error('Biome found nothing to refuse');
}
