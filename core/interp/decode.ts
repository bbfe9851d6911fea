import { type Decoded, decodeInsn, insnTarget, insnWrites } from '../isa/decode.ts';
import type { InsnId } from '../isa/table.ts';
import type { Problem } from '../vm/fault.ts';
import { regOffset } from '../vm/layout.ts';
import type { ExecProg } from '../vm/program.ts';
import { tailCall } from './calls.ts';
import { HANDLERS } from './handlers.ts';
import { belowFrame, inlinedLoad, type Origin, originOf } from './inlined.ts';
import { callHandler } from './kernel-functions.ts';
import { type Handler, type Op, trap } from './op.ts';

const decodedProgs = new WeakMap<ExecProg, readonly Op[]>();

/**
 * The program's instructions by slot, ready to execute; made once for each program. It accepts any
 * bytes: what cannot be executed becomes an op that says why. Behind the last slot stands one that
 * catches a program that runs past its end.
 */
export function decodeProg(prog: ExecProg): readonly Op[] {
  let ops = decodedProgs.get(prog);
  if (ops === undefined) {
    ops = decode(prog);
    decodedProgs.set(prog, ops);
  }
  return ops;
}

function decode(prog: ExecProg): readonly Op[] {
  const nSlots = prog.xlated.length >> 3;
  const ops: Op[] = [];
  for (let slot = 0; slot < nSlots; ) {
    const decoded = decodeInsn(prog.xlated, slot);
    ops.push(decodeOne(prog, decoded, nSlots));
    if (decoded.length === 2) ops.push(trapOp(slot + 1, middleOfWide(slot + 1)));
    slot += decoded.length;
  }
  ops.push(trapOp(Math.max(nSlots - 1, 0), pastEnd(nSlots)));
  return ops;
}

function decodeOne(prog: ExecProg, decoded: Decoded, nSlots: number): Op {
  const { index: slot, insn, row } = decoded;
  if (row === undefined) return trapOp(slot, unknownInsn(insn.opcode));
  if (row.wide && decoded.length === 1) return trapOp(slot, halfWide());
  const unset = prog.uninitialisedReads.get(slot);
  if (unset !== undefined) return trapOp(slot, uninitialised(unset));
  const origin = originOf(prog, slot);
  const next = slot + decoded.length;
  const target = insnTarget(decoded) ?? next;
  const isStray = target < 0 || target > nSlots || (target === nSlots && target !== next);
  if (isStray && row.flow !== 'branch') return trapOp(slot, strayTarget(target, nSlots));
  return {
    exec: isStray ? strayBranch : handlerOf(decoded, row.id, origin),
    slot,
    next,
    target: isStray ? STRAY : target,
    dst: regOffset(insn.dst),
    src: regOffset(insn.src),
    off: insn.off,
    imm: insn.imm,
    immHi: decoded.nextImm ?? insn.imm >> 31,
    writes: writtenBits(decoded, origin),
    cost: origin.cost,
    begun: origin.begun,
    trap: isStray ? strayTarget(target, nSlots) : undefined,
    id: row.id,
  };
}

/** Register bit of R0. */
const R0 = 1;
/** Target of a branch that leads out of the program: no slot. */
const STRAY = -2;

/** A branch that leads out of the program is a fault only when it is taken. */
const strayBranch: Handler = (s, op) => {
  const next = HANDLERS[op.id](s, op);
  return next === STRAY ? trap(s, op) : next;
};

/** The handler of a slot, chosen by what it calls or stands for. */
function handlerOf(decoded: Decoded, id: InsnId, origin: Origin): Handler {
  const { insn } = decoded;
  const { original } = origin;
  const below = belowFrame(decoded, id, origin);
  if (below !== undefined) return below;
  if (id === 'call_helper') return callHandler(insn.imm, tailCall);
  const isInlined = id === 'ldxw' && original?.row?.id === 'call_helper';
  return isInlined ? inlinedLoad(original.insn.imm, HANDLERS[id]) : HANDLERS[id];
}

/**
 * Calls keep their own account: which registers have a value afterwards depends on the callee. What stands
 * for an instruction gives no register a value but those that the instruction does.
 */
function writtenBits(decoded: Decoded, { original, begun }: Origin): number {
  const own = bitsOf(decoded);
  if (original === undefined) return own;
  if (begun === 0) return 0;
  return own & (original.row?.flow === 'call' ? R0 : bitsOf(original));
}

function bitsOf(decoded: Decoded): number {
  if (decoded.row?.flow === 'call') return 0;
  if (decoded.row?.group === 'packet') return R0;
  return insnWrites(decoded).reduce((bits, reg) => bits | (1 << reg), 0);
}

function trapOp(slot: number, problem: Problem): Op {
  const fields = { next: slot, target: slot, dst: 0, src: 0, off: 0, imm: 0, immHi: 0, writes: 0 };
  return { exec: trap, slot, ...fields, cost: 1, begun: 1, trap: problem, id: 'exit' };
}

function unknownInsn(opcode: number): Problem {
  const hex = opcode.toString(16).padStart(2, '0');
  return { kind: 'bad_pc', message: `unknown opcode ${hex}, or one of its reserved fields is not 0` };
}

function halfWide(): Problem {
  return { kind: 'bad_pc', message: 'the second half of this wide instruction is missing' };
}

function middleOfWide(slot: number): Problem {
  return { kind: 'bad_pc', message: `slot ${slot} is the second half of a wide instruction` };
}

function pastEnd(nSlots: number): Problem {
  const message =
    nSlots === 0
      ? 'the program is empty'
      : `the program ran past its last instruction (slot ${nSlots - 1}); every path must end with exit`;
  return { kind: 'bad_pc', message };
}

function strayTarget(target: number, nSlots: number): Problem {
  return { kind: 'bad_pc', message: `slot ${target} is outside the program (0 … ${nSlots - 1})` };
}

function uninitialised(reg: number): Problem {
  return { kind: 'uninitialised', message: `R${reg} !read_ok: r${reg} has no value here` };
}
