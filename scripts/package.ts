import { statSync } from 'node:fs';
import { main as buildMain } from './build.ts';
import { captureCommand, runCommand } from './lib/exec.ts';
import { inRoot } from './lib/paths.ts';

/** The extension's file, in the repository's root. */
export const VSIX = inRoot('bpf-workbench.vsix');

/**
 * Builds `bpf-workbench.vsix` from production bundles; resolves to the exit code. With `quiet` the list of its files
 * is not printed, and a failure of the packager throws with what it said.
 */
export async function packageExtension(options: { quiet: boolean } = { quiet: false }): Promise<number> {
  const built = await buildMain(['--production']);
  if (built !== 0) return built;
  const args = [
    inRoot('node_modules/@vscode/vsce/vsce'),
    'package',
    '--no-dependencies',
    '--allow-missing-repository',
    '--no-rewrite-relative-links',
    '--out',
    VSIX,
  ];
  if (!options.quiet) return runCommand(process.execPath, args);
  await captureCommand(process.execPath, args);
  return 0;
}

/** `npm run package` */
export async function main(): Promise<number> {
  const code = await packageExtension();
  if (code === 0) console.log(`bpf-workbench.vsix: ${(statSync(VSIX).size / 1024).toFixed(0)} KiB`);
  return code;
}
