import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { createMap, isRefusal } from '../maps/create.ts';
import { MAX_INSNS } from '../object/link.ts';
import type { LoadAttr } from '../object/object.ts';
import { BreakpointBytes } from '../vm/breakpoint-bytes.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { Subprog } from '../vm/program.ts';
import { kernelVersionText } from '../vm/settings.ts';
import type { AttachTarget } from './bpf-check-attach-target.ts';
import { bpfCheckTailCall } from './bpf-check-tail-call.ts';
import type { JitCompiler } from './bpf-int-jit-compile.ts';
import { bpfProgAlloc } from './bpf-prog-alloc.ts';
import { bpfProgCalcTag, tagHash, tagText } from './bpf-prog-calc-tag.ts';
import { bpfProgFree, bpfProgPut } from './bpf-prog-free.ts';
import { bpfProgSelectRuntime } from './bpf-prog-select-runtime.ts';
import { checkProgram, subprogStarts } from './check.ts';
import { loadedCode, setCode } from './code.ts';
import { doMiscFixups } from './do-misc-fixups.ts';
import { asTarget, checkDstProg, checkPacketChanges, type DstProg, takeDstProg } from './dst-prog.ts';
import { addKfuncCalls } from './kfunc-tab.ts';
import { analyseKinds, type KindsResult } from './kinds.ts';
import { auxOf, type BpfProg, type BpfProgShell, type Rewriting } from './prog.ts';
import type { Refusal } from './refusal.ts';
import { namedMaps, setUsedMaps } from './used-maps.ts';
import { convertCtxAccesses, resolvePseudoLdimm64 } from './xlate.ts';

export type { BpfProg } from './prog.ts';
export type { Refusal } from './refusal.ts';
export { bpfProgFree, bpfProgPut };

/** What loading can be told beside the program. */
export interface LoadOptions {
  /**
   * Maps that exist already, by index in `attr.maps`; for an index without one the map is created (and
   * freed with the program). Shared between programs of one object.
   */
  readonly maps?: readonly (BpfMap | undefined)[];
  /** Makes native code of the rewritten program; without it the engine interprets. */
  readonly jit?: JitCompiler;
  /** What an extension (type `ext`) takes the place of; for no other program. */
  readonly dstProg?: DstProg | undefined;
}

/** A loaded program, or why it was not loaded. */
export type LoadResult =
  | { readonly ok: true; readonly prog: BpfProg }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Loads a program into `machine`: makes its object, checks it, makes its maps, finds out by data flow what
 * it accesses, rewrites it, chooses what executes it and registers it. Mirrors `bpf_prog_load`,
 * kernel/bpf/syscall.c. A refused program leaves nothing behind. Never throws on what a program holds;
 * running out of the machine's memory is a refusal.
 */
export function bpfProgLoad(machine: Machine, attr: LoadAttr, options: LoadOptions = {}): LoadResult {
  const n = attr.insns.length / INSN_SIZE;
  machine.lifeCycle.note('bpf_prog_load', attr.name);
  if (n === 0 || !Number.isInteger(n) || n > MAX_INSNS) {
    const refusal = checkProgram(attr.insns) ?? { pc: undefined, message: 'no whole program' };
    return { ok: false, refusal };
  }
  const loading: Loading = { machine, attr, rewriting: undefined };
  try {
    const result = load(loading, options);
    if ('id' in result) return { ok: true, prog: result };
    if (loading.rewriting !== undefined) bpfProgFree(machine, loading.rewriting.prog);
    return { ok: false, refusal: result };
  } catch (error) {
    if (loading.rewriting !== undefined) bpfProgFree(machine, loading.rewriting.prog);
    if (!(error instanceof MemoryLimitError)) throw error;
    return { ok: false, refusal: { pc: undefined, message: error.message } };
  }
}

/** What is being loaded; `rewriting` is undefined until there is an object. */
interface Loading {
  readonly machine: Machine;
  readonly attr: LoadAttr;
  rewriting: Rewriting | undefined;
}

function load(loading: Loading, options: LoadOptions): BpfProg | Refusal {
  const { machine } = loading;
  const attr = asTarget(loading.attr, options.dstProg);
  const prog = bpfProgAlloc(machine, attr.insns.length / INSN_SIZE);
  const rewriting: Rewriting = { prog };
  loading.rewriting = rewriting;
  takeDstProg(machine, prog, options.dstProg);
  const target = checkDstProg(machine, prog, loading.attr, options.dstProg);
  if (target !== undefined && 'message' in target) return target;
  calcTag(machine, prog, attr.insns);
  const refusal = checkProgram(attr.insns, { progType: attr.progType, nMaps: attr.maps.length });
  if (refusal) return refusal;
  const starts = subprogStarts(attr.insns);
  if ('message' in starts) return starts;
  setCode(machine, prog, loadedCode(attr.insns, attr.lineInfo, starts));
  const kinds = analyseKinds(attr.insns, { progType: attr.progType, maps: attr.maps, entry: target?.args });
  const refused = kinds.refusal ?? checkPacketChanges(prog, loading.attr, kinds, options.dstProg);
  if (refused) return refused;
  addKfuncCalls(machine, prog);
  const maps = usedMaps(machine, prog, attr, options);
  if ('message' in maps) return maps;
  const mapIds = maps.map((map) => map.id);
  setUsedMaps(
    machine,
    prog,
    namedMaps(attr.insns).map((index) => mapIds[index] ?? 0),
  );
  resolvePseudoLdimm64(prog.code.insns, mapIds);
  const outOfReach =
    convertCtxAccesses(machine, rewriting, attr, kinds) ??
    doMiscFixups(machine, rewriting, { insns: attr.insns, kinds, maps });
  if (outOfReach) return outOfReach;
  const { jit } = options;
  const compiler: JitCompiler | undefined = jit && ((code) => jit(code, kinds.subprogs));
  rewriting.prog = bpfProgSelectRuntime(machine, rewriting.prog, compiler);
  const incompatible = bpfCheckTailCall(
    machine,
    { progType: attr.progType, jited: rewriting.prog.jited },
    maps.filter((map) => map.def.type === 'prog_array'),
  );
  if (incompatible) return incompatible;
  const loaded = finish(loading, kinds, rewriting.prog, maps, target);
  machine.progs.set(loaded.id, loaded);
  return loaded;
}

/** Computes the tag where the machine's host can hash and the kernel has tags. */
function calcTag(machine: Machine, prog: BpfProgShell, insns: Uint8Array): void {
  const { kernel } = machine.settings;
  if (machine.hash === undefined || tagHash(kernel) === undefined) return;
  const tag = bpfProgCalcTag(insns, machine.hash, kernel);
  machine.lifeCycle.note(
    'bpf_prog_calc_tag',
    `${tagText(tag.tag)} (${tag.hash}, Linux ${kernelVersionText(kernel)})`,
  );
  auxOf(prog).tag = tag;
}

/** The maps of the program: given ones, and new ones that it owns. */
function usedMaps(
  machine: Machine,
  prog: BpfProgShell,
  attr: LoadAttr,
  options: LoadOptions,
): readonly BpfMap[] | Refusal {
  const own: BpfMap[] = [];
  auxOf(prog).ownMaps = own;
  const maps: BpfMap[] = [];
  for (const [i, def] of attr.maps.entries()) {
    const given = options.maps?.[i];
    const map = given ?? createMap(machine, def);
    if (isRefusal(map)) return { pc: undefined, message: map.message };
    if (!given) own.push(map);
    maps.push(map);
  }
  return maps;
}

/** The loaded program: the object itself, with what engines and the debugger need to know of it. */
function finish(
  { machine, attr }: Loading,
  kinds: KindsResult,
  prog: BpfProgShell,
  maps: readonly BpfMap[],
  target: AttachTarget | undefined,
): BpfProg {
  const { insns, origIdx, firstNew, funcs, linfo } = prog.code;
  return Object.assign(prog, {
    id: machine.takeProgId(),
    name: attr.name,
    progType: attr.progType,
    attr,
    insns: attr.insns.slice(),
    kinds,
    extensions: new Map<InsnIndex, BpfProg>(),
    target: target && { progType: target.prog.attr.progType, func: target.func, args: target.args },
    maps,
    mapIds: maps.map((map) => map.id),
    xlated: insns,
    origIdx,
    firstXlated: firstNew,
    xlatedLineInfo: linfo,
    subprogs: nameSubprogs(attr, kinds, funcs, origIdx.length),
    uninitialisedReads: uninitialised(kinds, firstNew),
    breakpoints: new BreakpointBytes(origIdx.length),
  });
}

/** `funcs`: first slots of the functions in the rewritten program, of `end` slots. */
function nameSubprogs(
  attr: LoadAttr,
  kinds: KindsResult,
  funcs: readonly InsnIndex[],
  end: InsnIndex,
): Subprog[] {
  const names = new Map<InsnIndex, string>(attr.funcs.map((func) => [func.insnOff, func.name]));
  return kinds.subprogs.map(({ start, stackDepth }, i) => ({
    name: names.get(start) ?? (start === 0 ? attr.name : `func_${start}`),
    start: funcs[i] ?? 0,
    end: funcs[i + 1] ?? end,
    stackDepth,
  }));
}

function uninitialised(kinds: KindsResult, firstNew: Uint32Array): ReadonlyMap<InsnIndex, number> {
  const reads = new Map<InsnIndex, number>();
  for (const { pc, reg, always } of kinds.uninitialisedReads) {
    const slot = firstNew[pc] ?? 0;
    if (always && !reads.has(slot)) reads.set(slot, reg);
  }
  return reads;
}
