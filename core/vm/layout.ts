/**
 * Where the machine's state lies in its linear memory. Every engine reads and writes these places, so
 * that one can take over from another at any stop.
 *
 *     0x0000  never used: a linear address of 0 means "none"
 *     0x0040  header
 *             +0   region table: byte address       u32
 *             +4   region table: entries in use     u32   (index 0 is never a region)
 *             +8   clock base, ns                   u64
 *             +16  number of CPUs                   u32
 *     0x1000  CPU block of CPU 0
 *     0x1400  CPU block of CPU 1 …
 *     then    static per-CPU variables, 0x40 bytes a CPU (per-cpu.ts)
 *     then    blocks given out by the allocator (region table, regions, maps)
 *
 * One CPU block (0x400 bytes):
 *
 *     +0x000  R0   u64        +0x060  pc, xlated slot              u32
 *     +0x008  R1   u64        +0x064  program id                   u32
 *       …                     +0x068  depth (0: main)              u32
 *     +0x050  R10  u64        +0x06c  tail calls made              u32
 *     +0x058  AX   u64        +0x070  instructions executed        u64
 *                             +0x078  control word                 i32   (CONTROL_…; others set it)
 *                             +0x07c  registers with a value       u32   (bit n: Rn)
 *                             +0x080  random generator             4 × u32
 *                             +0x090  region id of stack frame 0   u32
 *                             +0x094  high word of the offset of its per-CPU data   i32
 *                                     (the low word is 0; 0 before PerCpuArea is made)
 *                             +0x0c0  words of the engine that runs; of no meaning between runs
 *     +0x100  frame records, 8 × 0x50; record of frame k:
 *             +0x00  R6 … R9 of its caller                        4 × u64
 *             +0x20  slot to return to in its caller               u32
 *             +0x24  program id of its caller                      u32
 *             +0x28  first slot of its function                    u32
 *             +0x2c  may_goto iterations left                      u32
 *             +0x30  caller's registers with a value               u32
 *             +0x34  a word of the engine that runs, 0 between runs         u32
 *             +0x40  the 16 bytes below fp - 512, for may_goto            2 × u64
 *
 * A u64 is little endian: low word first. One entry of the region table (16 bytes):
 *
 *     +0  linear address of the first byte    u32
 *     +4  size in bytes                       u32   (0: nothing accessible)
 *     +8  what programs may do (PERM_… bits)  u32
 *     +12 linear address of the shadow        u32   (0: none; only stack frames have one)
 *
 * The shadow of a stack frame: 512 bytes, 1 where the byte was written since the frame was entered; then
 * 8 bytes, not 0 where one of the 64 shadow bytes that it stands for is 1, so that clearing is quick.
 */

export const HEADER = 0x40;
export const HEADER_REGION_TABLE = HEADER + 0;
export const HEADER_REGION_COUNT = HEADER + 4;
export const HEADER_CLOCK_BASE = HEADER + 8;
export const HEADER_N_CPUS = HEADER + 16;

const CPU_BLOCKS = 0x1000;
const CPU_BLOCK_SIZE = 0x400;

/** CPUs a machine can have. */
export const MAX_CPUS = 64;

/** Byte address of CPU `cpu`'s block. R0 is its first word, so it is the register block's address too. */
export function cpuBlock(cpu: number): number {
  return CPU_BLOCKS + cpu * CPU_BLOCK_SIZE;
}

/** First byte behind the fixed part for a machine of `nCpus`. */
export function fixedPartEnd(nCpus: number): number {
  return perCpuBlock(nCpus, nCpus);
}

/** Bytes of the static per-CPU variables of one CPU. */
export const PER_CPU_SIZE = 0x40;

/** Byte address of the static per-CPU variables of CPU `cpu` in a machine of `nCpus`. */
export function perCpuBlock(nCpus: number, cpu: number): number {
  return cpuBlock(nCpus) + cpu * PER_CPU_SIZE;
}

/** Byte offset of register `n` (0 … 10; 11 is AX) in the CPU block. */
export function regOffset(n: number): number {
  return n * 8;
}

export const CPU_R0 = 0x000;
export const CPU_R10 = 0x050;
export const CPU_PC = 0x060;
export const CPU_PROG = 0x064;
export const CPU_DEPTH = 0x068;
export const CPU_TAIL_CALLS = 0x06c;
export const CPU_EXECUTED = 0x070;
export const CPU_CONTROL = 0x078;
export const CPU_INITIALISED = 0x07c;
export const CPU_RANDOM = 0x080;
export const CPU_STACK_REGION = 0x090;
export const CPU_THIS_CPU_OFF_HI = 0x094;
export const CPU_COMPILED = 0x0c0;

export const CONTROL_GO = 0;
export const CONTROL_PAUSE = 1;

const CPU_FRAMES = 0x100;
const FRAME_SIZE = 0x50;
export const FRAME_SAVED = 0x00;
export const FRAME_RETURN = 0x20;
export const FRAME_CALLER_PROG = 0x24;
export const FRAME_START = 0x28;
export const FRAME_MAY_GOTO = 0x2c;
export const FRAME_CALLER_INITIALISED = 0x30;
export const FRAME_BELOW = 0x40;

/** Byte address of frame `depth`'s record in the CPU block at `block`. */
export function frameRecord(block: number, depth: number): number {
  return block + CPU_FRAMES + depth * FRAME_SIZE;
}

/** Bytes below a frame that rewritten code keeps the counter of `may_goto` in when the frame is full: `FRAME_BELOW`. */
export const FRAME_BELOW_SIZE = 16;
/** Frames a call chain can have (the kernel's MAX_CALL_FRAMES). */
export const MAX_CALL_FRAMES = 8;
/** Bytes of one stack frame (the kernel's MAX_BPF_STACK). */
export const MAX_BPF_STACK = 512;
/** Tail calls that one run can make (the kernel's MAX_TAIL_CALL_CNT). */
export const MAX_TAIL_CALL_CNT = 33;
/** Times that the `may_goto`s of one frame fall through (the kernel's BPF_MAX_LOOPS). */
export const BPF_MAX_LOOPS = 8 * 1024 * 1024;

export const REGION_ENTRY_SHIFT = 4;
export const REGION_BASE = 0;
export const REGION_SIZE = 4;
export const REGION_PERM = 8;
export const REGION_SHADOW = 12;
/** Offset in a shadow of the bytes that stand for 64 each, and its size. */
export const SHADOW_GROUPS = 512;
export const SHADOW_GROUP_SHIFT = 6;
export const SHADOW_SIZE = 520;
export const PERM_READ = 1;
export const PERM_WRITE = 2;

/** Address of window 0. */
export const WINDOW_BASE = 0xffff8800_00000000n;
/** Upper word, as a signed number, of the address of window 0: data is at 0xffff8800_00000000 + (region << 32). */
export const WINDOW_HI = 0xffff8800 | 0;
/** Regions that can exist at once, and the highest window number. */
export const MAX_WINDOWS = 0x7000;

/** Upper word of the addresses of program-local functions (`functionAddress`). */
export const FUNCTION_HI = 0xffffffff | 0;

/**
 * Low word of the address that stands for the function at slot `slot` of program `progId`: a number in
 * 0xffffffff_80000000 …, where nothing can be read, which a 32-bit sign-extended immediate reaches.
 * 20 bits of slot, 11 of program id.
 */
export function functionAddressLo(progId: number, slot: number): number {
  return 0x80000000 | ((progId & 0x7ff) << 20) | (slot & 0xfffff);
}
