import type { LoadedContext } from './context-fields.ts';
import type { Loaded } from './loaded.ts';
import { canStepNative, processorState } from './native-place.ts';
import {
  isProcessorRegister,
  N_PROCESSOR_ROWS,
  processorRegister,
  processorRegisterNames,
  processorRows,
} from './processor-registers.ts';
import type { ScopeRow, VariableRow } from './target-rows.ts';
import { wasmLocal, wasmLocalNames, wasmRows } from './wasm-locals.ts';

/** The scope of what native code keeps values in, where some is executed: of the innermost frame only. */
export function nativeScope({ loaded, frame }: LoadedContext): ScopeRow | undefined {
  if (frame?.index !== 0 || !canStepNative(loaded)) return undefined;
  const named = processorState(loaded) === undefined ? {} : { named: N_PROCESSOR_ROWS };
  return { name: 'Native', container: { kind: 'native' }, ...named, expensive: false };
}

/** Its rows: registers of the processor, or locals and operand stack of WebAssembly. */
export function nativeRows(context: LoadedContext): readonly VariableRow[] {
  if (context.frame?.index !== 0) return [];
  return processorState(context.loaded) === undefined ? wasmRows(context) : processorRows(context);
}

/**
 * The value of what native code calls `name` (`rax`, `rip`; a local of WebAssembly), unsigned; a text for people: why it
 * has none; undefined: nothing has that name.
 */
export function nativeValue(loaded: Loaded, frameIndex: number, name: string): bigint | string | undefined {
  const local = wasmLocal(loaded, name);
  if (local === undefined) {
    if (!isProcessorRegister(name)) return undefined;
    const isLocal = /^r\d+$/.test(name) && wasmLocalNames(loaded).length > 0;
    return isLocal ? `the function has no local $${name}` : processorRegister(loaded, frameIndex, name);
  }
  return frameIndex === 0 ? local : 'native code has locals of the innermost frame only';
}

/** Names that have a value, without the `$`. */
export function nativeNames(loaded: Loaded): readonly string[] {
  return [...processorRegisterNames(loaded), ...wasmLocalNames(loaded)];
}
