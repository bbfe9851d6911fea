import { INSN_SIZE, type Insn, writeInsn } from '../isa/insn.ts';
import { accessSize, loadOpcode } from '../isa/opcodes.ts';
import { BPF_REG_AX } from '../isa/registers.ts';
import type { ProgType } from '../object/object.ts';
import type { CtxField } from './fields.ts';
import {
  MIN_NAPI_ID,
  NET_DEVICE,
  NO_QUEUE_MAPPING,
  PKT_TYPE_MASK,
  SK_BUFF,
  SKB_CB,
  SKB_SHARED_INFO,
  SKB_TSTAMP_TYPE_MASK,
  TC_AT_INGRESS_MASK,
  XDP_BUFF,
  XDP_RXQ_INFO,
} from './offsets.ts';

/** Opcodes that rewritten accesses are made of, by width in bytes where they have one. */
const ST: Readonly<Record<number, number>> = { 1: 0x72, 2: 0x6a, 4: 0x62, 8: 0x7a };
const STX: Readonly<Record<number, number>> = { 1: 0x73, 2: 0x6b, 4: 0x63, 8: 0x7b };
const ADD64_REG = 0x0f;
const AND32_IMM = 0x54;
const RSH32_IMM = 0x74;
const AND64_IMM = 0x57;
const RSH64_IMM = 0x77;
const MOV64_IMM = 0xb7;
const MOV32_IMM = 0xb4;
const MOVSX = 0xbf;
const JA = 0x05;
const JEQ_IMM = 0x15;
const JGE_IMM = 0x35;
const JSET32_IMM = 0x46;

/** What the conversion needs to know beside the instruction. */
export interface ConvertOptions {
  /** The program reads `tstamp_type` somewhere, so it handles the clock of `tstamp` itself. */
  readonly tstampTypeAccess: boolean;
}

/**
 * Instructions that do on the kernel's structure what `insn`, a legal access to `field` at `offset`
 * bytes of the user-visible context, says. Mirrors `xdp_convert_ctx_access`, `bpf_convert_ctx_access`,
 * `tc_cls_act_convert_ctx_access` (net/core/filter.c) and the narrowing of `convert_ctx_accesses`
 * (kernel/bpf/verifier.c); the sequences are those that `bpftool prog dump xlated` shows on Linux 6.18.
 * Returns the bytes of one or more slots; jumps among them stay inside.
 */
export function convertCtxAccess(
  progType: ProgType,
  field: CtxField,
  insn: Insn,
  offset: number,
  options: ConvertOptions,
): Uint8Array<ArrayBuffer> {
  // Its arguments are the kernel's own words: nothing stands between the program and them.
  if (progType === 'raw_tracepoint') return pack([insn]);
  const write = (insn.opcode & 7) !== 1;
  const size = accessSize(insn.opcode);
  const signed = (insn.opcode & 0xe0) === 0x80;
  const made = write
    ? convertStore(field, insn, offset, size, options)
    : convertLoad(progType, field, insn, offset, size, options);
  const out = [...made.insns];
  if (!write && size < field.size && size < made.targetSize) narrow(out, insn.dst, field, offset, size);
  if (signed) out.push({ opcode: MOVSX, dst: insn.dst, src: insn.dst, off: size * 8, imm: 0 });
  return pack(out);
}

interface Made {
  readonly insns: readonly Insn[];
  /** Bytes that the load puts into the register: a narrower load of the program's must be cut out of them. */
  readonly targetSize: number;
}

/** A part of a wider load: shift down, mask. The width of the field decides the instruction class. */
function narrow(out: Insn[], dst: number, field: CtxField, offset: number, size: number): void {
  const shift = (offset & (field.size - 1)) * 8;
  const wide = field.size === 8;
  if (shift) out.push({ opcode: wide ? RSH64_IMM : RSH32_IMM, dst, src: 0, off: 0, imm: shift });
  out.push({ opcode: wide ? AND64_IMM : AND32_IMM, dst, src: 0, off: 0, imm: 2 ** (size * 8) - 1 });
}

function load(size: number, dst: number, src: number, off: number): Insn {
  return { opcode: loadOpcode(size) ?? 0, dst, src, off, imm: 0 };
}

function jump(opcode: number, dst: number, imm: number, off: number): Insn {
  return { opcode, dst, src: 0, off, imm };
}

function convertLoad(
  progType: ProgType,
  field: CtxField,
  insn: Insn,
  offset: number,
  size: number,
  options: ConvertOptions,
): Made {
  const { dst, src } = insn;
  const plain = (width: number, off: number): Made => ({
    insns: [load(width, dst, src, off)],
    targetSize: width,
  });
  if (progType === 'xdp') return convertXdpLoad(field, dst, src);
  switch (field.name) {
    case 'len':
      return plain(4, SK_BUFF.len);
    case 'pkt_type':
      return {
        insns: [
          load(1, dst, src, SK_BUFF.pkt_type),
          { opcode: AND32_IMM, dst, src: 0, off: 0, imm: PKT_TYPE_MASK },
        ],
        targetSize: 1,
      };
    case 'mark':
      return plain(4, SK_BUFF.mark);
    case 'queue_mapping':
      return plain(2, SK_BUFF.queue_mapping);
    case 'protocol':
      return plain(2, SK_BUFF.protocol);
    case 'vlan_present':
      return {
        insns: [
          load(4, dst, src, SK_BUFF.vlan_all),
          jump(JEQ_IMM, dst, 0, 1),
          { opcode: MOV32_IMM, dst, src: 0, off: 0, imm: 1 },
        ],
        targetSize: 4,
      };
    case 'vlan_tci':
      return plain(2, SK_BUFF.vlan_tci);
    case 'vlan_proto':
      return plain(2, SK_BUFF.vlan_proto);
    case 'priority':
      return plain(4, SK_BUFF.priority);
    case 'ingress_ifindex':
      return plain(4, SK_BUFF.skb_iif);
    case 'ifindex':
      return {
        insns: [
          load(8, dst, src, SK_BUFF.dev),
          // A packet that traffic control sees is always on a device.
          ...(progType === 'sched_cls' ? [] : [jump(JEQ_IMM, dst, 0, 1)]),
          load(4, dst, dst, NET_DEVICE.ifindex),
        ],
        targetSize: 4,
      };
    case 'tc_index':
      return plain(2, SK_BUFF.tc_index);
    case 'hash':
      return plain(4, SK_BUFF.hash);
    case 'tc_classid':
      return plain(2, SKB_CB.tc_classid);
    case 'data':
      return plain(8, SK_BUFF.data);
    case 'data_end':
      return plain(8, SKB_CB.data_end);
    case 'data_meta':
      return plain(8, SKB_CB.data_meta);
    case 'napi_id':
      return {
        insns: [
          load(4, dst, src, SK_BUFF.napi_id),
          jump(JGE_IMM, dst, MIN_NAPI_ID, 1),
          { opcode: MOV64_IMM, dst, src: 0, off: 0, imm: 0 },
        ],
        targetSize: 4,
      };
    case 'tstamp':
      return convertTstampLoad(dst, src, options);
    case 'tstamp_type':
      return {
        insns: [
          load(1, dst, src, SK_BUFF.tstamp_type),
          { opcode: AND32_IMM, dst, src: 0, off: 0, imm: SKB_TSTAMP_TYPE_MASK },
        ],
        targetSize: 1,
      };
    case 'wire_len':
      return plain(4, SKB_CB.pkt_len);
    case 'gso_segs':
      return sharedInfoLoad(dst, src, 2, SKB_SHARED_INFO.gso_segs);
    case 'gso_size':
      return sharedInfoLoad(dst, src, 2, SKB_SHARED_INFO.gso_size);
    case 'hwtstamp':
      return sharedInfoLoad(dst, src, 8, SKB_SHARED_INFO.hwtstamps);
    case 'sk':
      return plain(8, SK_BUFF.sk);
    default:
      // cb: kept in the kernel's cb at a fixed distance, so any width may be loaded directly.
      return plain(size, offset - CB_OFFSET + SKB_CB.data);
  }
}

/** Offset of `cb[0]` in `struct __sk_buff`. */
const CB_OFFSET = 48;

function convertXdpLoad(field: CtxField, dst: number, src: number): Made {
  switch (field.name) {
    case 'data':
      return { insns: [load(8, dst, src, XDP_BUFF.data)], targetSize: 8 };
    case 'data_end':
      return { insns: [load(8, dst, src, XDP_BUFF.data_end)], targetSize: 8 };
    case 'data_meta':
      return { insns: [load(8, dst, src, XDP_BUFF.data_meta)], targetSize: 8 };
    case 'ingress_ifindex':
      return {
        insns: [
          load(8, dst, src, XDP_BUFF.rxq),
          load(8, dst, dst, XDP_RXQ_INFO.dev),
          load(4, dst, dst, NET_DEVICE.ifindex),
        ],
        targetSize: 4,
      };
    default:
      return {
        insns: [load(8, dst, src, XDP_BUFF.rxq), load(4, dst, dst, XDP_RXQ_INFO.queue_index)],
        targetSize: 4,
      };
  }
}

/** `skb_shinfo(skb)` is `head + end`; AX carries `end`, so that `dst` may be the context register. */
function sharedInfoLoad(dst: number, src: number, width: number, off: number): Made {
  return {
    insns: [
      load(4, BPF_REG_AX, src, SK_BUFF.end),
      load(8, dst, src, SK_BUFF.head),
      { opcode: ADD64_REG, dst, src: BPF_REG_AX, off: 0, imm: 0 },
      load(width, dst, dst, off),
    ],
    targetSize: width,
  };
}

/** A program that never asks for the clock sees 0 where an ingress packet carries a delivery time. */
function convertTstampLoad(dst: number, src: number, options: ConvertOptions): Made {
  const read = load(8, dst, src, SK_BUFF.tstamp);
  if (options.tstampTypeAccess) return { insns: [read], targetSize: 8 };
  return {
    insns: [
      load(1, BPF_REG_AX, src, SK_BUFF.tstamp_type),
      jump(JSET32_IMM, BPF_REG_AX, TC_AT_INGRESS_MASK, 1),
      jump(JA, 0, 0, 4),
      jump(JSET32_IMM, BPF_REG_AX, SKB_TSTAMP_TYPE_MASK, 1),
      jump(JA, 0, 0, 2),
      { opcode: MOV64_IMM, dst, src: 0, off: 0, imm: 0 },
      jump(JA, 0, 0, 1),
      read,
    ],
    targetSize: 8,
  };
}

function convertStore(
  field: CtxField,
  insn: Insn,
  offset: number,
  size: number,
  options: ConvertOptions,
): Made {
  const immediate = (insn.opcode & 7) === 2;
  const store = (width: number, off: number): Insn => ({
    ...insn,
    opcode: (immediate ? ST : STX)[width] ?? 0,
    off,
  });
  const one = (width: number, off: number): Made => ({ insns: [store(width, off)], targetSize: width });
  switch (field.name) {
    case 'mark':
      return one(4, SK_BUFF.mark);
    case 'priority':
      return one(4, SK_BUFF.priority);
    case 'tc_index':
      return one(2, SK_BUFF.tc_index);
    case 'tc_classid':
      return one(2, SKB_CB.tc_classid);
    case 'queue_mapping': {
      const write = store(2, SK_BUFF.queue_mapping);
      if (!immediate) {
        return { insns: [jump(JGE_IMM, insn.src, NO_QUEUE_MAPPING, 1), write], targetSize: 2 };
      }
      return { insns: [insn.imm >= NO_QUEUE_MAPPING ? jump(JA, 0, 0, 0) : write], targetSize: 2 };
    }
    case 'tstamp': {
      const write = store(8, SK_BUFF.tstamp);
      if (options.tstampTypeAccess) return { insns: [write], targetSize: 8 };
      return {
        insns: [
          load(1, BPF_REG_AX, insn.dst, SK_BUFF.tstamp_type),
          jump(JSET32_IMM, BPF_REG_AX, TC_AT_INGRESS_MASK, 1),
          jump(JA, 0, 0, 2),
          { opcode: AND32_IMM, dst: BPF_REG_AX, src: 0, off: 0, imm: ~SKB_TSTAMP_TYPE_MASK },
          { opcode: STX[1] ?? 0, dst: insn.dst, src: BPF_REG_AX, off: SK_BUFF.tstamp_type, imm: 0 },
          write,
        ],
        targetSize: 8,
      };
    }
    default:
      return one(size, offset - CB_OFFSET + SKB_CB.data);
  }
}

function pack(insns: readonly Insn[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(insns.length * INSN_SIZE);
  insns.forEach((insn, i) => {
    writeInsn(bytes, i, insn);
  });
  return bytes;
}
