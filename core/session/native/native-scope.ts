import type { LoadedContext } from '../context-fields.ts';
import type { Loaded } from '../loaded.ts';
import type { ScopeRow, VariableRow } from '../target-rows.ts';
import { nativeExecution } from './choose-native.ts';
import { isProcessorRegister, whyNoProcessor } from './processor-registers.ts';

/** The scope of what native code keeps values in, where some is executed: of the innermost frame only. */
export function nativeScope({ loaded, frame }: LoadedContext): ScopeRow | undefined {
  const native = frame?.index === 0 ? nativeExecution(loaded) : undefined;
  if (!native?.canStep) return undefined;
  const named = native.nRows === undefined ? {} : { named: native.nRows };
  return { name: 'Native', container: { kind: 'native' }, ...named, expensive: false };
}

/** Its rows. */
export function nativeRows(context: LoadedContext): readonly VariableRow[] {
  return context.frame?.index === 0 ? (nativeExecution(context.loaded)?.rows(context) ?? []) : [];
}

/**
 * The value of what native code calls `name` (`rax`, `rip`; a local of WebAssembly), unsigned; a text for people: why it
 * has none; undefined: nothing has that name.
 */
export function nativeValue(loaded: Loaded, frameIndex: number, name: string): bigint | string | undefined {
  const native = nativeExecution(loaded);
  if (native === undefined) return whyNoProcessor(loaded, name);
  const value = native.value(name);
  if (typeof value !== 'bigint' || frameIndex === 0) return value;
  return isProcessorRegister(name)
    ? 'the processor has one set of registers: they are those of the innermost frame'
    : 'native code has locals of the innermost frame only';
}

/** Names that have a value, without the `$`. */
export function nativeNames(loaded: Loaded): readonly string[] {
  return nativeExecution(loaded)?.names() ?? [];
}
