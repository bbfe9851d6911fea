import type { Prepared } from '../ctx/input.ts';
import { prepareInput } from '../ctx/setup.ts';
import type { RunLimits, StopCause } from '../interp/engine.ts';
import { executeRest } from '../interp/execute-one.ts';
import { bpfTraceRun } from '../prog/bpf-trace-run.ts';
import { countRun } from '../prog/stats.ts';
import type { Fault } from '../vm/fault.ts';
import { STEP_BREAKPOINT } from './breakpoint.ts';
import type { BreakpointTable } from './breakpoints.ts';
import { isClassicStart, ownText, programVerdict } from './classic.ts';
import { type DebugProgram, type Loaded, placeText } from './loaded.ts';
import type { SessionLockstep } from './lockstep/session-lockstep.ts';
import { forgetNativePlaces, isAmidInsn, nativeExecution } from './native/choose-native.ts';
import { ReachedBreakpoints } from './reached-breakpoints.ts';
import { RunOutput } from './run-output.ts';
import { RunTally } from './run-tally.ts';
import { beginStep, type StepPlan, stepDone } from './stepping.ts';
import type { TargetEvent } from './target-api.ts';
import type { RunCommand, StopReason, StopReport } from './target-rows.ts';

/** What an engine call that stopped early counts as in a slice's budget, in instructions. */
const CALL_COST = 20;

/** How a session runs. */
export interface RunOptions {
  readonly stopOnEntry: boolean;
  /** false: nothing stops it; faults are printed. */
  readonly debug: boolean;
}

type State = 'new' | 'running' | 'stopped' | 'ended';

/**
 * Run control over the packets of a session: continue, steps, pause, breakpoints, faults, verdicts.
 * Synchronous: `runSlice` does a piece of work and returns; the driver decides when the next one comes.
 */
export class RunControl {
  readonly #loaded: Loaded;
  readonly #breakpoints: ReachedBreakpoints;
  readonly #emit: (event: TargetEvent) => void;
  readonly #output: RunOutput;
  readonly #tally: RunTally;
  readonly #lockstep: SessionLockstep | undefined;
  #options: RunOptions = { stopOnEntry: false, debug: true };
  #state: State = 'new';
  #packet = -1;
  #prepared: Prepared | undefined;
  /** Ends the entry into the current packet's program. */
  #leave: () => void = () => {};
  /** The current packet's run is over (verdict or fault); what follows is the next packet. */
  #done = false;
  /** The breakpoint under the program counter was reported already. */
  #resumeOver = false;
  #step: StepPlan | undefined;
  #stopOnFaults = true;
  #stops = 0;
  #faulted = false;

  /** @param lockstep compares the engine with another; undefined: nothing does. */
  constructor(
    loaded: Loaded,
    breakpoints: BreakpointTable,
    emit: (event: TargetEvent) => void,
    lockstep?: SessionLockstep,
  ) {
    this.#loaded = loaded;
    this.#lockstep = lockstep;
    this.#breakpoints = new ReachedBreakpoints(loaded, breakpoints);
    this.#emit = emit;
    this.#output = new RunOutput(loaded.machine, emit);
    this.#tally = new RunTally(loaded, emit);
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  /** Number of the latest stop, from 1; 0 before the first. */
  get stop(): number {
    return this.#stops;
  }

  /** The current packet as it lies in memory; undefined before the first. */
  get prepared(): Prepared | undefined {
    return this.#prepared;
  }

  set stopOnFaults(on: boolean) {
    this.#stopOnFaults = on;
  }

  /** Enters the first packet and stops there or lets it run. */
  start(options: RunOptions): void {
    if (this.#state !== 'new') throw new Error('the program has been started already');
    this.#options = options;
    if (!this.#nextPacket()) {
      this.#end();
    } else if (options.debug && options.stopOnEntry) {
      this.#stopNow('entry');
    } else {
      this.#state = 'running';
    }
  }

  /** Goes on from a stop. Throws when there is none. */
  resume(command: RunCommand): void {
    if (this.#state !== 'stopped') throw new Error('the program is not stopped');
    this.#state = 'running';
    this.#output.begin();
    if (!this.#done) {
      this.#step = command.kind === 'continue' ? undefined : beginStep(this.#loaded, command);
      return;
    }
    this.#step = undefined;
    if (!this.#nextPacket()) this.#end();
    else if (command.kind !== 'continue') this.#stopNow('step', { description: this.#tally.packetName() });
  }

  /** Asks a running program to stop; nothing when it stands still. */
  pause(): void {
    const { cpu } = this.#loaded;
    if (this.isRunning) cpu.requestPause();
    else cpu.clearPause();
  }

  /** Runs about `budget` instructions, less when something stops the program. */
  runSlice(budget: number): void {
    let left = budget;
    while (left > 0 && this.isRunning) left -= this.#advance(left);
    this.#output.flush();
  }

  /** Gives the packet's memory back; the session is over. */
  dispose(): void {
    this.#leave();
    this.#prepared?.dispose();
    this.#prepared = undefined;
  }

  /** One engine call and what follows from it; returns its cost in instructions. */
  #advance(budget: number): number {
    const { cpu } = this.#loaded;
    const before = cpu.insnsExecuted;
    const limit = this.#insnsLeft(before);
    if (this.#isAtLimit()) {
      this.#faultedAt(this.#limitFault());
      return CALL_COST;
    }
    this.#breakpoints.begin(budget);
    const cause = this.#execute(this.#limits(Math.min(budget, limit)));
    this.#resumeOver = false;
    if (!this.#differs()) this.#arrived(cause);
    return Number(cpu.insnsExecuted - before) + CALL_COST + this.#breakpoints.cost;
  }

  /** How far the engine is to run. */
  #limits(budget: number): RunLimits {
    const { debug } = this.#options;
    if (this.#step?.mode !== 'single') {
      const { passes } = this.#breakpoints;
      return { budget, breakpoints: debug, resume: this.#resumeOver, passes };
    }
    if (!nativeExecution(this.#loaded)?.stopsAtAddresses)
      return { budget: 1, breakpoints: false, resume: true };
    // Breakpoints by native address may lie amid the instruction; what is left of one is a step too.
    return { budget: isAmidInsn(this.#loaded) ? 0 : 1, breakpoints: debug, resume: true };
  }

  /** Has the engine execute; where it is compared with another, no further than both agree. */
  #execute(limits: RunLimits): StopCause {
    const { machine, engine, cpu } = this.#loaded;
    const part = this.#part(limits);
    const { budget } = limits;
    const cause =
      part && (this.#lockstep === undefined ? part(budget) : this.#lockstep.nativeStep(budget, part));
    if (cause !== undefined) return cause;
    return this.#lockstep?.run(limits) ?? engine.run(machine, cpu.index, limits);
  }

  /** What a step executes that is less than an instruction as loaded; undefined: it is the engine's run. */
  #part({ budget }: RunLimits): ((left: number) => StopCause | undefined) | undefined {
    const step = this.#step;
    const { machine, cpu } = this.#loaded;
    const native = nativeExecution(this.#loaded);
    if (step?.mode === 'native') return (left) => native?.step(step.kind === 'over', left);
    // What native steps have left of one.
    const isRest = (step?.mode === 'single' || budget <= 0) && !native?.runsRest;
    return isRest && isAmidInsn(this.#loaded) ? () => executeRest(machine, cpu) : undefined;
  }

  /** Tells what comparing engines has brought; true when the program stops for it. */
  #differs(): boolean {
    const message = this.#lockstep?.takeMessage();
    if (message !== undefined) this.#emit({ kind: 'output', category: 'stderr', text: `${message}\n` });
    const difference = this.#lockstep?.takeDifference();
    if (difference === undefined) return false;
    this.#faulted = true;
    const { location, text } = difference;
    const more = `Going on executes with ${this.#loaded.engine.name} alone; nothing is compared any more.`;
    this.#output.flush();
    this.#emit({
      kind: 'output',
      category: 'stderr',
      text: `${[...text, more].join('\n')}\n`,
      ...(location ? { location } : {}),
    });
    if (!this.#options.debug) return false;
    this.#stopNow('exception', { description: text[0] ?? '', difference });
    return true;
  }

  #arrived(cause: StopCause): void {
    switch (cause.kind) {
      case 'exit':
        this.#exited();
        return;
      case 'fault':
        this.#faultedAt(cause.fault);
        return;
      case 'pause':
        this.#loaded.cpu.clearPause();
        if (this.#options.debug) this.#pauseHere();
        return;
      case 'breakpoint':
        this.#atBreakpoint();
        return;
      case 'budget':
        if (this.#step?.mode === 'single' || this.#step?.mode === 'native') this.#afterStep();
        return;
    }
  }

  /** Stops at the next instruction that is seen: of a classic program in its own text not amid one of its own. */
  #pauseHere(): void {
    const { cpu } = this.#loaded;
    const classic = ownText(this.#loaded);
    while (classic !== undefined && !isClassicStart(classic, cpu.prog.origIdx[cpu.pc] ?? 0)) {
      const cause = this.#execute({ budget: 1, breakpoints: false, resume: true });
      if (cause.kind === 'exit' || cause.kind === 'fault') {
        this.#arrived(cause);
        return;
      }
    }
    this.#stopNow('pause');
  }

  #afterStep(): void {
    const step = this.#step;
    // Where a step runs on from here, the breakpoints here have been looked at.
    this.#resumeOver = true;
    if (step === undefined || (!this.#isAtLimit() && this.#userBreakpoint())) return;
    if (stepDone(this.#loaded, step)) this.#stopNow('step');
  }

  /** The engine stopped before an instruction whose breakpoint byte is set, or at a breakpoint by native address. */
  #atBreakpoint(): void {
    const { cpu } = this.#loaded;
    this.#resumeOver = true;
    const byte = cpu.prog.breakpoints.bytes[cpu.pc] ?? 0;
    if (this.#userBreakpoint()) return;
    if ((byte & STEP_BREAKPOINT) !== 0 && this.#step !== undefined && stepDone(this.#loaded, this.#step)) {
      this.#stopNow('step');
    }
  }

  /** Counts and judges the user's breakpoints here; true when the program stops for one. */
  #userBreakpoint(): boolean {
    const here = this.#here();
    if (here === undefined) return false;
    const hit = this.#breakpoints.take();
    if (hit === undefined) return false;
    const { program, pc } = here;
    const location = program.lines.locationOf(pc);
    for (const text of hit.logs) this.#output.log(text, location);
    if (hit.stops.length === 0) return false;
    for (const problem of hit.problems) {
      this.#emit({ kind: 'output', category: 'stderr', text: `${problem}\n` });
    }
    const description = hit.problems[0];
    this.#stopNow(hit.reason, {
      breakpoints: hit.stops,
      ...(description === undefined ? {} : { description }),
    });
    return true;
  }

  #here(): { program: DebugProgram; pc: number } | undefined {
    const { cpu, programs } = this.#loaded;
    const program = programs.get(cpu.prog.id);
    return program === undefined ? undefined : { program, pc: cpu.prog.origIdx[cpu.pc] ?? 0 };
  }

  #exited(): void {
    const { cpu } = this.#loaded;
    this.#done = true;
    this.#recordRun();
    const r0 = cpu.readReg(0);
    const verdict = programVerdict(this.#loaded, Number(r0 & 0xffff_ffffn));
    this.#output.flush();
    this.#tally.verdict(verdict, r0, cpu.insnsExecuted);
    if (this.#step !== undefined) this.#stopNow('step', { description: verdict, verdict });
    else if (!this.#nextPacket()) this.#end();
  }

  #faultedAt(fault: Fault): void {
    this.#done = true;
    this.#faulted = true;
    this.#recordRun();
    this.#output.flush();
    const here = this.#here();
    const place = here === undefined ? '' : placeText(here.program, fault.pc);
    this.#tally.fault(fault, place, here?.program.lines.locationOf(fault.pc));
    if (this.#options.debug && this.#stopOnFaults) {
      this.#stopNow('exception', { description: fault.message, fault });
    } else if (this.#step !== undefined) {
      this.#stopNow('step', { description: fault.message });
    } else if (!this.#nextPacket()) {
      this.#end();
    }
  }

  #recordRun(): void {
    const { machine, cpu, main } = this.#loaded;
    this.#leave();
    // The virtual clock: one instruction takes one nanosecond.
    countRun(machine, main.prog, cpu.index, cpu.insnsExecuted, cpu.insnsExecuted);
  }

  /** Instructions that this packet may still execute. */
  #insnsLeft(executed: bigint): number {
    const { maxInsns } = this.#loaded;
    return maxInsns === undefined ? Number.POSITIVE_INFINITY : maxInsns - Number(executed);
  }

  /** No further instruction begins; breakpoints before it are not come to. */
  #isAtLimit(): boolean {
    return this.#insnsLeft(this.#loaded.cpu.insnsExecuted) <= 0 && !isAmidInsn(this.#loaded);
  }

  #limitFault(): Fault {
    const { cpu, maxInsns } = this.#loaded;
    return {
      kind: 'insn_limit',
      pc: this.#here()?.pc ?? 0,
      xlatedPc: cpu.pc,
      address: undefined,
      size: 0,
      region: undefined,
      message: `the limit of ${maxInsns} instructions is reached; is there an endless loop? Raise maxInsns to go on`,
    };
  }

  /** Lays the next packet out and enters the program; false when there is none. */
  #nextPacket(): boolean {
    const { machine, cpu, main, packets } = this.#loaded;
    const packet = packets[this.#packet + 1];
    if (packet === undefined) return false;
    this.#packet++;
    this.#prepared?.dispose();
    this.#leave();
    const prepared = prepareInput(machine, cpu.index, main.prog, packet.input);
    this.#prepared = prepared;
    this.#leave = bpfTraceRun(machine, main.prog, cpu.index);
    machine.enter(cpu, main.prog, prepared.r1, prepared.r2);
    forgetNativePlaces(this.#loaded);
    this.#lockstep?.enter(packet);
    this.#setUpClassic();
    this.#tally.begin(this.#packet);
    this.#done = false;
    this.#resumeOver = false;
    return true;
  }

  /** A classic program begins with A = X = 0; that the converted one has to see to it is not shown. */
  #setUpClassic(): void {
    const { cpu } = this.#loaded;
    const first = ownText(this.#loaded)?.firstSlot[0] ?? 0;
    let isPausing = false;
    while ((cpu.prog.origIdx[cpu.pc] ?? first) < first) {
      const stop = this.#execute({ budget: 1, breakpoints: false, resume: true });
      if (stop.kind === 'pause') {
        isPausing = true;
        cpu.clearPause();
      } else if (stop.kind !== 'budget') break;
    }
    if (isPausing) cpu.requestPause();
  }

  #stopNow(reason: StopReason, more: Partial<StopReport> = {}): void {
    this.#step?.clear();
    this.#step = undefined;
    this.#state = 'stopped';
    // A pause that was asked for meanwhile is no longer needed.
    this.#loaded.cpu.clearPause();
    // Going on from here, a breakpoint on this instruction is behind the user already.
    this.#resumeOver = true;
    this.#output.flush();
    const report: StopReport = { breakpoints: [], ...more, stop: ++this.#stops, reason };
    this.#emit({ kind: 'stopped', report });
  }

  #end(): void {
    this.#state = 'ended';
    this.#output.flush();
    if (!this.#options.debug || this.#loaded.packets.length > 1) this.#tally.summary();
    const agreement = this.#lockstep?.agreement();
    if (agreement !== undefined) this.#emit({ kind: 'output', category: 'console', text: `${agreement}\n` });
    this.#emit({ kind: 'ended', exitCode: this.#faulted ? 1 : 0 });
  }
}
