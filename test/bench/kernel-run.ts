import { PACKET } from '#cli/bench/programs.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { type KernelBridge, openKernel } from '#core/platform/node/kernel/bridge.ts';
import { EINTR, KernelError } from '#core/platform/node/kernel/errors.ts';

/** A signal that comes in between ends BPF_PROG_TEST_RUN: so often it is tried again. */
const TRIES = 20;

/** The running kernel, or one line that says why it cannot be asked. */
export function benchKernel(): KernelBridge | { readonly message: string } {
  const opened = openKernel();
  return opened.ok ? opened.kernel : opened;
}

/** Loads a program into the kernel; the function runs it `times` times and gives the low 32 bits of R0. Throws Error. */
export function kernelRun(kernel: KernelBridge, attr: LoadAttr): (times: number) => number {
  const maps = attr.maps.map((def) => kernel.createMap(def));
  const prog = kernel.load({ ...attr, maps, verifiedApart: true });
  if (prog.refused) throw new Error(`${attr.name}: the kernel refuses it: ${prog.log.slice(-500)}`);
  return (times) => {
    for (let tries = 1; ; tries++) {
      try {
        return kernel.testRun(prog, { data: PACKET, repeat: times }).retval;
      } catch (error) {
        if (!(error instanceof KernelError) || error.errno !== EINTR || tries === TRIES) throw error;
      }
    }
  };
}
