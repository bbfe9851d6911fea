/** What the kernel's x86-64 JIT depends on beside the program: the machine that it runs on. */
export interface X86Config {
  /** Address of `__bpf_call_base`: a call's `imm` is relative to it. */
  readonly callBase: bigint;
  /** Address of the return thunk that functions end with; undefined: a plain `ret`. */
  readonly returnThunk: bigint | undefined;
  /** Address of `__x86_indirect_thunk_rcx` (retpolines); undefined: `jmp rcx`. */
  readonly indirectThunkRcx: bigint | undefined;
  /** Address of the per-CPU variable `this_cpu_off`; its low 32 bits sign-extended must be the address. */
  readonly thisCpuOff: bigint;
  /** The CPU has `SHLX`, `SHRX`, `SARX`. */
  readonly bmi2: boolean;
  /** Indirect branch tracking: landing places begin with `ENDBR64`. */
  readonly ibt: boolean;
  /** Straight-line speculation: `INT3` behind `RET` and behind an indirect `JMP`. */
  readonly sls: boolean;
  /** `offsetof(struct bpf_array, map.max_entries)`. */
  readonly offMaxEntries: number;
  /** `offsetof(struct bpf_array, ptrs)`. */
  readonly offPtrs: number;
  /** `offsetof(struct bpf_prog, bpf_func)`. */
  readonly offBpfFunc: number;
  /** Address of the vsyscall page; a checked load gives 0 there and in the user's part of the address space. */
  readonly vsyscallAddr: bigint;
  /** End of the user's part of the address space, its guard page included. */
  readonly userSpaceEnd: bigint;
}

/** Addresses and offsets of the kernel that the golden vectors were recorded on (Linux 6.18.44, x86-64). */
const LINUX_6_18: X86Config = {
  callBase: 0xffffffff814dccd0n,
  returnThunk: 0xffffffff822701e0n,
  indirectThunkRcx: 0xffffffff8226f5e0n,
  thisCpuOff: 0xffffffff83b0c028n,
  bmi2: true,
  ibt: false,
  sls: false,
  offMaxEntries: 0x4c,
  offPtrs: 0x138,
  offBpfFunc: 0x48,
  vsyscallAddr: 0xffffffffff600000n,
  userSpaceEnd: 0x8000_0000_0000n,
};

/** Configurations by name; the first is the default. */
export const X86_PRESETS = {
  'linux-6.18': LINUX_6_18,
  'linux-6.18-ibt': { ...LINUX_6_18, ibt: true },
  'plain-ret': { ...LINUX_6_18, returnThunk: undefined, indirectThunkRcx: undefined },
} as const satisfies Record<string, X86Config>;

/** Name of a configuration. */
export type X86Preset = keyof typeof X86_PRESETS;
