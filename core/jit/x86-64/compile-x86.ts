import { WIDE_OPCODE } from '../../isa/decode.ts';
import { INSN_SIZE, type Insn, type InsnIndex, readInsn } from '../../isa/insn.ts';
import { OP_CALL } from '../../isa/opcodes.ts';
import { MAY_GOTO_STACK } from '../../prog/may-goto.ts';
import { Assembler } from './assembler.ts';
import { calleeOf } from './callee.ts';
import type { X86Config } from './config.ts';
import { prologue, tailCall } from './control.ts';
import { type Emission, type FunctionFrame, type Lower, type Slot, X86Refusal } from './emission.ts';
import { LOWER } from './lower.ts';
import type { TailCallKind, X86Func, X86Outcome, X86Program } from './program.ts';
import { BPF_TO_X86, BPF_TO_X86_PRIVATE, CALLEE_SAVED, R12, type Reg } from './registers.ts';
import { rowOf } from './row-of.ts';
import { tailCallReach } from './tail-call-reach.ts';

/** Most slots of a program, as at load. */
const MAX_SLOTS = 1_000_000;
/** Most bytes of stack of one function: those that it may use, and the counter of its `may_goto`. */
const MAX_STACK = 512 + MAY_GOTO_STACK;
/** The 16th pass and later ones: jumps keep their length, so that the next pass is the same. */
const PADDING_FROM = 15;
/** Passes after which a function is given up; padding ends it before. */
const MAX_PASSES = 20;
/** Bytes that each slot is taken to need before the first pass: more than any does. */
const FIRST_ESTIMATE = 64;
/** In dumped programs a tail call stands as a call of helper 12. */
const FUNC_TAIL_CALL = 12;

/**
 * Compiles a rewritten program to the machine code that the kernel's x86-64 JIT makes of it, byte for byte.
 * Deviations stand in docs/jit.md. Never throws on what a program holds; what cannot be compiled is told with
 * the slot. Deterministic; time is linear in the program's length for each of at most 21 passes.
 */
export function compileX86(program: X86Program, config: X86Config): X86Outcome {
  try {
    const starts = checkShape(program);
    const reach = program.tailCallReachable ?? tailCallReach(program.insns, program.funcs);
    const asm = new Assembler();
    const frame = (its: X86Program, i: number): FunctionFrame =>
      frameOf(its, config, i, starts, reach[i] ?? false);
    const sized = program.funcs.map((_, i) => sizeFunction(asm, program, frame(program, i)));
    const imageAddrs = program.layOut?.(sized.map(({ length }) => length)) ?? program.imageAddrs;
    const placed = { ...program, imageAddrs };
    const funcs = sized.map((size, i) => writeFunction(asm, size, frame(placed, i), imageAddrs[i] ?? 0n));
    return { ok: true, funcs };
  } catch (error) {
    if (!(error instanceof X86Refusal)) throw error;
    return { ok: false, message: error.message, slot: error.slot };
  }
}

/** Refuses input that does not fit together; the functions by their first slot. */
function checkShape(program: X86Program): ReadonlyMap<InsnIndex, number> {
  const { insns, funcs, stackDepths, imageAddrs } = program;
  const n = insns.length / INSN_SIZE;
  if (!Number.isInteger(n) || n === 0)
    throw refusal('the program must hold whole instructions of 8 bytes, at least one');
  if (n > MAX_SLOTS) throw refusal(`the program has ${n} slots; at most ${MAX_SLOTS} can be compiled`);
  if (funcs[0] !== 0) throw refusal('the first function must begin at slot 0');
  const starts = new Map<InsnIndex, number>();
  funcs.forEach((start, i) => {
    const next = funcs[i + 1] ?? n;
    if (!Number.isInteger(start) || start >= next || next > n) {
      throw refusal(
        `function ${i} must begin before the next one and inside the program, not at slot ${start}`,
      );
    }
    const depth = stackDepths[i];
    if (depth === undefined || !Number.isInteger(depth) || depth < 0 || depth > MAX_STACK) {
      throw refusal(`function ${i} needs a stack depth from 0 to ${MAX_STACK}, not ${depth}`);
    }
    if (imageAddrs[i] === undefined) throw refusal(`function ${i} has no image address`);
    starts.set(start, i);
  });
  return starts;
}

function refusal(message: string): X86Refusal {
  return new X86Refusal(message, undefined);
}

function frameOf(
  program: X86Program,
  config: X86Config,
  index: number,
  starts: ReadonlyMap<InsnIndex, number>,
  tailCallReachable: boolean,
): FunctionFrame {
  const { funcs, insns, imageAddrs, stackDepths } = program;
  const start = funcs[index] ?? 0;
  const end = funcs[index + 1] ?? insns.length / INSN_SIZE;
  const image = imageAddrs[index] ?? 0n;
  const { tailCall: kind } = program;
  const isMain = index === 0;
  const privateStack = program.privateStacks?.[index];
  const boundary = isMain && program.exceptionBoundary === true;
  return {
    config,
    start,
    length: end - start,
    isMain,
    wasClassic: program.wasClassic === true,
    stack: privateStack === undefined ? Math.ceil((stackDepths[index] ?? 0) / 8) * 8 : 0,
    privateStack,
    tailCallReachable,
    saved: savedRegisters(insns, start, end, boundary, program.arena !== undefined),
    tailCall: typeof kind === 'function' ? kind : (): TailCallKind => kind ?? 'indirect',
    arena: program.arena,
    thisCpuOff: Number(BigInt.asIntN(32, config.thisCpuOff)),
    callBase: distance(config.callBase, image),
    returnThunk: distance(config.returnThunk, image),
    indirectThunkRcx: distance(config.indirectThunkRcx, image),
    probe: probeNumbers(config),
    callee: (slot, off, imm) => {
      const target = calleeOf(slot, off, imm, funcs, (at) => starts.has(at));
      const addr = imageAddrs[starts.get(target ?? -1) ?? -1];
      return addr === undefined ? undefined : { distance: distance(addr, image), addr };
    },
  };
}

/** `to - from` as a signed number (rounded far beyond the reach of a jump); NaN for no address. */
function distance(to: bigint | undefined, from: bigint): number {
  return to === undefined ? Number.NaN : Number(BigInt.asIntN(64, to - from));
}

function probeNumbers({ vsyscallAddr, userSpaceEnd }: X86Config): FunctionFrame['probe'] {
  const limit = BigInt.asUintN(64, userSpaceEnd - vsyscallAddr);
  return {
    vsyscall: Number(BigInt.asIntN(32, vsyscallAddr)),
    limitLo: Number(BigInt.asIntN(32, limit)),
    limitHi: Number(BigInt.asIntN(32, limit >> 32n)),
  };
}

/**
 * Registers that the prologue pushes: those of R6 … R9 that an instruction names; at an exception boundary
 * all of them and r12, which an arena's base takes too.
 */
function savedRegisters(
  insns: Uint8Array,
  start: InsnIndex,
  end: InsnIndex,
  boundary: boolean,
  arena: boolean,
): readonly Reg[] {
  let named = boundary ? 0x3c0 : 0;
  for (let slot = start; slot < end; slot++) {
    const regs = insns[slot * INSN_SIZE + 1] ?? 0;
    named |= (1 << (regs & 15)) | (1 << (regs >> 4));
    if (insns[slot * INSN_SIZE] === WIDE_OPCODE) slot++;
  }
  const saved = CALLEE_SAVED.filter((_, i) => (named >> (6 + i)) & 1);
  return boundary || arena ? [R12, ...saved] : saved;
}

/** Takes the function's instructions apart. */
function slotsOf(program: X86Program, frame: FunctionFrame): Slot[] {
  const slots: Slot[] = [];
  const registers = frame.privateStack === undefined ? BPF_TO_X86 : BPF_TO_X86_PRIVATE;
  for (let index = 0; index < frame.length; ) {
    const at = frame.start + index;
    const insn = readInsn(program.insns, at);
    const lower = lowerOf(insn);
    if (lower === undefined)
      throw new X86Refusal(`unknown instruction (opcode 0x${insn.opcode.toString(16)})`, at);
    const wide = insn.opcode === WIDE_OPCODE;
    if (wide && index + 1 === frame.length)
      throw new X86Refusal('the second half of the instruction is missing', at);
    slots.push({
      index,
      dst: registerOf(registers, insn.dst, at),
      src: wide || insn.opcode === OP_CALL ? 0 : registerOf(registers, insn.src, at),
      off: insn.off,
      imm: insn.imm,
      nextImm: wide ? readInsn(program.insns, at + 1).imm : 0,
      length: wide ? 2 : 1,
      lower,
    });
    index += wide ? 2 : 1;
  }
  return slots;
}

function lowerOf(insn: Insn): Lower | undefined {
  if (insn.opcode === OP_CALL && insn.src === 0 && insn.imm === FUNC_TAIL_CALL) return tailCall;
  const row = rowOf(insn);
  return row === undefined ? undefined : LOWER[row.id];
}

function registerOf(registers: readonly Reg[], field: number, slot: InsnIndex): Reg {
  const reg = registers[field];
  if (reg === undefined)
    throw new X86Refusal(`R${field} does not exist; registers are R0 to R10 and AX (R11)`, slot);
  return reg;
}

/** A function whose passes have come to an end. */
interface SizedFunction {
  readonly slots: readonly Slot[];
  /** Where each slot's code ends, the prologue's first. */
  readonly ends: Int32Array;
  readonly length: number;
  readonly passes: number;
}

/** Finds out how long each piece of a function's code is; addresses of functions make no difference to that. */
function sizeFunction(asm: Assembler, program: X86Program, frame: FunctionFrame): SizedFunction {
  const slots = slotsOf(program, frame);
  const ends = new Int32Array(frame.length + 1);
  for (let i = 0; i <= frame.length; i++) ends[i] = i * FIRST_ESTIMATE;
  let length = -1;
  let passes = 0;
  for (;;) {
    const { pos } = pass(asm, frame, slots, ends, passes).asm;
    if (pos === length) return { slots, ends, length, passes };
    length = pos;
    passes++;
    if (passes === MAX_PASSES) {
      throw new X86Refusal(`jumps do not settle in ${MAX_PASSES} passes`, frame.start);
    }
  }
}

function writeFunction(asm: Assembler, sized: SizedFunction, frame: FunctionFrame, addr: bigint): X86Func {
  const { slots, ends, length, passes } = sized;
  const { mapImms } = pass(asm, frame, slots, ends, passes);
  if (asm.pos !== length) throw new X86Refusal('the last pass changed the length', frame.start);
  return {
    start: frame.start,
    end: frame.start + frame.length,
    addr,
    image: asm.take(),
    insnToJitOff: ends.slice(1),
    prologueLen: ends[0] ?? 0,
    mapImms,
    passes,
  };
}

/** Writes the whole function once and updates `ends`. */
function pass(
  asm: Assembler,
  frame: FunctionFrame,
  slots: readonly Slot[],
  ends: Int32Array,
  passes: number,
): Emission {
  asm.reset();
  const out: Emission = { asm, frame, ends, epilogueAt: -1, padding: passes >= PADDING_FROM, mapImms: [] };
  prologue(out);
  ends[0] = asm.pos;
  for (const slot of slots) {
    slot.lower(out, slot);
    ends[slot.index + 1] = asm.pos;
    if (slot.length === 2) ends[slot.index + 2] = asm.pos;
  }
  return out;
}
