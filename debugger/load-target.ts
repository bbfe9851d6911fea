import { TargetClient } from '#core/session/client.ts';
import type { LoadReply } from '#core/session/load-request.ts';
import { cancelled, launchError } from './errors.ts';
import type { AdapterHost } from './host.ts';
import { readLaunchFiles } from './launch.ts';
import type { LaunchArguments } from './launch-arguments.ts';
import type { LaunchProgress } from './launch-progress.ts';

/** A target that holds the launch's program. */
export interface LoadedTarget {
  readonly target: TargetClient;
  readonly loaded: LoadReply & { readonly ok: true };
}

/**
 * Reads the files of a launch and loads its program into a new target. Throws DapError for what is wrong with it
 * (`detail` is given every further line there is), and when `progress` is cancelled, which ends the target at once.
 */
export async function loadTarget(
  host: AdapterHost,
  launch: LaunchArguments,
  progress: LaunchProgress,
  detail: (line: string) => void,
): Promise<LoadedTarget> {
  const files = await readLaunchFiles(host, launch);
  const target = await TargetClient.start(host.targets);
  try {
    if (progress.isCancelled) throw cancelled();
    progress.onCancel(() => void target.terminate());
    target.onProgress((now) => progress.report(now));
    const loaded = await target.request('load', files);
    if (progress.isCancelled) throw cancelled();
    if (loaded.ok) return { target, loaded };
    for (const line of loaded.problem.details ?? []) detail(line);
    throw launchError(loaded.problem.kind, loaded.problem.message);
  } catch (error) {
    await target.terminate();
    // The request that was under way says only that the target is gone.
    throw progress.isCancelled ? cancelled() : error;
  }
}
