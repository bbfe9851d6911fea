import { BPF_REG_AX } from '../../isa/registers.ts';
import type { Cpu } from '../../vm/cpu.ts';
import { PERM_READ, regOffset } from '../../vm/layout.ts';
import type { Machine } from '../../vm/machine.ts';
import { checkedLinear, regionTable } from '../../vm/region-table.ts';
import { compute } from './arithmetic.ts';
import { intOf } from './eval.ts';
import { registerNamed } from './names.ts';
import { type Expr, INT_TYPES, type IntType } from './parse.ts';
import type { ExprEnv } from './value.ts';
import {
  bitsOf,
  COMBINE,
  cutter,
  type Pair,
  put,
  RELATIONS,
  type Relation,
  rightSigned,
  rightUnsigned,
} from './words.ts';

/** Where the innermost frame's registers and the program's memory lie. */
export interface CompiledFor {
  readonly machine: Machine;
  readonly cpu: Cpu;
  /** The same place for the parts of expressions that are not worth compiling. */
  readonly env: ExprEnv;
}

/** Computes a value into `v`. Throws ExprFailure as the evaluation of the tree does. */
type Code = (v: Pair) => void;

interface Compiled {
  readonly code: Code;
  /** Operations with another signed value are signed. */
  readonly signed: boolean;
}

/** The tree's types depend on what is there when it is evaluated. */
class NotCompiled extends Error {}

/**
 * Closures that tell whether an expression is not 0, by words instead of bigints: for conditions that are looked at
 * very often. They throw ExprFailure where there is no value, as the evaluation of the tree does. Undefined: this
 * expression is to be evaluated from the tree.
 */
export function compileCondition(expr: Expr, of: CompiledFor): (() => boolean) | undefined {
  try {
    const truth = compileTruth(expr, of);
    const v: Pair = { lo: 0, hi: 0 };
    return () => truth(v);
  } catch (error) {
    if (error instanceof NotCompiled) return undefined;
    throw error;
  }
}

type Truth = (v: Pair) => boolean;

function compileTruth(expr: Expr, of: CompiledFor): Truth {
  if (expr.kind === 'binary') {
    const { op } = expr;
    if (op === '&&' || op === '||') {
      const left = compileTruth(expr.left, of);
      const right = compileTruth(expr.right, of);
      return op === '&&' ? (v) => left(v) && right(v) : (v) => left(v) || right(v);
    }
    const relation = RELATIONS.get(op);
    if (relation !== undefined)
      return comparison(relation, compile(expr.left, of), compile(expr.right, of), op);
  }
  if (expr.kind === 'unary' && expr.op === '!') {
    const operand = compileTruth(expr.operand, of);
    return (v) => !operand(v);
  }
  const { code } = compile(expr, of);
  return (v) => {
    code(v);
    return (v.lo | v.hi) !== 0;
  };
}

function compile(expr: Expr, of: CompiledFor): Compiled {
  switch (expr.kind) {
    case 'number':
      return constant(expr.value, expr.value >> 63n === 0n);
    case 'name':
      return compileName(expr, of);
    case 'unary':
      return compileUnary(expr, of);
    case 'binary':
      return compileBinary(expr, of);
    case 'conditional': {
      const test = compileTruth(expr.test, of);
      const then = compile(expr.then, of);
      const otherwise = compile(expr.otherwise, of);
      if (then.signed !== otherwise.signed) throw new NotCompiled();
      return { signed: then.signed, code: (v) => (test(v) ? then.code(v) : otherwise.code(v)) };
    }
    case 'cast': {
      const { code } = compile(expr.operand, of);
      const cut = cutter(expr.type);
      return {
        signed: INT_TYPES[expr.type].signed,
        code: (v) => {
          code(v);
          cut(v);
        },
      };
    }
    case 'deref':
      return load(expr, of);
    case 'index':
      return compileIndex(expr, of) ?? evaluated(expr, of.env, false);
    case 'call':
      return evaluated(expr, of.env, false);
    default:
      throw new NotCompiled();
  }
}

function constant(value: bigint, signed: boolean): Compiled {
  const lo = Number(BigInt.asIntN(32, value));
  const hi = Number(BigInt.asIntN(32, value >> 32n));
  return {
    signed,
    code: (v) => {
      v.lo = lo;
      v.hi = hi;
    },
  };
}

/** From the tree; `signed`: what its type always is. */
function evaluated(expr: Expr, env: ExprEnv, signed: boolean): Compiled {
  return { signed, code: (v) => put(v, intOf(expr, env).bits) };
}

/** Names of registers of classic BPF, where one runs. */
const CLASSIC = new Set(['A', 'a', 'X', 'x', 'M']);
const OPERANDS = new Map([
  ['DST', false],
  ['SRC', false],
  ['OFF', true],
  ['IMM', true],
]);

function compileName(expr: Expr & { kind: 'name' }, { machine, cpu, env }: CompiledFor): Compiled {
  const { name } = expr;
  const register = registerNamed(name);
  if (register !== undefined && register.reg !== BPF_REG_AX) {
    const at = cpu.block + regOffset(register.reg);
    const { memory } = machine;
    const isWhole = register.width === 64;
    return {
      signed: false,
      code: (v) => {
        v.lo = memory.view.getInt32(at, true);
        v.hi = isWhole ? memory.view.getInt32(at + 4, true) : 0;
      },
    };
  }
  const operand = OPERANDS.get(name);
  if (register !== undefined || operand !== undefined) return evaluated(expr, env, operand ?? false);
  if (CLASSIC.has(name)) throw new NotCompiled();
  const value = env.map(name) === undefined ? env.constant(name) : undefined;
  return value === undefined ? evaluated(expr, env, false) : constant(BigInt.asUintN(64, value), true);
}

function compileUnary(expr: Expr & { kind: 'unary' }, of: CompiledFor): Compiled {
  if (expr.op === '&') return evaluated(expr, of.env, false);
  if (expr.op === '!') return fromTruth(compileTruth(expr, of));
  const { code, signed } = compile(expr.operand, of);
  if (expr.op === '~') {
    return {
      signed,
      code: (v) => {
        code(v);
        v.lo = ~v.lo;
        v.hi = ~v.hi;
      },
    };
  }
  if (expr.op !== '-') return { signed, code };
  return {
    signed: signed || expr.operand.kind === 'number',
    code: (v) => {
      code(v);
      v.hi = (~v.hi + (v.lo === 0 ? 1 : 0)) | 0;
      v.lo = -v.lo | 0;
    },
  };
}

function fromTruth(truth: Truth): Compiled {
  return {
    signed: true,
    code: (v) => {
      v.lo = truth(v) ? 1 : 0;
      v.hi = 0;
    },
  };
}

function compileBinary(expr: Expr & { kind: 'binary' }, of: CompiledFor): Compiled {
  const { op } = expr;
  if (op === '&&' || op === '||' || RELATIONS.has(op)) return fromTruth(compileTruth(expr, of));
  const left = compile(expr.left, of);
  const right = compile(expr.right, of);
  const isShift = op === '<<' || op === '>>';
  const signed = left.signed && (isShift || right.signed);
  const combine = COMBINE.get(op) ?? (op === '>>' ? (left.signed ? rightSigned : rightUnsigned) : undefined);
  if (combine === undefined) return divided(expr, left, right);
  return {
    signed,
    code: (v) => {
      left.code(v);
      const { lo, hi } = v;
      right.code(v);
      combine(v, lo, hi);
    },
  };
}

/** Division and remainder, by bigints. */
function divided(expr: Expr & { kind: 'binary' }, left: Compiled, right: Compiled): Compiled {
  const typeOf = ({ signed }: Compiled): IntType => (signed ? 's64' : 'u64');
  return {
    signed: left.signed && right.signed,
    code: (v) => {
      left.code(v);
      const a = { bits: bitsOf(v), type: typeOf(left) };
      right.code(v);
      put(v, compute(expr.op, a, { bits: bitsOf(v), type: typeOf(right) }, expr.at).bits);
    },
  };
}

function comparison(holds: Relation, left: Compiled, right: Compiled, op: string): Truth {
  // Words of unsigned numbers are compared as signed ones with the highest bit the other way round.
  const flip = op.startsWith('s') || (left.signed && right.signed) ? 0 : 1 << 31;
  return (v) => {
    left.code(v);
    const { lo, hi } = v;
    right.code(v);
    if (hi !== v.hi) return holds((hi ^ flip) < (v.hi ^ flip) ? -1 : 1);
    return holds(lo === v.lo ? 0 : lo >>> 0 < v.lo >>> 0 ? -1 : 1);
  };
}

/** Types of map values that are integers, by their size. */
const VALUE_TYPES: ReadonlyMap<number, IntType> = new Map([
  [1, 'u8'],
  [2, 'u16'],
  [4, 'u32'],
  [8, 'u64'],
]);

/** The integer that a map holds for an integer; undefined: it is something else, or not known before it is evaluated. */
function compileIndex(expr: Expr & { kind: 'index' }, of: CompiledFor): Compiled | undefined {
  const { target, index } = expr;
  const map =
    target.kind === 'name' && registerNamed(target.name) === undefined ? of.env.map(target.name) : undefined;
  const type = VALUE_TYPES.get(map?.valueSize ?? 0);
  const isKey = VALUE_TYPES.has(map?.keySize ?? 0) && index.kind !== 'string';
  if (map === undefined || type === undefined || !isKey || CLASSIC.has(map.name)) return undefined;
  const { code } = compile(index, of);
  const read = reader(type, of.machine);
  const key = new Uint8Array(8);
  const words = new DataView(key.buffer);
  const bytes = key.subarray(0, map.keySize);
  const unused = 32 - map.keySize * 8;
  return {
    signed: false,
    code: (v) => {
      code(v);
      const isShort = (v.lo << unused) >>> unused === v.lo >>> 0 && v.hi === 0;
      const isNegative = (v.lo << unused) >> unused === v.lo && v.hi === v.lo >> 31;
      words.setInt32(0, v.lo, true);
      words.setInt32(4, v.hi, true);
      const addr = unused < 0 || isShort || isNegative ? map.valueAddr(bytes) : undefined;
      if (addr !== undefined) put(v, addr);
      if (addr === undefined || !read(v)) put(v, intOf(expr, of.env).bits);
    },
  };
}

/** Memory that the program can read; what lies elsewhere, or nowhere, is the tree's. */
function load(expr: Expr & { kind: 'deref' }, of: CompiledFor): Compiled {
  const { machine, env } = of;
  const { code } = compile(expr.operand, of);
  const read = reader(expr.type, machine);
  return {
    signed: INT_TYPES[expr.type].signed,
    code: (v) => {
      code(v);
      if (!read(v)) put(v, intOf(expr, env).bits);
    },
  };
}

/** Makes of an address what lies there; false: the program cannot read that. */
function reader(type: IntType, { memory }: Machine): (v: Pair) => boolean {
  const size = INT_TYPES[type].bits / 8;
  const cut = cutter(type);
  return (v) => {
    const { view } = memory;
    const at = checkedLinear(regionTable(view), v.hi, v.lo >>> 0, size, PERM_READ);
    if (at === 0) return false;
    v.hi = 0;
    if (size === 1) v.lo = view.getUint8(at);
    else if (size === 2) v.lo = view.getUint16(at, true);
    else {
      v.lo = view.getInt32(at, true);
      if (size === 8) v.hi = view.getInt32(at + 4, true);
    }
    cut(v);
    return true;
  };
}
