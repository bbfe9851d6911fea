import type { Op } from '../../interp/op.ts';
import { INSN_SIZE } from '../../isa/insn.ts';
import type { Machine } from '../../vm/machine.ts';
import type { BpfMap } from '../../vm/map.ts';
import type { ExecProg } from '../../vm/program.ts';
import { type EncodedModule, ModuleBuilder } from '../../wasm/module.ts';
import { I32, PAGE_SIZE } from '../../wasm/opcodes.ts';
import { type CalleeFacts, calleeFacts } from './callees.ts';
import { type EmittedFunction, emitFunction, FUNCTION_TYPE, type FunctionContext } from './emit-function.ts';
import { countReachable, type Flow, flowFrom } from './flow.ts';
import { Inlining } from './inlining.ts';
import { leaveCode, leaveName, leaveType } from './leave-code.ts';
import { CLEAR_TYPE, clearCode, LOOKUP_LOCALS, LOOKUP_TYPE, lookupCode } from './lookup.ts';
import { AX, type JitOp, jitOps } from './ops.ts';
import type { Pointer } from './pointer-facts.ts';
import { RememberedRegions } from './region-caches.ts';

/** Instructions that one function can have: V8 takes long over more, and refuses functions above 7.65 MB. */
export const MAX_FUNCTION_OPS = 50_000;
/** Instructions of all functions together. */
const MAX_PROGRAM_OPS = 200_000;
/** Slots above which nobody counts how many of them can be reached: taking them apart takes much memory. */
const MAX_PROGRAM_SLOTS = 3 * MAX_PROGRAM_OPS;
/** What an access may reach behind the address that is compared with a limit: its offset, and 8 bytes. */
const MAX_OFFSET = 0x7fff + 8;
const MAX_FUNCTION_BYTES = 7_654_321;
const R10 = 10;

/** A function of a compiled module. */
export interface CompiledFunction {
  /** Slot that it begins at. */
  readonly start: number;
  /** Name of its export. */
  readonly name: string;
  /** Instructions that must be left in the budget for it to get anywhere. */
  readonly needs: number;
  /** Bytes of the module where its code begins and ends. */
  readonly codeStart: number;
  readonly codeEnd: number;
  /** By order of code: offset in the module of each instruction's first byte, with its slot; NO_SLOT: code of none. */
  readonly offsets: readonly (readonly [slot: number, offset: number])[];
}

/** A program as a WebAssembly module. */
export interface CompiledProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly functions: readonly CompiledFunction[];
  /** Maps whose addresses stand in the code, by id: it is of no use once another, or none, has that id. */
  readonly maps: ReadonlyMap<number, BpfMap>;
  /** Slots at which compiled code can take over: 1 functions, 2 loop heads and places behind calls. */
  readonly entries: Uint8Array;
  /** For each such slot how many instructions the function has that it lies in: what compiling from there on costs. */
  readonly entryOps: Uint32Array;
  /** What callers know of each function, by the slot that it begins at. */
  readonly callees: ReadonlyMap<number, CalleeFacts>;
  /** The id that its program must have, because addresses of its functions stand in the code; undefined: any. */
  readonly progId: number | undefined;
  /** Address of the breakpoint flags that it tests (`BreakpointFlags`); undefined: it tests none. */
  readonly flagsAt: number | undefined;
  readonly checks: AccessChecks;
}

/**
 * How accesses are checked: `precise`: by their region's extent and permissions; `limit`: for figures only, that they
 * stay inside the linear memory, so that faults are missed (docs/jit-wasm.md).
 */
export type AccessChecks = 'precise' | 'limit';

/** Why a program is interpreted instead: one line, which begins with its name. */
export interface NotCompiled {
  readonly reason: string;
}

/** One function from one slot on, which calls functions of `CompiledProgram` by their names. */
export interface CompiledEntry {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly name: string;
  readonly needs: number;
  /** Names of the functions that it imports. */
  readonly callees: readonly string[];
}

/**
 * Compiles all functions of a program, from those of its slots that calls lead to. `flagsAt`: as debuggable code, which
 * is left in front of breakpoints; the address of the flags that it tests. Never throws.
 */
export function compileProgram(
  machine: Machine,
  prog: ExecProg,
  flagsAt?: number,
  checks: AccessChecks = 'precise',
): CompiledProgram | NotCompiled {
  if (prog.xlated.length / INSN_SIZE > MAX_PROGRAM_SLOTS) return { reason: tooLong(prog, 0) };
  const unit = new Unit(machine, prog, flagsAt, checks);
  const refusal = unit.refusal();
  if (refusal !== undefined) return { reason: refusal };
  const flows = new Map<number, Flow>();
  const entries = new Uint8Array(unit.ops.length);
  const entryOps = new Uint32Array(unit.ops.length);
  let total = 0;
  for (const start of unit.starts) {
    const size = countReachable(unit.ops, start, MAX_FUNCTION_OPS + 1);
    total += size;
    if (size > MAX_FUNCTION_OPS || total > MAX_PROGRAM_OPS) return { reason: tooLong(prog, start) };
    const flow = flowFrom(unit.ops, start);
    flows.set(start, flow);
    flow.blocks.forEach((block, index) => {
      if (!flow.isCheckPoint[index]) return;
      entries[block.start] = 2;
      entryOps[block.start] = Math.max(entryOps[block.start] ?? 0, size);
    });
  }
  for (const start of unit.starts) entries[start] = 1;
  const callees = calleeFacts(flows);
  const facts = (slot: number): CalleeFacts | undefined => callees.get(slot);
  const builder = unit.builder();
  const step = builder.importFunc('engine', 'step', STEP_TYPE);
  const lookup = builder.func(LOOKUP_TYPE, LOOKUP_LOCALS, lookupCode(), 'lookup');
  const clear = builder.func(CLEAR_TYPE, [], clearCode(), 'clear');
  const first = clear + 1;
  const index = new Map([...flows.keys()].map((start, i) => [start, first + i]));
  const leaves = new Leaves(first + flows.size);
  const emitted: { start: number; flow: Flow; fn: EmittedFunction }[] = [];
  for (const [start, flow] of flows) {
    const callee = (slot: number): number => index.get(slot) ?? first;
    const fn = unit.emit(flow, { step, lookup, clear, leave: leaves.index, callee, facts });
    if (fn.code.length > MAX_FUNCTION_BYTES) return { reason: tooBig(prog, start, fn.code.length) };
    builder.exportFunc(nameOf(start), builder.func(FUNCTION_TYPE, fn.locals, fn.code, nameOf(start)));
    emitted.push({ start, flow, fn });
  }
  leaves.addTo(builder);
  const module = builder.encode({ names: true });
  const functions = emitted.map(({ start, flow, fn }, i) => compiled(module, i + 2, start, flow, fn));
  const { maps, progId } = unit;
  return { bytes: module.bytes, functions, maps, entries, entryOps, callees, progId, flagsAt, checks };
}

/** Whether `program` can be executed for `prog`: maps, and functions, are known in it by their addresses. */
export function isUsable(program: CompiledProgram, machine: Machine, prog: ExecProg): boolean {
  if (program.progId !== undefined && program.progId !== prog.id) return false;
  for (const [id, map] of program.maps) if (machine.maps.get(id) !== map) return false;
  return true;
}

/** Compiles the rest of a function of `program` from slot `start` on, debuggable as `program` is. Never throws. */
export function compileEntry(
  machine: Machine,
  prog: ExecProg,
  program: CompiledProgram,
  start: number,
): CompiledEntry | NotCompiled {
  const unit = new Unit(machine, prog, program.flagsAt, program.checks);
  const flow = flowFrom(unit.ops, start);
  if (flow.nOps > MAX_FUNCTION_OPS) return { reason: tooLong(prog, start) };
  const targets = new Set<number>();
  for (const { ops } of flow.blocks) for (const op of ops) if (op.flow === 'call') targets.add(op.target);
  const builder = unit.builder();
  const step = builder.importFunc('engine', 'step', STEP_TYPE);
  const index = new Map<number, number>();
  for (const target of targets)
    index.set(target, builder.importFunc('engine', nameOf(target), FUNCTION_TYPE));
  const lookup = builder.func(LOOKUP_TYPE, LOOKUP_LOCALS, lookupCode(), 'lookup');
  const clear = builder.func(CLEAR_TYPE, [], clearCode(), 'clear');
  const callee = (slot: number): number => index.get(slot) ?? step;
  const facts = (slot: number): CalleeFacts | undefined => program.callees.get(slot);
  const leaves = new Leaves(clear + 2);
  const fn = unit.emit(flow, { step, lookup, clear, leave: leaves.index, callee, facts });
  if (fn.code.length > MAX_FUNCTION_BYTES) return { reason: tooBig(prog, start, fn.code.length) };
  const name = `from_${start}`;
  builder.exportFunc(name, builder.func(FUNCTION_TYPE, fn.locals, fn.code, name));
  leaves.addTo(builder);
  const { bytes } = builder.encode({ names: true });
  return { bytes, name, needs: flow.cost[0] ?? 0, callees: [...targets].map(nameOf) };
}

/** What the code of a program remembers of regions: by the slot that a function begins at. */
export function rememberedRegions(
  machine: Machine,
  prog: ExecProg,
  program: CompiledProgram,
): (start: number) => RememberedRegions {
  const unit = new Unit(machine, prog, program.flagsAt, program.checks);
  return (start) => new RememberedRegions(unit, flowFrom(unit.ops, start));
}

/** Name of the compiled function that begins at a slot. */
export function nameOf(start: number): string {
  return `at_${start}`;
}

/** The functions that leave others, by the registers that these keep: behind all others in the module. */
class Leaves {
  readonly #first: number;
  readonly #registers: number[] = [];

  constructor(first: number) {
    this.#first = first;
  }

  /** Index of the one for these registers, a bit each. */
  readonly index = (registers: number): number => {
    const known = this.#registers.indexOf(registers);
    return this.#first + (known >= 0 ? known : this.#registers.push(registers) - 1);
  };

  addTo(builder: ModuleBuilder): void {
    for (const each of this.#registers) builder.func(leaveType(each), [], leaveCode(each), leaveName(each));
  }
}

const STEP_TYPE = { params: [I32], results: [I32] } as const;

function compiled(
  module: EncodedModule,
  index: number,
  start: number,
  flow: Flow,
  fn: EmittedFunction,
): CompiledFunction {
  const codeStart = module.codeStart[index] ?? 0;
  return {
    start,
    name: nameOf(start),
    needs: flow.cost[0] ?? 0,
    codeStart,
    codeEnd: codeStart + fn.code.length + 1,
    offsets: fn.offsets.map(([slot, offset]) => [slot, codeStart + offset] as const),
  };
}

/** What compiling needs to know of one program in one machine. */
class Unit {
  readonly ops: readonly JitOp[];
  /** Slots that functions begin at, the main one's first. */
  readonly starts: readonly number[];
  readonly maps = new Map<number, BpfMap>();
  readonly #machine: Machine;
  readonly #prog: ExecProg;
  readonly #flagsAt: number | undefined;
  readonly #checks: AccessChecks;
  readonly #inlining: Inlining;

  constructor(machine: Machine, prog: ExecProg, flagsAt: number | undefined, checks: AccessChecks) {
    this.#machine = machine;
    this.#prog = prog;
    this.#flagsAt = flagsAt;
    this.#checks = checks;
    this.ops = jitOps(prog, (op) => this.#mapAddress(op) !== undefined);
    this.#inlining = new Inlining(this.ops);
    const starts = new Set([0, ...prog.subprogs.map(({ start }) => start)]);
    for (const op of this.ops) if (op.flow === 'call') starts.add(op.target);
    this.starts = [...starts];
  }

  /** The id of the program where it stands in the code. */
  get progId(): number | undefined {
    return this.ops.some(({ id, flow }) => id === 'lddw_func' && flow !== 'trap') ? this.#prog.id : undefined;
  }

  /** Why this program cannot be compiled; undefined: it can. */
  refusal(): string | undefined {
    for (const op of this.ops) {
      if (op.flow === 'trap' || (op.dst <= AX && op.src <= AX && (op.changes & (1 << R10)) === 0)) continue;
      const at = `${this.#prog.name}, instruction ${op.slot}`;
      if (op.dst > AX || op.src > AX) return `${at}: it names a register that is none`;
      if (op.changes & (1 << R10)) return `${at}: it changes the frame pointer`;
    }
    return undefined;
  }

  builder(): ModuleBuilder {
    const builder = new ModuleBuilder();
    const { limit, shared } = this.#machine.memory;
    builder.importMemory('engine', 'memory', { min: 1, max: limit / PAGE_SIZE, shared });
    return builder;
  }

  emit(
    flow: Flow,
    functions: Pick<FunctionContext, 'step' | 'lookup' | 'clear' | 'leave' | 'callee' | 'facts'>,
  ): EmittedFunction {
    return emitFunction({
      progId: this.#prog.id,
      flow,
      flagsAt: this.#flagsAt,
      mapAddress: (op) => this.#mapAddress(op),
      inlined: (slot) => this.#inlining.at(slot),
      pointer: this.pointer,
      region: (id) => this.#machine.space.byId(id),
      limit: this.limit,
      ...functions,
    });
  }

  /** `AccessContext.limit`. Memory only grows: what lies behind this end is left to the reference engine. */
  get limit(): number | undefined {
    return this.#checks === 'limit' ? this.#machine.memory.bytes.length - MAX_OFFSET : undefined;
  }

  /** Where a map load leads to, for maps whose values lie in one region. */
  readonly pointer = (op: JitOp): Pointer | undefined => {
    const map = this.#machine.maps.get(op.imm);
    const [values] = map?.valueRegions ?? [];
    if (map === undefined || values === undefined || map.nValues !== 1) return undefined;
    const address = op.id === 'lddw_map_fd' ? map.addr : map.directValueAddr;
    if (address === undefined) return undefined;
    const distance = Number(address - values.addr) + (op.id === 'lddw_map_fd' ? 0 : op.immHi >>> 0);
    return { region: values.id, distance };
  };

  #mapAddress(op: Pick<Op, 'id' | 'imm' | 'immHi'>): readonly [number, number] | undefined {
    const map = this.#machine.maps.get(op.imm);
    if (map === undefined) return undefined;
    let address: bigint | undefined;
    if (op.id === 'lddw_map_fd') address = map.addr;
    else if (op.id === 'lddw_map_value' && map.directValueAddr !== undefined) {
      address = map.directValueAddr + BigInt(op.immHi >>> 0);
    }
    if (address === undefined) return undefined;
    this.maps.set(op.imm, map);
    return [Number(BigInt.asIntN(32, address)), Number(BigInt.asIntN(32, address >> 32n))];
  }
}

function tooLong(prog: ExecProg, start: number): string {
  return `${prog.name}, function at instruction ${start}: too long; the wasm engine compiles up to ${MAX_FUNCTION_OPS} instructions a function and ${MAX_PROGRAM_OPS} a program`;
}

function tooBig(prog: ExecProg, start: number, bytes: number): string {
  return `${prog.name}, function at instruction ${start}: ${bytes} bytes of code; a function can have ${MAX_FUNCTION_BYTES}`;
}
