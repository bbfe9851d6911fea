import { processIo } from './io.ts';
import { main } from './program.ts';

// The bundle dist/cli.js starts here. exitCode, not exit(): what was written must reach a slow reader.
process.exitCode = await main(process.argv.slice(2), processIo());
