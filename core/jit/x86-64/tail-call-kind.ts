import { type Decoded, decodeInsn, insnTarget, insnWrites, WIDE_OPCODE } from '../../isa/decode.ts';
import { INSN_SIZE, type InsnIndex } from '../../isa/insn.ts';
import { BPF_PSEUDO_MAP_FD } from '../../isa/opcodes.ts';
import type { TailCallKind } from './program.ts';

const OP_TAIL_CALL = 0xf5;
const OP_MOV32_IMM = 0xb4;
const OP_MOV64_IMM = 0xb7;
/** Register of the program array, and of the index in it. */
const MAP = 2;
const INDEX = 3;

/** The program array and the index that a tail call always has; the map as map loads of the rewritten program hold it. */
export interface KnownTailCall {
  readonly map: number;
  readonly index: number;
}

/**
 * How the kernel makes each tail call of a program on its way into it: `direct` where one program array and
 * one index in it are known (`knownTailCalls`), else `indirect`.
 */
export function tailCallKinds(
  insns: Uint8Array,
  maxEntries: (map: number) => number | undefined,
): ReadonlyMap<InsnIndex, TailCallKind> {
  const calls = [...knownTailCalls(insns, maxEntries)];
  return new Map(calls.map(([slot, known]) => [slot, known === undefined ? 'indirect' : 'direct']));
}

/**
 * The tail calls of a program by slot, and where each leads if that is known. The verifier knows it from all paths;
 * here it is known when both registers are set in the straight line of instructions that leads to the call.
 *
 * `maxEntries` tells the size of a map by what a map load of the rewritten program holds.
 */
export function knownTailCalls(
  insns: Uint8Array,
  maxEntries: (map: number) => number | undefined,
): ReadonlyMap<InsnIndex, KnownTailCall | undefined> {
  const calls = new Map<InsnIndex, KnownTailCall | undefined>();
  const line = new Line();
  const targets = targetsOf(insns);
  for (let slot = 0; slot * INSN_SIZE < insns.length; ) {
    const decoded = decodeInsn(insns, slot);
    if (targets.has(slot)) line.forget();
    if (decoded.insn.opcode === OP_TAIL_CALL) {
      const { map, index } = line;
      const size = map === undefined ? undefined : maxEntries(map);
      const isKnown = map !== undefined && index !== undefined && size !== undefined && index < size;
      calls.set(slot, isKnown ? { map, index } : undefined);
    }
    line.pass(decoded);
    slot += decoded.length;
  }
  return calls;
}

/** Slots that a jump leads to. */
function targetsOf(insns: Uint8Array): ReadonlySet<InsnIndex> {
  const targets = new Set<InsnIndex>();
  for (let slot = 0; slot * INSN_SIZE < insns.length; slot++) {
    const opcode = insns[slot * INSN_SIZE] ?? 0;
    if ((opcode & 7) === 5 || (opcode & 7) === 6) {
      const target = insnTarget(decodeInsn(insns, slot));
      if (target !== undefined) targets.add(target);
    }
    if (opcode === WIDE_OPCODE) slot++;
  }
  return targets;
}

/** What R2 and R3 hold in a straight line of instructions. */
class Line {
  map: number | undefined;
  index: number | undefined;

  forget(): void {
    this.map = undefined;
    this.index = undefined;
  }

  pass(decoded: Decoded): void {
    const { insn, row } = decoded;
    if (row === undefined || row.flow === 'jump' || row.flow === 'exit') {
      this.forget();
      return;
    }
    const writes = insnWrites(decoded);
    if (writes.includes(MAP)) {
      this.map = insn.opcode === WIDE_OPCODE && insn.src === BPF_PSEUDO_MAP_FD ? insn.imm : undefined;
    }
    if (writes.includes(INDEX)) {
      const isConstant = insn.opcode === OP_MOV32_IMM || insn.opcode === OP_MOV64_IMM;
      this.index = isConstant ? insn.imm >>> 0 : undefined;
    }
  }
}
