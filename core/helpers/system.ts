import {
  BPF_FUNC_GET_PRANDOM_U32,
  BPF_FUNC_GET_SMP_PROCESSOR_ID,
  BPF_FUNC_KTIME_GET_NS,
} from '../isa/helper-ids.ts';
import { HelperCall } from './args.ts';
import type { HelperImpl } from './impl.ts';

/** `u64 bpf_ktime_get_ns(void)`: the machine's virtual clock. */
export const bpfKtimeGetNs: HelperImpl = (machine, cpu, regs) =>
  new HelperCall(BPF_FUNC_KTIME_GET_NS, machine, cpu, regs).result64(machine.clock.nowNs(cpu.insnsExecuted));

/** `u64 bpf_ktime_get_boot_ns(void)`: the same, for the machine is never suspended. */
export const bpfKtimeGetBootNs: HelperImpl = bpfKtimeGetNs;

/** `u64 bpf_ktime_get_coarse_ns(void)`: the same; nothing here is cheaper to read. */
export const bpfKtimeGetCoarseNs: HelperImpl = bpfKtimeGetNs;

/** `u32 bpf_get_prandom_u32(void)`: the CPU's seeded generator. */
export const bpfGetPrandomU32: HelperImpl = (machine, cpu, regs) =>
  new HelperCall(BPF_FUNC_GET_PRANDOM_U32, machine, cpu, regs).result(machine.random.next(cpu.index));

/** `u32 bpf_get_smp_processor_id(void)`. */
export const bpfGetSmpProcessorId: HelperImpl = (machine, cpu, regs) =>
  new HelperCall(BPF_FUNC_GET_SMP_PROCESSOR_ID, machine, cpu, regs).result(cpu.index);
