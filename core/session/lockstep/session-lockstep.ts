import type { RunLimits, StopCause } from '../../interp/engine.ts';
import { x86Sim } from '../../x86-sim/x86-sim.ts';
import { chooseEngine, ENGINE_NAMES, interpretedNotices } from '../engines.ts';
import type { LaunchProblem, LoadArgs } from '../load-request.ts';
import type { Loaded, SessionPacket } from '../loaded.ts';
import { isAmidInsn } from '../native/choose-native.ts';
import { editBetween } from './edit.ts';
import { Lockstep } from './lockstep.ts';
import type { Pinpoint } from './replay.ts';
import { extentText, type LockstepReport, lockstepReport } from './report.ts';
import type { MakeSide, SideCause } from './side.ts';
import { causeDifferences, compareStates } from './state.ts';

/** What the launch attribute `lockstep` has come to. */
export type StartedLockstep =
  | { readonly lockstep: SessionLockstep; readonly messages: readonly string[] }
  | { readonly problem: LaunchProblem };

/**
 * Prepares comparing the session's engine with the one that `args.lockstep` names; undefined: none is named.
 * @param make loads the session's program again, in a machine of its own.
 */
export function startLockstep(args: LoadArgs, loaded: Loaded, make: MakeSide): StartedLockstep | undefined {
  if (args.lockstep === undefined) return undefined;
  const choice = chooseEngine(args.lockstep);
  const problem = (message: string): StartedLockstep => ({ problem: { kind: 'bad-engine', message } });
  if (choice === undefined) {
    const known = ENGINE_NAMES.map((name) => `"${name}"`).join(', ');
    return problem(`lockstep: engine "${args.lockstep}" is not there; the engines are ${known}`);
  }
  const { engine, message } = choice;
  if (engine === loaded.engine) {
    return problem(
      `lockstep: the program runs on "${engine.name}" already; choose another engine to compare with`,
    );
  }
  const programs = Array.from(loaded.programs.values(), ({ prog }) => prog);
  const notices = interpretedNotices(engine, loaded.machine, programs);
  const messages = [
    ...(message === undefined ? [] : [message]),
    ...notices.map((text) => `lockstep: ${text}`),
    `lockstep: ${loaded.engine.name} and ${engine.name} run side by side; the session stops where they differ`,
  ];
  return { lockstep: new SessionLockstep(loaded, new Lockstep(make, loaded.engine, engine)), messages };
}

/** Instructions in all from which on a search takes so long that it is announced. */
const LONG = 2_000_000;
/** Instructions that one native step executes at most: those of a function that is written where it is called. */
const NATIVE_STEP = 64;

/**
 * A session whose engine is compared with another. Two copies of the session's machine, one for each engine, run ahead
 * of it and are compared; the session follows no further than to where they agree. So it stands before the instruction
 * that makes a difference, not behind it.
 */
export class SessionLockstep {
  readonly #loaded: Loaded;
  readonly #lockstep: Lockstep;
  #packet = 0;
  /** Packets whose runs were begun. */
  #packets = 0;
  /** How the copies' run on this packet has ended; undefined: it goes on. */
  #ended: SideCause | undefined;
  #isEdited = false;
  /** Finds what the copies have been seen to do differently, ahead of the session. */
  #search: (() => Pinpoint) | undefined;
  /** Found ahead of the session. */
  #ahead: LockstepReport | undefined;
  /** The session stands before it; to be told. */
  #found: LockstepReport | undefined;
  #message: string | undefined;
  #isOver = false;
  /** A run that was to go on from a breakpoint has not executed anything yet. */
  #resume = false;
  /** Where the session stood when it was looked at last. */
  #lastExecuted = 0;

  constructor(loaded: Loaded, lockstep: Lockstep) {
    this.#loaded = loaded;
    this.#lockstep = lockstep;
  }

  /** The session has entered its program with a packet. */
  enter(packet: SessionPacket): void {
    if (this.#isOver) return;
    // Where the session's own limit has ended the run before.
    this.#lockstep.goBack(this.#lastExecuted);
    this.#packet = packet.number;
    this.#packets++;
    this.#ended = undefined;
    this.#isEdited = false;
    this.#lockstep.enter(packet.input);
    this.#lastExecuted = 0;
  }

  /** The user has changed registers or memory of the session: the copies get the same before they go on. */
  edited(): void {
    this.#isEdited = true;
  }

  /** `loaded.engine.run` on the session's CPU, up to where both engines are known to agree. */
  run(limits: RunLimits): StopCause {
    const { engine, machine, cpu } = this.#loaded;
    const budget = this.allowed(limits.budget, limits.breakpoints);
    const resume = limits.resume || this.#resume;
    // A budget of nothing is for the rest of an instruction that machine code was left amid.
    this.#resume = budget <= 0 && limits.budget > 0 && resume;
    if (budget <= 0 && limits.budget > 0) return { kind: 'budget' };
    const cause = engine.run(machine, cpu.index, { ...limits, budget, resume });
    this.#followed(cause);
    return cause;
  }

  /**
   * `step`, which executes one native instruction of the session, with the number of BPF instructions (`budget` at most)
   * that both engines agree on. What it gives back; `budget`, with nothing done, where they do not agree on one.
   */
  nativeStep(budget: number, step: (left: number) => StopCause | undefined): StopCause | undefined {
    const left = this.allowed(Math.min(budget, NATIVE_STEP));
    if (left <= 0 && budget > 0) return { kind: 'budget' };
    const cause = step(left);
    this.#lastExecuted = this.#executed;
    return cause;
  }

  /**
   * How many of `budget` instructions the session may execute now: as far as both engines agree, which is found out
   * here. 0: the next instruction makes a difference (`takeDifference`), or there is one that is yet to be found, which
   * takes long and is done when this is asked again (`takeMessage` says so).
   */
  allowed(budget: number, breakpoints = false): number {
    if (this.#isOver) return budget;
    this.#takeOver();
    if (this.#isOver || budget <= 0) return budget;
    this.#find();
    const at = this.#executed;
    if (this.#ahead === undefined && this.#ended === undefined && at >= this.#lockstep.executed) {
      this.#goAhead(budget, breakpoints);
      if (this.#search !== undefined) return 0;
    }
    if (this.#ahead !== undefined) {
      const left = this.#ahead.executed - at;
      if (left <= 0) this.#tell(this.#ahead);
      return Math.min(budget, Math.max(left, 0));
    }
    return this.#ended !== undefined ? budget : Math.min(budget, this.#lockstep.executed - at);
  }

  /** The difference before which the session stands now, once. From here on nothing is compared any more. */
  takeDifference(): LockstepReport | undefined {
    const found = this.#found;
    this.#found = undefined;
    return found;
  }

  /** What comparing has come to when the last run has ended; undefined where it ended before. */
  agreement(): string | undefined {
    if (this.#isOver) return undefined;
    const extent = extentText(this.#lockstep.executedInAll, this.#packets);
    return `lockstep: ${this.#names} are equal after ${extent}`;
  }

  /** Why comparing has ended without a difference, once. */
  takeMessage(): string | undefined {
    const message = this.#message;
    this.#message = undefined;
    return message;
  }

  get #executed(): number {
    return Number(this.#loaded.cpu.insnsExecuted);
  }

  /** What has changed in the session by its user's hand: engine, registers, memory. */
  #takeOver(): void {
    const { engine } = this.#loaded;
    if (engine !== this.#lockstep.first.engine) {
      if (engine === this.#lockstep.second.engine) {
        this.#end(`both engines are ${engine.name} now`);
        return;
      }
      this.#lockstep.first.engine = engine;
    }
    if (!this.#isEdited) return;
    this.#isEdited = false;
    this.#ahead = undefined;
    this.#search = undefined;
    if (isAmidInsn(this.#loaded)) {
      this.#end('something was changed amid an instruction');
      return;
    }
    this.#lockstep.goBack(this.#executed);
    const edit = editBetween(this.#loaded, this.#lockstep.first.loaded);
    if (edit === undefined) {
      this.#end('what was changed cannot be changed in the copies that are compared');
      return;
    }
    this.#ended = undefined;
    this.#lockstep.edit(edit);
  }

  #goAhead(budget: number, breakpoints: boolean): void {
    const outcome = this.#lockstep.run(budget, breakpoints);
    if (outcome.kind === 'differs') {
      this.#search = outcome.find;
      if (budget === 1 || this.#lockstep.executedInAll < LONG) this.#find();
      else this.#message = `lockstep: ${this.#names} differ; looking for the instruction …`;
    } else if (outcome.cause.kind !== 'budget') this.#ended = outcome.cause;
  }

  #find(): void {
    const search = this.#search;
    this.#search = undefined;
    if (search !== undefined) this.#ahead = lockstepReport(search(), this.#packet);
  }

  get #names(): string {
    const { first, second } = this.#lockstep;
    return `${first.engine.name} and ${second.engine.name}`;
  }

  /** The session has executed something: where it has caught up, it must be what its copies are. */
  #followed(cause: StopCause): void {
    if (this.#isOver) return;
    this.#lastExecuted = this.#executed;
    if (this.#ahead !== undefined || this.#lastExecuted !== this.#lockstep.executed) return;
    // Before a breakpoint or a fault it may stand in front of what belongs to the instruction in addition.
    if (cause.kind !== (this.#ended?.kind ?? 'budget')) return;
    const { first, second } = this.#lockstep;
    const ignoreAx = first.engine === x86Sim || second.engine === x86Sim;
    const differences = [
      ...causeDifferences([cause, this.#ended ?? cause]),
      ...compareStates(this.#loaded, second.loaded, { ignoreAx, ignoreOutput: true }),
    ];
    if (differences.length === 0) return;
    const { pair, executed } = this.#lockstep;
    const at = { executed, sameAt: executed, differsAt: executed, differences, pair } as const;
    this.#tell(lockstepReport({ ...at, certainty: 'once' }, this.#packet));
  }

  #tell(report: LockstepReport): void {
    this.#found = report;
    this.#close();
  }

  #end(why: string): void {
    this.#message = `lockstep: ${this.#names} are not compared any more: ${why}`;
    this.#close();
  }

  #close(): void {
    this.#isOver = true;
    this.#ahead = undefined;
    this.#search = undefined;
  }
}
