import { tailCallTarget } from '../helpers/tail-call.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { decodeX86, type X86Insn } from '../jit/x86-64/decode.ts';
import type { X86Func } from '../jit/x86-64/program.ts';
import { BPF_TO_X86, registerName } from '../jit/x86-64/registers.ts';
import type { ExecProg } from '../vm/program.ts';
import type { NativeFunc } from './native-func.ts';
import type { Native } from './state.ts';

/** What the processor's registers hold. */
export interface NativeRegisters {
  /** Unsigned 64 bits. */
  readonly rip: bigint;
  /** rax … r15 by name, unsigned 64 bits. */
  readonly general: ReadonlyMap<string, bigint>;
  /** By name the BPF register (0 … 10; 11 is AX) that lives in it; amid a BPF instruction another value may be there. */
  readonly holds: ReadonlyMap<string, number>;
  /** Flags that are set, as debuggers write them: `ZF`, `SF`, `CF`, `OF`. */
  readonly flags: readonly string[];
}

/** A frame of the call chain on the native stack. */
export interface NativeFrame {
  /** Where it stands; in outer frames where it returns to. */
  readonly addr: bigint;
  readonly prog: ExecProg;
  /** Name of the function. */
  readonly name: string;
  /** Offset in its image. */
  readonly offset: number;
  /** The BPF instruction that stands there, in the prologue the first; in outer frames the call. Rewritten slot. */
  readonly slot: InsnIndex;
}

/** A place in an image that the kernel patches while the program is loaded. */
export interface PatchSite {
  readonly addr: bigint;
  readonly offset: number;
  /** Bytes. (The 3 bytes that set the tail-call count to 0 are not among the sites.) */
  readonly length: number;
  /**
   * `entry`: tracing programs and extensions; `tail-call`: the jump into the program of a program array;
   * `bypass`: the jump over it while there is none.
   */
  readonly kind: 'entry' | 'tail-call' | 'bypass';
  /** Patched: an extension is there; a program is in the program array's element. */
  readonly patched: boolean;
}

/** Where BPF registers live, by the name of the general register. */
const HOLDS: ReadonlyMap<string, number> = new Map(
  BPF_TO_X86.map((reg, bpf) => [registerName(reg, 64), bpf]),
);

/** The registers of `n`. */
export function nativeRegisters(n: Native): NativeRegisters {
  const general = new Map<string, bigint>();
  for (let reg = 0; reg < 16; reg++) general.set(registerName(reg, 64), word(n, reg));
  const flags = [n.zf ? 'ZF' : '', n.sf ? 'SF' : '', n.cf ? 'CF' : '', n.of ? 'OF' : ''];
  return {
    rip: n.func.code.addr + BigInt(n.at),
    general,
    holds: HOLDS,
    flags: flags.filter((flag) => flag !== ''),
  };
}

/** The instruction that is executed next. */
export function nextInsn(n: Native): X86Insn | undefined {
  return decodeX86(n.func.code.image, n.at);
}

/** The call chain, innermost first, by the return addresses on the native stack. */
export function nativeBacktrace(n: Native): readonly NativeFrame[] {
  const inner = frameAt(
    n.func,
    n.at,
    n.at < n.func.code.prologueLen ? n.func.code.start : n.func.slotAt(n.at),
  );
  const frames = [inner];
  // Behind a call and in front of `mov rbp, rsp` the return address stands by rsp, else above rbp.
  for (const { fp } of n.s.cpu.frames()) {
    const hi = Number(BigInt.asIntN(32, fp >> 32n));
    n.stack.load(Number(fp & 0xffff_ffffn) + 8, hi, 8);
    const back = (BigInt(n.stack.hi >>> 0) << 32n) | BigInt(n.stack.lo >>> 0);
    const func = n.text.funcAt(back);
    if (func === undefined) break;
    const offset = Number(back - func.code.addr);
    frames.push(frameAt(func, offset, func.slotAt(offset - 1)));
  }
  return frames;
}

/** The patch sites of a function and what is in them now; `n` tells what map and index a tail call would take. */
export function patchSites(func: NativeFunc, n?: Native): readonly PatchSite[] {
  const { image, addr, start } = func.code;
  const sites: PatchSite[] = [];
  const extended = func.prog.extensions?.has(start) ?? false;
  for (let at = 0; at < image.length; ) {
    const insn = decodeX86(image, at);
    if (insn === undefined) break;
    const next = at + insn.length;
    const kind = kindOf(func, insn, at);
    if (kind !== undefined) {
      const patched = kind === 'entry' ? extended : n !== undefined && isFilled(n);
      sites.push({ addr: addr + BigInt(at), offset: at, length: insn.length, kind, patched });
    }
    at = next;
  }
  return sites;
}

function kindOf(func: NativeFunc, insn: X86Insn, at: number): PatchSite['kind'] | undefined {
  const slot = at < func.code.prologueLen ? -1 : func.slotAt(at);
  return patchSiteKind(func.code, insn, { at, slot }, () => func.info(slot).isTailCall);
}

/**
 * What the kernel patches in the place of the instruction `insn` at offset `at`, which `slot` was made into (−1: it is the
 * prologue's); undefined: nothing. `isTailCall` is asked only for what looks like a patch site.
 */
export function patchSiteKind(
  { start, prologueLen, insnToJitOff }: X86Func,
  insn: X86Insn,
  { at, slot }: { readonly at: number; readonly slot: InsnIndex },
  isTailCall: () => boolean,
): PatchSite['kind'] | undefined {
  if (insn.length !== 5) return undefined;
  const { id } = insn.form.row;
  const isNop = id === 'nop_rm32';
  if (at < prologueLen) return isNop ? 'entry' : undefined;
  if ((!isNop && id !== 'jmp_rel32') || !isTailCall()) return undefined;
  const next = at + insn.length;
  const end = insnToJitOff[slot - start] ?? 0;
  if (isNop) return next === end ? 'tail-call' : undefined;
  const [to] = insn.operands;
  return to?.kind === 'rel' && next + to.distance === end ? 'bypass' : undefined;
}

function isFilled(n: Native): boolean {
  if (!n.info.isTailCall) return false;
  const found = tailCallTarget(n.s.machine, n.s.cpu, n.s.block);
  return found !== undefined && !('kind' in found);
}

function frameAt(func: NativeFunc, offset: number, slot: InsnIndex): NativeFrame {
  const { prog } = func;
  const name = prog.subprogs.find(({ start }) => start === func.code.start)?.name ?? prog.name;
  return { addr: func.code.addr + BigInt(offset), prog, name, offset, slot };
}

function word(n: Native, reg: number): bigint {
  return (BigInt((n.regs[reg * 2 + 1] ?? 0) >>> 0) << 32n) | BigInt((n.regs[reg * 2] ?? 0) >>> 0);
}
