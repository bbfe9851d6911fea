import { movImm64 } from './alu.ts';
import type { Mem } from './assembler.ts';
import { addThisCpuOff } from './constants.ts';
import { type Callee, type Emission, type Lower, type Slot, X86Refusal } from './emission.ts';
import { FORMS as F } from './forms.ts';
import { jumpToEpilogue } from './jumps.ts';
import { nop } from './nops.ts';
import { R9, R12, RAX, RBP, RCX, RDX, type Reg, RSI, RSP } from './registers.ts';

const AT_RAX: Mem = { base: RAX, index: -1, scale: 1, disp: 0, dispBytes: 0 };
/** More tail calls than this, and the next one falls through (`MAX_TAIL_CALL_CNT`). */
const MAX_TAIL_CALLS = 33;
/** Bytes of a jump or call with a 32-bit distance. */
const NEAR = 5;
/** Where a tail-called program is entered without `ENDBR64`: behind `mov rbp, rsp`. */
const TAIL_CALL_ENTRY = 12;
const ENDBR64 = 4;

/**
 * What a function begins with: patch site for tracing, patch site for program arrays (or the tail-call count
 * set to 0), frame, tail-call count on the stack, saved registers.
 */
export function prologue(out: Emission): void {
  const { asm, frame } = out;
  const { ibt } = frame.config;
  if (ibt) asm.zo(F.endbr64);
  nop(asm, 5);
  if (!frame.wasClassic) {
    if (frame.tailCallReachable && frame.isMain) asm.rr(F.xor_rm64_r64, RAX, RAX);
    else nop(asm, 3);
  }
  asm.r(F.push_r64, RBP);
  asm.rr(F.mov_rm64_r64, RBP, RSP);
  if (ibt) asm.zo(F.endbr64);
  if (frame.stack !== 0) asm.ri(F.sub_rm64_imm32, RSP, frame.stack);
  if (frame.tailCallReachable) tailCallCount(out);
  for (const reg of frame.saved) asm.r(F.push_r64, reg);
  if (frame.arena !== undefined) loadAddress(out, R12, frame.arena.kernVmStart);
  if (frame.privateStack !== undefined) {
    loadAddress(out, R9, frame.privateStack);
    addThisCpuOff(asm, R9, frame.thisCpuOff);
  }
}

/**
 * Puts the tail-call count on the stack: the count itself in the first program's frame, and a pointer to it
 * right below in every frame. A main program finds in rax a count (33 at most) or, entered by a tail call,
 * the pointer.
 */
function tailCallCount({ asm, frame }: Emission): void {
  if (frame.isMain) {
    asm.ri(F.cmp_rm64_imm8, RAX, MAX_TAIL_CALLS);
    const isPointer = asm.ahead(F.ja_rel8);
    asm.r(F.push_r64, RAX);
    asm.rr(F.mov_rm64_r64, RAX, RSP);
    const isCount = asm.ahead(F.jmp_rel8);
    asm.land(isPointer);
    asm.r(F.push_r64, RAX);
    asm.land(isCount);
  } else asm.r(F.push_r64, RAX);
  asm.r(F.push_r64, RAX);
}

function loadAddress({ asm }: Emission, reg: Reg, addr: bigint): void {
  movImm64(asm, reg, Number(BigInt.asIntN(32, addr)), Number(BigInt.asIntN(32, addr >> 32n)));
}

/** The pointer to the tail-call count in this frame. */
function countPointer(stack: number): Mem {
  return { base: RBP, index: -1, scale: 1, disp: -(16 + stack), dispBytes: 4 };
}

/** The first `exit` writes the epilogue, the others jump to it. */
export const exit: Lower = (out, slot) => {
  const { asm, frame } = out;
  if (out.epilogueAt >= 0) {
    jumpToEpilogue(out, slot);
    return;
  }
  out.epilogueAt = asm.pos;
  popSaved(out);
  asm.zo(F.leave);
  if (Number.isNaN(frame.returnThunk)) {
    asm.zo(F.ret);
    if (frame.config.sls) asm.zo(F.int3);
  } else near(out, slot, F.jmp_rel32, frame.returnThunk, 'the return thunk');
};

function popSaved({ asm, frame }: Emission): void {
  for (let i = frame.saved.length - 1; i >= 0; i--) asm.r(F.pop_r64, frame.saved[i] ?? 0);
}

/** Helper or kernel function: `imm` is its address minus `__bpf_call_base`. */
export const callKernel: Lower = (out, slot) => {
  call(out, slot, out.frame.callBase + slot.imm);
};

/** Program-local function; where a tail call can be reached, it gets the pointer to the count in rax. */
export const callLocal: Lower = (out, slot) => {
  const { asm, frame } = out;
  const callee = calleeAt(out, slot);
  if (frame.tailCallReachable) asm.rm(F.mov_r64_rm64, RAX, countPointer(frame.stack));
  call(out, slot, callee.distance);
};

/** A call; r9, which a private stack's frame pointer lives in, is kept over it. */
function call(out: Emission, slot: Slot, target: number): void {
  const { asm, frame } = out;
  if (frame.privateStack !== undefined) asm.r(F.push_r64, R9);
  near(out, slot, F.call_rel32, target, 'the called function');
  if (frame.privateStack !== undefined) asm.r(F.pop_r64, R9);
}

/** The address of a program-local function (`BPF_PSEUDO_FUNC`), in its shortest form. */
export const functionAddress: Lower = (out, slot) => {
  const { addr } = calleeAt(out, slot);
  loadAddress(out, slot.dst, addr);
};

function calleeAt({ frame }: Emission, { index, off, imm }: Slot): Callee {
  const at = frame.start + index;
  const callee = frame.callee(at, off, imm);
  if (callee === undefined) {
    throw new X86Refusal(`no function begins where the call leads to (off ${off}, imm ${imm})`, at);
  }
  return callee;
}

/** A jump or call with a 32-bit distance to an address told as distance from the image. */
function near(out: Emission, slot: Slot, form: typeof F.jmp_rel32, target: number, what: string): void {
  const distance = target - (out.asm.pos + NEAR);
  if (distance !== (distance | 0)) {
    throw new X86Refusal(
      `${what} is more than 2 GiB away from the image; give addresses in reach of a 32-bit distance`,
      out.frame.start + slot.index,
    );
  }
  out.asm.rel(form, distance);
}

/** `bpf_tail_call`, to a program known when this one was loaded or through the map. */
export const tailCall: Lower = (out, slot) => {
  if (out.frame.tailCall(out.frame.start + slot.index) === 'direct') directTailCall(out);
  else indirectTailCall(out, slot);
};

/**
 * Two patch sites: a jump behind everything, which becomes a `nop` when the element is filled, and a `nop`
 * that becomes the jump into the program. Here as for an empty element.
 */
function directTailCall(out: Emission): void {
  const { asm } = out;
  loadCount(out);
  const tooMany = asm.ahead(F.jae_rel8);
  const empty = asm.ahead(F.jmp_rel32);
  leaveFrame(out);
  nop(asm, NEAR);
  asm.land(tooMany);
  asm.land(empty);
}

/** rsi the program array, edx the index, rax the pointer to the count; falls through when there is none. */
function indirectTailCall(out: Emission, slot: Slot): void {
  const { asm, frame } = out;
  const { offMaxEntries, offPtrs, offBpfFunc, ibt } = frame.config;
  const entry = TAIL_CALL_ENTRY + (ibt ? ENDBR64 : 0);
  asm.rr(F.mov_rm32_r32, RDX, RDX);
  asm.rmd(F.cmp_rm32_r32, RDX, RSI, offMaxEntries);
  const fallThrough = [asm.ahead(F.jbe_rel8)];
  loadCount(out);
  fallThrough.push(asm.ahead(F.jae_rel8));
  asm.rm(F.mov_r64_rm64, RCX, { base: RSI, index: RDX, scale: 8, disp: offPtrs, dispBytes: 4 });
  asm.rr(F.test_rm64_r64, RCX, RCX);
  fallThrough.push(asm.ahead(F.je_rel8));
  leaveFrame(out);
  asm.rmd(F.mov_r64_rm64, RCX, RCX, offBpfFunc);
  asm.ri(F.add_rm64_imm8, RCX, entry);
  if (!Number.isNaN(frame.indirectThunkRcx)) {
    near(out, slot, F.jmp_rel32, frame.indirectThunkRcx, 'the indirect thunk');
  } else {
    asm.r(F.jmp_rm64, RCX);
    if (frame.config.sls) asm.zo(F.int3);
  }
  for (const jump of fallThrough) asm.land(jump);
}

/** rax = the pointer; compares the count. */
function loadCount({ asm, frame }: Emission): void {
  asm.rm(F.mov_r64_rm64, RAX, countPointer(frame.stack));
  asm.mi(F.cmp_rm64_imm8, AT_RAX, MAX_TAIL_CALLS);
}

/** Counts the call and leaves everything on the stack but the saved rbp and the return address. */
function leaveFrame(out: Emission): void {
  const { asm, frame } = out;
  asm.mi(F.add_rm64_imm8, AT_RAX, 1);
  popSaved(out);
  asm.r(F.pop_r64, RAX);
  asm.r(F.pop_r64, RAX);
  if (frame.stack !== 0) asm.ri(F.add_rm64_imm32, RSP, frame.stack);
}
