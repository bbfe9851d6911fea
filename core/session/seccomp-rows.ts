import { CONVERTED } from '../cbpf/convert.ts';
import { seccompArch } from '../cbpf/seccomp.ts';
import { SECCOMP_ARCH, SECCOMP_DATA_SIZE, SECCOMP_FIELDS } from '../cbpf/seccomp-data.ts';
import { valueName } from '../cbpf/seccomp-flow.ts';
import type { SeccompArch } from '../cbpf/syscalls.ts';
import type { LoadedContext } from './context-fields.ts';
import type { Loaded } from './loaded.ts';
import { memoryPlace, valueText } from './meaning.ts';
import type { VariableRow } from './target-rows.ts';

/** How many rows `seccompRows` gives. */
export const N_SECCOMP_FIELDS = SECCOMP_FIELDS.length;

/** The system call that a seccomp filter judges, as rows of the Context scope. */
export function seccompRows({ loaded, prepared }: LoadedContext): VariableRow[] {
  if (prepared === undefined) return [];
  const bytes = loaded.machine.space.read(prepared.r1, SECCOMP_DATA_SIZE);
  if (bytes === undefined) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const arch = seccompArch(view.getUint32(SECCOMP_ARCH, true));
  return SECCOMP_FIELDS.map(({ name, offset, size }) => {
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
  const bytes = machine.space.read(cpu.readReg(CONVERTED.ctx) + BigInt(SECCOMP_ARCH), 4);
  const arch = bytes && seccompArch(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
  return arch === undefined ? [] : [arch];
}
