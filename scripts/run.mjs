import { existsSync } from 'node:fs';

// Entry of every npm script: `node scripts/run.mjs NAME [arguments]` runs scripts/NAME.ts.
// Plain JavaScript, so that an old Node gets as far as the sentence below.
const WANTED = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major !== WANTED) {
  console.error(
    `These scripts need Node ${WANTED}, but this is Node ${process.versions.node}. The project brings its own: ` +
      'run `npm ci`, then start scripts with `npm run NAME` (not `node scripts/…`).',
  );
  process.exit(2);
}
const name = process.argv[2] ?? '';
const script = new URL(`./${name}.ts`, import.meta.url);
if (!/^[a-z][a-z0-9-]*$/.test(name) || !existsSync(script)) {
  console.error(`usage: npm run NAME [-- arguments]; there is no scripts/${name || 'NAME'}.ts`);
  process.exit(2);
}
const { main } = await import(script.href);
process.exitCode = await main(process.argv.slice(3));
