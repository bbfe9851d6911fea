import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A folder for one running VS Code server and nobody else: `NAME` in `parent`, or `NAME-2` and so on while others run
 * (two servers in one folder refuse each other's extension). What was set in it is there again at the next start.
 * Given back when this process exits.
 */
export function claimDataDir(parent: string, name: string): string {
  for (let n = 1; ; n++) {
    const dir = join(parent, n === 1 ? name : `${name}-${n}`);
    mkdirSync(dir, { recursive: true });
    const file = join(dir, 'pid');
    if (!claim(file) && !(isStale(file) && claim(file))) continue;
    process.once('exit', () => rmSync(file, { force: true }));
    return dir;
  }
}

function claim(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the process that claimed it is gone; then the claim is removed. */
function isStale(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EPERM') return false; // it runs, as somebody else
    rmSync(file, { force: true });
    return true;
  }
}
