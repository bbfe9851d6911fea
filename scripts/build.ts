import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type BuildOptions, build, context } from 'esbuild';
import { thirdPartyNotices } from './lib/notices.ts';
import { inRoot } from './lib/paths.ts';
import { shipKoffi } from './lib/ship-koffi.ts';

const VIEWS = ['registers', 'stack', 'stats', 'jit'];

/** What `dist/` is made of. */
export function bundles(options: { production: boolean }): BuildOptions[] {
  const common: BuildOptions = {
    absWorkingDir: inRoot(),
    outdir: 'dist',
    bundle: true,
    target: 'es2024',
    minify: options.production,
    sourcemap: options.production ? false : 'linked',
    logLevel: 'warning',
    // Licences are collected in one file instead.
    legalComments: 'none',
    metafile: true,
  };
  // VS Code loads the client with require; plain ESM bundles of its libraries die on "Dynamic require".
  const node: BuildOptions = {
    ...common,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
    outExtension: { '.js': '.cjs' },
    // The libraries' "module" builds are what esbuild can shake; their "main" is UMD with hidden requires.
    mainFields: ['module', 'main'],
  };
  return [
    {
      ...node,
      entryPoints: {
        client: 'client/extension.ts',
        server: 'server/node-main.ts',
        adapter: 'debugger/node-main.ts',
        worker: 'core/platform/node/worker-entry.ts',
      },
    },
    {
      ...common,
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'],
      entryPoints: { cli: 'cli/main.ts' },
      define: { BENCH_PROGRAMS: JSON.stringify(benchPrograms()) },
      banner: {
        js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
      },
    },
    {
      ...common,
      platform: 'browser',
      format: 'iife',
      outdir: 'dist/webview',
      entryPoints: VIEWS.flatMap((view) => [
        { in: `client/webview/${view}/main.ts`, out: view },
        ...(existsSync(inRoot(`client/webview/${view}/style.css`))
          ? [{ in: `client/webview/${view}/style.css`, out: view }]
          : []),
      ]),
    },
  ];
}

/** The programs that `bpf-workbench bench` measures, by file name (`cli/bench/programs.ts`). */
function benchPrograms(): Readonly<Record<string, string>> {
  const folder = inRoot('test', 'bench', 'programs');
  const names = readdirSync(folder).filter((name) => name.endsWith('.bpf.s'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]));
}

/** `npm run build [-- --production | --watch]` */
export async function main(args: readonly string[]): Promise<number> {
  rmSync(inRoot('dist'), { recursive: true, force: true });
  const all = bundles({ production: args.includes('--production') });
  if (args.includes('--watch')) {
    const contexts = await Promise.all(all.map((options) => context({ ...options, logLevel: 'info' })));
    await Promise.all(contexts.map((each) => each.watch()));
    shipKoffi();
    console.log('watching');
    return new Promise(() => {});
  }
  try {
    const results = await Promise.all(all.map((options) => build(options)));
    const metafiles = results.flatMap((result) => result.metafile ?? []);
    writeFileSync(inRoot('dist/THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(metafiles, shipKoffi()));
  } catch (error) {
    // esbuild has printed what and where of its own errors.
    if (!(error instanceof Error && 'errors' in error)) console.error(error);
    return 1;
  }
  return 0;
}
