import type { ProgType } from '../object/object.ts';

/** One field of a context as programs see it (`struct xdp_md`, `struct __sk_buff`, include/uapi/linux/bpf.h). */
export interface CtxField {
  readonly name: string;
  /** Bytes from the start of the user-visible structure. */
  readonly offset: number;
  /** Width in bytes. */
  readonly size: number;
  readonly readable: boolean;
  readonly writable: boolean;
  /**
   * Which accesses are legal: `exact` only the whole field; `narrow` also 1- and 2-byte loads inside it;
   * `bytes` any naturally aligned load or store up to 8 bytes inside the run of such fields (`cb`).
   */
  readonly access: 'exact' | 'narrow' | 'bytes';
  /** A load gives a pointer, so that arithmetic on it stays in one object. */
  readonly pointer: boolean;
  /** Unit and byte order included. */
  readonly meaning: string;
}

type Row = readonly [
  name: string,
  offset: number,
  size: number,
  use: 'r' | 'rw',
  access: CtxField['access'],
  meaning: string,
];

const field = ([name, offset, size, use, access, meaning]: Row, pointer = false): CtxField => ({
  name,
  offset,
  size,
  readable: true,
  writable: use === 'rw',
  access,
  pointer,
  meaning,
});
const pointer = (row: Row): CtxField => field(row, true);

const XDP_MD: readonly CtxField[] = [
  pointer(['data', 0, 4, 'r', 'exact', 'first byte of the packet']),
  pointer(['data_end', 4, 4, 'r', 'exact', 'one past the last byte of the packet']),
  pointer(['data_meta', 8, 4, 'r', 'exact', 'first byte of the metadata before the packet']),
  field(['ingress_ifindex', 12, 4, 'r', 'exact', 'index of the device that received the packet']),
  field(['rx_queue_index', 16, 4, 'r', 'exact', 'receive queue of that device']),
];

const CB: readonly CtxField[] = [0, 1, 2, 3, 4].map((i) =>
  field([`cb[${i}]`, 48 + 4 * i, 4, 'rw', 'bytes', 'scratch word that programs may use freely']),
);

/** The fields that every program on a socket buffer can read; `rw` where `sched_cls` can write too. */
// biome-ignore format: a table, one row a line
const SK_BUFF_ROWS: readonly Row[] = [
  ['len', 0, 4, 'r', 'narrow', 'length of the packet in bytes'],
  ['pkt_type', 4, 4, 'r', 'narrow', 'PACKET_HOST 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3, OUTGOING 4'],
  ['mark', 8, 4, 'rw', 'narrow', 'packet mark'],
  ['queue_mapping', 12, 4, 'rw', 'narrow', 'transmit queue, 16 bits'],
  ['protocol', 16, 4, 'r', 'narrow', 'EtherType, 16 bits in network byte order'],
  ['vlan_present', 20, 4, 'r', 'narrow', '1 if a VLAN tag was taken off the packet'],
  ['vlan_tci', 24, 4, 'r', 'narrow', 'VLAN tag control information, 16 bits'],
  ['vlan_proto', 28, 4, 'r', 'narrow', 'EtherType of the VLAN tag, 16 bits in network byte order'],
  ['priority', 32, 4, 'rw', 'narrow', 'packet priority'],
  ['ingress_ifindex', 36, 4, 'r', 'narrow', 'index of the device the packet came in by'],
  ['ifindex', 40, 4, 'r', 'narrow', 'index of the device the packet is on'],
  ['tc_index', 44, 4, 'rw', 'narrow', 'traffic control index, 16 bits'],
];

// biome-ignore format: a table, one row a line
const SK_BUFF_TAIL: readonly CtxField[] = [
  field(['hash', 68, 4, 'r', 'narrow', 'flow hash']),
  field(['napi_id', 84, 4, 'r', 'narrow', 'NAPI instance that received the packet; 0: none']),
  field(['gso_segs', 164, 4, 'r', 'narrow', 'segments of a GSO packet']),
  pointer(['sk', 168, 8, 'r', 'exact', 'the socket, or 0']),
  field(['gso_size', 176, 4, 'r', 'narrow', 'bytes of a GSO segment']),
];

const SOCKET_FILTER: readonly CtxField[] = sorted([
  ...SK_BUFF_ROWS.map((row) => ({ ...field(row), writable: false })),
  ...CB,
  ...SK_BUFF_TAIL,
]);

// biome-ignore format: a table, one row a line
const SCHED_CLS: readonly CtxField[] = sorted([
  ...SK_BUFF_ROWS.map((row) => field(row)),
  ...CB,
  ...SK_BUFF_TAIL,
  field(['tc_classid', 72, 4, 'rw', 'narrow', 'traffic class, 16 bits']),
  pointer(['data', 76, 4, 'r', 'exact', 'first byte of the packet']),
  pointer(['data_end', 80, 4, 'r', 'exact', 'one past the last byte of the linear part']),
  pointer(['data_meta', 140, 4, 'r', 'exact', 'first byte of the metadata before the packet']),
  field(['tstamp', 152, 8, 'rw', 'exact', 'time stamp in nanoseconds']),
  field(['wire_len', 160, 4, 'r', 'narrow', 'length of the packet on the wire in bytes']),
  field(['tstamp_type', 180, 1, 'r', 'exact', 'clock of tstamp: 0 realtime, 1 monotonic, 2 TAI']),
  field(['hwtstamp', 184, 8, 'r', 'exact', 'hardware time stamp in nanoseconds']),
]);

/** Arguments that a tracepoint can have (`MAX_BPF_FUNC_ARGS`). */
export const RAW_TRACEPOINT_ARGS = 12;

/** `args[]` has no length in the kernel's structure; programs may read so many, any part of them, aligned. */
const RAW_TRACEPOINT: readonly CtxField[] = Array.from({ length: RAW_TRACEPOINT_ARGS }, (_, i) =>
  field([`args[${i}]`, 8 * i, 8, 'r', 'narrow', `argument ${i} of the tracepoint`]),
);

/** The context's fields by program type, ascending; none for `raw`, whose R1 is plain memory, and `ext`, which has those of its target. */
export const CTX_FIELDS: Readonly<Record<ProgType, readonly CtxField[]>> = {
  xdp: XDP_MD,
  socket_filter: SOCKET_FILTER,
  sched_cls: SCHED_CLS,
  raw_tracepoint: RAW_TRACEPOINT,
  ext: [],
  raw: [],
};

/** Name of the structure a program type's context has in C. */
export const CTX_STRUCT: Readonly<Record<ProgType, string>> = {
  xdp: 'struct xdp_md',
  socket_filter: 'struct __sk_buff',
  sched_cls: 'struct __sk_buff',
  raw_tracepoint: 'struct bpf_raw_tracepoint_args',
  ext: 'arguments',
  raw: 'memory',
};

/** The field that byte `offset` of the context lies in; undefined where there is none. */
export function ctxFieldAt(progType: ProgType, offset: number): CtxField | undefined {
  return CTX_FIELDS[progType].find((f) => offset >= f.offset && offset < f.offset + f.size);
}

/** The field called `name`, also as `cb0` for `cb[0]`, `args0` for `args[0]`; undefined when this type has none of that name. */
export function ctxFieldByName(progType: ProgType, name: string): CtxField | undefined {
  const wanted = name.replace(/^(cb|args)(\d+)$/, '$1[$2]');
  return CTX_FIELDS[progType].find((f) => f.name === wanted);
}

function sorted(fields: readonly CtxField[]): readonly CtxField[] {
  return [...fields].sort((a, b) => a.offset - b.offset);
}
