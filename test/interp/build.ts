import type { StopCause } from '#core/interp/engine.ts';
import { rowById } from '#core/isa/decode.ts';
import { type Insn, writeInsn } from '#core/isa/insn.ts';
import type { InsnId } from '#core/isa/table.ts';
import { BreakpointBytes } from '#core/vm/breakpoint-bytes.ts';
import { Machine, type MachineOptions } from '#core/vm/machine.ts';
import type { ExecProg, Subprog } from '#core/vm/program.ts';
import { underTest } from '../engines.ts';

export interface Operands {
  readonly dst?: number;
  readonly src?: number;
  readonly off?: number;
  readonly imm?: number;
  /** Upper half of a wide instruction. */
  readonly hi?: number;
}

/** The slots of one instruction; fields that its row requires are filled in. */
export function insn(id: InsnId, operands: Operands = {}): Insn[] {
  const row = rowById(id);
  const field = (required: unknown, given: number | undefined): number =>
    typeof required === 'number' ? required : (given ?? 0);
  const first = {
    opcode: row.opcode,
    dst: field(row.dst, operands.dst),
    src: field(row.src, operands.src),
    off: field(row.off, operands.off),
    imm: field(row.imm, operands.imm),
  };
  if (!row.wide) return [first];
  return [first, { opcode: 0, dst: 0, src: 0, off: 0, imm: operands.hi ?? 0 }];
}

/** `rN = value`, all 64 bits. */
export function lddw(dst: number, value: bigint): Insn[] {
  const imm = Number(BigInt.asIntN(32, value));
  return insn('lddw', { dst, imm, hi: Number(BigInt.asIntN(32, value >> 32n)) });
}

export const EXIT = insn('exit');

export function encode(slots: readonly Insn[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(slots.length * 8);
  for (const [index, slot] of slots.entries()) writeInsn(bytes, index, slot);
  return bytes;
}

export interface ProgOptions {
  readonly name?: string;
  readonly progType?: string;
  readonly subprogs?: readonly Subprog[];
  readonly uninitialisedReads?: ReadonlyMap<number, number>;
  readonly mapIds?: readonly number[];
  readonly arenaAddr?: bigint;
}

/** Registers a program of raw slots with the machine, without the loader's checks. */
export function load(
  machine: Machine,
  slots: readonly Insn[] | Uint8Array,
  options: ProgOptions = {},
): ExecProg {
  const xlated = slots instanceof Uint8Array ? slots : encode(slots);
  const nSlots = xlated.length >> 3;
  const name = options.name ?? 'main';
  const prog: ExecProg = {
    id: machine.takeProgId(),
    name,
    progType: options.progType ?? 'raw',
    xlated,
    origIdx: Uint32Array.from({ length: nSlots }, (_, slot) => slot),
    subprogs: options.subprogs ?? [{ name, start: 0, end: nSlots, stackDepth: 512 }],
    uninitialisedReads: options.uninitialisedReads ?? new Map(),
    breakpoints: new BreakpointBytes(nSlots),
    mapIds: options.mapIds ?? [],
    ...(options.arenaAddr === undefined ? {} : { arenaAddr: options.arenaAddr }),
  };
  machine.progs.set(prog.id, prog);
  return prog;
}

export interface Ran {
  readonly machine: Machine;
  readonly stop: StopCause;
  readonly r0: bigint;
  readonly executed: bigint;
}

/** Runs raw slots on a fresh machine from their start, at most 100,000 instructions. */
export function runSlots(
  slots: readonly Insn[],
  options: ProgOptions & {
    readonly r1?: bigint;
    readonly r2?: bigint;
    readonly machine?: Machine;
    readonly cpu?: number;
  } = {},
): Ran {
  const machine = options.machine ?? newMachine();
  const prog = load(machine, slots, options);
  machine.enter(options.cpu ?? 0, prog, options.r1 ?? 0n, options.r2);
  return go(machine, 100_000, options.cpu);
}

/** Lets a CPU go on without breakpoints. */
export function go(machine: Machine, budget = Number.POSITIVE_INFINITY, cpuIndex = 0): Ran {
  const stop = underTest.engine.run(machine, cpuIndex, { budget, breakpoints: false, resume: false });
  const cpu = machine.cpu(cpuIndex);
  return { machine, stop, r0: cpu.readReg(0), executed: cpu.insnsExecuted };
}

export function newMachine(options: Partial<MachineOptions> = {}): Machine {
  return new Machine({ shared: false, maxMemory: 16 * 2 ** 20, ...options });
}
