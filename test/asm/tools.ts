import { spawnSync } from 'node:child_process';

/** Whether a command can be run here: optional oracles are counted, not required. */
export function hasTool(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}
