import { WIDE_OPCODE } from '../../../isa/decode.ts';
import { INSN_SIZE } from '../../../isa/insn.ts';
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE } from '../../../isa/opcodes.ts';
import type { FuncInfo, LineInfo } from '../../../object/object.ts';
import { subprogStarts } from '../../../prog/check.ts';
import { actsOutside } from './acting-helpers.ts';
import { textUpToZero } from './arena.ts';
import { FUNC_INFO_SIZE, LINE_INFO_SIZE, progBtf } from './btf.ts';
import { EAGAIN, ENOSPC, KernelError } from './errors.ts';
import type { Fds } from './fds.ts';
import { objectName, progTypeNumber } from './names.ts';
import { BPF_BTF_LOAD, BPF_PROG_LOAD, type CallResult, type Syscalls } from './syscalls.ts';

/** A program for the running kernel. */
export interface KernelProgAttr {
  /** 8 bytes a slot; map loads hold, as `imm`, an index into `maps`. */
  readonly insns: Uint8Array;
  /** `xdp`, `socket_filter`, `sched_cls`, … */
  readonly progType: string;
  readonly name?: string;
  /** Fds of maps, as map loads count them. */
  readonly maps?: readonly number[];
  readonly lineInfo?: readonly LineInfo[];
  readonly files?: readonly string[];
  /** Text of a line, kept with the program. */
  readonly lineText?: (info: LineInfo) => string;
  /** Names of functions by their first slot; a function without one gets `func_N`. */
  readonly funcs?: readonly FuncInfo[];
  /**
   * Has the verifier look at global functions by themselves, once, whatever they are called with: they must take no
   * arguments, return an `int` and not touch the context. Without it every call is followed.
   */
  readonly verifiedApart?: boolean;
  /** `BPF_LOG_LEVEL1` 1, `BPF_LOG_LEVEL2` 2, `BPF_LOG_STATS` 4; without it a log is taken of a refused program only. */
  readonly logLevel?: number;
  /** `GPL` when not told. */
  readonly license?: string;
}

/** A program in the running kernel; it is there as long as its fd is open. */
export interface KernelProg {
  readonly refused: false;
  readonly fd: number;
  readonly progType: string;
  /** The verifier's log; empty when none was asked for. */
  readonly log: string;
}

/** A program that the kernel did not take. */
export interface KernelRefusal {
  readonly refused: true;
  /** Positive. */
  readonly errno: number;
  /** The verifier's log; empty when it was refused before it was verified. */
  readonly log: string;
}

/** First size of a log; it grows up to the largest that all kernels since 5.2 take. */
const FIRST_LOG_SIZE = 1 << 16;
const LAST_LOG_SIZE = (1 << 24) - 1;
/** The verifier gives EAGAIN when a signal comes; a loader tries again. */
const MAX_TRIES = 5;
const ATTR_SIZE = 144;

/**
 * BPF_PROG_LOAD. `hasBtf`: the kernel keeps names and lines (5.0); without it they are left out. Throws KernelError only
 * when it refuses them; RangeError for a type without a number, and for a program that acts outside of itself.
 */
export function loadProg(
  sys: Syscalls,
  fds: Fds,
  attr: KernelProgAttr,
  hasBtf: boolean,
): KernelProg | KernelRefusal {
  const progType = progTypeNumber(attr.progType);
  if (progType === undefined) throw new RangeError(`the kernel has no program type ${attr.progType}`);
  const acting = actsOutside(attr.insns);
  if (acting !== undefined) throw new RangeError(acting);
  const btfFd = hasBtf ? loadBtf(sys, fds, attr) : undefined;
  try {
    const tried = tryLoad(sys, attr, progType, btfFd?.fd, btfFd?.text, attr.logLevel ?? 0);
    if (tried.errno === 0) {
      return { refused: false, fd: fds.keep(tried), progType: attr.progType, log: tried.log };
    }
    if (attr.logLevel !== undefined) return { refused: true, errno: tried.errno, log: tried.log };
    const again = tryLoad(sys, attr, progType, btfFd?.fd, btfFd?.text, 1);
    // Refused the first time only (memory, a signal): what the caller gets must not depend on the second try.
    if (again.errno === 0) sys.close(again.value);
    return { refused: true, errno: tried.errno, log: again.errno === 0 ? '' : again.log };
  } finally {
    if (btfFd !== undefined) fds.close(btfFd.fd);
  }
}

interface LoadedBtf {
  readonly fd: number;
  readonly text: ReturnType<typeof progBtf>;
}

/** BTF for names and lines; undefined when the program has neither. */
function loadBtf(sys: Syscalls, fds: Fds, attr: KernelProgAttr): LoadedBtf | undefined {
  const { lineInfo = [], funcs = [], files = [], lineText, verifiedApart = false } = attr;
  if (lineInfo.length === 0 && funcs.length === 0) return undefined;
  const starts = subprogStarts(attr.insns);
  // The verifier will say what is wrong with the calls.
  if ('message' in starts) return undefined;
  const text = progBtf({
    insns: attr.insns,
    starts,
    funcs,
    lineInfo,
    files,
    verifiedApart,
    ...(lineText === undefined ? {} : { lineText }),
  });
  sys.arena.reset();
  const btf = sys.arena.put(text.btf);
  const request = sys.arena.reserve(28);
  request.view.setBigUint64(0, btf.address, true);
  request.view.setUint32(16, text.btf.length, true);
  const result = sys.bpf(BPF_BTF_LOAD, request);
  if (result.errno !== 0)
    throw new KernelError('loading the names and lines of the program (BTF)', result.errno);
  return { fd: fds.keep(result), text };
}

function tryLoad(
  sys: Syscalls,
  attr: KernelProgAttr,
  progType: number,
  btfFd: number | undefined,
  text: LoadedBtf['text'] | undefined,
  logLevel: number,
): CallResult & { readonly log: string } {
  let logSize = logLevel === 0 ? 0 : FIRST_LOG_SIZE;
  for (let tries = 1; ; tries++) {
    sys.arena.reset();
    const insns = sys.arena.put(attr.insns);
    putMapFds(insns.view, attr.maps ?? []);
    const license = sys.arena.putText(attr.license ?? 'GPL');
    const log = sys.arena.reserve(logSize);
    const request = sys.arena.reserve(ATTR_SIZE);
    const { view } = request;
    view.setUint32(0, progType, true);
    view.setUint32(4, attr.insns.length / INSN_SIZE, true);
    view.setBigUint64(8, insns.address, true);
    view.setBigUint64(16, license.address, true);
    view.setUint32(24, logLevel, true);
    view.setUint32(28, logSize, true);
    view.setBigUint64(32, log.address, true);
    request.bytes.set(new TextEncoder().encode(objectName(attr.name ?? '')), 48);
    if (btfFd !== undefined && text !== undefined) {
      view.setUint32(72, btfFd, true);
      putRecords(sys, view, 76, text.funcInfo, FUNC_INFO_SIZE);
      putRecords(sys, view, 92, text.lineInfo, LINE_INFO_SIZE);
    }
    const result = sys.bpf(BPF_PROG_LOAD, request);
    if (result.errno === EAGAIN && tries < MAX_TRIES) continue;
    if (result.errno === ENOSPC && logSize > 0 && logSize < LAST_LOG_SIZE) {
      logSize = Math.min(logSize * 16, LAST_LOG_SIZE);
      continue;
    }
    return { ...result, log: textUpToZero(log.bytes) };
  }
}

/** Record size, address and count of func info (`at` 76) or line info (`at` 92). */
function putRecords(sys: Syscalls, view: DataView, at: number, records: Uint8Array, size: number): void {
  if (records.length === 0) return;
  view.setUint32(at, size, true);
  // The address of both is 8-byte aligned, 4 bytes behind the size.
  view.setBigUint64(at + 4, sys.arena.put(records).address, true);
  view.setUint32(at + 12, records.length / size, true);
}

/** Fds in the place of map indices. An index without a map stays what the kernel refuses: no fd at all. */
function putMapFds(view: DataView, maps: readonly number[]): void {
  for (let at = 0; at + 2 * INSN_SIZE <= view.byteLength; at += INSN_SIZE) {
    if (view.getUint8(at) !== WIDE_OPCODE) continue;
    const source = view.getUint8(at + 1) >> 4;
    if (source === BPF_PSEUDO_MAP_FD || source === BPF_PSEUDO_MAP_VALUE) {
      view.setInt32(at + 4, maps[view.getInt32(at + 4, true)] ?? -1, true);
    }
    at += INSN_SIZE;
  }
}
