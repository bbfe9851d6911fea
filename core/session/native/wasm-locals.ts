import { localNames } from '../../jit/wasm/local-names.ts';
import type { Activation } from '../../wasm-sim/activation.ts';
import type { WasmPlace } from '../../wasm-sim/wasm-sim.ts';
import type { LoadedContext } from '../context-fields.ts';
import { memoryPlace, valueMeaning, valueText } from '../meaning.ts';
import type { VariableRow } from '../target-rows.ts';

/** Where WebAssembly stands, its operand stack from the bottom, and the locals that its function uses. */
export function wasmRows(context: LoadedContext, state: WasmPlace): readonly VariableRow[] {
  const { address, activation } = state;
  const { code, row, stack } = activation;
  const offset = code.offset(row);
  const place = `${functionName(context, activation)}+${offset - code.offset(0)}, byte ${offset} of the module`;
  return [
    fixed('at', `0x${address.toString(16)} ${place}`, 'pointer'),
    ...(stack.length === 0 ? [fixed('operand stack', 'empty', 'stack')] : []),
    ...stack.map((value, i) => valueRow(context, `operand ${i}`, value)),
    ...wasmLocals(state).map(({ name, raw }) => valueRow(context, `$${name}`, raw, `$${name}`)),
  ];
}

/** The locals that the function's code names: names without the `$`, values as they are and unsigned. */
export function wasmLocals({ activation: { code, locals } }: WasmPlace): {
  readonly name: string;
  readonly raw: number | bigint;
  readonly value: bigint;
}[] {
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
