import type { Engine, RunLimits, StopCause } from '../../interp/engine.ts';
import { beginChunk, finish, opAt, stateOf, stopped, takePause } from '../../interp/loop.ts';
import { type ExecState, flush, type Op, refresh, STOP } from '../../interp/op.ts';
import { interp } from '../../interp-wasm/interp.ts';
import * as layout from '../../vm/layout.ts';
import type { Machine } from '../../vm/machine.ts';
import { CodeCache } from './code-cache.ts';
import type { CompiledProgram, NotCompiled } from './compile.ts';
import { wasmImageAddr } from './image-address.ts';
import { type Compiled, Installed, type InstalledProgram } from './installed.ts';
import { CPU_INTERPRET, CPU_LEFT, FRAME_UNSAVED, LEFT_EARLY } from './locals.ts';

/**
 * Instructions between two looks at the control word, some tenths of a millisecond. Loops are left and
 * entered again that often, so that the host's better code takes over without replacing code that runs.
 */
const SLICE = 1 << 20;

/** Budgets below are single steps, more or less: not worth entering compiled code. */
const FEW = 4;

const cache = new CodeCache();
const installed = new WeakMap<Machine, Installed>();

/**
 * Executes compiled code: each function of a program is a WebAssembly function. What is rare, and every
 * instruction that faults, is done by the reference engine's handlers on the same state, so that results,
 * faults and counts are the same. Where breakpoints are set, and for programs that are not compiled, the
 * interpreter inside WebAssembly runs alone.
 */
export const wasm: Engine = {
  name: 'wasm',
  run(machine: Machine, cpu: number, limits: RunLimits): StopCause {
    const code = installedIn(machine);
    const mustInterpret =
      limits.budget < FEW ||
      (limits.breakpoints && hasBreakpoints(machine)) ||
      'reason' in code.program(machine.cpu(cpu).prog);
    if (mustInterpret) return interp.run(machine, cpu, limits);
    const s = stateOf(machine, machine.cpu(cpu));
    const outer = code.current;
    code.current = s;
    try {
      return run(code, s, limits.budget);
    } finally {
      code.current = outer;
    }
  },
};

/**
 * Why `prog` is interpreted by `wasm`, beginning with its name; undefined: it is compiled, and executed so where no
 * breakpoint is set. Compiles it when that is not done yet.
 */
export function whyNotCompiled(machine: Machine, prog: ExecState['prog']): string | undefined {
  if (isExtended(prog)) return `${prog.name}: an extension has taken the place of one of its functions`;
  const program = installedIn(machine).program(prog);
  return 'reason' in program ? program.reason : undefined;
}

/** A program's module, and the address that its first byte is said to lie at. */
export interface WasmImage {
  readonly program: CompiledProgram;
  /** An address of the code minus this is a byte offset in the module. */
  readonly imageAddr: bigint;
}

/**
 * The module that debug sessions execute for `prog`, the same whether breakpoints are set or not; compiled when that is
 * not done yet. The address is that of the program's line records where `wasmJitCompiler` loaded it. Never throws.
 */
export function wasmImage(machine: Machine, prog: ExecState['prog']): WasmImage | NotCompiled {
  const installed = installedIn(machine).program(prog);
  if ('reason' in installed) return installed;
  const { program } = installed;
  const imageAddr = wasmImageAddr(machine, prog.xlated, program.bytes.length);
  if (imageAddr === undefined) return { reason: `${prog.name}: no address is left for its code` };
  return { program, imageAddr };
}

function installedIn(machine: Machine): Installed {
  let found = installed.get(machine);
  if (found === undefined) {
    found = new Installed(machine, cache, step);
    installed.set(machine, found);
  }
  return found;
}

function hasBreakpoints(machine: Machine): boolean {
  for (const { breakpoints } of machine.progs.values())
    if (breakpoints.some((byte) => byte !== 0)) return true;
  return false;
}

function run(code: Installed, s: ExecState, limit: number): StopCause {
  let { pc } = s.cpu;
  let budget = limit;
  for (;;) {
    if (takePause(s)) return stopped(s, pc, { kind: 'pause' });
    if (budget <= 0) return stopped(s, pc, { kind: 'budget' });
    const slice = Math.min(SLICE, budget);
    beginChunk(s, slice);
    pc = runSlice(code, s, pc);
    if (s.stop !== undefined) return s.stop;
    budget -= slice - s.left;
    flush(s, pc, s.chunk - s.left);
  }
}

/**
 * Executes up to `left` instructions, or fewer where compiled code can go on with a new slice; the slot to go
 * on from (`stop` says whether).
 */
function runSlice(code: Installed, s: ExecState, from: number): number {
  const whole = s.left;
  for (let pc = from; ; ) {
    const program = compiledProgram(code, s);
    const entry = program?.entry(pc);
    if (entry !== undefined && s.left >= entry.needs) pc = enter(s, entry.run, pc);
    else if (entry !== undefined && s.left < whole) return pc;
    // Too little is left for compiled code even in a whole slice: the budget ends here.
    else pc = interpret(s, pc, entry === undefined ? program : undefined);
    if (s.stop !== undefined || opAt(s, pc).cost > s.left) return pc;
  }
}

/** A program that was extended is interpreted, because its functions may be those of another program. */
function compiledProgram(code: Installed, s: ExecState): InstalledProgram | undefined {
  if (isExtended(s.prog)) return undefined;
  const program = code.program(s.prog);
  return 'reason' in program || !isFramePointer(s) ? undefined : program;
}

function isExtended({ extensions }: ExecState['prog']): boolean {
  return extensions !== undefined && extensions.size > 0;
}

/** Compiled code takes R10 for the end of its frame; only a debugger can make it anything else. */
function isFramePointer({ view, block }: ExecState): boolean {
  const id =
    view.getUint32(block + layout.CPU_STACK_REGION, true) + view.getUint32(block + layout.CPU_DEPTH, true);
  return (
    view.getInt32(block + layout.CPU_R10, true) === layout.MAX_BPF_STACK &&
    view.getInt32(block + layout.CPU_R10 + 4, true) === ((layout.WINDOW_HI + id) | 0)
  );
}

/** Calls compiled code at `pc`; the slot to go on from. */
function enter(s: ExecState, compiled: Compiled, pc: number): number {
  const { block, view } = s;
  view.setUint32(block + layout.CPU_PC, pc, true);
  view.setUint32(block + CPU_INTERPRET, 0, true);
  const depth = view.getUint32(block + layout.CPU_DEPTH, true);
  const left = compiled(block, s.left, depth, s.initialised);
  refresh(s);
  if (left === LEFT_EARLY) completeRecords(s, depth);
  const at = s.view.getUint32(block + layout.CPU_PC, true);
  if (s.stop !== undefined) return at;
  s.initialised = s.view.getUint32(block + layout.CPU_INITIALISED, true);
  if (left !== LEFT_EARLY) {
    // The exit has been counted.
    s.left = left;
    return execute(s, opAt(s, at));
  }
  s.left = s.view.getInt32(block + CPU_LEFT, true);
  if (s.view.getUint32(block + CPU_INTERPRET, true) === 0) return at;
  const op = opAt(s, at);
  s.left -= op.cost;
  return execute(s, op);
}

/** Fills in what functions that were left did not have in hand for the records of frames inside frame `outer`. */
function completeRecords({ view, block }: ExecState, outer: number): void {
  const depth = view.getUint32(block + layout.CPU_DEPTH, true);
  for (let inner = outer + 1; inner <= depth; inner++) {
    const record = layout.frameRecord(block, inner);
    const unsaved = view.getUint32(record + FRAME_UNSAVED, true);
    if (unsaved === 0) continue;
    view.setUint32(record + FRAME_UNSAVED, 0, true);
    for (let reg = 6; reg <= 9; reg++) {
      if ((unsaved & (1 << reg)) === 0) continue;
      const value = view.getBigUint64(block + layout.regOffset(reg), true);
      view.setBigUint64(record + layout.FRAME_SAVED + (reg - 6) * 8, value, true);
    }
  }
}

/** Has one instruction, which has been counted, done by the reference engine; the slot to go on from. */
function execute(s: ExecState, op: Op): number {
  const next = op.exec(s, op);
  if (next === STOP) return finish(s, op);
  s.initialised |= op.writes;
  return next;
}

/** Interprets until code of `program` could take over, nothing is left, or something stops it; the slot to go on from. */
function interpret(s: ExecState, from: number, program: InstalledProgram | undefined): number {
  const entries = program?.program.entries;
  const { prog } = s;
  for (let pc = from; ; ) {
    const op = opAt(s, pc);
    if (op.cost > s.left) return pc;
    s.left -= op.cost;
    pc = execute(s, op);
    if (s.stop !== undefined || s.prog !== prog || entries?.[pc]) return pc;
  }
}

/** Does the instruction at `slot` for compiled code. */
function step(s: ExecState, slot: number): number {
  const { block, prog } = s;
  s.left = s.view.getInt32(block + CPU_LEFT, true);
  s.initialised = s.view.getUint32(block + layout.CPU_INITIALISED, true);
  const op = opAt(s, slot);
  const next = op.exec(s, op);
  if (next === STOP) {
    finish(s, op);
    return 1;
  }
  s.initialised |= op.writes;
  s.view.setUint32(block + layout.CPU_INITIALISED, s.initialised, true);
  // Even where it leads on: code that was left at this instruction goes on from there.
  s.view.setUint32(block + layout.CPU_PC, next, true);
  return next === op.next && s.prog === prog ? 0 : 1;
}
