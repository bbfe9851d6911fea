import { ctxFieldByName } from '#core/ctx/fields.ts';
import type { ProgType } from '#core/object/object.ts';

/** Sizes of `struct xdp_md` and `struct __sk_buff`, include/uapi/linux/bpf.h. */
const XDP_MD_SIZE = 24;
const SK_BUFF_SIZE = 192;

/** Where a field lies; those of `__sk_buff` that only some types may read lie there for all. */
const fieldOf = (progType: ProgType, name: string) =>
  ctxFieldByName(progType, name) ?? (progType === 'xdp' ? undefined : ctxFieldByName('sched_cls', name));

/** The structure with these fields as BPF_PROG_TEST_RUN takes it; undefined when there are none. */
export function ctxBytes(
  progType: ProgType,
  fields: Readonly<Record<string, bigint>>,
): Uint8Array<ArrayBuffer> | undefined {
  if (Object.keys(fields).length === 0) return undefined;
  const bytes = new Uint8Array(progType === 'xdp' ? XDP_MD_SIZE : SK_BUFF_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries(fields)) {
    const field = fieldOf(progType, name);
    if (field === undefined) throw new RangeError(`no field ${name}`);
    if (field.size === 8) view.setBigUint64(field.offset, value, true);
    else view.setUint32(field.offset, Number(value), true);
  }
  return bytes;
}

/** One field of such a structure; undefined when it is not in there. */
export function ctxField(progType: ProgType, bytes: Uint8Array, name: string): bigint | undefined {
  const field = fieldOf(progType, name);
  if (field === undefined || field.offset + field.size > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return field.size === 8
    ? view.getBigUint64(field.offset, true)
    : BigInt(view.getUint32(field.offset, true));
}
