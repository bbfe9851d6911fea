import { ETH_HLEN, XDP_BUFF, XDP_FRAME_SIZE } from '../ctx/offsets.ts';
import {
  BPF_FUNC_XDP_ADJUST_HEAD,
  BPF_FUNC_XDP_ADJUST_META,
  BPF_FUNC_XDP_ADJUST_TAIL,
} from '../isa/helper-ids.ts';
import { EACCES, EINVAL } from '../maps/errno.ts';
import type { Region } from '../vm/region.ts';
import { HelperCall } from './args.ts';
import type { HelperImpl } from './impl.ts';

/** Longest metadata: `skb_shared_info.meta_len` is a byte, and lengths are multiples of 4. */
const MAX_METADATA = 252;

/**
 * The packet's region begins with the metadata and ends with the packet. Where its beginning moves, it
 * gets a new window: pointers taken before (which a verifier forbids to use) fault from then on.
 */
interface Frame {
  readonly ctx: Region;
  readonly packet: Region;
  /** Bytes of metadata in front of the data. */
  readonly metadata: number;
}

/** `long bpf_xdp_adjust_head(xdp, delta)`: moves the start of the packet by `delta` bytes, metadata with it. */
export const bpfXdpAdjustHead: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_XDP_ADJUST_HEAD, machine, cpu, regs);
  const frame = frameOf(call);
  if (frame === undefined) return call.fault;
  const delta = call.s32(2);
  const { packet, metadata } = frame;
  const room = machine.space.headroom(packet) - XDP_FRAME_SIZE;
  const length = packet.size - metadata;
  if (room + delta < 0 || delta > length - ETH_HLEN) return call.result(-EINVAL);
  machine.memory.bytes.copyWithin(packet.base + delta, packet.base, packet.base + metadata);
  return moveStart(call, frame, delta, metadata);
};

/** `long bpf_xdp_adjust_meta(xdp, delta)`: moves the start of the metadata in front of the packet. */
export const bpfXdpAdjustMeta: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_XDP_ADJUST_META, machine, cpu, regs);
  const frame = frameOf(call);
  if (frame === undefined) return call.fault;
  const delta = call.s32(2);
  const metadata = frame.metadata - delta;
  const room = machine.space.headroom(frame.packet) - XDP_FRAME_SIZE;
  if (room + delta < 0 || metadata < 0) return call.result(-EINVAL);
  if (metadata % 4 !== 0 || metadata > MAX_METADATA) return call.result(-EACCES);
  return moveStart(call, frame, delta, metadata);
};

/** `long bpf_xdp_adjust_tail(xdp, delta)`: moves the end of the packet; new bytes are zeroed. */
export const bpfXdpAdjustTail: HelperImpl = (machine, cpu, regs) => {
  const call = new HelperCall(BPF_FUNC_XDP_ADJUST_TAIL, machine, cpu, regs);
  const frame = frameOf(call);
  if (frame === undefined) return call.fault;
  const delta = call.s32(2);
  const { ctx, packet, metadata } = frame;
  const before = packet.size;
  if (before + delta < metadata + ETH_HLEN) return call.result(-EINVAL);
  const grown = machine.space.resize(packet, { size: before + delta });
  if (grown === undefined) return call.result(-EINVAL);
  if (delta > 0) machine.memory.bytes.fill(0, grown.base + before, grown.base + grown.size);
  writePointers(call, ctx, grown, metadata);
  return call.result(0);
};

function frameOf(call: HelperCall): Frame | undefined {
  const env = call.context(1, 'xdp');
  if (env === undefined) return undefined;
  const { view } = call.machine.memory;
  const { ctx, packet } = env;
  const data = view.getBigUint64(ctx.base + XDP_BUFF.data, true);
  return { ctx, packet, metadata: Number(data - packet.addr) };
}

function moveStart(call: HelperCall, frame: Frame, delta: number, metadata: number): undefined {
  const moved = call.machine.space.resize(frame.packet, { front: -delta, origin: metadata });
  if (moved === undefined) return call.result(-EINVAL);
  if (call.cpu.current !== undefined) call.cpu.current.packet = moved;
  writePointers(call, frame.ctx, moved, metadata);
  return call.result(0);
}

function writePointers(call: HelperCall, ctx: Region, packet: Region, metadata: number): void {
  const { view } = call.machine.memory;
  view.setBigUint64(ctx.base + XDP_BUFF.data_meta, packet.addr, true);
  view.setBigUint64(ctx.base + XDP_BUFF.data, packet.addr + BigInt(metadata), true);
  view.setBigUint64(ctx.base + XDP_BUFF.data_end, packet.addr + BigInt(packet.size), true);
}
