import type { RunEnv } from '../vm/cpu.ts';
import type { Machine } from '../vm/machine.ts';
import { CTX_FIELDS, RAW_TRACEPOINT_ARGS } from './fields.ts';
import { checkFields } from './fields-in.ts';
import type { Prepared, RunInput } from './input.ts';

const ARG_SIZE = 8;
const ARGS_SIZE = RAW_TRACEPOINT_ARGS * ARG_SIZE;
const SETTABLE: ReadonlySet<string> = new Set(CTX_FIELDS.raw_tracepoint.map((field) => field.name));

/**
 * The arguments with which a tracepoint fires (`struct bpf_raw_tracepoint_args`): always twelve, those that
 * the input does not give are 0. They come by name (`args[0]`) or all at once as `data`, 8 bytes each, as
 * BPF_PROG_TEST_RUN takes them in `ctx_in`; a name wins. There is no packet, and nothing comes back.
 */
export function prepareRawTracepoint(machine: Machine, cpu: number, input: RunInput): Prepared {
  const { space, memory } = machine;
  const target = machine.cpu(cpu);
  const checked = checkFields('raw_tracepoint', input.ctx, SETTABLE);
  const problems = [...checked.problems];
  if (input.data.length > ARGS_SIZE) {
    problems.push(
      `data has ${input.data.length} bytes: a tracepoint has at most ${RAW_TRACEPOINT_ARGS} arguments of ${ARG_SIZE} bytes (EINVAL)`,
    );
  }
  const ctx = space.alloc({ name: 'ctx', kind: 'ctx', size: ARGS_SIZE, perm: 'r' });
  memory.bytes.set(input.data.subarray(0, ARGS_SIZE), ctx.base);
  for (const field of CTX_FIELDS.raw_tracepoint) {
    const value = checked.values.get(field.name);
    if (value !== undefined) memory.view.setBigUint64(ctx.base + field.offset, value, true);
  }
  const env: RunEnv = { kind: 'raw', ctx, packet: undefined };
  target.current = env;
  let disposed = false;
  return {
    r1: ctx.addr,
    problems,
    dataOut: () => new Uint8Array(),
    ctxOut: () => ({}),
    dispose() {
      if (disposed) return;
      disposed = true;
      if (target.current === env) target.current = undefined;
      space.free(ctx);
    },
  };
}
