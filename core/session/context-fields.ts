import { littleEndian } from '../bytes/little-endian.ts';
import { convertCtxAccess } from '../ctx/convert.ts';
import type { CtxField } from '../ctx/fields.ts';
import type { Prepared } from '../ctx/input.ts';
import { INSN_SIZE, type Insn, readInsn } from '../isa/insn.ts';
import { accessSize, loadOpcode } from '../isa/opcodes.ts';
import type { FrameContext } from './results.ts';

/** A frame's context with the input of the run it belongs to. */
export interface LoadedContext extends FrameContext {
  readonly prepared: Prepared | undefined;
}

/** More steps than any conversion has; it also ends what would loop. */
const MAX_STEPS = 32;

/**
 * Value of a context field as the program would read it now: the rewritten form of that load, executed
 * on the side. undefined where there is no context, or the load reads something that is not there.
 */
export function contextFieldValue(context: LoadedContext, field: CtxField): bigint | undefined {
  const { loaded } = context;
  const ctx = loaded.cpu.current?.ctx;
  const opcode = loadOpcode(field.size);
  if (ctx === undefined || opcode === undefined) return undefined;
  const load: Insn = { opcode, dst: 0, src: 1, off: field.offset, imm: 0 };
  const insns = convertCtxAccess(loaded.main.attr.progType, field, load, field.offset, {
    tstampTypeAccess: true,
  });
  return runLoads(insns, ctx.addr, (addr, size) => loaded.machine.space.read(addr, size));
}

/**
 * Executes what conversions of loads consist of: loads, moves, masks, shifts and forward jumps.
 * R0 at the end; undefined for anything else or an address that cannot be read.
 */
function runLoads(
  insns: Uint8Array,
  ctx: bigint,
  read: (addr: bigint, size: number) => Uint8Array | undefined,
): bigint | undefined {
  const regs: bigint[] = Array.from({ length: 16 }, () => 0n);
  regs[1] = ctx;
  let slot = 0;
  for (let steps = 0; slot * INSN_SIZE < insns.length; steps++) {
    if (steps > MAX_STEPS) return undefined;
    const insn = readInsn(insns, slot++);
    const dst = regs[insn.dst] ?? 0n;
    if ((insn.opcode & 0xe7) === 0x61) {
      const addr = BigInt.asUintN(64, (regs[insn.src] ?? 0n) + BigInt(insn.off));
      const bytes = read(addr, accessSize(insn.opcode));
      if (bytes === undefined) return undefined;
      regs[insn.dst] = littleEndian(bytes);
      continue;
    }
    const taken = jumpTaken(insn, dst, regs[insn.src] ?? 0n);
    if (taken !== undefined) {
      if (taken) slot += insn.off;
      continue;
    }
    const value = aluResult(insn, dst, regs[insn.src] ?? 0n);
    if (value === undefined) return undefined;
    regs[insn.dst] = value;
  }
  return regs[0];
}

/** Result of a 64- or 32-bit ALU instruction of the few kinds that conversions use. */
function aluResult(insn: Insn, dst: bigint, src: bigint): bigint | undefined {
  const kind = insn.opcode & 7;
  if (kind !== 7 && kind !== 4) return undefined;
  const operand = (insn.opcode & 8) === 0 ? BigInt(insn.imm) : src;
  const width = kind === 7 ? 64 : 32;
  const a = BigInt.asUintN(width, dst);
  const b = BigInt.asUintN(width, operand);
  switch (insn.opcode & 0xf0) {
    case 0x00:
      return BigInt.asUintN(width, a + b);
    case 0x10:
      return BigInt.asUintN(width, a - b);
    case 0x40:
      return a | b;
    case 0x50:
      return a & b;
    case 0x60:
      return BigInt.asUintN(width, a << (b & BigInt(width - 1)));
    case 0x70:
      return a >> (b & BigInt(width - 1));
    case 0xb0:
      return b;
    default:
      return undefined;
  }
}

/** Whether a jump is taken; undefined when the instruction is no jump that conversions use. */
function jumpTaken(insn: Insn, dst: bigint, src: bigint): boolean | undefined {
  const kind = insn.opcode & 7;
  if (kind !== 5 && kind !== 6) return undefined;
  const width = kind === 5 ? 64 : 32;
  const a = BigInt.asUintN(width, dst);
  const b = BigInt.asUintN(width, (insn.opcode & 8) === 0 ? BigInt(insn.imm) : src);
  switch (insn.opcode & 0xf0) {
    case 0x00:
      return true;
    case 0x10:
      return a === b;
    case 0x30:
      return a >= b;
    case 0x40:
      return (a & b) !== 0n;
    case 0x50:
      return a !== b;
    default:
      return undefined;
  }
}
