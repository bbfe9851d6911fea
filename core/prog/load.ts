import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import { createMap, freeMap, isRefusal, type MapRefusal } from '../maps/create.ts';
import type { LineInfo, LoadAttr } from '../object/object.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { Subprog } from '../vm/program.ts';
import { bpfProgAlloc } from './bpf-prog-alloc.ts';
import { bpfProgFree } from './bpf-prog-free.ts';
import { checkProgram } from './check.ts';
import { analyseKinds, type KindsResult } from './kinds.ts';
import type { Patched } from './patch.ts';
import type { BpfProg } from './prog.ts';
import type { Refusal } from './refusal.ts';
import { xlate } from './xlate.ts';

export type { BpfProg } from './prog.ts';
export type { Refusal } from './refusal.ts';
export { bpfProgFree };

/** What loading can be told beside the program. */
export interface LoadOptions {
  /**
   * Maps that exist already, by index in `attr.maps`; for an index without one the map is created (and
   * freed with the program). Shared between programs of one object.
   */
  readonly maps?: readonly (BpfMap | undefined)[];
}

/** A loaded program, or why it was not loaded. */
export type LoadResult =
  | { readonly ok: true; readonly prog: BpfProg }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Loads a program into `machine`: checks it, makes its maps, finds out by data flow what it accesses,
 * rewrites it and registers it. Mirrors `bpf_prog_load`, kernel/bpf/syscall.c. A refused program leaves
 * nothing behind. Never throws on what a program holds; running out of the machine's memory is a refusal.
 */
export function bpfProgLoad(machine: Machine, attr: LoadAttr, options: LoadOptions = {}): LoadResult {
  const refusal = checkProgram(attr.insns, { progType: attr.progType, nMaps: attr.maps.length });
  if (refusal) return { ok: false, refusal };
  const kinds = analyseKinds(attr.insns, { progType: attr.progType, maps: attr.maps });
  if (kinds.refusal) return { ok: false, refusal: kinds.refusal };
  const own: BpfMap[] = [];
  try {
    const maps: BpfMap[] = [];
    for (const [i, def] of attr.maps.entries()) {
      const given = options.maps?.[i];
      const map: BpfMap | MapRefusal = given ?? createMap(machine, def);
      if (isRefusal(map)) return refuse(machine, own, { pc: undefined, message: map.message });
      if (!given) own.push(map);
      maps.push(map);
    }
    const patched = xlate(
      attr.insns,
      attr.progType,
      kinds,
      maps.map((map) => map.id),
    );
    if ('message' in patched) return refuse(machine, own, patched);
    const prog = makeProg(machine, attr, kinds, patched, maps, own);
    machine.progs.set(prog.id, prog);
    return { ok: true, prog };
  } catch (error) {
    if (!(error instanceof MemoryLimitError)) throw error;
    return refuse(machine, own, { pc: undefined, message: error.message });
  }
}

function refuse(machine: Machine, own: readonly BpfMap[], refusal: Refusal): LoadResult {
  for (const map of own) freeMap(machine, map);
  return { ok: false, refusal };
}

function makeProg(
  machine: Machine,
  attr: LoadAttr,
  kinds: KindsResult,
  patched: Patched,
  maps: readonly BpfMap[],
  own: readonly BpfMap[],
): BpfProg {
  const shell = bpfProgAlloc(machine, patched.insns.length / INSN_SIZE);
  shell.aux.ownMaps = own;
  return {
    ...shell,
    id: machine.takeProgId(),
    name: attr.name,
    progType: attr.progType,
    attr,
    insns: attr.insns.slice(),
    kinds,
    maps,
    mapIds: maps.map((map) => map.id),
    xlated: patched.insns,
    origIdx: patched.origIdx,
    firstXlated: patched.firstNew,
    xlatedLineInfo: moveLineInfo(attr.lineInfo, patched.firstNew),
    subprogs: nameSubprogs(attr, kinds, patched.firstNew),
    uninitialisedReads: uninitialised(kinds, patched.firstNew),
    breakpoints: new Uint8Array(patched.origIdx.length),
  };
}

function nameSubprogs(attr: LoadAttr, kinds: KindsResult, firstNew: Uint32Array): Subprog[] {
  const names = new Map<InsnIndex, string>(attr.funcs.map((func) => [func.insnOff, func.name]));
  return kinds.subprogs.map(({ start, end, stackDepth }) => ({
    name: names.get(start) ?? (start === 0 ? attr.name : `func_${start}`),
    start: firstNew[start] ?? 0,
    end: firstNew[end] ?? 0,
    stackDepth,
  }));
}

/** Line info of slots that now begin elsewhere; entries behind the program's end are dropped. */
function moveLineInfo(lines: readonly LineInfo[], firstNew: Uint32Array): LineInfo[] {
  return lines
    .filter((line) => line.insnOff < firstNew.length - 1)
    .map((line) => ({ ...line, insnOff: firstNew[line.insnOff] ?? 0 }));
}

function uninitialised(kinds: KindsResult, firstNew: Uint32Array): ReadonlyMap<InsnIndex, number> {
  const reads = new Map<InsnIndex, number>();
  for (const { pc, reg, always } of kinds.uninitialisedReads) {
    const slot = firstNew[pc] ?? 0;
    if (always && !reads.has(slot)) reads.set(slot, reg);
  }
  return reads;
}
