import { SK_BUFF } from '../ctx/offsets.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Problem } from '../vm/fault.ts';
import type { Machine } from '../vm/machine.ts';
import { bpfInternalLoadPointerNegHelper } from './bpf-internal-load-pointer-neg-helper.ts';

/**
 * Where BPF_LD with mode BPF_ABS or BPF_IND reads: linear address of `size` bytes at `offset` (signed 32
 * bits) of the packet of the skb in R6. Not negative: from `skb->data`, inside `skb->len`. Negative: from
 * a header, see `bpfInternalLoadPointerNegHelper`. undefined: out of bounds. A Problem: R6 holds no skb.
 */
export function loadPacket(
  machine: Machine,
  cpu: Cpu,
  offset: number,
  size: number,
): number | Problem | undefined {
  const env = cpu.current;
  const address = cpu.readReg(6);
  if (env?.kind !== 'skb' || env.ctx === undefined || env.packet === undefined || env.ctx.addr !== address) {
    return {
      kind: 'helper_argument',
      address,
      message: `legacy packet access: r6 must hold the context of a socket_filter or sched_cls program, is ${
        machine.space.describe(address) ?? `0x${address.toString(16)}`
      }`,
    };
  }
  const { view } = machine.memory;
  const skb = env.ctx.base;
  const { packet } = env;
  const end = packet.base + packet.size;
  if (offset >= 0) {
    const data = packet.base + Number(view.getBigUint64(skb + SK_BUFF.data, true) - packet.addr);
    return inside(
      data + offset,
      size,
      packet.base,
      Math.min(end, data + view.getUint32(skb + SK_BUFF.len, true)),
    );
  }
  return bpfInternalLoadPointerNegHelper(machine, skb, packet, offset, size);
}

function inside(at: number, size: number, start: number, end: number): number | undefined {
  return at >= start && at + size <= end ? at : undefined;
}
