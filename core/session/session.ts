import type { HashHost } from '../vm/settings.ts';
import { BreakpointTable } from './breakpoints.ts';
import { classicIndexOf, classicInsnText, ownText, shownType } from './classic.ts';
import type { LoadedContext } from './context-fields.ts';
import { disassemble, frameAddress } from './disassembly.ts';
import { expressionEnv } from './environment.ts';
import { assignExpression, evaluateExpression } from './expression/eval.ts';
import { JitView } from './jit-view.ts';
import { type LoadProgress, LoadReporter } from './load-progress.ts';
import type { GeneratedSource, LoadArgs, LoadReply } from './load-request.ts';
import { loadAgain, loadSession } from './load-session.ts';
import { debugFrames, insnText, type Loaded, unload } from './loaded.ts';
import { type SessionLockstep, startLockstep } from './lockstep/session-lockstep.ts';
import { readRegion, writeRegion } from './memory-access.ts';
import { nativeExecution } from './native/choose-native.ts';
import { programTextView } from './program-text.ts';
import { editedBy, valueRow } from './results.ts';
import { RunControl } from './run-control.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { switchEngine } from './switch-engine.ts';
import type { TargetEvent, TargetMethod, TargetRequests } from './target-api.ts';
import type {
  Container,
  EvaluateContext,
  EvaluateReply,
  FrameRow,
  SwitchEngineReply,
} from './target-rows.ts';
import { containerRows, frameScopes, rowExpression } from './variables.ts';
import { registersView, stackView, statsView, type ViewContext } from './views.ts';

/** What a session needs of the target that it lives in. */
export interface SessionOptions {
  /** Memory that other threads can write to, for immediate pauses. */
  readonly sharedMemory: boolean;
  /** The platform's hash functions, for program tags. */
  readonly hash?: HashHost | undefined;
  /** Told of stops, output and the end. */
  emit(event: TargetEvent): void;
  /** Told while a program is being loaded. */
  readonly progress?: (progress: LoadProgress) => void;
}

type Handlers = {
  readonly [M in TargetMethod]: (args: TargetRequests[M]['args']) => TargetRequests[M]['reply'];
};

/**
 * One debug session inside the target: a machine, a program, its packets and the run control over them.
 * Synchronous; requests can be made at any time between two slices, also while the program runs.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #handlers: Handlers;
  #loaded: Loaded | undefined;
  #run: RunControl | undefined;
  #breakpoints: BreakpointTable | undefined;
  #jit: JitView | undefined;
  #lockstep: SessionLockstep | undefined;
  #current: Snapshot | undefined;
  #previous: Snapshot | undefined;
  /** The run has ended, and the programs were unloaded. */
  #isOver = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#handlers = this.#makeHandlers();
  }

  /** The program is executing: `runSlice` has work to do. */
  get isRunning(): boolean {
    return this.#run?.isRunning ?? false;
  }

  /**
   * Carries out one request of `TargetRequests`. Throws Error with a text for people when it cannot be
   * done in this state (no program, not stopped); everything a user can type wrong is in the reply.
   */
  request<M extends TargetMethod>(method: M, args: TargetRequests[M]['args']): TargetRequests[M]['reply'] {
    const handler = this.#handlers[method];
    return handler(args);
  }

  /** Gives a running program some `budget` instructions. */
  runSlice(budget: number): void {
    this.#run?.runSlice(budget);
  }

  #makeHandlers(): Handlers {
    return {
      load: (args) => this.#load(args),
      setBreakpoints: ({ file, breakpoints }) => this.#table().set(file, breakpoints),
      setInstructionBreakpoints: ({ breakpoints }) => this.#table().setInstructions(breakpoints),
      setFunctionBreakpoints: ({ breakpoints }) => this.#table().setFunctions(breakpoints),
      disassemble: (args) => disassemble(this.#program(), args),
      breakpointLocations: ({ file, line, endLine }) => this.#table().locations(file, line, endLine),
      setFaultStops: ({ on }) => {
        this.#control().stopOnFaults = on;
        return null;
      },
      start: (options) => {
        this.#control().start(options);
        return null;
      },
      resume: (command) => {
        this.#control().resume(command);
        return null;
      },
      pause: () => {
        this.#control().pause();
        return null;
      },
      frames: () => this.#frames(),
      scopes: ({ frame }) => frameScopes(this.#context(frame)),
      children: ({ of, frame, start, count }) => containerRows(this.#context(frame ?? 0), of, start, count),
      evaluate: ({ expression, frame, context }) => this.#evaluate(expression, frame, context),
      assign: ({ target, container, value, frame }) => this.#assign(target, container, value, frame),
      readMemory: ({ reference, offset, count }) => readRegion(this.#program(), reference, offset, count),
      writeMemory: ({ reference, offset, bytes, allowPartial }) => {
        const loaded = this.#program();
        this.#edited(loaded);
        return writeRegion(loaded, reference, offset, bytes, allowPartial);
      },
      switchEngine: ({ name }) => this.#switchEngine(name),
      registers: ({ frame }) => registersView(this.#view(frame)),
      stack: ({ frame }) => stackView(this.#view(frame)),
      stats: () => statsView(this.#program(), this.#control().stop),
      programText: ({ frame = 0, start, count, shown = true }) => {
        const loaded = this.#program();
        loaded.sight.rewritten = shown;
        const frames = debugFrames(loaded);
        return programTextView(loaded, frames[frame], this.#control().stop, { start, count });
      },
      jit: (args) =>
        this.#jitView().view(args, debugFrames(this.#program())[args.frame ?? 0], this.#control().stop),
      jitRows: (args) => this.#jitView().rows(args),
      jitText: (args) => this.#jitView().text(args),
    };
  }

  #load(args: LoadArgs): LoadReply {
    if (this.#loaded !== undefined) throw new Error('this session has a program already');
    const reporter = new LoadReporter(this.#options.progress);
    const { sharedMemory, hash } = this.#options;
    const result = loadSession(args, sharedMemory, hash, reporter);
    if (!result.ok) return result;
    const { loaded } = result;
    const compared = startLockstep(args, loaded, () => loadAgain(args, sharedMemory, hash));
    if (compared !== undefined && 'problem' in compared) return { ok: false, problem: compared.problem };
    this.#loaded = loaded;
    this.#lockstep = compared?.lockstep;
    this.#breakpoints = new BreakpointTable(loaded);
    this.#jit = new JitView(() => this.#program(), args, hash);
    this.#run = new RunControl(loaded, this.#breakpoints, (event) => this.#emit(event), this.#lockstep);
    return {
      ok: true,
      name: loaded.main.attr.name,
      progType: shownType(loaded, loaded.main.attr.progType),
      ...(loaded.classic?.view === 'ebpf' ? { generated: generatedSource(loaded.classic.text) } : {}),
      nPackets: loaded.packets.length,
      hasLineInfo: loaded.allLines.files.length > 0,
      messages: [...result.messages, ...(compared?.messages ?? [])],
      ...(result.control === undefined ? {} : { control: result.control }),
    };
  }

  #emit(event: TargetEvent): void {
    if (event.kind === 'stopped') {
      this.#previous = this.#current;
      this.#current = takeSnapshot(this.#program());
    }
    this.#options.emit(event);
    if (event.kind === 'ended') {
      this.#jit?.dispose();
      unload(this.#program());
      this.#isOver = true;
    }
  }

  #frames(): readonly FrameRow[] {
    const loaded = this.#program();
    const classic = ownText(loaded);
    return debugFrames(loaded).map((frame) => {
      const { index, name, location, pc, program } = frame;
      const address = frameAddress(loaded, frame);
      if (classic === undefined) return { index, name, location, pc, address, insn: insnText(program, pc) };
      const at = classicIndexOf(classic, pc);
      return { index, name, location, pc: at, address, insn: classicInsnText(classic, at) };
    });
  }

  #switchEngine(name: string | undefined): SwitchEngineReply {
    const loaded = this.#program();
    if (name === undefined) return { ok: true, engine: loaded.engine.name };
    if (!this.#control().isStopped) return { ok: false, message: 'the program is running; pause it first' };
    const message = switchEngine(loaded, name);
    if (message !== undefined) return { ok: false, message };
    this.#table().rebind();
    return { ok: true, engine: loaded.engine.name };
  }

  #evaluate(expression: string, frame: number, context: EvaluateContext): EvaluateReply {
    const loaded = this.#program();
    const env = expressionEnv(loaded, () => frame);
    const result = evaluateExpression(expression, env, { assignments: context === 'repl' });
    if (!result.ok) return { ok: false, message: result.error.message };
    const { value, expr, assigned } = result;
    // A number or a constant says nothing that the language's own hover does not say better.
    if (context === 'hover' && (expr.kind === 'number' || isConstantName(expr, loaded))) {
      return { ok: false, message: 'not an expression of the running program' };
    }
    const row = valueRow(this.#context(frame), expression, value);
    if (assigned !== undefined) this.#edited(loaded);
    return assigned === undefined ? { ok: true, row } : { ok: true, row, edited: editedBy(loaded, assigned) };
  }

  #assign(target: string, container: Container | undefined, value: string, frame: number): EvaluateReply {
    const loaded = this.#program();
    const context = this.#context(frame);
    let expression = target;
    if (container !== undefined) {
      const row = rowExpression(context, container, target);
      if ('refusal' in row) return { ok: false, message: row.refusal };
      expression = row.expression;
    }
    const result = assignExpression(
      expression,
      value,
      expressionEnv(loaded, () => frame),
    );
    if (!result.ok) return { ok: false, message: result.error.message };
    this.#edited(loaded);
    const row = valueRow(this.#context(frame), expression, result.value);
    const edited = result.assigned === undefined ? {} : editedBy(loaded, result.assigned);
    return { ok: true, row: { ...row, name: target }, edited };
  }

  /** The user has changed registers or memory. */
  #edited(loaded: Loaded): void {
    this.#lockstep?.edited();
    nativeExecution(loaded)?.edited();
  }

  #context(frameIndex: number): LoadedContext {
    const loaded = this.#program();
    const frames = debugFrames(loaded);
    return { loaded, frames, frame: frames[frameIndex], prepared: this.#control().prepared };
  }

  #view(frameIndex: number): ViewContext {
    const { loaded, frames, frame } = this.#context(frameIndex);
    if (frame === undefined) throw new Error(`there is no frame ${frameIndex}`);
    return { loaded, frames, frame, stop: this.#control().stop, previous: this.#previous };
  }

  #program(): Loaded {
    if (this.#loaded === undefined) throw new Error('no program is loaded');
    if (this.#isOver) throw new Error('the run has ended; its programs are unloaded');
    return this.#loaded;
  }

  #jitView(): JitView {
    if (this.#jit === undefined) throw new Error('no program is loaded');
    return this.#jit;
  }

  #control(): RunControl {
    if (this.#run === undefined) throw new Error('no program is loaded');
    return this.#run;
  }

  #table(): BreakpointTable {
    if (this.#breakpoints === undefined) throw new Error('no program is loaded');
    return this.#breakpoints;
  }
}

function generatedSource({ file, name, text }: GeneratedSource): GeneratedSource {
  return { file, name, text };
}

function isConstantName(expr: { kind: string; name?: unknown }, loaded: Loaded): boolean {
  if (expr.kind !== 'name' || typeof expr.name !== 'string') return false;
  const env = expressionEnv(loaded, () => 0);
  return env.map(expr.name) === undefined && env.constant(expr.name) !== undefined;
}
