import { KernelError } from './errors.ts';
import type { KernelProg } from './prog-load.ts';
import { BPF_PROG_TEST_RUN, type Syscalls } from './syscalls.ts';

/** What a program runs on in the kernel. */
export interface TestRunInput {
  /** The packet from its MAC header; the kernel wants 14 bytes at least. A raw tracepoint has none. */
  readonly data: Uint8Array;
  /** `struct xdp_md` or `struct __sk_buff` to begin with, as bytes; up to 12 arguments of a raw tracepoint, 8 bytes each. */
  readonly ctx?: Uint8Array;
  /** Times to run; 1 when not told. A raw tracepoint runs once, and its duration is not told (0). */
  readonly repeat?: number;
}

/** What came out of BPF_PROG_TEST_RUN. */
export interface TestRunResult {
  /** Unsigned 32 bits. */
  readonly retval: number;
  /** Mean of one run. */
  readonly durationNs: number;
  /** The packet after the (last) run. */
  readonly dataOut: Uint8Array<ArrayBuffer>;
  /** The context after the run; empty when none was given. */
  readonly ctxOut: Uint8Array<ArrayBuffer>;
}

/** A packet can grow at its front by its headroom, and programs can push headers: so much room behind it is enough. */
const ROOM = 4096;
const ATTR_SIZE = 80;

/** BPF_PROG_TEST_RUN. Throws KernelError: EINVAL for data shorter than 14 bytes or a context that the kernel does not take. */
export function testRun(sys: Syscalls, prog: KernelProg, input: TestRunInput): TestRunResult {
  sys.arena.reset();
  const request = sys.arena.reserve(ATTR_SIZE);
  const { view } = request;
  const isTracepoint = prog.progType === 'raw_tracepoint';
  const data = sys.arena.put(input.data);
  const dataOut = sys.arena.reserve(isTracepoint ? 0 : input.data.length + ROOM);
  view.setUint32(0, prog.fd, true);
  view.setUint32(8, input.data.length, true);
  view.setUint32(12, dataOut.bytes.length, true);
  view.setBigUint64(16, data.address, true);
  view.setBigUint64(24, dataOut.address, true);
  view.setUint32(32, isTracepoint ? 0 : (input.repeat ?? 1), true);
  let ctxOut = new Uint8Array();
  if (input.ctx !== undefined) {
    // Arguments of a tracepoint do not come back, and the kernel refuses to be asked for them.
    const block = sys.arena.reserve(isTracepoint ? 0 : input.ctx.length);
    view.setUint32(40, input.ctx.length, true);
    view.setUint32(44, block.bytes.length, true);
    view.setBigUint64(48, sys.arena.put(input.ctx).address, true);
    view.setBigUint64(56, block.address, true);
    ctxOut = block.bytes;
  }
  const { errno } = sys.bpf(BPF_PROG_TEST_RUN, request);
  if (errno !== 0) throw new KernelError('running the program (BPF_PROG_TEST_RUN)', errno);
  return {
    retval: view.getUint32(4, true),
    durationNs: view.getUint32(36, true),
    dataOut: dataOut.bytes.slice(0, view.getUint32(12, true)),
    ctxOut: ctxOut.slice(0, view.getUint32(44, true)),
  };
}
