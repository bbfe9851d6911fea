import type { BreakpointJudge } from '../interp/engine.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { STEP_BREAKPOINT } from './breakpoint.ts';
import type { BreakpointHit, BreakpointTable } from './breakpoints.ts';
import type { Loaded } from './loaded.ts';
import { nativeExecution } from './native/choose-native.ts';

/** What a breakpoint that an engine passes without stopping counts as, in instructions. */
const JUDGE_COST = 100;

/**
 * The breakpoints that a running program comes by. Engines ask here whether one stops; one that does, or prints, they
 * stop at, and `take` tells what came of it. Each is looked at once each time that it is reached.
 */
export class ReachedBreakpoints {
  readonly #loaded: Loaded;
  readonly #table: BreakpointTable;
  /** How many the engine has asked about since `begin`, and how many it may. */
  #asked = 0;
  #mayAsk = 0;
  /** Slots with breakpoints that lie at the address of slot `pc`, behind it, and were looked at with that one. */
  #looked: { readonly pc: InsnIndex; readonly behind: readonly InsnIndex[] } = { pc: 0, behind: [] };
  /** What the last of them came to. */
  #found: BreakpointHit | undefined;

  constructor(loaded: Loaded, table: BreakpointTable) {
    this.#loaded = loaded;
    this.#table = table;
  }

  /** An engine is called, for `budget` instructions. */
  begin(budget: number): void {
    if (this.#looked.pc !== this.#loaded.cpu.pc) this.#looked = { pc: 0, behind: [] };
    this.#asked = 0;
    this.#mayAsk = budget / JUDGE_COST;
  }

  /** What its questions since then count as, in instructions. */
  get cost(): number {
    return this.#asked * JUDGE_COST;
  }

  /** For `RunLimits`. */
  get passes(): BreakpointJudge | undefined {
    return this.#table.canJudge ? this.#judge : undefined;
  }

  /** What the breakpoints come to where the program stands; undefined: nothing. */
  take(): BreakpointHit | undefined {
    const found = this.#found;
    this.#found = undefined;
    if (found !== undefined) return found;
    const { cpu } = this.#loaded;
    const native = nativeExecution(this.#loaded)?.place;
    if (native === undefined) return this.#table.reachedAt(cpu.prog, cpu.pc);
    // All that lies at an address was looked at when it was reached.
    if (!native.hasMoved) return undefined;
    const { prog, pc } = cpu;
    const behind = native.slots.filter((slot) => slot !== pc && prog.breakpoints.bytes[slot] !== 0);
    this.#looked = { pc, behind };
    return this.#table.reached(prog, native.slots, native.address);
  }

  /** Whether a breakpoint at `slot` was looked at when the address was reached that the program goes on from. */
  #wasLookedAt(slot: InsnIndex): boolean {
    const { pc, behind } = this.#looked;
    if (behind.length === 0) return false;
    const was = behind.includes(slot);
    this.#looked = { pc, behind: was ? behind.filter((each) => each > slot) : [] };
    return was;
  }

  readonly #judge: BreakpointJudge = (prog, slot) => {
    if (++this.#asked > this.#mayAsk || ((prog.breakpoints.bytes[slot] ?? 0) & STEP_BREAKPOINT) !== 0)
      return false;
    if (this.#wasLookedAt(slot)) return true;
    this.#found = this.#table.reachedAt(prog, slot);
    return this.#found === undefined;
  };
}
