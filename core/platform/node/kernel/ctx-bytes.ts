import { ctxFieldByName, RAW_TRACEPOINT_ARGS } from '../../../ctx/fields.ts';
import type { ProgType } from '../../../object/object.ts';

/** Sizes of `struct xdp_md` and `struct __sk_buff`, include/uapi/linux/bpf.h, and of all a tracepoint's arguments. */
const XDP_MD_SIZE = 24;
const SK_BUFF_SIZE = 192;
const RAW_TRACEPOINT_SIZE = 8 * RAW_TRACEPOINT_ARGS;

/** Fields of `__sk_buff` that BPF_PROG_TEST_RUN gives back as the program left them. */
const GIVEN_BACK = ['mark', 'priority', 'cb[0]', 'cb[1]', 'cb[2]', 'cb[3]', 'cb[4]', 'tstamp'];

/** A field of `__sk_buff` that only some types may read is there for all. */
const fieldOf = (progType: ProgType, name: string) =>
  ctxFieldByName(progType, name) ?? (hasSkb(progType) ? ctxFieldByName('sched_cls', name) : undefined);

const hasSkb = (progType: ProgType): boolean => progType === 'sched_cls' || progType === 'socket_filter';

/**
 * The context with these fields as BPF_PROG_TEST_RUN takes it: XDP's `data_end` tells the length of `data`, which is
 * the first arguments of a raw tracepoint. Throws RangeError for a field that the type does not have.
 */
export function ctxBytes(
  progType: ProgType,
  fields: Readonly<Record<string, bigint>>,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const isTracepoint = progType === 'raw_tracepoint';
  const size = isTracepoint ? RAW_TRACEPOINT_SIZE : progType === 'xdp' ? XDP_MD_SIZE : SK_BUFF_SIZE;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (isTracepoint) bytes.set(data);
  if (progType === 'xdp') view.setUint32(4, data.length, true);
  for (const [name, value] of Object.entries(fields)) {
    const field = fieldOf(progType, name);
    if (field === undefined) throw new RangeError(`${progType} has no field ${name}`);
    if (field.size === 8) view.setBigUint64(field.offset, BigInt.asUintN(64, value), true);
    else view.setUint32(field.offset, Number(BigInt.asUintN(32, value)), true);
  }
  return bytes;
}

/** One field of such a context; undefined when the type or the bytes do not have it. */
export function ctxField(progType: ProgType, bytes: Uint8Array, name: string): bigint | undefined {
  const field = fieldOf(progType, name);
  if (field === undefined || field.offset + field.size > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return field.size === 8
    ? view.getBigUint64(field.offset, true)
    : BigInt(view.getUint32(field.offset, true));
}

/** The fields that TEST_RUN gives back, out of the context that it gave back; none of other types and without a context. */
export function ctxGivenBack(progType: ProgType, bytes: Uint8Array): Record<string, bigint> {
  const found: Record<string, bigint> = {};
  for (const name of hasSkb(progType) ? GIVEN_BACK : []) {
    const value = ctxField(progType, bytes, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
