import { AddressSpace } from './address-space.ts';
import { VirtualClock } from './clock.ts';
import { Cpu } from './cpu.ts';
import * as layout from './layout.ts';
import { LifeCycleTrace } from './life-cycle.ts';
import type { BpfMap } from './map.ts';
import { LinearMemory } from './memory.ts';
import { PerCpuArea } from './per-cpu.ts';
import type { ExecProg } from './program.ts';
import { SeededRandom } from './random.ts';
import { DEFAULT_SETTINGS, type HashHost, type KernelSettings } from './settings.ts';
import { Tracepoints } from './tracepoints.ts';

/** What a machine is made with. */
export interface MachineOptions {
  /** Whether the memory is shared with other threads. */
  readonly shared: boolean;
  /** 1 … 64; 1 when not told. */
  readonly nCpus?: number;
  /** Seed of the random generators, cut to 64 bits; 0 when not told. */
  readonly seed?: bigint | number;
  /** Most bytes of linear memory; 1 GiB when not told. */
  readonly maxMemory?: number;
  /** What differs from DEFAULT_SETTINGS. */
  readonly settings?: Partial<KernelSettings>;
  /** Seed of the keys that constants are blinded with, cut to 64 bits; `seed` when not told. */
  readonly blindSeed?: bigint | number;
  /** The platform's hash functions; without them programs have no tag. */
  readonly hash?: HashHost | undefined;
  /** Number of the thread that drives the machine, 1 … 2^31 − 1: what locks hold while it holds them. 1 when not told. */
  readonly thread?: number;
}

const DEFAULT_MAX_MEMORY = 2 ** 30;
/** Lines of `bpf_trace_printk` kept, oldest dropped first: the kernel's trace buffer is a ring too. */
const MAX_OUTPUT_LINES = 10_000;

/**
 * A simulated kernel's BPF side: memory, address space, CPUs, loaded programs and maps, time and chance.
 * It does no I/O; the same options and the same calls give the same results.
 */
export class Machine {
  readonly memory: LinearMemory;
  readonly space: AddressSpace;
  readonly cpus: readonly Cpu[];
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** Loaded programs by id. */
  readonly progs = new Map<number, ExecProg>();
  /** Maps by id. */
  readonly maps = new Map<number, BpfMap>();
  /** Lines that programs printed with `bpf_trace_printk`, in order. */
  readonly output: string[] = [];
  /** Whether runs are counted (the kernel's `bpf_stats_enabled_key`). */
  statsEnabled = true;
  readonly settings: KernelSettings;
  /** Unsigned 64 bits. */
  readonly blindSeed: bigint;
  readonly hash: HashHost | undefined;
  readonly thread: number;
  /** Tracepoints that helpers fire, with the programs attached to them. */
  readonly tracepoints = new Tracepoints();
  /** Calls of the functions that load, rewrite and free programs. */
  readonly lifeCycle = new LifeCycleTrace();
  /** What programs hold: pages of program objects, and the objects beside them. */
  readonly progAccount = { pages: 0, objects: 0 };
  #nextProgId = 1;
  #nextMapId = 1;
  #perCpu: PerCpuArea | undefined;

  constructor(options: MachineOptions) {
    const nCpus = options.nCpus ?? 1;
    if (!Number.isInteger(nCpus) || nCpus < 1 || nCpus > layout.MAX_CPUS) {
      throw new RangeError(`a machine has 1 … ${layout.MAX_CPUS} CPUs, not ${nCpus}`);
    }
    this.memory = new LinearMemory({
      shared: options.shared,
      reserved: layout.fixedPartEnd(nCpus),
      limit: options.maxMemory ?? DEFAULT_MAX_MEMORY,
    });
    this.memory.view.setUint32(layout.HEADER_N_CPUS, nCpus, true);
    this.space = new AddressSpace(this.memory);
    this.cpus = Array.from({ length: nCpus }, (_, index) => new Cpu(this, index));
    for (const cpu of this.cpus) this.#allocStack(cpu);
    this.clock = new VirtualClock(this.memory);
    const seed = BigInt.asUintN(64, BigInt(options.seed ?? 0));
    this.random = new SeededRandom(this.memory, nCpus, seed);
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.blindSeed = BigInt.asUintN(64, BigInt(options.blindSeed ?? seed));
    this.hash = options.hash;
    this.thread = options.thread ?? 1;
  }

  /** CPU `index`; throws RangeError when the machine does not have it. */
  cpu(index: number): Cpu {
    const cpu = this.cpus[index];
    if (cpu === undefined) throw new RangeError(`CPU ${index}: the machine has ${this.cpus.length}`);
    return cpu;
  }

  /** The static per-CPU variables; put into the address space at the first call. Throws MemoryLimitError. */
  perCpu(): PerCpuArea {
    this.#perCpu ??= new PerCpuArea(this.space, this.memory, this.nCpus);
    return this.#perCpu;
  }

  get nCpus(): number {
    return this.cpus.length;
  }

  /** A program id that was never used. */
  takeProgId(): number {
    return this.#nextProgId++;
  }

  /** A map id that was never used. */
  takeMapId(): number {
    return this.#nextMapId++;
  }

  /**
   * Puts CPU `cpu` before slot 0 of `prog` (which must be in `progs`): registers, frames, stack and
   * counters as at the start of a run, R1 (and R2) as given, R10 the main frame's end. Where an extension
   * replaces its main function, it stands before slot 0 of that.
   */
  enter(cpu: number | Cpu, prog: ExecProg, r1: bigint, r2?: bigint): void {
    const target = typeof cpu === 'number' ? this.cpu(cpu) : cpu;
    if (this.progs.get(prog.id) !== prog) throw new RangeError(`program ${prog.name} is not loaded here`);
    this.clock.advance(target.insnsExecuted);
    const view = this.memory.view;
    const { block } = target;
    this.memory.bytes.fill(0, block, block + layout.CPU_CONTROL);
    view.setUint32(block + layout.CPU_PROG, (prog.extensions?.get(0) ?? prog).id, true);
    view.setUint32(block + layout.CPU_INITIALISED, 0, true);
    target.writeReg(1, r1);
    if (r2 !== undefined) target.writeReg(2, r2);
    for (let depth = 0; depth < layout.MAX_CALL_FRAMES; depth++) leaveFrame(this.memory, block, depth);
    enterFrame(this.memory, block, 0, 0);
    view.setUint32(block + layout.CPU_INITIALISED, target.regInitialised | (1 << 10), true);
  }

  /** Adds what a program printed to `output`; a text of several lines gives several. */
  print(text: string): void {
    this.output.push(...text.replace(/\n$/, '').split('\n'));
    // not splice: it moves all lines each time, and takes a hundred times as long
    while (this.output.length > MAX_OUTPUT_LINES) this.output.shift();
  }

  #allocStack(cpu: Cpu): void {
    for (let depth = 0; depth < layout.MAX_CALL_FRAMES; depth++) {
      const name = (): string => cpu.stackName(depth);
      const options = { kind: 'stack', size: layout.MAX_BPF_STACK, perm: 'rw', shadow: true } as const;
      const region = this.space.alloc({ name, ...options });
      if (depth === 0) this.memory.view.setUint32(cpu.block + layout.CPU_STACK_REGION, region.id, true);
      leaveFrame(this.memory, cpu.block, depth);
    }
  }
}

/**
 * Makes frame `depth` of the CPU block at `block` accessible, zeroed, and points R10 at its end; its
 * function starts at slot `start`. Zeroed, because what an earlier run left there must not show.
 */
export function enterFrame(memory: LinearMemory, block: number, depth: number, start: number): void {
  const { view } = memory;
  const id = view.getUint32(block + layout.CPU_STACK_REGION, true) + depth;
  const entry = regionEntry(view, id);
  const base = view.getUint32(entry + layout.REGION_BASE, true);
  clearWritten(memory, base, view.getUint32(entry + layout.REGION_SHADOW, true));
  view.setUint32(entry + layout.REGION_SIZE, layout.MAX_BPF_STACK, true);
  view.setInt32(block + layout.CPU_R10, layout.MAX_BPF_STACK, true);
  view.setInt32(block + layout.CPU_R10 + 4, (layout.WINDOW_HI + id) | 0, true);
  const record = layout.frameRecord(block, depth);
  view.setUint32(record + layout.FRAME_START, start, true);
  view.setUint32(record + layout.FRAME_MAY_GOTO, layout.BPF_MAX_LOOPS, true);
}

/** Zeroes the bytes of a frame that its shadow says were written, and the shadow. */
function clearWritten(memory: LinearMemory, base: number, shadow: number): void {
  const group = 1 << layout.SHADOW_GROUP_SHIFT;
  for (let offset = 0; offset < layout.MAX_BPF_STACK; offset += group) {
    const mark = shadow + layout.SHADOW_GROUPS + (offset >> layout.SHADOW_GROUP_SHIFT);
    if (memory.view.getUint8(mark) === 0) continue;
    memory.view.setUint8(mark, 0);
    memory.bytes.fill(0, base + offset, base + offset + group);
    memory.bytes.fill(0, shadow + offset, shadow + offset + group);
  }
}

/** Takes frame `depth`'s bytes away: pointers into it fault from now on. R10 is the caller's business. */
export function leaveFrame(memory: LinearMemory, block: number, depth: number): void {
  const { view } = memory;
  const id = view.getUint32(block + layout.CPU_STACK_REGION, true) + depth;
  view.setUint32(regionEntry(view, id) + layout.REGION_SIZE, 0, true);
}

function regionEntry(view: DataView, id: number): number {
  return view.getUint32(layout.HEADER_REGION_TABLE, true) + (id << layout.REGION_ENTRY_SHIFT);
}
