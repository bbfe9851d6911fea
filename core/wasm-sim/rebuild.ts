import type { InsnIndex } from '../isa/insn.ts';
import { BPF_REG_FP } from '../isa/registers.ts';
import { type CompiledProgram, rememberedRegions } from '../jit/wasm/compile.ts';
import { type WasmImage, wasmImage, whyNotCompiled } from '../jit/wasm/engine.ts';
import * as local from '../jit/wasm/locals.ts';
import { ARGUMENTS, AX } from '../jit/wasm/ops.ts';
import type { RememberedRegion, RememberedRegions } from '../jit/wasm/region-caches.ts';
import type { Cpu, FrameView } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import { CODED } from '../wasm/opcodes.ts';
import { Activation } from './activation.ts';
import { evaluate } from './evaluate.ts';
import { type FuncCode, ModuleCode } from './module-code.ts';
import type { Value } from './numeric.ts';
import { Overlay } from './overlay.ts';

/** Instructions that code is given at once: as many as the engine gives it. */
const LEFT = 1 << 18;

/** The code that is executed for `prog`; undefined: it is interpreted. */
export function imageOf(machine: Machine, prog: ExecProg): WasmImage | undefined {
  const image = wasmImage(machine, prog);
  return 'reason' in image || whyNotCompiled(machine, prog) !== undefined ? undefined : image;
}

/**
 * Whether a CPU at the first slot of a function has just entered it, as far as can be told: of the registers only
 * arguments have a value. Code stands at the function's first row then, else where that of the slot begins.
 */
export function isJustEntered(cpu: Cpu): boolean {
  return (cpu.regInitialised & ~(ARGUMENTS | (1 << BPF_REG_FP))) === 0;
}

/** What is known of one program's code. */
interface Known {
  readonly code: ModuleCode;
  readonly regions: Map<number, RememberedRegions>;
  readonly regionsOf: (start: number) => RememberedRegions;
}

/** Makes activations of compiled code from the state that a machine's CPU stands in. */
export class Rebuilder {
  readonly #machine: Machine;
  readonly #known = new WeakMap<CompiledProgram, Known>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /**
   * An activation for each frame of the call chain, outermost first: the innermost where the code of its slot begins
   * (`isJustEntered`), the others behind the call that they wait in. `isBehindCall`: the innermost is behind a call, too.
   * Undefined: some program has no code for where it stands.
   */
  rebuild(cpu: Cpu, isBehindCall = false): Activation[] | undefined {
    const activations: Activation[] = [];
    for (const frame of cpu.frames().toReversed()) {
      const isInnermost = frame.index === cpu.depth;
      const activation =
        isInnermost && !isBehindCall
          ? this.#atSlot(cpu, frame)
          : this.#behindCall(cpu, frame, isInnermost ? frame.pc - 1 : frame.pc);
      if (activation === undefined) return undefined;
      if (isInnermost && isBehindCall) activation.push(LEFT);
      activations.push(activation);
    }
    return activations;
  }

  #atSlot(cpu: Cpu, frame: FrameView): Activation | undefined {
    const known = this.#knownOf(frame);
    const func = known?.code.funcOfSlot(frame.subprog.start);
    if (known === undefined || func === undefined) return undefined;
    const activation = new Activation(func, this.#parameters(cpu, frame.index));
    if (frame.pc === frame.subprog.start && isJustEntered(cpu)) return activation;
    const rows = func.rowsOf(frame.pc);
    if (rows === undefined) return undefined;
    activation.goTo(rows.first);
    this.#setLocals(activation, cpu, frame);
    this.#findRegions(activation, regionsIn(known, frame).at(frame.pc, 'before'));
    return activation;
  }

  #behindCall(cpu: Cpu, frame: FrameView, call: InsnIndex): Activation | undefined {
    const known = this.#knownOf(frame);
    const func = known?.code.funcOfSlot(frame.subprog.start);
    const row = func && rowBehindCall(func, call);
    if (known === undefined || func === undefined || row === undefined) return undefined;
    const activation = new Activation(func, this.#parameters(cpu, frame.index));
    activation.goTo(row);
    this.#setLocals(activation, cpu, frame);
    this.#findRegions(activation, regionsIn(known, frame).at(call, 'behind'));
    return activation;
  }

  #knownOf({ prog }: FrameView): Known | undefined {
    const program = imageOf(this.#machine, prog)?.program;
    if (program === undefined) return undefined;
    let known = this.#known.get(program);
    if (known === undefined) {
      const regionsOf = rememberedRegions(this.#machine, prog, program);
      known = { code: new ModuleCode(program), regions: new Map(), regionsOf };
      this.#known.set(program, known);
    }
    return known;
  }

  #parameters(cpu: Cpu, depth: number): Value[] {
    const { view } = this.#machine.memory;
    const isInner = depth === cpu.depth;
    const record = layout.frameRecord(cpu.block, depth + 1);
    const callers = isInner ? 0 : view.getUint32(record + layout.FRAME_CALLER_INITIALISED, true);
    return [cpu.block, LEFT, depth, isInner ? cpu.regInitialised : callers];
  }

  /** Gives registers their values, and FRAME and SHADOW theirs. */
  #setLocals({ locals }: Activation, cpu: Cpu, frame: FrameView): void {
    for (let reg = 0; reg <= AX; reg++) {
      // Of an outer frame the callee may change these: what it leaves is read from memory behind the call.
      const value = frame.reg(reg) ?? cpu.readReg(reg);
      locals[local.reg(reg)] = BigInt.asIntN(64, value);
    }
    const { view } = this.#machine.memory;
    const table = view.getUint32(layout.HEADER_REGION_TABLE, true);
    const entry = table + (cpu.stackRegionId(frame.index) << layout.REGION_ENTRY_SHIFT);
    locals[local.FRAME] = view.getInt32(entry + layout.REGION_BASE, true);
    locals[local.SHADOW] = view.getInt32(entry + layout.REGION_SHADOW, true);
  }

  /** Has the regions found that code has found by then: by the code itself. */
  #findRegions({ code, locals }: Activation, remembered: readonly RememberedRegion[]): void {
    const lookup = code.module.funcOfName('lookup');
    if (lookup === undefined) return;
    for (const { reg, memory } of remembered) {
      const perm = memory.isWrite ? layout.PERM_WRITE : layout.PERM_READ;
      const address = locals[local.reg(reg)] ?? 0n;
      const block = Number(locals[local.BLOCK]);
      const found = this.#call(lookup, [block, address, memory.size, perm]);
      if (found.read(block + local.FOUND_COUNT, 8) === 0n) continue;
      locals[memory.window] = BigInt.asIntN(64, found.read(block + local.FOUND_WINDOW, 8));
      locals[memory.count] = found.read(block + local.FOUND_COUNT, 8);
      locals[memory.base] = Number(BigInt.asIntN(32, found.read(block + local.FOUND_BASE, 4)));
      locals[memory.shadow] = Number(BigInt.asIntN(32, found.read(block + local.FOUND_SHADOW, 4)));
    }
  }

  /** Executes one of the module's own functions; what it wrote. */
  #call(func: FuncCode, parameters: readonly Value[]): Overlay {
    const memory = new Overlay(this.#machine.memory);
    const activation = new Activation(func, parameters);
    while (evaluate(activation, memory) === undefined);
    return memory;
  }
}

function regionsIn({ regions, regionsOf }: Known, { subprog }: FrameView): RememberedRegions {
  let found = regions.get(subprog.start);
  if (found === undefined) {
    found = regionsOf(subprog.start);
    regions.set(subprog.start, found);
  }
  return found;
}

/** The row behind the WebAssembly call that the BPF call in `slot` is; undefined: there is none. */
function rowBehindCall(func: FuncCode, slot: InsnIndex): number | undefined {
  const rows = func.rowsOf(slot);
  if (rows === undefined) return undefined;
  for (let row = rows.first; row < rows.end; row++) {
    const insn = func.insn(row);
    if (insn?.opcode === CODED.call && func.module.func(insn.operand)?.compiled !== undefined) return row + 1;
  }
  return undefined;
}
