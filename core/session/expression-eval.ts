import { suggest } from '../asm/suggest.ts';
import { bytesOfHex } from '../bytes/hex.ts';
import type { ExprError } from './expression-lex.ts';
import { type Expr, INT_TYPES, type IntType, parseExpression } from './expression-parse.ts';

/** A place that can be written. `addr` unsigned 64 bits. */
export type LValue =
  | { readonly kind: 'register'; readonly reg: number; readonly width: 32 | 64 }
  | { readonly kind: 'memory'; readonly addr: bigint; readonly type: IntType }
  | { readonly kind: 'bytes'; readonly addr: bigint; readonly size: number };

/** A map as expressions see it. */
export interface ExprMap {
  readonly id: number;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  /** Address of the value of `key` (exactly `keySize` bytes); undefined: no such entry. */
  valueAddr(key: Uint8Array): bigint | undefined;
}

/** What an expression evaluates to. `bits` is always the unsigned 64-bit pattern. */
export type ExprValue =
  | { readonly kind: 'int'; readonly bits: bigint; readonly type: IntType; readonly lvalue?: LValue }
  | { readonly kind: 'bytes'; readonly addr: bigint; readonly bytes: Uint8Array; readonly lvalue: LValue }
  | { readonly kind: 'map'; readonly map: ExprMap };

/** Where an expression is evaluated: one frame of a stopped or running program. */
export interface ExprEnv {
  /** Register 0…11 of the frame; undefined where an outer frame's value is lost to the call it waits in. */
  readRegister(reg: number): bigint | undefined;
  /** Message of refusal, or undefined when written. */
  writeRegister(reg: number, value: bigint): string | undefined;
  /** Fields of the frame's current (original) instruction; `imm` sign-extended, or all 64 bits of a wide one. */
  currentInsn(): { dst: number; src: number; off: number; imm: bigint } | undefined;
  /** Bytes at an address, whatever the program itself may do there; undefined: not mapped. */
  readMemory(addr: bigint, size: number): Uint8Array | undefined;
  writeMemory(addr: bigint, bytes: Uint8Array): boolean;
  /** Says why an access fails, naming the nearest object. */
  explainMemory(addr: bigint, size: number): string;
  /** Constants of the file (`.equ`) and of the uapi. */
  constant(name: string): bigint | undefined;
  map(name: string): ExprMap | undefined;
  /** Named addresses: `packet`, `packet_end`, `ctx`. */
  address(name: string): bigint | undefined;
  /** Every name that would have been right, for suggestions. */
  names(): Iterable<string>;
}

/** What an expression is allowed to do. */
export interface EvalOptions {
  /** `r1 = 5` is allowed (debug console). */
  readonly assignments: boolean;
}

/** A value with the tree that gave it, or what is wrong and where. */
export type EvalResult =
  | { readonly ok: true; readonly value: ExprValue; readonly expr: Expr; readonly assigned?: LValue }
  | { readonly ok: false; readonly error: ExprError };

const U64 = 0xffff_ffff_ffff_ffffn;

/**
 * Parses and evaluates an expression: u64 arithmetic that wraps around; signed only where both operands
 * are signed (C's rule, at 64 bits). Never throws on any text.
 */
export function evaluateExpression(text: string, env: ExprEnv, options: EvalOptions): EvalResult {
  const parsed = parseExpression(text);
  return parsed.ok ? evaluateParsed(parsed.expr, env, options) : parsed;
}

/** The same for an expression that has been parsed before: conditions are evaluated very often. */
export function evaluateParsed(expr: Expr, env: ExprEnv, options: EvalOptions): EvalResult {
  try {
    if (expr.kind !== 'assign') return { ok: true, value: evaluate(expr, env), expr };
    if (!options.assignments) {
      throw new Failure('an assignment is possible in the debug console only; compare with ==', expr.at);
    }
    return { ok: true, ...assign(expr, env), expr };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, error: { message: error.message, at: error.at } };
    throw error;
  }
}

/** Writes the value of expression `valueText` to the place `targetText` names. */
export function assignExpression(targetText: string, valueText: string, env: ExprEnv): EvalResult {
  const target = parseExpression(targetText);
  if (!target.ok) return target;
  const value = parseExpression(valueText);
  if (!value.ok) return value;
  const expr: Expr & { kind: 'assign' } = {
    kind: 'assign',
    op: '',
    target: target.expr,
    value: value.expr,
    at: target.expr.at,
  };
  try {
    return { ok: true, ...assign(expr, env), expr };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, error: { message: error.message, at: error.at } };
    throw error;
  }
}

/** Unwinds to `evaluateExpression`; never leaves this file. */
class Failure extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

function evaluate(expr: Expr, env: ExprEnv): ExprValue {
  switch (expr.kind) {
    case 'number':
      return { kind: 'int', bits: expr.value, type: expr.value >> 63n ? 'u64' : 's64' };
    case 'string':
      throw new Failure('a string of bytes can only be a key or a new value: routes["0a000001"]', expr.at);
    case 'name':
      return evaluateName(expr.name, expr.at, env);
    case 'unary':
      return evaluateUnary(expr, env);
    case 'binary':
      return evaluateBinary(expr, env);
    case 'conditional':
      return evaluate(isTrue(expr.test, env) ? expr.then : expr.otherwise, env);
    case 'cast': {
      const { bits } = intOf(expr.operand, env);
      return { kind: 'int', bits: cutTo(bits, expr.type), type: expr.type };
    }
    case 'deref':
      return readMemory(intOf(expr.operand, env).bits, expr.type, expr.at, env);
    case 'index':
      return evaluateIndex(expr.target, expr.index, expr.at, env);
    case 'call':
      return evaluateCall(expr, env);
    case 'assign':
      throw new Failure('an assignment stands alone; use == to compare', expr.at);
  }
}

const SPECIAL_REGISTERS: ReadonlyMap<string, number> = new Map([
  ['FP', 10],
  ['fp', 10],
  ['AX', 11],
  ['ax', 11],
  ['ARG1', 1],
  ['CTX', 1],
]);

function evaluateName(name: string, at: number, env: ExprEnv): ExprValue {
  const register = registerNamed(name);
  if (register !== undefined) {
    const all = readRegister(register.reg, at, env);
    const lvalue: LValue = { kind: 'register', ...register };
    return register.width === 64
      ? { kind: 'int', bits: all, type: 'u64', lvalue }
      : { kind: 'int', bits: all & 0xffff_ffffn, type: 'u32', lvalue };
  }
  const field = instructionField(name, at, env);
  if (field !== undefined) return field;
  const map = env.map(name);
  if (map !== undefined) return { kind: 'map', map };
  const constant = env.constant(name);
  if (constant !== undefined) return { kind: 'int', bits: BigInt.asUintN(64, constant), type: 's64' };
  const address = env.address(name);
  if (address !== undefined) return { kind: 'int', bits: address, type: 'u64' };
  const near = suggest(name, env.names());
  throw new Failure(
    `"${name}" is no register, constant or map${near === undefined ? ' of this program' : `; did you mean ${near}?`}`,
    at,
  );
}

function readRegister(reg: number, at: number, env: ExprEnv): bigint {
  const value = env.readRegister(reg);
  if (value !== undefined) return value;
  throw new Failure(`r${reg} of this frame is not kept over the call that it waits in`, at);
}

/** `r0`…`r10`, `w0`…`w10` and the kernel's own names for registers; undefined for anything else. */
function registerNamed(name: string): { reg: number; width: 32 | 64 } | undefined {
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
  if (insn === undefined) throw new Failure(`${name} needs a current instruction`, at);
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

function evaluateUnary(expr: Expr & { kind: 'unary' }, env: ExprEnv): ExprValue {
  if (expr.op === '&') return addressOf(expr, env);
  const operand = intOf(expr.operand, env);
  const type: IntType = INT_TYPES[operand.type].signed ? 's64' : 'u64';
  switch (expr.op) {
    case '-':
      return {
        kind: 'int',
        bits: BigInt.asUintN(64, -operand.bits),
        type: expr.operand.kind === 'number' ? 's64' : type,
      };
    case '~':
      return { kind: 'int', bits: ~operand.bits & U64, type };
    case '!':
      return truth(operand.bits === 0n);
    default:
      return { kind: 'int', bits: operand.bits, type };
  }
}

function addressOf(expr: Expr & { kind: 'unary' }, env: ExprEnv): ExprValue {
  const value = evaluate(expr.operand, env);
  const lvalue = value.kind === 'map' ? undefined : value.lvalue;
  if (lvalue === undefined || lvalue.kind === 'register') {
    throw new Failure('only memory has an address: &ports[80], &*(u32 *)(r1 + 4)', expr.at);
  }
  return { kind: 'int', bits: lvalue.addr, type: 'u64' };
}

function evaluateBinary(expr: Expr & { kind: 'binary' }, env: ExprEnv): ExprValue {
  if (expr.op === '&&') return truth(isTrue(expr.left, env) && isTrue(expr.right, env));
  if (expr.op === '||') return truth(isTrue(expr.left, env) || isTrue(expr.right, env));
  const left = intOf(expr.left, env);
  const right = intOf(expr.right, env);
  return compute(expr.op, left, right, expr.at);
}

interface IntValue {
  readonly bits: bigint;
  readonly type: IntType;
}

function compute(op: string, left: IntValue, right: IntValue, at: number): ExprValue {
  const leftSigned = INT_TYPES[left.type].signed;
  const signed = leftSigned && INT_TYPES[right.type].signed;
  const type: IntType = signed ? 's64' : 'u64';
  const result = (bits: bigint, as: IntType = type): ExprValue => ({
    kind: 'int',
    bits: BigInt.asUintN(64, bits),
    type: as,
  });
  const a = signed ? BigInt.asIntN(64, left.bits) : left.bits;
  const b = signed ? BigInt.asIntN(64, right.bits) : right.bits;
  const shift = right.bits & 63n;
  switch (op) {
    case '+':
      return result(a + b);
    case '-':
      return result(a - b);
    case '*':
      return result(a * b);
    case '/':
    case '%':
      if (b === 0n) throw new Failure(`${op === '/' ? 'division' : 'remainder'} by zero`, at);
      return result(op === '/' ? a / b : a % b);
    case '<<':
      return result(left.bits << shift, leftSigned ? 's64' : 'u64');
    case '>>':
      return leftSigned
        ? result(BigInt.asIntN(64, left.bits) >> shift, 's64')
        : result(left.bits >> shift, 'u64');
    case '&':
      return result(left.bits & right.bits);
    case '|':
      return result(left.bits | right.bits);
    case '^':
      return result(left.bits ^ right.bits);
    default:
      return truth(compare(op, left.bits, right.bits, signed));
  }
}

function compare(op: string, left: bigint, right: bigint, signed: boolean): boolean {
  const asSigned = signed || op.startsWith('s');
  const a = asSigned ? BigInt.asIntN(64, left) : left;
  const b = asSigned ? BigInt.asIntN(64, right) : right;
  switch (op.replace('s', '')) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}

function truth(value: boolean): ExprValue {
  return { kind: 'int', bits: value ? 1n : 0n, type: 's64' };
}

function isTrue(expr: Expr, env: ExprEnv): boolean {
  return intOf(expr, env).bits !== 0n;
}

function intOf(expr: Expr, env: ExprEnv): IntValue {
  const value = evaluate(expr, env);
  if (value.kind === 'int') return value;
  if (value.kind === 'map') {
    throw new Failure(`${value.map.name} is a map; look up an entry: ${value.map.name}[0]`, expr.at);
  }
  throw new Failure(
    `the value has ${value.bytes.length} bytes; read a part of it: *(u32 *)(&… + 0)`,
    expr.at,
  );
}

/** Cuts to the type's width and extends to 64 bits again, by its sign; `be…` swaps the bytes. */
function cutTo(bits: bigint, type: IntType): bigint {
  const { bits: width, signed, big } = INT_TYPES[type];
  const cut = BigInt.asUintN(width, bits);
  const swapped = big ? fromBytes(toBytes(cut, width / 8, false), true) : cut;
  return BigInt.asUintN(64, signed ? BigInt.asIntN(width, swapped) : swapped);
}

function readMemory(addr: bigint, type: IntType, at: number, env: ExprEnv): ExprValue {
  const { bits, signed, big } = INT_TYPES[type];
  const bytes = env.readMemory(addr, bits / 8);
  if (bytes === undefined) throw new Failure(env.explainMemory(addr, bits / 8), at);
  const value = fromBytes(bytes, big);
  return {
    kind: 'int',
    bits: BigInt.asUintN(64, signed ? BigInt.asIntN(bits, value) : value),
    type,
    lvalue: { kind: 'memory', addr, type },
  };
}

function evaluateIndex(target: Expr, index: Expr, at: number, env: ExprEnv): ExprValue {
  const value = evaluate(target, env);
  if (value.kind === 'bytes') {
    const offset = intOf(index, env).bits;
    if (offset >= BigInt(value.bytes.length)) {
      throw new Failure(`byte ${offset} is outside: the value has ${value.bytes.length} bytes`, index.at);
    }
    return readMemory(value.addr + offset, 'u8', at, env);
  }
  if (value.kind !== 'map') throw new Failure('only maps have entries: ports[80]', at);
  const addr = lookUp(value.map, index, env);
  if (addr === undefined) {
    throw new Failure(`${value.map.name} has no entry with this key (map_lookup gives 0 instead)`, index.at);
  }
  const type = ({ 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' } as const)[value.map.valueSize];
  if (type !== undefined) return readMemory(addr, type, at, env);
  const bytes = env.readMemory(addr, value.map.valueSize);
  if (bytes === undefined) throw new Failure(env.explainMemory(addr, value.map.valueSize), at);
  return { kind: 'bytes', addr, bytes, lvalue: { kind: 'bytes', addr, size: bytes.length } };
}

function evaluateCall(expr: Expr & { kind: 'call' }, env: ExprEnv): ExprValue {
  if (expr.name !== 'map_lookup' && expr.name !== 'bpf_map_lookup_elem') {
    throw new Failure(`"${expr.name}" cannot be called; there is map_lookup(MAP, KEY)`, expr.at);
  }
  const [mapExpr, key] = expr.args;
  if (mapExpr === undefined || key === undefined || expr.args.length !== 2) {
    throw new Failure('map_lookup takes a map and a key: map_lookup(ports, 80)', expr.at);
  }
  const value = evaluate(mapExpr, env);
  if (value.kind !== 'map') throw new Failure('the first argument must be a map', mapExpr.at);
  return { kind: 'int', bits: lookUp(value.map, key, env) ?? 0n, type: 'u64' };
}

function lookUp(map: ExprMap, key: Expr, env: ExprEnv): bigint | undefined {
  if (key.kind === 'string') {
    const bytes = bytesOfHex(key.text);
    if (bytes?.length !== map.keySize) {
      throw new Failure(
        `a key of ${map.name} has ${map.keySize} bytes: write ${map.keySize * 2} hex digits`,
        key.at,
      );
    }
    return map.valueAddr(bytes);
  }
  const { bits } = intOf(key, env);
  if (map.keySize > 8) {
    throw new Failure(
      `a key of ${map.name} has ${map.keySize} bytes: write it in hex, ${map.name}["${'00'.repeat(map.keySize)}"]`,
      key.at,
    );
  }
  const width = map.keySize * 8;
  if (bits !== BigInt.asUintN(width, bits) && bits !== BigInt.asUintN(64, BigInt.asIntN(width, bits))) {
    throw new Failure(
      `a key of ${map.name} has ${map.keySize} bytes; 0x${bits.toString(16)} does not fit`,
      key.at,
    );
  }
  return map.valueAddr(toBytes(bits, map.keySize, false));
}

function assign(expr: Expr & { kind: 'assign' }, env: ExprEnv): { value: ExprValue; assigned: LValue } {
  const old = evaluate(expr.target, env);
  const lvalue = old.kind === 'map' ? undefined : old.lvalue;
  if (lvalue === undefined) {
    throw new Failure('cannot be written; a register, memory or a map value can', expr.target.at);
  }
  if (lvalue.kind === 'bytes') {
    writeBytes(lvalue, expr.value, env);
  } else {
    const right = intOf(expr.value, env);
    const result =
      expr.op === '' || old.kind !== 'int' ? right : (compute(expr.op, old, right, expr.at) as IntValue);
    writePlace(lvalue, result.bits, expr.target.at, env);
  }
  return { value: evaluate(expr.target, env), assigned: lvalue };
}

function writePlace(
  lvalue: Exclude<LValue, { kind: 'bytes' }>,
  bits: bigint,
  at: number,
  env: ExprEnv,
): void {
  if (lvalue.kind === 'register') {
    const refusal = env.writeRegister(lvalue.reg, lvalue.width === 32 ? bits & 0xffff_ffffn : bits);
    if (refusal !== undefined) throw new Failure(refusal, at);
    return;
  }
  const { bits: width, big } = INT_TYPES[lvalue.type];
  const bytes = toBytes(BigInt.asUintN(width, bits), width / 8, big);
  if (!env.writeMemory(lvalue.addr, bytes)) throw new Failure(env.explainMemory(lvalue.addr, width / 8), at);
}

function writeBytes(lvalue: LValue & { kind: 'bytes' }, value: Expr, env: ExprEnv): void {
  const bytes = value.kind === 'string' ? bytesOfHex(value.text) : undefined;
  if (bytes?.length !== lvalue.size) {
    throw new Failure(
      `write the ${lvalue.size} bytes in hex between quotes: "${'00'.repeat(lvalue.size)}"`,
      value.at,
    );
  }
  if (!env.writeMemory(lvalue.addr, bytes))
    throw new Failure(env.explainMemory(lvalue.addr, lvalue.size), value.at);
}

function fromBytes(bytes: Uint8Array, big: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) {
    value = (value << 8n) | BigInt(bytes[big ? i : bytes.length - 1 - i] ?? 0);
  }
  return value;
}

function toBytes(value: bigint, size: number, big: boolean): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[big ? size - 1 - i : i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
}
