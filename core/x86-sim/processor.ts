import { tailCallTarget } from '../helpers/tail-call.ts';
import { inlinedLoad } from '../interp/inlined.ts';
import { enterHelper } from '../interp/kernel-functions.ts';
import { flush, type Op, passesBreakpoint, STOP, trap } from '../interp/op.ts';
import * as layout from '../vm/layout.ts';
import { execAt } from './build-exec.ts';
import { INT3 } from './patches.ts';
import { giveEdited, type Native, showRegisters, syncIn, syncOut, takeRegisters } from './state.ts';

/** Bits of R0 … AX. */
const ALL_REGISTERS = 0xfff;

/**
 * Executes until `s.left` or `n.steps` is used up or something stops it (`s.stop`, `n.handOver`). Between BPF
 * instructions it does what the other engines do there: count, look for breakpoints, note what has a value.
 */
export function execute(n: Native, breakpoints: boolean, resuming: boolean): void {
  const { s } = n;
  // Amid an instruction, which has begun, the next one is another.
  let passing = resuming && n.arrive >= 0;
  n.obeys = breakpoints;
  while (n.steps > 0) {
    if (n.arrive >= 0) {
      const op = s.ops[n.arrive];
      if (op === undefined) throw new RangeError(`no slot ${n.arrive} in program ${s.prog.name}`);
      if (op.cost > s.left) return;
      if (breakpoints && (n.func.patches.memory[n.at] === INT3 || isBegunOnce(n, op)) && isStop(n, passing)) {
        s.stop = { kind: 'breakpoint' };
        return;
      }
      n.over = n.at;
      n.entered = n.at === 0 || passing;
      if (op.begun === 1) passing = false;
      s.left -= op.cost;
      if (!begin(n, op)) return;
      continue;
    }
    n.steps--;
    const { func, at } = n;
    const exec = func.execs[at] ?? execAt(n.text, func, at);
    n.jumped = false;
    const next = exec(n);
    if (next === STOP) {
      if (!n.handOver && s.stop?.kind !== 'breakpoint') finish(n);
      return;
    }
    n.over = -1;
    n.hasMoved = true;
    n.at = next;
    if (n.arrive >= 0) s.initialised |= n.cur.writes;
    else if (!settle(n, at, next)) return;
  }
}

/**
 * A tail call has led into the prologue in front of an instruction that can fault before its machine code, or ends the
 * function: a breakpoint for it stops here, for behind the prologue it would have begun.
 */
function isBegunOnce({ at, func }: Native, op: Op): boolean {
  if (at === 0 || at >= func.code.prologueLen) return false;
  const info = func.info(op.slot);
  return op.exec === trap || op.id === 'exit' || info.guarded || info.isTailCall;
}

/** Is one of the breakpoints at rip for the slot that is to begin, or by address? */
function isStop(n: Native, passing: boolean): boolean {
  const { s, arrive, at, over, func } = n;
  if (over !== at && func.patches.hasAddress(at)) return true;
  if (passing || s.prog.breakpoints.bytes[arrive] === 0) return false;
  if (s.passes === undefined) return true;
  syncOut(n);
  return !passesBreakpoint(s, arrive);
}

/** The instruction at slot `arrive` begins; false: it cannot, and the run has ended. */
function begin(n: Native, op: Op): boolean {
  const { s } = n;
  n.cur = op;
  n.info = n.func.info(op.slot);
  n.arrive = -1;
  const { info } = n;
  if (op.exec === trap || info.guarded) {
    syncOut(n);
    if (op.exec(s, op) === STOP) return finish(n);
  }
  if (info.isTailCall) {
    syncOut(n);
    enterHelper(s, op);
    const target = tailCallTarget(s.machine, s.cpu, s.block);
    if (target !== undefined && 'kind' in target) {
      s.stop = { kind: 'fault', fault: target };
      return finish(n);
    }
  }
  // What the epilogue gives back is the caller's; what stays to be seen is the state before.
  // A local call puts the tail-call count into rax first.
  if (op.id === 'exit' || op.id === 'call_local') syncOut(n);
  if (op.id === 'exit') n.hidden = ALL_REGISTERS;
  if (n.keeps) n.before.set(n.regs);
  if (info.start === info.end && n.at === info.start) complete(n, op.target);
  return true;
}

/**
 * After an instruction from offset `at` to `next` of the function: whether a BPF instruction has ended. False: a
 * breakpoint stops the run.
 */
function settle(n: Native, at: number, next: number): boolean {
  const { info, cur, func, s } = n;
  const { prologueLen } = func.code;
  if (cur.id === 'exit' || next < prologueLen) return true;
  if (at < prologueLen) {
    // Registers without a value hold what they hold in the other engines.
    n.hidden = 0;
    syncIn(n);
    if (n.keeps) n.before.set(n.regs);
    if (n.obeys && !n.entered && s.prog.breakpoints.bytes[cur.slot] !== 0) {
      unbegin(n);
      s.stop = { kind: 'breakpoint' };
      return false;
    }
    if (info.start === info.end) complete(n, cur.target);
  } else if (info.jumps && n.jumped) complete(n, cur.target);
  else if (next === info.end) complete(n, cur.next);
  return true;
}

/** A tail call has led past the breakpoint at the image's start: the one behind the prologue stops before `cur`. */
function unbegin(n: Native): void {
  const { s, cur } = n;
  n.arrive = cur.slot;
  s.left += cur.cost;
  if (s.left <= s.chunk) return;
  // It was counted by an earlier run, which ended in the prologue.
  const at = s.block + layout.CPU_EXECUTED;
  s.view.setBigUint64(at, s.view.getBigUint64(at, true) - BigInt(s.left - s.chunk), true);
  s.left = s.chunk;
}

function complete(n: Native, next: number): void {
  const { s, cur, info } = n;
  s.initialised |= cur.writes;
  if (info.inlined !== 0) inlinedLoad(info.inlined, () => next)(s, cur);
  // The code of a tail call that is not made has used rax and rcx; the other engines leave R0 and R4 alone.
  if (info.isTailCall) syncIn(n);
  if (n.edited !== undefined) giveEdited(n);
  n.arrive = next;
}

/** Writes back the state of a run that ended in `cur`: an instruction that faults was not executed. */
function finish(n: Native): false {
  const { s, cur } = n;
  if (s.stop?.kind === 'fault') s.left += cur.begun;
  flush(s, cur.slot, s.chunk - s.left);
  return false;
}

/** Writes everything to where all engines have it; in the middle of an instruction the pc is that instruction's. */
export function writeBack(n: Native): void {
  const { s } = n;
  if (s.stop?.kind === 'exit' || s.stop?.kind === 'fault') return;
  showRegisters(n);
  flush(s, n.arrive >= 0 ? n.arrive : n.cur.slot, s.chunk - s.left);
  // Another look at the same state must find nothing more to count.
  s.left = s.chunk;
}

/** Takes the registers from where a debugger may have changed them. */
export function takeIn(n: Native): void {
  n.s.initialised = n.s.view.getUint32(n.s.block + layout.CPU_INITIALISED, true);
  takeRegisters(n);
}
