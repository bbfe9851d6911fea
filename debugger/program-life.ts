import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetClient } from '#core/session/client.ts';
import { baseName } from '#core/session/paths.ts';
import type { TargetEvent } from '#core/session/target-api.ts';
import type { RunCommand, StopReport } from '#core/session/target-rows.ts';
import { withEngine } from './engine.ts';
import { cancelled, DapError, messageOf } from './errors.ts';
import type { AdapterHost } from './host.ts';
import { type LaunchArguments, readLaunchArguments } from './launch-arguments.ts';
import { LaunchProgress } from './launch-progress.ts';
import { type LoadedTarget, loadTarget } from './load-target.ts';
import type { Outbox } from './outbox.ts';

type State = 'new' | 'configuring' | 'restarting' | 'running' | 'stopped' | 'ended';

/** What a session does when its program begins, stops and goes on. */
export interface LifeListener {
  /** The client shows the progress of launches. */
  showsProgress(): boolean;
  loaded(loaded: LoadedTarget['loaded']): void;
  /** A new target holds the program: gives it everything that was set in the one before. */
  restarting(target: TargetClient): Promise<void>;
  /** What was told of the last stop is of no use any more. */
  stopIsOver(): void;
  /** A stop ends by a request of which clients do not know that it does: VS Code would go on naming the reason of it. */
  leavesStop(): void;
  stopped(report: StopReport): void;
  printed(output: TargetEvent & { readonly kind: 'output' }): void;
}

/**
 * The life of a session's program: launched, cancelled, started, stopped, resumed, restarted, ended. One that is over
 * or restarted lets nothing of what it overtook go on.
 */
export class ProgramLife {
  readonly #host: AdapterHost;
  readonly #outbox: Outbox;
  readonly #listener: LifeListener;
  #state: State = 'new';
  #launch: LaunchArguments | undefined;
  /** The engine that was switched to, which a restart keeps; undefined: that of the launch. */
  #engineName: string | undefined;
  #target: TargetClient | undefined;
  /** The launch that is under way. */
  #launching: LaunchProgress | undefined;
  /** How many restarts were asked for: one that is under way gives way to a later one. */
  #restarts = 0;

  constructor(host: AdapterHost, outbox: Outbox, listener: LifeListener) {
    this.#host = host;
    this.#outbox = outbox;
    this.#listener = listener;
  }

  /** The CPU that the program runs on. */
  get cpu(): number {
    return this.#launch?.cpu ?? 0;
  }

  /** Nothing runs any more, and nothing will. */
  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** The target that holds the program. Throws DapError `notLaunched` where there is none. */
  loaded(): TargetClient {
    if (this.#target === undefined)
      throw new DapError('notLaunched', 'no program is running', { showUser: false });
    return this.#target;
  }

  /** The target while it stands. Throws DapError `notStopped` or `notLaunched`. */
  stopped(): TargetClient {
    const target = this.loaded();
    if (this.#state !== 'stopped') {
      throw new DapError('notStopped', 'the program is running; pause it first', { showUser: false });
    }
    return target;
  }

  /** Loads the program that `args` (of a request `launch`) name; `requestId`: of that request. Throws DapError. */
  async launch(args: unknown, requestId: number): Promise<undefined> {
    if (this.#state !== 'new') throw new DapError('alreadyLaunched', 'a program has been launched already');
    this.#launch = readLaunchArguments(args);
    await this.#load(this.#launch, requestId);
    this.#state = 'configuring';
  }

  /** Ends a launch that is under way; any other request is over before it could be cancelled. */
  cancel({ requestId, progressId }: DebugProtocol.CancelArguments): undefined {
    const launching = this.#launching;
    if (launching?.requestId === requestId || launching?.progressId === progressId) launching?.cancel();
  }

  /** Begins the first packet of a launched program: everything is set. */
  configured(): void {
    if (this.#state !== 'configuring') return;
    this.#start().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Reads everything again and begins anew, with the arguments of the launch where `args` has none; what the listener
   * sets stays. `requestId`: of the request for it. Throws DapError.
   */
  async restart(args: DebugProtocol.RestartArguments | undefined, requestId: number): Promise<undefined> {
    const old = this.#launch;
    this.#checkNotEnded();
    if (old === undefined || this.#state === 'new') {
      throw new DapError('notLaunched', 'no program has been launched');
    }
    const asked = args?.arguments === undefined ? old : readLaunchArguments(args.arguments);
    const launch = this.#engineName === undefined ? asked : withEngine(asked, this.#engineName);
    const turn = ++this.#restarts;
    if (this.#state === 'stopped') this.#listener.leavesStop();
    this.#state = 'restarting';
    this.#launching?.cancel();
    const target = this.#target;
    this.#target = undefined;
    this.#listener.stopIsOver();
    await target?.terminate();
    if (turn !== this.#restarts) throw cancelled();
    try {
      await this.#load(launch, requestId);
    } catch (error) {
      if (turn === this.#restarts) this.#end(1);
      throw error;
    }
    this.#launch = launch;
    await this.#listener.restarting(this.loaded());
    await this.#start();
  }

  /** Restarts keep the engine, which was switched to. */
  keepEngine(name: string): void {
    this.#engineName = name;
  }

  /** Lets the stopped program go on. Throws DapError `notLaunched`, or `notStopped` before the first stop. */
  async resume(command: RunCommand): Promise<undefined> {
    const target = this.loaded();
    // A held step key asks again before the step has ended: an error would be a message of the editor's each time.
    if (this.#state === 'running') return;
    this.stopped();
    // Before the request: what the target tells afterwards belongs to the next stop.
    this.#state = 'running';
    this.#listener.stopIsOver();
    await target.request('resume', command);
  }

  /** Ends the target and tells nobody. */
  async dispose(): Promise<void> {
    const target = this.#target;
    this.#target = undefined;
    this.#state = 'ended';
    this.#launching?.cancel();
    await target?.terminate();
  }

  /** Loads the program into a new target, which becomes the session's; `requestId`: of the request for it. */
  async #load(launch: LaunchArguments, requestId: number): Promise<void> {
    this.#checkNotEnded();
    const turn = this.#restarts;
    const name = baseName(launch.program);
    const progress = new LaunchProgress(this.#host, (event, body) => this.#outbox.eventNow(event, body), {
      requestId,
      title: `Launching ${name}`,
      isShown: this.#listener.showsProgress(),
    });
    this.#launching = progress;
    try {
      const detail = (line: string): void => this.#outbox.output(`${line}\n`, 'stderr');
      const { target, loaded } = await loadTarget(this.#host, launch, progress, detail);
      this.#listener.loaded(loaded);
      for (const message of loaded.messages) this.#outbox.output(`${message}\n`, 'console');
      if (!loaded.hasLineInfo && !launch.noDebug) {
        const instead =
          'the Disassembly view (in the menu of the stack frame) shows where it stops and takes them';
        const line = `${name} has no line info: no line is ever the current one, or takes a breakpoint; ${instead}`;
        this.#outbox.output(`${line}\n`, 'console');
      }
      target.onEvent((event) => this.#onTargetEvent(target, event));
      target.onClose((error) => this.#onTargetClosed(target, error));
      this.#target = target;
    } catch (error) {
      this.#checkNotEnded();
      if (progress.isCancelled && turn === this.#restarts)
        this.#outbox.output(`The launch of ${name} was cancelled.\n`, 'console');
      throw error;
    } finally {
      progress.end();
      if (this.#launching === progress) this.#launching = undefined;
    }
  }

  async #start(): Promise<void> {
    const launch = this.#launch;
    const target = this.#target;
    if (launch === undefined || target === undefined) return;
    this.#state = 'running';
    await target.request('start', { stopOnEntry: launch.stopOnEntry, debug: !launch.noDebug });
  }

  #onTargetEvent(target: TargetClient, event: TargetEvent): void {
    if (target !== this.#target) return;
    switch (event.kind) {
      case 'stopped':
        this.#state = 'stopped';
        this.#listener.stopIsOver();
        this.#listener.stopped(event.report);
        return;
      case 'output':
        this.#listener.printed(event);
        return;
      case 'failed':
        this.#fail(`The simulation has failed: ${event.message}`);
        return;
      case 'ended':
        this.#end(event.exitCode);
        return;
    }
  }

  /** The target went away by itself: say so and end the session. */
  #onTargetClosed(target: TargetClient, error: Error | undefined): void {
    if (target !== this.#target || error === undefined) return;
    this.#target = undefined;
    this.#fail(`The simulated kernel ended unexpectedly: ${error.message}`);
  }

  #fail(error: unknown): void {
    this.#outbox.output(`${messageOf(error)}\n`, 'important');
    this.#end(1);
  }

  #end(exitCode: number): void {
    if (this.#state === 'ended') return;
    const target = this.#target;
    this.#target = undefined;
    this.#state = 'ended';
    this.#listener.stopIsOver();
    this.#outbox.event('exited', { exitCode });
    this.#outbox.event('terminated');
    void target?.terminate();
  }

  /** Throws where the end of the session has overtaken a request. */
  #checkNotEnded(): void {
    if (this.#state !== 'ended') return;
    throw new DapError('notLaunched', 'the session has ended', { showUser: false });
  }
}
