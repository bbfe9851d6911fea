import { hexText } from '../../../bytes/hex.ts';
import { type Block, textUpToZero } from './arena.ts';
import { LINE_INFO_SIZE } from './btf.ts';
import { KernelError } from './errors.ts';
import type { KernelProg } from './prog-load.ts';
import { BPF_OBJ_GET_INFO_BY_FD, type Syscalls } from './syscalls.ts';

/** What the kernel tells of a loaded program (`struct bpf_prog_info`). */
export interface KernelProgInfo {
  readonly id: number;
  readonly name: string;
  /** 16 hex digits. */
  readonly tag: string;
  /** Instructions as rewritten, 8 bytes a slot; empty without the right to see them. */
  readonly xlated: Uint8Array<ArrayBuffer>;
  /** Native code of all functions, one after the other; empty when it is interpreted. */
  readonly jited: Uint8Array<ArrayBuffer>;
  /** Bytes of native code of each function. */
  readonly jitedFuncLens: readonly number[];
  /** Address of each function's native code; 0 without the right to see them. */
  readonly jitedKsyms: readonly bigint[];
  readonly lineInfo: readonly KernelLineInfo[];
  /** Native address of each line. */
  readonly jitedLineInfo: readonly bigint[];
  /** First slot of each function in `xlated`; empty without func info. */
  readonly funcInsnOffs: readonly number[];
  readonly mapIds: readonly number[];
  readonly gplCompatible: boolean;
  /** Instructions that the verifier looked at; 0 on kernels before 5.16. */
  readonly verifiedInsns: number;
  /** Nanoseconds and runs while statistics were on. */
  readonly runTimeNs: bigint;
  readonly runCnt: bigint;
}

/** `struct bpf_line_info` of the rewritten program. */
export interface KernelLineInfo {
  readonly insnOff: number;
  readonly line: number;
  readonly column: number;
}

/** Size of `struct bpf_prog_info` on Linux 6.18; older kernels fill in less of it. */
const INFO_SIZE = 232;

/** Offsets of the counts and addresses of the arrays that the second query fills. */
const XLATED_LEN = 20;
const JITED_LEN = 16;
const JITED = 24;
const XLATED = 32;
const NR_MAP_IDS = 52;
const MAP_IDS = 56;
const NR_JITED_KSYMS = 104;
const NR_JITED_FUNC_LENS = 108;
const JITED_KSYMS = 112;
const JITED_FUNC_LENS = 120;
const FUNC_INFO_REC_SIZE = 132;
const FUNC_INFO = 136;
const NR_FUNC_INFO = 144;
const NR_LINE_INFO = 148;
const LINE_INFO = 152;
const JITED_LINE_INFO = 160;
const NR_JITED_LINE_INFO = 168;
const LINE_INFO_REC_SIZE = 172;
const JITED_LINE_INFO_REC_SIZE = 176;

interface ArrayField {
  readonly count: number;
  readonly address: number;
  readonly size: number;
}

const ARRAYS = {
  jited: { count: JITED_LEN, address: JITED, size: 1 },
  xlated: { count: XLATED_LEN, address: XLATED, size: 1 },
  mapIds: { count: NR_MAP_IDS, address: MAP_IDS, size: 4 },
  ksyms: { count: NR_JITED_KSYMS, address: JITED_KSYMS, size: 8 },
  funcLens: { count: NR_JITED_FUNC_LENS, address: JITED_FUNC_LENS, size: 4 },
  funcInfo: { count: NR_FUNC_INFO, address: FUNC_INFO, size: 8 },
  lineInfo: { count: NR_LINE_INFO, address: LINE_INFO, size: LINE_INFO_SIZE },
  jitedLineInfo: { count: NR_JITED_LINE_INFO, address: JITED_LINE_INFO, size: 8 },
} as const satisfies Record<string, ArrayField>;

/** BPF_OBJ_GET_INFO_BY_FD in two steps: how long everything is, then everything. Throws KernelError. */
export function progInfo(sys: Syscalls, prog: KernelProg): KernelProgInfo {
  sys.arena.reset();
  const sizes = query(sys, prog.fd, () => {});
  const blocks: Partial<Record<keyof typeof ARRAYS, Block>> = {};
  const { view, bytes } = query(sys, prog.fd, (info) => {
    for (const [name, { count, address, size }] of entriesOf(ARRAYS)) {
      const n = sizes.view.getUint32(count, true);
      const block = sys.arena.reserve(n * size);
      blocks[name] = block;
      info.view.setUint32(count, n, true);
      info.view.setBigUint64(address, block.address, true);
    }
    info.view.setUint32(FUNC_INFO_REC_SIZE, ARRAYS.funcInfo.size, true);
    info.view.setUint32(LINE_INFO_REC_SIZE, LINE_INFO_SIZE, true);
    info.view.setUint32(JITED_LINE_INFO_REC_SIZE, ARRAYS.jitedLineInfo.size, true);
  });
  const read = (name: keyof typeof ARRAYS): DataView => {
    const { count, address, size } = ARRAYS[name];
    const block = blocks[name];
    // An address that the kernel cleared: the caller may not see this array.
    if (block === undefined || view.getBigUint64(address, true) === 0n)
      return new DataView(new ArrayBuffer(0));
    return new DataView(block.bytes.slice(0, view.getUint32(count, true) * size).buffer);
  };
  const each = <T>(name: keyof typeof ARRAYS, take: (from: DataView, at: number) => T): T[] => {
    const from = read(name);
    const { size } = ARRAYS[name];
    return Array.from({ length: from.byteLength / size }, (_, index) => take(from, index * size));
  };
  const u32 = (from: DataView, at: number): number => from.getUint32(at, true);
  const u64 = (from: DataView, at: number): bigint => from.getBigUint64(at, true);
  return {
    id: u32(view, 4),
    name: textUpToZero(bytes.subarray(64, 80)),
    tag: hexText(bytes.subarray(8, 16)),
    xlated: bytesOf(read('xlated')),
    jited: bytesOf(read('jited')),
    jitedFuncLens: each('funcLens', u32),
    jitedKsyms: each('ksyms', u64),
    lineInfo: each('lineInfo', (from, at) => {
      const lineCol = u32(from, at + 12);
      return { insnOff: u32(from, at), line: lineCol >>> 10, column: lineCol & 0x3ff };
    }),
    jitedLineInfo: each('jitedLineInfo', u64),
    funcInsnOffs: each('funcInfo', u32),
    mapIds: each('mapIds', u32),
    gplCompatible: (u32(view, 84) & 1) === 1,
    verifiedInsns: u32(view, 216),
    runTimeNs: u64(view, 192),
    runCnt: u64(view, 200),
  };
}

/** One query; the answer lies in the block that is returned. */
function query(sys: Syscalls, fd: number, fill: (info: Block) => void): Block {
  const info = sys.arena.reserve(INFO_SIZE);
  fill(info);
  const request = sys.arena.reserve(16);
  request.view.setUint32(0, fd, true);
  request.view.setUint32(4, INFO_SIZE, true);
  request.view.setBigUint64(8, info.address, true);
  const { errno } = sys.bpf(BPF_OBJ_GET_INFO_BY_FD, request);
  if (errno !== 0) throw new KernelError('asking about the program (BPF_OBJ_GET_INFO_BY_FD)', errno);
  return info;
}

function entriesOf<T extends object>(object: T): [keyof T, T[keyof T]][] {
  return Object.entries(object) as [keyof T, T[keyof T]][];
}

function bytesOf(view: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
