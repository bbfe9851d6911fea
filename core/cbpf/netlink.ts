import type { Emitter } from './emitter.ts';

/** Bytes of `struct nlattr`: length and type, 16 bits each in host order. */
const NLA_HDRLEN = 4;
/** `NLA_TYPE_MASK` */
const NLA_TYPE_MASK = 0x3fff;
/** `struct __sk_buff`, `len`. */
const SKB_LEN = 0;

/** Registers that only this search uses: what is left to search, and two that packet loads clobber. */
const REST = 9;
const LENGTH = 1;
const TYPE = 2;

/**
 * Emits the search of `SKF_AD_NLATTR` (`nested`: `SKF_AD_NLATTR_NEST`): A becomes the offset of the
 * netlink attribute of type X among those from offset A on (inside the attribute at A), or 0. The kernel
 * calls a function of its own here, `bpf_skb_get_nlattr`; a program that can be loaded needs the loop.
 */
export function emitAttributeSearch(
  out: Emitter,
  {
    a,
    x,
    ctx,
    tmp: at,
  }: { readonly a: number; readonly x: number; readonly ctx: number; readonly tmp: number },
  nested: boolean,
): void {
  const exits: number[] = [];
  const leaveIf = (id: 'jlt64_imm' | 'jgt64_reg' | 'jslt64_imm', fields: object): void => {
    exits.push(out.length);
    out.emit(id, fields);
  };
  /** LENGTH and TYPE of the attribute at `at`; A is 0 afterwards. */
  const readHeader = (): void => {
    out.emit('ldindw', { src: at });
    out.emit('be32', { dst: a });
    out.emit('mov32_reg', { dst: LENGTH, src: a });
    out.emit('and32_imm', { dst: LENGTH, imm: 0xffff });
    out.emit('rsh32_imm', { dst: a, imm: 16 });
    out.emit('and32_imm', { dst: a, imm: NLA_TYPE_MASK });
    out.emit('mov32_reg', { dst: TYPE, src: a });
    out.emit('mov32_imm', { dst: a });
  };
  out.emit('mov32_reg', { dst: at, src: a });
  out.emit('mov32_imm', { dst: a });
  out.emit('ldxw', { dst: REST, src: ctx, off: SKB_LEN });
  leaveIf('jlt64_imm', { dst: REST, imm: NLA_HDRLEN });
  out.emit('mov64_reg', { dst: LENGTH, src: REST });
  out.emit('sub64_imm', { dst: LENGTH, imm: NLA_HDRLEN });
  leaveIf('jgt64_reg', { dst: at, src: LENGTH });
  out.emit('sub64_reg', { dst: REST, src: at });
  if (nested) {
    readHeader();
    leaveIf('jgt64_reg', { dst: LENGTH, src: REST });
    out.emit('mov64_reg', { dst: REST, src: LENGTH });
    out.emit('sub64_imm', { dst: REST, imm: NLA_HDRLEN });
    out.emit('add64_imm', { dst: at, imm: NLA_HDRLEN });
  }
  const loop = out.length;
  leaveIf('jslt64_imm', { dst: REST, imm: NLA_HDRLEN });
  readHeader();
  leaveIf('jlt64_imm', { dst: LENGTH, imm: NLA_HDRLEN });
  leaveIf('jgt64_reg', { dst: LENGTH, src: REST });
  const other = out.length;
  out.emit('jne64_reg', { dst: TYPE, src: x });
  out.emit('mov32_reg', { dst: a, src: at });
  const found = out.length;
  out.emit('ja');
  out.patch(other, out.length);
  out.emit('add32_imm', { dst: LENGTH, imm: 3 });
  out.emit('and32_imm', { dst: LENGTH, imm: -4 });
  out.emit('add64_reg', { dst: at, src: LENGTH });
  out.emit('sub64_reg', { dst: REST, src: LENGTH });
  out.emit('ja');
  out.patch(out.length - 1, loop);
  for (const slot of [...exits, found]) out.patch(slot, out.length);
}
