import { tailCallTarget } from '../helpers/tail-call.ts';
import { CALLS, leave, tailCall } from '../interp/calls.ts';
import { callHandler } from '../interp/kernel-functions.ts';
import { STOP } from '../interp/op.ts';
import type { X86Operand } from '../jit/x86-64/decode.ts';
import { BPF_TO_X86, RCX, RSP } from '../jit/x86-64/registers.ts';
import * as layout from '../vm/layout.ts';
import type { NativeFunc } from './native-func.ts';
import type { Build, Site } from './rows.ts';
import { type Exec, type Native, pop, push, setReg, syncIn, syncOut } from './state.ts';

/** Words above rbp in a frame: the saved rbp and the return address. */
const ABOVE_FRAME = 16;
/** Register bits: R0; what a tail call overwrites (R0, R3, R4) or gives back to the caller (R6 … R9). */
const R0 = 1;
const LOST = 0x3d9;
/** Length of a patch site: a near jump or call. */
const PATCH_SITE = 5;

/** A conditional jump; it does not leave its function. */
export function jumpIf(condition: (n: Native) => boolean): Build {
  return (operands, site) => {
    const target = site.next + distanceOf(operands[0]);
    return (n) => {
      if (!condition(n)) return site.next;
      n.jumped = true;
      return target;
    };
  };
}

/** A jump inside the function, to the return thunk or to the indirect thunk. */
export const jump: Build = (operands, site) => {
  const target = site.next + distanceOf(operands[0]);
  if (target >= 0 && target < site.func.code.image.length) {
    return isBypass(site, target) ? bypass(site, target) : inFunction(target);
  }
  const { config } = site.text;
  const addr = site.func.code.addr + BigInt(target);
  if (addr === config.returnThunk) return returning();
  if (addr === config.indirectThunkRcx) return entering(site);
  throw new RangeError(`a jump to 0x${addr.toString(16)}, where nothing is`);
};

/** `jmp rcx`. */
export const indirectJump: Build = (_, site) => entering(site);

/** Plain `ret`. */
export const ret: Build = () => returning();

/** Behind `ret` and an indirect `jmp`: never reached. */
export const int3: Build = () => () => {
  throw new Error('int3 was reached');
};

/** Does nothing, or is a patch site: jumps into the program that the kernel has put there. */
export const nop: Build = (_, site) => {
  const { info, at, next } = site;
  const isSite = info?.isTailCall === true && next - at === PATCH_SITE && next === info.end;
  return isSite ? entering(site) : () => next;
};

/**
 * The second patch site of a direct tail call, a jump over the tail call while the element is empty. The kernel
 * makes it a `nop` when a program is put there.
 */
function isBypass({ info, next, at }: Site, target: number): boolean {
  return info?.isTailCall === true && next - at === PATCH_SITE && target === info.end;
}

function inFunction(target: number): Exec {
  return (n) => {
    n.jumped = true;
    return target;
  };
}

function bypass(site: Site, target: number): Exec {
  return (n) => {
    const found = tailCallTarget(n.s.machine, n.s.cpu, n.s.block);
    return found === undefined || 'kind' in found ? target : site.next;
  };
}

function distanceOf(operand: X86Operand | undefined): number {
  if (operand?.kind !== 'rel') throw new RangeError('a jump without distance');
  return operand.distance;
}

/** A call of a function of the program, or of the kernel. */
export const call: Build = (operands, site) => {
  const distance = site.next + distanceOf(operands[0]);
  const addr = site.func.code.addr + BigInt(distance);
  const callee = site.text.funcAt(addr);
  if (callee?.code.addr === addr) return callLocal(site, callee);
  const handler = callHandler(Number(BigInt.asIntN(32, addr - site.text.config.callBase)), tailCall);
  return (n) => {
    syncOut(n);
    if (handler(n.s, n.cur) === STOP) return STOP;
    syncIn(n);
    return site.next;
  };
};

/**
 * The machine's own account of the frame is kept as in the other engines; then rsp moves to the callee's frame, and
 * the return address is pushed there.
 */
function callLocal(site: Site, callee: NativeFunc): Exec {
  const back = site.func.code.addr + BigInt(site.next);
  const backLo = Number(BigInt.asIntN(32, back));
  const backHi = Number(BigInt.asIntN(32, back >> 32n));
  return (n) => {
    const { s } = n;
    const slot = CALLS.call_local(s, n.cur);
    if (slot === STOP) return STOP;
    const depth = s.view.getUint32(s.block + layout.CPU_DEPTH, true);
    n.stack.callerRsp.set([n.regs[RSP * 2] ?? 0, n.regs[RSP * 2 + 1] ?? 0], depth * 2);
    stackAtFrame(n);
    push(n, backLo, backHi);
    n.arrive = slot;
    n.hidden |= R0;
    // An extension: the kernel has patched the function's first bytes to a jump there.
    const entered = s.prog === callee.prog ? callee : n.text.of(s.prog)?.main;
    if (entered === undefined) return handOver(n);
    n.func = entered;
    return 0;
  };
}

/** Points rsp behind the two words above the frame that the register block names. */
export function stackAtFrame(n: Native): void {
  const at = n.s.block + layout.CPU_R10;
  setReg(n, RSP, n.s.view.getInt32(at, true) + ABOVE_FRAME, n.s.view.getInt32(at + 4, true));
}

function handOver(n: Native): typeof STOP {
  n.handOver = true;
  return STOP;
}

/** Back to the caller; from the main function that ends the run. */
function returning(): Exec {
  return (n) => {
    const { s } = n;
    const { unsaved } = n.func;
    const slot = leave(s, n.cur);
    if (slot === STOP) return STOP;
    n.hidden = 0;
    pop(n);
    // Shown in them and in R0 was what other engines have there: what the caller of a tail call left, or a debugger set.
    for (const bpf of [0, ...unsaved]) {
      const at = s.block + layout.regOffset(bpf);
      setReg(n, BPF_TO_X86[bpf] ?? 0, s.view.getInt32(at, true), s.view.getInt32(at + 4, true));
    }
    const { lo } = n;
    const caller = n.text.funcAtLo(lo);
    if (caller === undefined || caller.prog !== s.prog) {
      throw new Error(`the return address 0x${(lo >>> 0).toString(16)} is not in ${s.prog.name}`);
    }
    const depth = s.view.getUint32(s.block + layout.CPU_DEPTH, true);
    const { callerRsp } = n.stack;
    setReg(n, RSP, callerRsp[depth * 2 + 2] ?? 0, callerRsp[depth * 2 + 3] ?? 0);
    n.func = caller;
    n.arrive = slot;
    return (lo >>> 0) - caller.lo;
  };
}

/** A tail call that is made: rcx (or the patched jump) leads behind `mov rbp, rsp` of the other program. */
function entering(site: Site): Exec {
  const patched = site.info !== undefined && site.next === site.info.end;
  return (n) => {
    const { s } = n;
    const made = tailCalls(n);
    const entry = (n.regs[RCX * 2] ?? 0) >>> 0;
    // The register block holds map and index since the BPF instruction began.
    const slot = tailCall(s, n.cur);
    if (slot === STOP) return STOP;
    n.arrive = slot;
    if (tailCalls(n) === made) {
      // The main function was called as one of its own: its prologue has begun to count anew. No verifier lets that pass.
      s.initialised |= n.cur.writes;
      return handOver(n);
    }
    n.hidden |= LOST;
    const main = n.text.of(s.prog)?.main;
    if (main === undefined) return handOver(n);
    const offset = main.tailCallEntry;
    if (!patched && entry !== main.lo + offset) {
      throw new Error('rcx does not lead to the program that the machine tail-calls');
    }
    n.func = main;
    n.at = offset;
    // Nothing is left of the prologue: what the jump has overwritten is given back right away.
    if (offset === main.code.prologueLen) {
      n.hidden = 0;
      syncIn(n);
    }
    return offset;
  };
}

function tailCalls(n: Native): number {
  return n.s.view.getUint32(n.s.block + layout.CPU_TAIL_CALLS, true);
}
