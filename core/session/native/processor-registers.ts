import { N_REGISTERS } from '../../isa/registers.ts';
import type { Native } from '../../x86-sim/state.ts';
import { nativeBacktrace, nativeRegisters } from '../../x86-sim/view.ts';
import type { LoadedContext } from '../context-fields.ts';
import type { Loaded } from '../loaded.ts';
import { memoryPlace, valueMeaning, valueText } from '../meaning.ts';
import type { VariableRow } from '../target-rows.ts';

/** rax … r15, rip and the flags. */
export const N_PROCESSOR_ROWS = 18;

const PROCESSOR_REGISTER = /^(r[a-d]x|r[sd]i|r[sb]p|r[89]|r1[0-5]|rip)$/;

/** Whether the processor has a register of that name: `rax` … `r15`, `rip`. */
export function isProcessorRegister(name: string): boolean {
  return PROCESSOR_REGISTER.test(name);
}

/** Why a register of the processor has no value on an engine that is none; undefined: the processor has no such register. */
export function whyNoProcessor({ engine }: Pick<Loaded, 'engine'>, name: string): string | undefined {
  return isProcessorRegister(name)
    ? `a register of the processor, which the engine ${engine.name} has not`
    : undefined;
}

/** The value of a register of the processor. */
export function processorRegister(state: Native, name: string): bigint | undefined {
  const { general, rip } = nativeRegisters(state);
  return name === 'rip' ? rip : general.get(name);
}

/** Names of its registers that have a value: all but the flags. */
export function processorRegisterNames(state: Native): readonly string[] {
  return [...nativeRegisters(state).general.keys(), 'rip'];
}

/** The processor's registers, each with the BPF register that it holds at this moment. */
export function processorRows(
  { loaded, frames, frame }: LoadedContext,
  state: Native,
): readonly VariableRow[] {
  const { rip, general, holds, flags } = nativeRegisters(state);
  const rows = Array.from(general, ([name, value]): VariableRow => {
    const bpf = holds.get(name);
    const meaning = valueMeaning(loaded, frames, frame, value);
    const place = memoryPlace(loaded, value);
    const text = valueText(value, meaning);
    // Amid a BPF instruction it may have another value for a while.
    const isHeld = bpf !== undefined && frame?.view.reg(bpf) === value;
    return {
      name,
      value: isHeld ? `${text} = ${bpf < N_REGISTERS ? `r${bpf}` : 'ax'}` : text,
      type: 'u64',
      evaluateName: `$${name}`,
      readOnly: true,
      ...(place === undefined ? {} : { memory: place }),
    };
  });
  return [
    ...rows,
    {
      name: 'rip',
      value: `0x${rip.toString(16)} ${placeOf(state)}`,
      type: 'pointer',
      evaluateName: '$rip',
      readOnly: true,
    },
    { name: 'flags', value: flags.join(' ') || 'none', type: 'flags', readOnly: true },
  ];
}

/** `main+15` */
function placeOf(state: Native): string {
  const [innermost] = nativeBacktrace(state);
  return innermost === undefined ? '' : `${innermost.name}+${innermost.offset}`;
}
