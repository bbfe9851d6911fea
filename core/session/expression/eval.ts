import { bytesOfHex } from '../../bytes/hex.ts';
import { compute, cutTo, type IntValue, toBytes, truth } from './arithmetic.ts';
import type { ExprError } from './lex.ts';
import { evaluateName, readCell, readMemory } from './names.ts';
import { type Expr, INT_TYPES, type IntType, parseExpression } from './parse.ts';
import { type ExprEnv, ExprFailure, type ExprMap, type ExprValue, type LValue } from './value.ts';

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
      throw new ExprFailure('an assignment is possible in the debug console only; compare with ==', expr.at);
    }
    return { ok: true, ...assign(expr, env), expr };
  } catch (error) {
    if (error instanceof ExprFailure) return { ok: false, error: { message: error.message, at: error.at } };
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
    if (error instanceof ExprFailure) return { ok: false, error: { message: error.message, at: error.at } };
    throw error;
  }
}

function evaluate(expr: Expr, env: ExprEnv): ExprValue {
  switch (expr.kind) {
    case 'number':
      return { kind: 'int', bits: expr.value, type: expr.value >> 63n ? 'u64' : 's64' };
    case 'string':
      throw new ExprFailure(
        'a string of bytes can only be a key or a new value: routes["0a000001"]',
        expr.at,
      );
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
      throw new ExprFailure('an assignment stands alone; use == to compare', expr.at);
  }
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
  const lvalue = 'lvalue' in value ? value.lvalue : undefined;
  if (lvalue === undefined || lvalue.kind === 'register' || lvalue.kind === 'cell') {
    throw new ExprFailure('only memory has an address: &ports[80], &*(u32 *)(r1 + 4)', expr.at);
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

function isTrue(expr: Expr, env: ExprEnv): boolean {
  return intOf(expr, env).bits !== 0n;
}

/** The integer that an expression is. Throws ExprFailure where it is none. */
export function intOf(expr: Expr, env: ExprEnv): IntValue {
  const value = evaluate(expr, env);
  if (value.kind === 'int') return value;
  if (value.kind === 'map') {
    throw new ExprFailure(`${value.map.name} is a map; look up an entry: ${value.map.name}[0]`, expr.at);
  }
  if (value.kind === 'cells') {
    throw new ExprFailure(
      `${value.name} is the scratch memory; name one of its words: ${value.name}[0]`,
      expr.at,
    );
  }
  throw new ExprFailure(
    `the value has ${value.bytes.length} bytes; read a part of it: *(u32 *)(&… + 0)`,
    expr.at,
  );
}

function evaluateIndex(target: Expr, index: Expr, at: number, env: ExprEnv): ExprValue {
  const value = evaluate(target, env);
  if (value.kind === 'bytes') {
    const offset = intOf(index, env).bits;
    if (offset >= BigInt(value.bytes.length)) {
      throw new ExprFailure(`byte ${offset} is outside: the value has ${value.bytes.length} bytes`, index.at);
    }
    return readMemory(value.addr + offset, 'u8', at, env);
  }
  if (value.kind === 'cells') {
    const { first, count } = value.cells;
    const word = intOf(index, env).bits;
    if (word < BigInt(count)) return readCell(first + Number(word), env);
    throw new ExprFailure(
      `${value.name}[${BigInt.asIntN(64, word)}]: there are ${value.name}[0] to ${value.name}[${count - 1}]`,
      index.at,
    );
  }
  if (value.kind !== 'map') throw new ExprFailure('only maps have entries: ports[80]', at);
  const addr = lookUp(value.map, index, env);
  if (addr === undefined) {
    throw new ExprFailure(
      `${value.map.name} has no entry with this key (map_lookup gives 0 instead)`,
      index.at,
    );
  }
  const type = ({ 1: 'u8', 2: 'u16', 4: 'u32', 8: 'u64' } as const)[value.map.valueSize];
  if (type !== undefined) return readMemory(addr, type, at, env);
  const bytes = env.readMemory(addr, value.map.valueSize);
  if (bytes === undefined) throw new ExprFailure(env.explainMemory(addr, value.map.valueSize), at);
  return { kind: 'bytes', addr, bytes, lvalue: { kind: 'bytes', addr, size: bytes.length } };
}

function evaluateCall(expr: Expr & { kind: 'call' }, env: ExprEnv): ExprValue {
  if (expr.name !== 'map_lookup' && expr.name !== 'bpf_map_lookup_elem') {
    throw new ExprFailure(`"${expr.name}" cannot be called; there is map_lookup(MAP, KEY)`, expr.at);
  }
  const [mapExpr, key] = expr.args;
  if (mapExpr === undefined || key === undefined || expr.args.length !== 2) {
    throw new ExprFailure('map_lookup takes a map and a key: map_lookup(ports, 80)', expr.at);
  }
  const value = evaluate(mapExpr, env);
  if (value.kind !== 'map') throw new ExprFailure('the first argument must be a map', mapExpr.at);
  return { kind: 'int', bits: lookUp(value.map, key, env) ?? 0n, type: 'u64' };
}

function lookUp(map: ExprMap, key: Expr, env: ExprEnv): bigint | undefined {
  if (key.kind === 'string') {
    const bytes = bytesOfHex(key.text);
    if (bytes?.length !== map.keySize) {
      throw new ExprFailure(
        `a key of ${map.name} has ${map.keySize} bytes: write ${map.keySize * 2} hex digits`,
        key.at,
      );
    }
    return map.valueAddr(bytes);
  }
  const { bits } = intOf(key, env);
  if (map.keySize > 8) {
    throw new ExprFailure(
      `a key of ${map.name} has ${map.keySize} bytes: write it in hex, ${map.name}["${'00'.repeat(map.keySize)}"]`,
      key.at,
    );
  }
  const width = map.keySize * 8;
  if (bits !== BigInt.asUintN(width, bits) && bits !== BigInt.asUintN(64, BigInt.asIntN(width, bits))) {
    throw new ExprFailure(
      `a key of ${map.name} has ${map.keySize} bytes; 0x${bits.toString(16)} does not fit`,
      key.at,
    );
  }
  return map.valueAddr(toBytes(bits, map.keySize, false));
}

function assign(expr: Expr & { kind: 'assign' }, env: ExprEnv): { value: ExprValue; assigned: LValue } {
  const old = evaluate(expr.target, env);
  const lvalue = 'lvalue' in old ? old.lvalue : undefined;
  if (lvalue === undefined) {
    throw new ExprFailure(notWritable(expr.target), expr.target.at);
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

function notWritable(target: Expr): string {
  if (target.kind !== 'name') return 'cannot be written; a register, memory or a map value can';
  const { name } = target;
  return name.startsWith('$')
    ? `${name} cannot be written: it is the native code's; write the register of the program, r0 to r9`
    : `${name} cannot be written; a register, memory or a map value can`;
}

function writePlace(
  lvalue: Exclude<LValue, { kind: 'bytes' }>,
  bits: bigint,
  at: number,
  env: ExprEnv,
): void {
  if (lvalue.kind === 'register') {
    const refusal = env.writeRegister(lvalue.reg, lvalue.width === 32 ? bits & 0xffff_ffffn : bits);
    if (refusal !== undefined) throw new ExprFailure(refusal, at);
    return;
  }
  if (lvalue.kind === 'cell') {
    const refusal = env.cells()?.write(lvalue.cell, bits & 0xffff_ffffn);
    if (refusal !== undefined) throw new ExprFailure(refusal, at);
    return;
  }
  const { bits: width, big } = INT_TYPES[lvalue.type];
  const bytes = toBytes(BigInt.asUintN(width, bits), width / 8, big);
  if (!env.writeMemory(lvalue.addr, bytes))
    throw new ExprFailure(env.explainMemory(lvalue.addr, width / 8), at);
}

function writeBytes(lvalue: LValue & { kind: 'bytes' }, value: Expr, env: ExprEnv): void {
  const bytes = value.kind === 'string' ? bytesOfHex(value.text) : undefined;
  if (bytes?.length !== lvalue.size) {
    throw new ExprFailure(
      `write the ${lvalue.size} bytes in hex between quotes: "${'00'.repeat(lvalue.size)}"`,
      value.at,
    );
  }
  if (!env.writeMemory(lvalue.addr, bytes))
    throw new ExprFailure(env.explainMemory(lvalue.addr, lvalue.size), value.at);
}
