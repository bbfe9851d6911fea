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
if (!/^[a-z][a-z-]*$/.test(name)) {
  console.error('usage: node scripts/run.mjs NAME [arguments]');
  process.exit(2);
}
const { main } = await import(`./${name}.ts`);
process.exitCode = await main(process.argv.slice(3));
