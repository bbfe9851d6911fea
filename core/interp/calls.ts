import { tailCallTarget } from '../helpers/tail-call.ts';
import type { InsnId } from '../isa/table.ts';
import { subprogAt } from '../vm/cpu.ts';
import type { Fault, Problem } from '../vm/fault.ts';
import * as layout from '../vm/layout.ts';
import { enterFrame, leaveFrame, type Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import { callHandler, enterHelper } from './kernel-functions.ts';
import { type ExecState, fault, type Handler, type Op, STOP, set } from './op.ts';

/** Register bits: R0; R1 … R5; R10. */
const R0 = 1;
const ARGUMENTS = 0x3e;
const R10 = 1 << 10;

/** Calls, exit and wide loads that give an address. */
export const CALLS = {
  call_helper: (s, op) => callHandler(op.imm, tailCall)(s, op),
  tail_call: (s, op) => tailCall(s, op),
  call_local: (s, op) => {
    const { view, block } = s;
    const depth = view.getUint32(block + layout.CPU_DEPTH, true) + 1;
    if (depth >= layout.MAX_CALL_FRAMES) return fault(s, op, tooDeep(s.prog, op.target));
    const record = layout.frameRecord(block, depth);
    copyRegs(view, block + layout.regOffset(6), record + layout.FRAME_SAVED);
    view.setUint32(record + layout.FRAME_RETURN, op.next, true);
    view.setUint32(record + layout.FRAME_CALLER_PROG, s.prog.id, true);
    view.setUint32(record + layout.FRAME_CALLER_INITIALISED, s.initialised, true);
    view.setUint32(block + layout.CPU_DEPTH, depth, true);
    const extension = s.prog.extensions?.get(op.target);
    if (extension !== undefined) switchProg(s, extension);
    const start = extension === undefined ? op.target : 0;
    enterFrame(s.machine.memory, block, depth, start);
    s.initialised = (s.initialised & ARGUMENTS) | R10;
    return start;
  },
  call_kfunc: (s, op) =>
    fault(s, op, {
      kind: 'bad_helper',
      message: `call of the kernel function with BTF id ${op.imm}: kernel functions (kfuncs) are not simulated yet`,
    }),
  callx: (s, op) =>
    fault(s, op, {
      kind: 'bad_helper',
      message: `callx r${op.dst >> 3}: Linux does not call functions by register; call a function or a helper by name`,
    }),
  exit: (s, op) => leave(s, op),
  lddw: (s, op) => {
    set(s, op.dst, op.imm, op.immHi);
    return op.next;
  },
  lddw_map_fd: (s, op) => loadAddress(s, op, mapRegionAddr(s.machine, op.imm)),
  lddw_map_value: (s, op) => loadAddress(s, op, mapValueAddr(s.machine, op.imm, op.immHi)),
  lddw_map_idx: (s, op) => loadAddress(s, op, mapRegionAddr(s.machine, s.prog.mapIds[op.imm])),
  lddw_map_idx_value: (s, op) => loadAddress(s, op, mapValueAddr(s.machine, s.prog.mapIds[op.imm], op.immHi)),
  lddw_btf_id: (s, op) =>
    fault(s, op, {
      kind: 'bad_helper',
      message: `address of the kernel variable with BTF id ${op.imm}: kernel variables are not simulated yet`,
    }),
  lddw_func: (s, op) => {
    set(s, op.dst, layout.functionAddressLo(s.prog.id, op.target), layout.FUNCTION_HI);
    return op.next;
  },
  nospec: (_, op) => op.next,
} satisfies Partial<Record<InsnId, Handler>>;

/** Returns from the current function; from the main function that ends the run. */
export function leave(s: ExecState, op: Op): number {
  const { view, block } = s;
  const depth = view.getUint32(block + layout.CPU_DEPTH, true);
  if (depth === 0) {
    s.stop = { kind: 'exit' };
    return STOP;
  }
  const record = layout.frameRecord(block, depth);
  const callerId = view.getUint32(record + layout.FRAME_CALLER_PROG, true);
  if (callerId !== s.prog.id) {
    const caller = s.machine.progs.get(callerId);
    if (caller === undefined) {
      return fault(s, op, {
        kind: 'bad_pc',
        message: `the calling program (id ${callerId}) has been unloaded`,
      });
    }
    switchProg(s, caller);
  }
  copyRegs(view, record + layout.FRAME_SAVED, block + layout.regOffset(6));
  leaveFrame(s.machine.memory, block, depth);
  view.setUint32(block + layout.CPU_DEPTH, depth - 1, true);
  const id = view.getUint32(block + layout.CPU_STACK_REGION, true) + depth - 1;
  set(s, layout.CPU_R10, layout.MAX_BPF_STACK, (layout.WINDOW_HI + id) | 0);
  const kept = view.getUint32(record + layout.FRAME_CALLER_INITIALISED, true) & ~(ARGUMENTS | R0);
  s.initialised = kept | (s.initialised & R0);
  return view.getUint32(record + layout.FRAME_RETURN, true);
}

/** Goes on at slot 0 of the program that R3 names in the array in R2, in the same frame; or falls through. */
export function tailCall(s: ExecState, op: Op): number {
  enterHelper(s, op);
  const target = tailCallTarget(s.machine, s.cpu, s.block);
  if (target === undefined) return op.next;
  if ('kind' in target) return stopWith(s, target);
  const { view, block } = s;
  const made = view.getUint32(block + layout.CPU_TAIL_CALLS, true);
  if (made >= layout.MAX_TAIL_CALL_CNT) return op.next;
  view.setUint32(block + layout.CPU_TAIL_CALLS, made + 1, true);
  switchProg(s, target);
  const depth = view.getUint32(block + layout.CPU_DEPTH, true);
  enterFrame(s.machine.memory, block, depth, 0);
  s.initialised = (1 << 1) | R10;
  return 0;
}

function switchProg(s: ExecState, prog: ExecProg): void {
  s.prog = prog;
  s.ops = s.decode(prog);
  s.view.setUint32(s.block + layout.CPU_PROG, prog.id, true);
}

function stopWith(s: ExecState, failure: Fault): typeof STOP {
  s.stop = { kind: 'fault', fault: failure };
  return STOP;
}

function tooDeep(prog: ExecProg, target: number): Problem {
  const { name } = subprogAt(prog, target);
  const limit = layout.MAX_CALL_FRAMES;
  const message = `call of ${name}: this would be stack frame ${limit + 1}; a call chain can have at most ${limit}`;
  return { kind: 'stack_overflow', message };
}

/** Copies R6 … R9. */
function copyRegs(view: DataView, from: number, to: number): void {
  for (let offset = 0; offset < 32; offset += 4)
    view.setInt32(to + offset, view.getInt32(from + offset, true), true);
}

function loadAddress(s: ExecState, op: Op, addr: bigint | Problem): number {
  if (typeof addr !== 'bigint') return fault(s, op, addr);
  s.view.setBigUint64(s.block + op.dst, addr, true);
  return op.next;
}

/** What a load of the map with the machine's id `id` gives, or why not. */
export function mapRegionAddr(machine: Machine, id: number | undefined): bigint | Problem {
  const map = id === undefined ? undefined : machine.maps.get(id);
  return map === undefined ? noSuchMap(id) : map.addr;
}

/** The address `offset` (cut to 32 bits, unsigned) bytes into the values of that map, or why there is none. */
export function mapValueAddr(machine: Machine, id: number | undefined, offset: number): bigint | Problem {
  const map = id === undefined ? undefined : machine.maps.get(id);
  if (map === undefined) return noSuchMap(id);
  if (map.directValueAddr === undefined) {
    const message = `map ${map.def.name}: the values of a ${map.def.type} map have no fixed address; look them up`;
    return { kind: 'helper_argument', message };
  }
  return map.directValueAddr + BigInt(offset >>> 0);
}

function noSuchMap(id: number | undefined): Problem {
  return {
    kind: 'helper_argument',
    message: `map load: the machine has no map with id ${id ?? '(not in the fd array)'}`,
  };
}
