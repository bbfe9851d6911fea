import type { ProgType } from '../object/object.ts';

/** `enum xdp_action`, include/uapi/linux/bpf.h. */
const XDP_ACTIONS = ['XDP_ABORTED', 'XDP_DROP', 'XDP_PASS', 'XDP_TX', 'XDP_REDIRECT'];

/** `TC_ACT_…`, include/uapi/linux/pkt_cls.h, from −1. */
const TC_ACTIONS = [
  'TC_ACT_UNSPEC',
  'TC_ACT_OK',
  'TC_ACT_RECLASSIFY',
  'TC_ACT_SHOT',
  'TC_ACT_PIPE',
  'TC_ACT_STOLEN',
  'TC_ACT_QUEUED',
  'TC_ACT_REPEAT',
  'TC_ACT_REDIRECT',
  'TC_ACT_TRAP',
];

/**
 * What a program's return value means to its hook, with the number: `XDP_DROP (1)`, `TC_ACT_OK (0)`,
 * `accept 96 bytes`, `drop (0)`. A value without a name shows as the number alone, signed for
 * `sched_cls` (nobody looks at what a `raw_tracepoint` program returns); `raw` programs have no verdict, only a value (`0x2a`).
 *
 * `retval`: R0's low 32 bits, signed or unsigned alike.
 */
export function verdictText(progType: ProgType, retval: number): string {
  switch (progType) {
    case 'xdp': {
      const name = XDP_ACTIONS[retval >>> 0];
      return name ? `${name} (${retval >>> 0})` : `${retval >>> 0}`;
    }
    case 'sched_cls': {
      const name = TC_ACTIONS[(retval | 0) + 1];
      return name ? `${name} (${retval | 0})` : `${retval | 0}`;
    }
    case 'socket_filter':
      if (retval === 0) return 'drop (0)';
      return retval === 1 ? 'accept 1 byte' : `accept ${retval >>> 0} bytes`;
    case 'raw_tracepoint':
    case 'ext':
      return `${retval >>> 0}`;
    case 'raw':
      return `0x${(retval >>> 0).toString(16)}`;
  }
}

/** The uapi name of a return value, where it has one (`XDP_DROP`). */
export function verdictName(progType: ProgType, retval: number): string | undefined {
  if (progType === 'xdp') return XDP_ACTIONS[retval >>> 0];
  if (progType === 'sched_cls') return TC_ACTIONS[(retval | 0) + 1];
  return undefined;
}
