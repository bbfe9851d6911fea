import { BPF_FUNC_GET_PRANDOM_U32, BPF_FUNC_GET_SMP_PROCESSOR_ID } from '../isa/helper-ids.ts';
import { kernelFunctionImm } from '../isa/numbering.ts';
import type { ClassicRefusal } from './check.ts';
import { Emitter } from './emitter.ts';
import { extensionAt } from './extensions.ts';
import { emitAttributeSearch } from './netlink.ts';
import { SECCOMP_DATA_SIZE } from './seccomp-data.ts';
import { SKF_AD_OFF, type SockFilter } from './sock-filter.ts';
import { type ClassicInsnRow, classicRow } from './table.ts';

/** What a classic program is attached to: sockets (and traffic control), or seccomp. */
export type ClassicAttach = 'socket_filter' | 'seccomp';

/** Registers of a converted program, as the kernel has them: A, X, the context, a scratch register. */
export const CONVERTED = { a: 0, x: 7, ctx: 6, tmp: 8, frame: 10 } as const;

/** Where the scratch word `M[k]` lies, in bytes from R10. */
export function scratchOffset(k: number): number {
  return -4 * (k + 1);
}

/** A converted program. */
export interface Converted {
  /** eBPF, 8 bytes a slot, little endian. */
  readonly insns: Uint8Array<ArrayBuffer>;
  /** First slot of each classic instruction; the registers' set-up belongs to the first. */
  readonly firstSlot: readonly number[];
  /** How many slots at the beginning set the registers up, before the first classic instruction proper. */
  readonly setUp: number;
}

/**
 * Converts a program that `bpfCheckClassic` (or `seccompCheckFilter`) accepts to eBPF. Follows
 * `bpf_convert_filter`, net/core/filter.c, with two differences: the result passes BPF_PROG_LOAD, so
 * extensions come from `struct __sk_buff` and from helpers instead of the kernel's own structures, and A
 * and X are cleared by a move. A refusal names an extension that such a program cannot have.
 */
export function bpfConvertFilter(
  filters: readonly SockFilter[],
  attach: ClassicAttach,
): Converted | ClassicRefusal {
  const { a, x, ctx } = CONVERTED;
  const out = new Emitter(filters.length);
  out.emit('mov32_imm', { dst: a });
  out.emit('mov32_imm', { dst: x });
  out.emit('mov64_reg', { dst: ctx, src: 1 });
  for (const [pc, filter] of filters.entries()) {
    out.begin(pc);
    const row = classicRow(filter.code);
    if (row === undefined)
      return { pc, code: 'unknown-code', message: 'the program does not pass the check' };
    const refusal = emitInsn(out, row, filter, pc, attach);
    if (refusal !== undefined) return refusal;
  }
  return out.finish();
}

function emitInsn(
  out: Emitter,
  row: ClassicInsnRow,
  filter: SockFilter,
  pc: number,
  attach: ClassicAttach,
): ClassicRefusal | undefined {
  const { a, x, frame } = CONVERTED;
  const { k } = filter;
  switch (row.id) {
    case 'ld_imm':
    case 'ldx_imm':
      out.emit('mov32_imm', { dst: row.id === 'ld_imm' ? a : x, imm: k });
      return undefined;
    case 'ld_mem':
    case 'ldx_mem':
      out.emit('ldxw', { dst: row.id === 'ld_mem' ? a : x, src: frame, off: scratchOffset(k) });
      return undefined;
    case 'st':
    case 'stx':
      out.emit('stxw', { dst: frame, src: row.id === 'st' ? a : x, off: scratchOffset(k) });
      return undefined;
    case 'ld_len':
    case 'ldx_len':
      emitLength(out, row.id === 'ld_len' ? a : x, attach);
      return undefined;
    case 'ldx_msh':
      emitHeaderLength(out, k);
      return undefined;
    case 'tax':
      out.emit('mov64_reg', { dst: x, src: a });
      return undefined;
    case 'txa':
      out.emit('mov64_reg', { dst: a, src: x });
      return undefined;
    case 'neg':
      out.emit('neg32', { dst: a });
      return undefined;
    case 'ret_k':
      out.emit('mov32_imm', { dst: a, imm: k });
      out.emit('exit');
      return undefined;
    case 'ret_a':
      out.emit('exit');
      return undefined;
    case 'ld_ind':
      out.emit('ldindw', { src: x, imm: k });
      return undefined;
    case 'ldh_ind':
      out.emit('ldindh', { src: x, imm: k });
      return undefined;
    case 'ldb_ind':
      out.emit('ldindb', { src: x, imm: k });
      return undefined;
    case 'ja':
      out.jump('ja', pc + 1 + k);
      return undefined;
    case 'ld_abs':
      if (attach === 'seccomp') {
        out.emit('ldxw', { dst: a, src: CONVERTED.ctx, off: k });
        return undefined;
      }
      return k >= SKF_AD_OFF ? emitExtension(out, k - SKF_AD_OFF, pc) : emitPacket(out, 'ldabsw', k);
    case 'ldh_abs':
      return k >= SKF_AD_OFF ? emitExtension(out, k - SKF_AD_OFF, pc) : emitPacket(out, 'ldabsh', k);
    case 'ldb_abs':
      return k >= SKF_AD_OFF ? emitExtension(out, k - SKF_AD_OFF, pc) : emitPacket(out, 'ldabsb', k);
    case 'ret_x':
      return { pc, code: 'unknown-code', message: 'Linux does not know ret x; write txa, then ret a' };
    case 'jeq_k':
    case 'jeq_x':
    case 'jgt_k':
    case 'jgt_x':
    case 'jge_k':
    case 'jge_x':
    case 'jset_k':
    case 'jset_x':
      emitCondition(out, row, filter, pc);
      return undefined;
    default:
      emitAlu(out, row.id, k);
      return undefined;
  }
}

function emitPacket(out: Emitter, id: 'ldabsb' | 'ldabsh' | 'ldabsw', k: number): undefined {
  out.emit(id, { imm: k });
}

/** `struct __sk_buff`: `len` is its first field. */
const SKB_LEN = 0;

function emitLength(out: Emitter, dst: number, attach: ClassicAttach): void {
  if (attach === 'seccomp') out.emit('mov32_imm', { dst, imm: SECCOMP_DATA_SIZE });
  else out.emit('ldxw', { dst, src: CONVERTED.ctx, off: SKB_LEN });
}

/** X = 4 * (byte & 0xf); A stays. */
function emitHeaderLength(out: Emitter, k: number): void {
  const { a, x, tmp } = CONVERTED;
  out.emit('mov64_reg', { dst: tmp, src: a });
  out.emit('ldabsb', { imm: k });
  out.emit('and32_imm', { dst: a, imm: 0xf });
  out.emit('lsh32_imm', { dst: a, imm: 2 });
  out.emit('mov64_reg', { dst: x, src: a });
  out.emit('mov64_reg', { dst: a, src: tmp });
}

type AluId = Extract<
  ClassicInsnRow['id'],
  `${'add' | 'sub' | 'mul' | 'div' | 'mod' | 'and' | 'or' | 'xor' | 'lsh' | 'rsh'}_${'k' | 'x'}`
>;

function emitAlu(out: Emitter, id: AluId, k: number): void {
  const { a, x } = CONVERTED;
  const name = id.slice(0, -2) as 'add';
  if (id.endsWith('_k')) {
    out.emit(`${name}32_imm`, { dst: a, imm: k });
    return;
  }
  if (id === 'div_x' || id === 'mod_x') {
    // in eBPF the quotient would be 0 and the program would go on; here it ends
    out.emit('jne64_imm', { dst: x, imm: 0, off: 2 });
    out.emit('mov32_imm', { dst: a });
    out.emit('exit');
  }
  out.emit(`${name}32_reg`, { dst: a, src: x });
}

const CONDITIONS = { jeq: 'jeq64', jgt: 'jgt64', jge: 'jge64', jset: 'jset64' } as const;
const INVERTED: Readonly<Record<string, 'jne64' | 'jle64' | 'jlt64'>> = {
  jeq: 'jne64',
  jgt: 'jle64',
  jge: 'jlt64',
};

function emitCondition(out: Emitter, row: ClassicInsnRow, filter: SockFilter, pc: number): void {
  const { a, x, tmp } = CONVERTED;
  const { k, jt, jf } = filter;
  const name = row.name as keyof typeof CONDITIONS;
  let src: number | undefined = row.mode === 'cond_x' ? x : undefined;
  // an immediate would be sign-extended, and A never is
  if (src === undefined && k > 0x7fff_ffff) {
    out.emit('mov32_imm', { dst: tmp, imm: k });
    src = tmp;
  }
  const fields = src === undefined ? { dst: a, imm: k } : { dst: a, src };
  const form = src === undefined ? 'imm' : 'reg';
  const inverted = INVERTED[name];
  if (jf !== 0 && jt === 0 && inverted !== undefined) {
    out.jump(`${inverted}_${form}`, pc + 1 + jf, fields);
    return;
  }
  out.jump(`${CONDITIONS[name]}_${form}`, pc + 1 + jt, fields);
  if (jf !== 0) out.jump('ja', pc + 1 + jf);
}

/** Offsets in `struct __sk_buff` (include/uapi/linux/bpf.h); `swap`: 16 bits in network byte order. */
const SKB_FIELDS: Readonly<Record<string, { readonly off: number; readonly swap?: true }>> = {
  SKF_AD_PROTOCOL: { off: 16, swap: true },
  SKF_AD_PKTTYPE: { off: 4 },
  SKF_AD_IFINDEX: { off: 40 },
  SKF_AD_MARK: { off: 8 },
  SKF_AD_QUEUE: { off: 12 },
  SKF_AD_RXHASH: { off: 68 },
  SKF_AD_VLAN_TAG: { off: 24 },
  SKF_AD_VLAN_TAG_PRESENT: { off: 20 },
  SKF_AD_VLAN_TPID: { off: 28, swap: true },
};

const HELPERS: Readonly<Record<string, number>> = {
  SKF_AD_RANDOM: BPF_FUNC_GET_PRANDOM_U32,
  SKF_AD_CPU: BPF_FUNC_GET_SMP_PROCESSOR_ID,
};

/** Functions of the kernel that only converted programs call, by address, with the context in R1. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  SKF_AD_PAY_OFFSET: kernelFunctionImm('bpf_skb_get_pay_offset'),
  SKF_AD_HATYPE: kernelFunctionImm('skb_dev_type'),
};

function emitExtension(out: Emitter, offset: number, pc: number): ClassicRefusal | undefined {
  const { a, x, ctx } = CONVERTED;
  const extension = extensionAt(offset);
  const constant = extension?.constant ?? '';
  const field = SKB_FIELDS[constant];
  const helper = HELPERS[constant];
  const func = FUNCTIONS[constant];
  if (field !== undefined) {
    out.emit('ldxw', { dst: a, src: ctx, off: field.off });
    if (field.swap) out.emit('be16', { dst: a });
  } else if (helper !== undefined) {
    out.emit('call_helper', { imm: helper });
    // the result of a helper has 64 bits, A has 32
    out.emit('mov32_reg', { dst: a, src: a });
  } else if (constant === 'SKF_AD_ALU_XOR_X') {
    out.emit('xor32_reg', { dst: a, src: x });
  } else if (constant === 'SKF_AD_NLATTR' || constant === 'SKF_AD_NLATTR_NEST') {
    emitAttributeSearch(out, CONVERTED, constant === 'SKF_AD_NLATTR_NEST');
  } else if (func !== undefined) {
    out.emit('mov64_reg', { dst: 1, src: ctx });
    out.emit('call_helper', { imm: func });
  } else {
    return { pc, code: 'unknown-extension', message: `${constant}: the kernel knows no such extension` };
  }
  return undefined;
}
