import { CONVERTED } from '../cbpf/convert.ts';
import { seccompArch } from '../cbpf/seccomp.ts';
import { valueName } from '../cbpf/seccomp-flow.ts';
import type { SeccompArch } from '../cbpf/syscalls.ts';
import type { LoadedContext } from './context-fields.ts';
import type { Loaded } from './loaded.ts';
import { memoryPlace, valueText } from './meaning.ts';
import type { VariableRow } from './target-api.ts';

/** Fields of `struct seccomp_data` (include/uapi/linux/seccomp.h). */
const FIELDS: readonly { readonly name: string; readonly offset: number; readonly size: 4 | 8 }[] = [
  { name: 'nr', offset: 0, size: 4 },
  { name: 'arch', offset: 4, size: 4 },
  { name: 'instruction_pointer', offset: 8, size: 8 },
  ...Array.from({ length: 6 }, (_, i) => ({ name: `args[${i}]`, offset: 16 + 8 * i, size: 8 as const })),
];

/** How many rows `seccompRows` gives. */
export const N_SECCOMP_FIELDS = FIELDS.length;

/** The system call that a seccomp filter judges, as rows of the Context scope. */
export function seccompRows({ loaded, prepared }: LoadedContext): VariableRow[] {
  if (prepared === undefined) return [];
  const bytes = loaded.machine.space.read(prepared.r1, 64);
  if (bytes === undefined) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const arch = seccompArch(view.getUint32(4, true));
  return FIELDS.map(({ name, offset, size }) => {
    const value = size === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
    const meaning =
      size === 4 ? valueName(offset, Number(value), arch === undefined ? [] : [arch]) : undefined;
    const addr = prepared.r1 + BigInt(offset);
    const place = memoryPlace(loaded, addr);
    return {
      name,
      value: valueText(value, meaning),
      type: `u${size * 8}`,
      evaluateName: `*(u${size * 8} *)(0x${addr.toString(16)})`,
      ...(place === undefined ? {} : { memory: place }),
    };
  });
}

/** The architecture of the system call that is judged; empty where its system calls have no names here. */
export function seccompArches({ cpu, machine }: Loaded): readonly SeccompArch[] {
  const bytes = machine.space.read(cpu.readReg(CONVERTED.ctx) + 4n, 4);
  const arch = bytes && seccompArch(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
  return arch === undefined ? [] : [arch];
}
