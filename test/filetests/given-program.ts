import { bpfJitBlindConstants } from '#core/prog/bpf-jit-blind-constants.ts';
import { bpfProgAlloc } from '#core/prog/bpf-prog-alloc.ts';
import { loadedCode, setCode } from '#core/prog/code.ts';
import type { Code } from '#core/prog/prog.ts';
import { BreakpointBytes } from '#core/vm/breakpoint-bytes.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import type { ExecProg } from '#core/vm/program.ts';
import type { DataFile } from './format.ts';

/** What a program that is given to the engine works with. */
export interface Given {
  readonly maps: readonly BpfMap[];
  /** Address of its arena; undefined: it has none. */
  readonly arenaAddr: bigint | undefined;
}

/**
 * The rewritten program of a data file, registered with the machine as it is; blinded, as the loader does it with
 * rewritten programs, where the machine blinds.
 */
export function givenProgram(machine: Machine, file: DataFile, xlated: Uint8Array, given: Given): ExecProg {
  const insns = withMapIds(xlated, given.maps);
  const { code, isBlinded } = maybeBlinded(machine, insns);
  const nSlots = code.insns.length / 8;
  const prog: ExecProg = {
    id: machine.takeProgId(),
    name: 'main',
    progType: file.type,
    xlated: code.insns,
    origIdx: code.origIdx,
    ...(isBlinded ? { insns, firstXlated: code.firstNew } : {}),
    subprogs: [{ name: 'main', start: 0, end: nSlots, stackDepth: 512 }],
    uninitialisedReads: new Map(),
    breakpoints: new BreakpointBytes(nSlots),
    mapIds: given.maps.map((map) => map.id),
    ...(given.arenaAddr === undefined ? {} : { arenaAddr: given.arenaAddr }),
  };
  machine.progs.set(prog.id, prog);
  return prog;
}

/** A map load names the map by its index in the file; in a rewritten program it is the machine's id. */
function withMapIds(xlated: Uint8Array, maps: readonly BpfMap[]): Uint8Array {
  const insns = xlated.slice();
  for (let at = 0; at < insns.length; at += 8) {
    if (insns[at] !== 0x18 || (insns[at + 1] ?? 0) >> 4 !== 1) continue;
    const view = new DataView(insns.buffer, at + 4, 4);
    view.setInt32(0, maps[view.getInt32(0, true)]?.id ?? -1, true);
  }
  return insns;
}

function maybeBlinded(
  machine: Machine,
  insns: Uint8Array,
): { readonly code: Code; readonly isBlinded: boolean } {
  const shell = bpfProgAlloc(machine, insns.length / 8);
  setCode(machine, shell, loadedCode(insns, [], [0]));
  const prog = bpfJitBlindConstants(machine, shell);
  if ('message' in prog) throw new Error(`cannot be blinded: ${prog.message}`);
  return { code: prog.code, isBlinded: prog.blinded };
}
