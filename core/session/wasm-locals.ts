import { localNames } from '../jit/wasm/local-names.ts';
import type { Activation } from '../wasm-sim/activation.ts';
import type { LoadedContext } from './context-fields.ts';
import type { Loaded } from './loaded.ts';
import { memoryPlace, valueMeaning, valueText } from './meaning.ts';
import { wasmState } from './native-place.ts';
import type { VariableRow } from './target-rows.ts';

/** The value of a local that the code names `$name`, unsigned; undefined: there is none, or no WebAssembly is executed. */
export function wasmLocal(loaded: Loaded, name: string): bigint | undefined {
  const state = wasmState(loaded);
  return state && localsOf(state.activation).find((local) => local.name === name)?.value;
}

/** The names of its locals, without the `$`; empty where no WebAssembly is executed. */
export function wasmLocalNames(loaded: Loaded): readonly string[] {
  const state = wasmState(loaded);
  return state === undefined ? [] : localsOf(state.activation).map(({ name }) => name);
}

/** Where WebAssembly stands, its operand stack from the bottom, and the locals that its function uses. */
export function wasmRows(context: LoadedContext): readonly VariableRow[] {
  const state = wasmState(context.loaded);
  if (state === undefined) return [];
  const { address, activation } = state;
  const { code, row, stack } = activation;
  const offset = code.offset(row);
  const place = `${functionName(context, activation)}+${offset - code.offset(0)}, byte ${offset} of the module`;
  return [
    fixed('at', `0x${address.toString(16)} ${place}`, 'pointer'),
    ...(stack.length === 0 ? [fixed('operand stack', 'empty', 'stack')] : []),
    ...stack.map((value, i) => valueRow(context, `operand ${i}`, value)),
    ...localsOf(activation).map(({ name, raw }) => valueRow(context, `$${name}`, raw, `$${name}`)),
  ];
}

/** Those that code of its function names. */
function localsOf({ code, locals }: Activation) {
  const nameOf = localNames(code.compiled === undefined ? code.name : undefined);
  return code.usedLocals.map((index) => {
    const raw = locals[index] ?? 0;
    return { name: nameOf(index), raw, value: unsigned(raw) };
  });
}

function functionName({ frame }: LoadedContext, { code }: Activation): string {
  return (code.compiled && frame?.name) ?? code.name;
}

function unsigned(value: number | bigint): bigint {
  return typeof value === 'bigint' ? BigInt.asUintN(64, value) : BigInt(value >>> 0);
}

function valueRow(
  { loaded, frames, frame }: LoadedContext,
  name: string,
  value: number | bigint,
  evaluateName?: string,
): VariableRow {
  const number = unsigned(value);
  const isWide = typeof value === 'bigint';
  const place = isWide ? memoryPlace(loaded, number) : undefined;
  return {
    name,
    // 32 bits are linear addresses and counts: they are no addresses of the program's.
    value: valueText(number, isWide ? valueMeaning(loaded, frames, frame, number) : undefined),
    type: isWide ? 'i64' : 'i32',
    readOnly: true,
    ...(evaluateName === undefined ? {} : { evaluateName }),
    ...(place === undefined ? {} : { memory: place }),
  };
}

function fixed(name: string, value: string, type: string): VariableRow {
  return { name, value, type, readOnly: true };
}
