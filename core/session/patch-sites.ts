import { INSN_SIZE, type InsnIndex } from '../isa/insn.ts';
import type { X86Insn } from '../jit/x86-64/decode.ts';
import type { X86Func } from '../jit/x86-64/program.ts';
import { type KnownTailCall, knownTailCalls } from '../jit/x86-64/tail-call-kind.ts';
import { ProgArrayMap } from '../maps/prog-array.ts';
import type { BpfProg } from '../prog/prog.ts';
import type { Machine } from '../vm/machine.ts';
import { patchSiteKind } from '../x86-sim/view.ts';

const OP_TAIL_CALL = 0xf5;

/** Who is in a patch site: a program's name, `none`, or undefined where that is not known. */
type Occupant = { readonly name: string } | 'none' | undefined;

/**
 * The places in a program's machine code that the kernel patches while the program is loaded, and who is in them at the
 * moment of asking: the code that is shown stays as it was compiled.
 */
export class PatchSites {
  readonly #machine: Machine;
  readonly #prog: BpfProg;
  readonly #isRunning: boolean;
  #calls: ReadonlyMap<InsnIndex, KnownTailCall | undefined> | undefined;

  /** @param isRunning the program is the session's: one that was loaded for show has no neighbours, so nothing is told of them. */
  constructor(machine: Machine, prog: BpfProg, isRunning: boolean) {
    this.#machine = machine;
    this.#prog = prog;
    this.#isRunning = isRunning;
  }

  /** `patch site: tail call, to PROGRAM`: what the instruction at offset `at` is; undefined: no patch site. */
  text(code: X86Func, insn: X86Insn, place: { readonly at: number; readonly slot: InsnIndex }) {
    const { slot } = place;
    switch (patchSiteKind(code, insn, place, () => this.#tailCalls().has(slot))) {
      case undefined:
        return undefined;
      case 'entry': {
        const extension = this.#isRunning ? this.#prog.extensions.get(code.start) : undefined;
        return `patch site: entry${extension === undefined ? '' : `, taken by ${extension.name}`}`;
      }
      case 'tail-call': {
        const target = this.#targetOf(slot);
        if (target === undefined) return 'patch site: tail call';
        return `patch site: tail call, ${target === 'none' ? 'empty' : `to ${target.name}`}`;
      }
      case 'bypass': {
        const target = this.#targetOf(slot);
        const isOpen = target !== undefined && target !== 'none';
        return `patch site: bypass${isOpen ? `, a nop now: ${target.name} is there` : ''}`;
      }
    }
  }

  /** Names what is in the sites that may change while the program is loaded: equal as long as that stays. */
  get state(): string {
    if (!this.#isRunning) return '';
    const ids = [...this.#tailCalls().values()].map((call) => (call === undefined ? '' : this.#idAt(call)));
    return ids.filter((id) => id !== '').join();
  }

  #targetOf(slot: InsnIndex): Occupant {
    const call = this.#tailCalls().get(slot);
    const id = call === undefined || !this.#isRunning ? undefined : this.#idAt(call);
    if (id === undefined) return undefined;
    const prog = this.#machine.progs.get(id);
    return prog === undefined ? 'none' : { name: prog.name };
  }

  #idAt({ map, index }: KnownTailCall): number | undefined {
    const array = this.#machine.maps.get(map);
    return array instanceof ProgArrayMap ? array.progIdAt(index) : undefined;
  }

  #tailCalls(): ReadonlyMap<InsnIndex, KnownTailCall | undefined> {
    const { maps } = this.#machine;
    const { xlated } = this.#prog;
    this.#calls ??= hasTailCall(xlated)
      ? knownTailCalls(xlated, (map) => maps.get(map)?.def.maxEntries)
      : new Map();
    return this.#calls;
  }
}

/** Most programs have none: they need not be decoded. */
function hasTailCall(xlated: Uint8Array): boolean {
  for (let at = 0; at < xlated.length; at += INSN_SIZE) if (xlated[at] === OP_TAIL_CALL) return true;
  return false;
}
