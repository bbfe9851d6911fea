import type { ProgType } from '../object/object.ts';
import { CTX_FIELDS, type CtxField, ctxFieldAt } from './fields.ts';

/** One access of an instruction to the context. */
export interface CtxAccess {
  /** Bytes from the start of the context, signed. */
  readonly offset: number;
  /** 1, 2, 4 or 8 bytes. */
  readonly size: number;
  readonly write: boolean;
  /** A sign-extending load. */
  readonly signed: boolean;
}

/**
 * The field an access goes to, or the verifier's words why it may not be made.
 * Mirrors `xdp_is_valid_access`, `sk_filter_is_valid_access` and `tc_cls_act_is_valid_access`,
 * net/core/filter.c; what is legal was read off Linux 6.18 by trying every offset and size.
 */
export function resolveCtxAccess(
  progType: ProgType,
  access: CtxAccess,
): { readonly field: CtxField } | { readonly refusal: string } {
  const { offset, size, write, signed } = access;
  const refusal = `invalid bpf_context access off=${offset} size=${size}`;
  const field = offset < 0 ? undefined : ctxFieldAt(progType, offset);
  if (!field || offset % size !== 0) return { refusal };
  if (write ? !field.writable : !field.readable) return { refusal };
  if (field.pointer && signed) return { refusal };
  switch (field.access) {
    case 'bytes':
      return offset + size <= endOfBytes(progType) ? { field } : { refusal };
    case 'narrow':
      if (write ? size !== field.size : size > field.size) return { refusal };
      return offset + size <= field.offset + field.size ? { field } : { refusal };
    case 'exact':
      return offset === field.offset && size === field.size ? { field } : { refusal };
  }
}

/** One past the last byte of the run of byte-wise fields. */
function endOfBytes(progType: ProgType): number {
  let end = 0;
  for (const f of CTX_FIELDS[progType]) if (f.access === 'bytes') end = Math.max(end, f.offset + f.size);
  return end;
}
