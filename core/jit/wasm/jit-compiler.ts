import type { InsnIndex } from '../../isa/insn.ts';
import type { LoadAttr } from '../../object/object.ts';
import type { JitCompiler } from '../../prog/bpf-int-jit-compile.ts';
import type { JitedFunc } from '../../prog/bpf-prog-fill-jited-linfo.ts';
import { analyseKinds } from '../../prog/kinds.ts';
import type { Code } from '../../prog/prog.ts';
import { BreakpointBytes } from '../../vm/breakpoint-bytes.ts';
import { MAX_BPF_STACK } from '../../vm/layout.ts';
import type { Machine } from '../../vm/machine.ts';
import type { ExecProg } from '../../vm/program.ts';
import { type CompiledFunction, type CompiledProgram, compileProgram, type NotCompiled } from './compile.ts';
import { type DebugImage, debugImage, WASM_IMAGES_AT } from './debug-image.ts';
import { NO_SLOT } from './emit-function.ts';

/** What `wasmJitCompiler` is made for. */
export interface WasmJitInput {
  /** Its maps give their addresses to the code. */
  readonly machine: Machine;
  readonly attr: LoadAttr;
  /** The code that runs without a debugger execute instead: it tests no breakpoint flags. For show. */
  readonly isPlain?: boolean;
  /** Called with the module, once it is there. */
  readonly compiled?: (program: CompiledProgram) => void;
}

/**
 * The WebAssembly compiler for one load (`LoadOptions.jit`): of debuggable code, which `wasmImage` has too once the
 * program is loaded. A function's image is its code in the module, so
 * that the addresses of line records (`bpf_prog_fill_jited_linfo`) resolve to byte offsets as hosts name them
 * in stack traces. A program that the engine does not compile is refused with the reason.
 */
export function wasmJitCompiler(input: WasmJitInput): JitCompiler {
  return (code) => {
    const prog = asLoaded(input.attr, code);
    const image = input.isPlain ? plainImage(input.machine, prog) : debugImage(input.machine, prog);
    if ('reason' in image) return { ok: false, message: image.reason };
    input.compiled?.(image.program);
    return { ok: true, arch: 'wasm', funcs: jitedFuncs(image.program, code, image.imageAddr) };
  };
}

function plainImage(
  machine: Machine,
  prog: ExecProg,
): Pick<DebugImage, 'program' | 'imageAddr'> | NotCompiled {
  const program = compileProgram(machine, prog);
  return 'reason' in program ? program : { program, imageAddr: WASM_IMAGES_AT };
}

/** The program that it is going to be, as far as compiling asks. */
function asLoaded(attr: LoadAttr, code: Code): ExecProg {
  const end = code.origIdx.length;
  const { uninitialisedReads } = analyseKinds(attr.insns, { progType: attr.progType, maps: attr.maps });
  const reads = new Map<InsnIndex, number>();
  for (const { pc, reg, always } of uninitialisedReads) {
    const slot = code.firstNew[pc] ?? 0;
    if (always && !reads.has(slot)) reads.set(slot, reg);
  }
  return {
    id: 0,
    name: attr.name,
    progType: attr.progType,
    xlated: code.insns,
    origIdx: code.origIdx,
    insns: attr.insns,
    firstXlated: code.firstNew,
    subprogs: code.funcs.map((start, i) => ({
      name: `func_${start}`,
      start,
      end: code.funcs[i + 1] ?? end,
      stackDepth: MAX_BPF_STACK,
    })),
    uninitialisedReads: reads,
    breakpoints: new BreakpointBytes(end),
    mapIds: [],
  };
}

/** The functions of `code`, each with its image's address. */
export function jitedFuncs(
  program: CompiledProgram,
  code: Pick<Code, 'funcs' | 'origIdx'>,
  imageAddr: bigint,
): JitedFunc[] {
  const byStart = new Map(program.functions.map((each) => [each.start, each]));
  return code.funcs.map((start, i) => {
    const end = code.funcs[i + 1] ?? code.origIdx.length;
    const found = byStart.get(start);
    if (found === undefined) throw new RangeError(`the function at slot ${start} was not compiled`);
    return {
      image: imageAddr + BigInt(found.codeStart),
      length: found.codeEnd - found.codeStart,
      insnToJitOff: insnToJitOff(found, start, end),
    };
  });
}

/**
 * For each slot of a function where the code of the slot behind it begins. Structured code does not keep the
 * order of the slots: that is what line records ask for, not where the slot's own code ends. A slot that is
 * never reached has no code and shares the place of the next one that has.
 */
function insnToJitOff(found: CompiledFunction, start: InsnIndex, end: InsnIndex): Uint32Array {
  const begins = new Int32Array(end - start + 1).fill(-1);
  for (const [slot, offset] of found.offsets) {
    // Code of no instruction (NO_SLOT) is in front of the first slot.
    if (slot >= start && slot < end) begins[slot - start] = offset - found.codeStart;
  }
  const offsets = new Uint32Array(end - start);
  let next = found.codeEnd - found.codeStart;
  for (let i = end - start; i > 0; i--) {
    const begin = begins[i] ?? -1;
    if (begin >= 0) next = begin;
    offsets[i - 1] = next;
  }
  return offsets;
}

/**
 * Offset in the module where the code of each slot begins. Slots without code have that of the next one; those that are
 * never reached, and those that several functions have, are left out.
 */
export function codeStarts(program: CompiledProgram): ReadonlyMap<InsnIndex, number> {
  const starts = new Map<InsnIndex, number>();
  const isTwice = new Set<InsnIndex>();
  for (const { offsets } of program.functions) {
    for (const [slot, offset] of offsets) {
      if (starts.has(slot)) isTwice.add(slot);
      starts.set(slot, offset);
    }
  }
  for (const slot of [NO_SLOT, ...isTwice]) starts.delete(slot);
  return starts;
}

/** Slot whose code the byte at `offset` of the module belongs to; undefined: none's. */
export function slotAt(program: CompiledProgram, offset: number): InsnIndex | undefined {
  const found = program.functions.find(({ codeStart, codeEnd }) => offset >= codeStart && offset < codeEnd);
  let slot: InsnIndex | undefined;
  for (const [each, begin] of found?.offsets ?? []) {
    if (begin > offset) break;
    slot = each;
  }
  return slot === NO_SLOT ? undefined : slot;
}
