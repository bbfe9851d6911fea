import { suggest } from '../../asm/suggest.ts';
import { BPF_REG_ARG1, BPF_REG_AX, BPF_REG_CTX, BPF_REG_FP } from '../../isa/registers.ts';
import { fromBytes } from './arithmetic.ts';
import { INT_TYPES, type IntType } from './parse.ts';
import { type ExprEnv, ExprFailure, type ExprValue, type LValue } from './value.ts';

const SPECIAL_REGISTERS: ReadonlyMap<string, number> = new Map([
  ['FP', BPF_REG_FP],
  ['fp', BPF_REG_FP],
  ['AX', BPF_REG_AX],
  ['ax', BPF_REG_AX],
  ['ARG1', BPF_REG_ARG1],
  ['CTX', BPF_REG_CTX],
]);

/**
 * What a name stands for: a register, an operand of the current instruction, a register of classic BPF, a
 * map, a constant, an address. Throws ExprFailure with the nearest name that there is.
 */
export function evaluateName(name: string, at: number, env: ExprEnv): ExprValue {
  const register = registerNamed(name);
  if (register !== undefined) {
    const all = readRegister(register.reg, at, env);
    const lvalue: LValue = { kind: 'register', ...register };
    return register.width === 64
      ? { kind: 'int', bits: all, type: 'u64', lvalue }
      : { kind: 'int', bits: all & 0xffff_ffffn, type: 'u32', lvalue };
  }
  const native = name.startsWith('$') ? env.nativeValue(name.slice(1)) : undefined;
  if (typeof native === 'string') throw new ExprFailure(`${name}: ${native}`, at);
  if (native !== undefined) return { kind: 'int', bits: native, type: 'u64' };
  const field = instructionField(name, at, env);
  if (field !== undefined) return field;
  const classic = classicCell(name, env);
  if (classic !== undefined) return classic;
  const map = env.map(name);
  if (map !== undefined) return { kind: 'map', map };
  const constant = env.constant(name);
  if (constant !== undefined) return { kind: 'int', bits: BigInt.asUintN(64, constant), type: 's64' };
  const address = env.address(name);
  if (address !== undefined) return { kind: 'int', bits: address, type: 'u64' };
  const near = suggest(name, env.names());
  throw new ExprFailure(
    `"${name}" is no register, constant or map${near === undefined ? ' of this program' : `; did you mean ${near}?`}`,
    at,
  );
}

function classicCell(name: string, env: ExprEnv): ExprValue | undefined {
  const known = env.cells();
  const cell = known?.named(name);
  if (cell !== undefined) return readCell(cell, env);
  const cells = known?.array(name);
  return cells === undefined ? undefined : { kind: 'cells', name, cells };
}

/** A register of classic BPF, by its number. */
export function readCell(cell: number, env: ExprEnv): ExprValue {
  const bits = env.cells()?.read(cell) ?? 0n;
  return { kind: 'int', bits, type: 'u32', lvalue: { kind: 'cell', cell } };
}

function readRegister(reg: number, at: number, env: ExprEnv): bigint {
  if (reg === BPF_REG_AX && !env.showsAx()) {
    throw new ExprFailure('AX is a register of the rewritten program, and known while that is shown', at);
  }
  const value = env.readRegister(reg);
  if (value !== undefined) return value;
  throw new ExprFailure(`r${reg} of this frame is not kept over the call that it waits in`, at);
}

/** `r0`…`r10`, `w0`…`w10` and the kernel's own names for registers; undefined for anything else. */
export function registerNamed(name: string): { reg: number; width: 32 | 64 } | undefined {
  const special = SPECIAL_REGISTERS.get(name);
  if (special !== undefined) return { reg: special, width: 64 };
  const match = /^([rRwW])(\d|10)$/.exec(name);
  if (match === null) return undefined;
  return { reg: Number(match[2]), width: match[1]?.toLowerCase() === 'r' ? 64 : 32 };
}

/** `DST`, `SRC`, `OFF`, `IMM` of the instruction about to execute, as kernel/bpf/core.c names them. */
function instructionField(name: string, at: number, env: ExprEnv): ExprValue | undefined {
  if (!['DST', 'SRC', 'OFF', 'IMM'].includes(name)) return undefined;
  const insn = env.currentInsn();
  if (insn === undefined) throw new ExprFailure(`${name} needs a current instruction`, at);
  if (name === 'OFF') return { kind: 'int', bits: BigInt.asUintN(64, BigInt(insn.off)), type: 's16' };
  if (name === 'IMM') return { kind: 'int', bits: BigInt.asUintN(64, insn.imm), type: 's64' };
  const reg = name === 'DST' ? insn.dst : insn.src;
  return {
    kind: 'int',
    bits: readRegister(reg, at, env),
    type: 'u64',
    lvalue: { kind: 'register', reg, width: 64 },
  };
}

/** An integer in memory. Throws ExprFailure where none can be read. */
export function readMemory(addr: bigint, type: IntType, at: number, env: ExprEnv): ExprValue {
  const { bits, signed, big } = INT_TYPES[type];
  const bytes = env.readMemory(addr, bits / 8);
  if (bytes === undefined) throw new ExprFailure(env.explainMemory(addr, bits / 8), at);
  const value = fromBytes(bytes, big);
  return {
    kind: 'int',
    bits: BigInt.asUintN(64, signed ? BigInt.asIntN(bits, value) : value),
    type,
    lvalue: { kind: 'memory', addr, type },
  };
}
