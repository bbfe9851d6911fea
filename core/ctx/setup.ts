import type { ProgType } from '../object/object.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import type { Prepared, RunInput } from './input.ts';

export type { Prepared, RunInput } from './input.ts';

import { prepareRawTracepoint } from './setup-raw-tracepoint.ts';
import { prepareSkb } from './setup-skb.ts';
import { prepareXdp } from './setup-xdp.ts';

/**
 * Lays an input out in `machine` for a run of `prog` on CPU `cpu`: packet with head and tail room, the
 * kernel structure behind the context, and the environment that helpers look at (`Cpu.current`). Call
 * `dispose` after the run, before the next input is prepared on the same CPU.
 *
 * Throws MemoryLimitError when the machine's memory is used up, RangeError when it has no such CPU.
 */
export function prepareInput(machine: Machine, cpu: number, prog: ExecProg, input: RunInput): Prepared {
  switch (prog.progType as ProgType) {
    case 'xdp':
      return prepareXdp(machine, cpu, input);
    case 'socket_filter':
    case 'sched_cls':
      return prepareSkb(machine, cpu, prog.progType as 'socket_filter' | 'sched_cls', input);
    case 'raw_tracepoint':
      return prepareRawTracepoint(machine, cpu, input);
    default:
      return prepareRaw(machine, cpu, input);
  }
}

/** `raw`: the data is the memory that R1 points to, R2 its length. */
function prepareRaw(machine: Machine, cpu: number, input: RunInput): Prepared {
  const target = machine.cpu(cpu);
  const { space } = machine;
  const region = space.alloc({ name: 'memory', kind: 'memory', size: input.data.length, perm: 'rw' });
  space.write(region.addr, input.data);
  target.current = { kind: 'raw', ctx: undefined, packet: undefined };
  const problems = Object.keys(input.ctx ?? {}).map(
    (name) => `a raw program has no context, so there is no field ${name}; R1 is the memory, R2 its length`,
  );
  let disposed = false;
  return {
    r1: input.data.length === 0 ? 0n : region.addr,
    r2: BigInt(input.data.length),
    problems,
    dataOut: () => space.read(region.addr, region.size) ?? new Uint8Array(),
    ctxOut: () => ({}),
    dispose() {
      if (disposed) return;
      disposed = true;
      if (target.current?.kind === 'raw') target.current = undefined;
      space.free(region);
    },
  };
}
