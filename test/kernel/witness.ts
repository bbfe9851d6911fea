import { type KernelBridge, openKernel } from '#core/platform/node/kernel/bridge.ts';
import { isAtLeast, kernelVersionText, parseKernelVersion } from '#core/vm/settings.ts';

/** The kernel that is simulated: older ones know fewer instructions, and rewrite and compute other things. */
const SIMULATED = { major: 6, minor: 18 } as const;

/**
 * The running kernel as a witness for generated programs; undefined, and one line says why, where it cannot be asked
 * or is none. `exactly`: later versions are none either. `what` is what then is not compared.
 */
export function openWitness(
  what: string,
  { exactly = false }: { readonly exactly?: boolean } = {},
): KernelBridge | undefined {
  const opened = openKernel();
  const reason = opened.ok ? unfit(opened.kernel.release, exactly) : opened.message;
  if (opened.ok && reason === undefined) return opened.kernel;
  if (opened.ok) opened.kernel.dispose();
  console.log(`kernel: ${reason}; 0 ${what} compared, recorded vectors serve (test/prog)`);
  return undefined;
}

function unfit(release: string, exactly: boolean): string | undefined {
  const { major, minor } = SIMULATED;
  const version = parseKernelVersion(release);
  if (version === undefined) return `the version of Linux ${release} is not understood`;
  const isSame = version.major === major && version.minor === minor;
  if (isSame || (!exactly && isAtLeast(version, major, minor))) return undefined;
  return `Linux ${release} is not Linux ${kernelVersionText(SIMULATED)}, which is simulated`;
}
