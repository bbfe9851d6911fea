import { runCommand } from './lib/exec.ts';
import { inRoot } from './lib/paths.ts';
import { runVitest } from './test.ts';

/** One thing `check` holds; resolves to an exit code. */
interface Step {
  readonly title: string;
  /** `npm test` runs it as well. */
  readonly isTest?: true;
  run(): Promise<number>;
}

const node = (...args: string[]) => runCommand(process.execPath, args);

const STEPS: readonly Step[] = [
  {
    title: 'lint and format (Biome)',
    run: () => runCommand(inRoot('node_modules/.bin/biome'), ['check', '--error-on-warnings']),
  },
  // --force: 7.0.2 keeps stale errors after a global declaration file is added.
  {
    title: 'types (every project)',
    run: () => node(inRoot('node_modules/typescript/bin/tsc'), '-b', '--force'),
  },
  { title: 'generated files are current', run: checkGenerated },
  {
    title: 'core, session and adapter bundle for a browser worker',
    run: () => node('scripts/run.mjs', 'check-browser-bundle'),
  },
  {
    title: 'data-driven tests, in slices over unshared memory too',
    isTest: true,
    run: () => runVitest('filetests', ['test/filetests']),
  },
];

async function checkGenerated(): Promise<number> {
  for (const generator of [
    'generate-grammar',
    'generate-isa-docs',
    'generate-kernel-structs',
    'build-captures',
  ]) {
    const code = await node('scripts/run.mjs', generator, '--check');
    if (code !== 0) return code;
  }
  return 0;
}

/**
 * `npm run check [-- --static]`: every step runs, so that one call shows all that is wrong; with `--static` those that
 * `npm test` does not run.
 */
export async function main(args: readonly string[]): Promise<number> {
  const failed: string[] = [];
  const steps = args.includes('--static') ? STEPS.filter(({ isTest }) => isTest === undefined) : STEPS;
  for (const step of steps) {
    console.log(`\n== ${step.title}`);
    if ((await step.run()) !== 0) failed.push(step.title);
  }
  for (const title of failed) console.error(`FAILED: ${title}`);
  return failed.length === 0 ? 0 : 1;
}
