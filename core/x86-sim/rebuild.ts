import { decodeX86 } from '../jit/x86-64/decode.ts';
import { CALLEE_SAVED, RAX, RBP, RSP } from '../jit/x86-64/registers.ts';
import type { FrameView } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import { execAt } from './build-exec.ts';
import type { NativeFunc } from './native-func.ts';
import { type Native, push, setReg } from './state.ts';

/** Words above rbp: the saved rbp and the return address. */
const ABOVE_FRAME = 16;

/**
 * Sets the processor before slot pc of the program that the machine's CPU stands in: for each frame of the call
 * chain its prologue is executed with the registers that the caller had. At the very start of a run it is the first
 * instruction of the image. False: a program of the chain has no machine code.
 */
export function rebuild(n: Native): boolean {
  const { cpu, view, block } = n.s;
  const { pc } = cpu;
  const frames = cpu.frames().toReversed();
  const isFresh = pc === 0 && frames.length === 1 && cpu.insnsExecuted === 0n && cpu.tailCalls === 0;
  n.skip = false;
  n.handOver = false;
  let caller: { readonly frame: FrameView; readonly func: NativeFunc } | undefined;
  for (const frame of frames) {
    const start = view.getUint32(layout.frameRecord(block, frame.index) + layout.FRAME_START, true);
    const func = n.text.of(frame.prog)?.funcs.find(({ code }) => code.start === start);
    if (func === undefined) return false;
    const rbp = [n.regs[RBP * 2] ?? 0, n.regs[RBP * 2 + 1] ?? 0] as const;
    const back = caller === undefined ? 0n : approach(n, caller.func, caller.frame.pc, frame.index);
    const hi = Number(BigInt.asIntN(32, frame.fp >> 32n));
    setReg(n, RSP, layout.MAX_BPF_STACK + ABOVE_FRAME, hi);
    push(n, Number(BigInt.asIntN(32, back)), Number(BigInt.asIntN(32, back >> 32n)));
    n.func = func;
    if (caller === undefined) setReg(n, RAX, cpu.tailCalls, 0);
    if (isFresh) {
      n.at = 0;
      n.arrive = 0;
      // The prologue has use for rax.
      n.hidden = 1;
      return true;
    }
    push(n, ...rbp);
    setReg(n, RBP, layout.MAX_BPF_STACK, hi);
    runTo(n, func.tailCallEntry, func.code.prologueLen);
    caller = { frame, func };
  }
  n.at = n.func.startOf(pc);
  n.arrive = pc;
  return true;
}

/** Up to the call in slot `pc` of the caller of frame `depth`; its return address. */
function approach(n: Native, func: NativeFunc, pc: number, depth: number): bigint {
  const saved = layout.frameRecord(n.s.block, depth) + layout.FRAME_SAVED;
  CALLEE_SAVED.forEach((reg, i) => {
    const at = saved + i * 8;
    setReg(n, reg, n.s.view.getInt32(at, true), n.s.view.getInt32(at + 4, true));
  });
  let at = func.startOf(pc);
  n.func = func;
  for (;;) {
    const insn = decodeX86(func.code.image, at);
    if (insn === undefined || insn.form.row.id === 'call_rel32') break;
    at = execAt(n.text, func, at)(n);
  }
  n.stack.callerRsp.set([n.regs[RSP * 2] ?? 0, n.regs[RSP * 2 + 1] ?? 0], depth * 2);
  return func.code.addr + BigInt(func.info(pc).end);
}

function runTo(n: Native, from: number, to: number): void {
  for (let at = from; at !== to; ) at = execAt(n.text, n.func, at)(n);
}
