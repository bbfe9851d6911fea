import { readFileSync } from 'node:fs';
import type { KernelBridge } from '../../core/platform/node/kernel/bridge.ts';

/** The first line of a file of vectors: what of the machine shows in its native code. */
export interface MachineLine {
  readonly kernel: string;
  readonly arch: 'x86-64';
  /** `__bpf_call_base`: helper calls hold their distance from it. */
  readonly call_base: string;
  readonly return_thunk: string;
  readonly indirect_thunk_rcx: string;
  /** Address, from a CPU's start, of its own offset. */
  readonly this_cpu_off: string;
  readonly bmi2: boolean;
  readonly ibt: boolean;
  /** Offsets in `struct bpf_array` and `struct bpf_prog` that tail calls use. */
  readonly off_max_entries: number;
  readonly off_ptrs: number;
  readonly off_bpf_func: number;
  readonly note: string;
}

/**
 * This machine's line. Two addresses come from /proc/kallsyms, which shows them to root, what the JIT compiler chose
 * from the code of a small program, the structs' offsets from `given`, a file of the same kernel version. Throws when
 * one of them is not to be had.
 */
export function machineLine(given: MachineLine, kernel: KernelBridge): MachineLine {
  const version = (text: string): string => text.split('-')[0] ?? text;
  if (version(kernel.release) !== version(given.kernel)) {
    throw new Error(
      `the struct offsets are those of Linux ${version(given.kernel)}; this is ${kernel.release}`,
    );
  }
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  return {
    kernel: kernel.release,
    arch: 'x86-64',
    call_base: kernelSymbol('__bpf_call_base'),
    indirect_thunk_rcx: kernelSymbol('__x86_indirect_thunk_rcx'),
    ...fromNativeCode(kernel),
    bmi2: flags.includes('bmi2'),
    off_max_entries: given.off_max_entries,
    off_ptrs: given.off_ptrs,
    off_bpf_func: given.off_bpf_func,
    note: 'one JSON object a line; see README.md',
  };
}

/** `call bpf_get_smp_processor_id; exit`: its code adds the CPU's offset and returns through the thunk. */
const CPU_NUMBER = Uint8Array.of(0x85, 0, 0, 0, 8, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
/** `add rax, gs:[disp32]` */
const ADD_THIS_CPU_OFF = '6548030425';
const ENDBR64 = 'f30f1efa';
const JMP_REL32 = 0xe9;

function fromNativeCode(kernel: KernelBridge): Pick<MachineLine, 'return_thunk' | 'this_cpu_off' | 'ibt'> {
  const prog = kernel.load({ insns: CPU_NUMBER, progType: 'sched_cls' });
  if (prog.refused) throw new Error(kernel.refusalText(prog));
  const { jited, jitedKsyms } = kernel.progInfo(prog);
  kernel.close(prog);
  const code = Buffer.from(jited);
  const end = (jitedKsyms[0] ?? 0n) + BigInt(code.length);
  const at = code.toString('hex').indexOf(ADD_THIS_CPU_OFF) / 2;
  if (at < 0 || code.at(-5) !== JMP_REL32) throw new Error(`unknown native code: ${code.toString('hex')}`);
  return {
    return_thunk: hex64(end + BigInt(code.readInt32LE(code.length - 4))),
    this_cpu_off: hex64(BigInt(code.readInt32LE(at + ADD_THIS_CPU_OFF.length / 2))),
    ibt: code.toString('hex').startsWith(ENDBR64),
  };
}

function kernelSymbol(name: string): string {
  const pattern = new RegExp(`^([0-9a-f]+) . ${name}$`, 'm');
  const address = pattern.exec(readFileSync('/proc/kallsyms', 'utf8'))?.[1];
  if (address === undefined || /^0*$/.test(address)) {
    throw new Error(`/proc/kallsyms does not tell the address of ${name}; run as root`);
  }
  return `0x${address}`;
}

function hex64(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}
