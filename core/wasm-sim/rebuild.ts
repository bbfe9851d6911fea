import { type CompiledProgram, rememberedRegions } from '../jit/wasm/compile.ts';
import type { RememberedRegions } from '../jit/wasm/emit-function.ts';
import type { WasmImage } from '../jit/wasm/engine.ts';
import * as local from '../jit/wasm/locals.ts';
import { AX } from '../jit/wasm/ops.ts';
import type { Cpu, FrameView } from '../vm/cpu.ts';
import * as layout from '../vm/layout.ts';
import type { Machine } from '../vm/machine.ts';
import { CODED } from '../wasm/opcodes.ts';
import { Activation } from './activation.ts';
import { evaluate } from './evaluate.ts';
import { type FuncCode, ModuleCode } from './module-code.ts';
import type { Value } from './numeric.ts';
import { Overlay } from './overlay.ts';

/** Instructions that code is given at once: as many as the engine gives it. */
const LEFT = 1 << 18;

/** Makes activations of compiled code from the state that a machine's CPU stands in. */
export class Rebuilder {
  readonly #machine: Machine;
  readonly #codes = new WeakMap<object, ModuleCode>();
  readonly #regions = new WeakMap<FuncCode, RememberedRegions>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The code of an image. */
  code({ program }: WasmImage): ModuleCode {
    let code = this.#codes.get(program);
    if (code === undefined) {
      code = new ModuleCode(program);
      this.#codes.set(program, code);
    }
    return code;
  }

  /**
   * An activation for each frame of the call chain, outermost first: the innermost where the code of its slot begins (of
   * its function's first slot: where the function does), the others behind the call that they wait in. `returned`: the
   * innermost is behind a call, too. Undefined: some program has no code for where it stands.
   */
  rebuild(
    cpu: Cpu,
    imageOf: (frame: FrameView) => WasmImage | undefined,
    returned = false,
  ): Activation[] | undefined {
    const activations: Activation[] = [];
    for (const frame of cpu.frames().toReversed()) {
      const image = imageOf(frame);
      if (image === undefined) return undefined;
      const func = this.code(image).funcOfSlot(frame.subprog.start);
      if (func === undefined) return undefined;
      const isOuter = frame.index < cpu.depth || returned;
      const slot = isOuter && frame.index === cpu.depth ? frame.pc - 1 : frame.pc;
      const activation = new Activation(func, this.#parameters(cpu, frame.index));
      activations.push(activation);
      if (!isOuter && slot === frame.subprog.start) continue;
      const row = isOuter ? rowBehindCall(func, slot) : func.rowsOf(slot)?.first;
      if (row === undefined) return undefined;
      activation.goTo(row);
      this.#setLocals(activation, cpu, frame);
      const remembered = this.#regionsOf(func, frame, image.program).at(slot, isOuter ? 'behind' : 'before');
      this.#findRegions(activation, remembered);
      if (isOuter && frame.index === cpu.depth) activation.push(LEFT);
    }
    return activations;
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
  #findRegions({ code, locals }: Activation, remembered: ReturnType<RememberedRegions['at']>): void {
    const lookup = code.module.funcOfName('lookup');
    if (lookup === undefined) return;
    for (const { reg, cache } of remembered) {
      const perm = cache.isWrite ? layout.PERM_WRITE : layout.PERM_READ;
      const address = locals[local.reg(reg)] ?? 0n;
      const block = Number(locals[local.BLOCK]);
      const found = this.#call(lookup, [block, address, cache.size, perm]);
      if (found.read(block + local.FOUND_COUNT, 8) === 0n) continue;
      locals[cache.window] = BigInt.asIntN(64, found.read(block + local.FOUND_WINDOW, 8));
      locals[cache.count] = found.read(block + local.FOUND_COUNT, 8);
      locals[cache.base] = Number(BigInt.asIntN(32, found.read(block + local.FOUND_BASE, 4)));
      locals[cache.shadow] = Number(BigInt.asIntN(32, found.read(block + local.FOUND_SHADOW, 4)));
    }
  }

  /** Executes one of the module's own functions; what it wrote. */
  #call(func: FuncCode, parameters: readonly Value[]): Overlay {
    const memory = new Overlay(this.#machine.memory);
    const activation = new Activation(func, parameters);
    while (evaluate(activation, memory) === undefined);
    return memory;
  }

  #regionsOf(code: FuncCode, { prog, subprog }: FrameView, program: CompiledProgram): RememberedRegions {
    let regions = this.#regions.get(code);
    if (regions === undefined) {
      regions = rememberedRegions(this.#machine, prog, program, subprog.start);
      this.#regions.set(code, regions);
    }
    return regions;
  }
}

/** The row behind the WebAssembly call that the BPF call in `slot` is; undefined: there is none. */
function rowBehindCall(func: FuncCode, slot: number): number | undefined {
  const rows = func.rowsOf(slot);
  if (rows === undefined) return undefined;
  for (let row = rows.first; row < rows.end; row++) {
    const insn = func.insn(row);
    if (insn?.opcode === CODED.call && func.module.func(insn.operand)?.compiled !== undefined) return row + 1;
  }
  return undefined;
}
