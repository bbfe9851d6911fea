import { statSync } from 'node:fs';
import { main as buildMain } from './build.ts';
import { runCommand } from './lib/exec.ts';
import { inRoot } from './lib/paths.ts';

/** The extension's file, in the repository's root. */
export const VSIX = inRoot('bpf-workbench.vsix');

/** Builds `bpf-workbench.vsix` from production bundles; resolves to the exit code. */
export async function packageExtension(): Promise<number> {
  const built = await buildMain(['--production']);
  if (built !== 0) return built;
  return runCommand(process.execPath, [
    inRoot('node_modules/@vscode/vsce/vsce'),
    'package',
    '--no-dependencies',
    '--allow-missing-repository',
    '--no-rewrite-relative-links',
    '--out',
    VSIX,
  ]);
}

/** `npm run package` */
export async function main(): Promise<number> {
  const code = await packageExtension();
  if (code === 0) console.log(`bpf-workbench.vsix: ${(statSync(VSIX).size / 1024).toFixed(0)} KiB`);
  return code;
}
