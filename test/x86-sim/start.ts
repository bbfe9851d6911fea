import { assemble } from '#core/asm/assemble.ts';
import { prepareInput } from '#core/ctx/setup.ts';
import { linkProgram } from '#core/object/link.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { type BpfProg, bpfProgLoad, type LoadOptions } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import type { NativeText } from '#core/x86-sim/native-text.ts';
import type { X86Sim } from '#core/x86-sim/x86-sim.ts';

/** A text as a program to load. Throws when it is wrong. */
export function attrOf(text: string): LoadAttr {
  const assembled = assemble(text, { fileName: 'native.s' });
  const { value, errors } = linkProgram(assembled.value, undefined, { progType: 'xdp' });
  if (value === undefined) throw new Error([...errors, ...assembled.diagnostics].join('\n'));
  return value;
}

/** A program of the type xdp before its first instruction, in a machine of its own. */
export function start(
  engine: X86Sim,
  attr: LoadAttr,
  options: (machine: Machine) => LoadOptions = () => ({}),
): { readonly machine: Machine; readonly prog: BpfProg; readonly text: NativeText } {
  const machine = new Machine({ shared: false });
  const loaded = bpfProgLoad(machine, attr, options(machine));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const { r1, r2 } = prepareInput(machine, 0, loaded.prog, { data: new Uint8Array(64) });
  machine.enter(0, loaded.prog, r1, r2);
  return { machine, prog: loaded.prog, text: engine.text(machine) };
}
