import { tagHash } from '#core/prog/bpf-prog-calc-tag.ts';
import { DEFAULT_SETTINGS, type KernelVersion, parseKernelVersion } from '#core/vm/settings.ts';
import { UsageError } from './failure.ts';

/**
 * The version of Linux that `text` names, one that has program tags; the one that is simulated where
 * nothing is told. `option` is what the user wrote it in. Throws `UsageError`.
 */
export function kernelNamed(text: string | undefined, option: string): KernelVersion {
  if (text === undefined) return DEFAULT_SETTINGS.kernel;
  const version = parseKernelVersion(text);
  if (version === undefined)
    throw new UsageError(`${option} ${text}: must be a version of Linux, as in 6.18`);
  if (tagHash(version) === undefined) {
    throw new UsageError(`${option} ${text}: program tags came with Linux 4.10`);
  }
  return version;
}
