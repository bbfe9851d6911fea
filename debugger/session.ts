import type { DebugProtocol } from '@vscode/debugprotocol';
import type { EngineReply, EngineRequest } from '#core/protocol/engine.ts';
import type { TargetClient } from '#core/session/client.ts';
import { baseName } from '#core/session/paths.ts';
import type { Edited, RunCommand, StopReport, TargetEvent } from '#core/session/target-api.ts';
import { breakpointLocations, WantedBreakpoints } from './breakpoints.ts';
import { CAPABILITIES } from './capabilities.ts';
import { type ClientConventions, readConventions } from './client-conventions.ts';
import { disassemble } from './disassembly.ts';
import { engineRequest } from './engine.ts';
import { cancelled, DapError, ERROR_IDS, errorBody, messageOf, requestError } from './errors.ts';
import { evaluate, setExpression } from './evaluate.ts';
import { WantedFunctionBreakpoints } from './function-breakpoints.ts';
import { StopHandles } from './handles.ts';
import type { AdapterHost } from './host.ts';
import { WantedInstructionBreakpoints } from './instruction-breakpoints.ts';
import { jitBreakpointArguments, jitRequest, jitRowsRequest, jitTextRequest } from './jit.ts';
import { type LaunchArguments, readLaunchArguments } from './launch-arguments.ts';
import { LaunchProgress } from './launch-progress.ts';
import { loadTarget } from './load-target.ts';
import { readMemory, writeMemory } from './memory.ts';
import type { RequestHandlers, ServedCommand } from './requests.ts';
import { GeneratedSources } from './sources.ts';
import { SpaceInView } from './space-in-view.ts';
import { dapPlace, stackTrace } from './stack-trace.ts';
import { exceptionInfo, stoppedBody } from './stop-events.ts';
import { scopes, setVariable, variables } from './variables.ts';
import { programTextRequest, registersRequest, stackRequest, statsRequest } from './views.ts';

/** An event or a response without its sequence number, which the transport gives. */
export type OutgoingMessage = Omit<DebugProtocol.Event, 'seq'> | Omit<DebugProtocol.Response, 'seq'>;

type State = 'new' | 'configuring' | 'restarting' | 'running' | 'stopped' | 'ended';

/** Requests that cause events; clients expect the response first. */
const HOLDING: ReadonlySet<string> = new Set([
  ...['continue', 'next', 'stepIn', 'stepOut', 'pause', 'restart', 'terminate'],
  ...['setVariable', 'setExpression', 'evaluate', 'writeMemory', 'bpf/engine'],
]);

/**
 * One debug session of a client (DAP type `bpf`): translates between the protocol and a target.
 * Transport and platform are handed in, so that it runs in Node and in a browser's worker alike.
 */
export class BpfDebugSession {
  readonly #host: AdapterHost;
  readonly #send: (message: OutgoingMessage) => void;
  readonly #handlers: RequestHandlers;
  readonly #handles = new StopHandles();
  readonly #sources = new GeneratedSources();
  readonly #breakpoints = new WantedBreakpoints(this.#sources);
  readonly #functionBreakpoints = new WantedFunctionBreakpoints(this.#sources);
  readonly #instructionBreakpoints = new WantedInstructionBreakpoints(this.#sources);
  readonly #inView = new SpaceInView();
  #client: ClientConventions = readConventions({ adapterID: 'bpf' });
  #launch: LaunchArguments | undefined;
  /** The engine that was switched to, which a restart keeps; undefined: that of the launch. */
  #engineName: string | undefined;
  #target: TargetClient | undefined;
  #state: State = 'new';
  /** Number of the request that was taken last. */
  #requestId = 0;
  /** The launch that is under way. */
  #launching: LaunchProgress | undefined;
  /** How many restarts were asked for: one that is under way gives way to a later one. */
  #restarts = 0;
  #stopOnFaults = true;
  #lastStop: StopReport | undefined;
  /** Requests under way whose response must leave before the events that follow from them. */
  #holding = 0;
  readonly #held: OutgoingMessage[] = [];

  /** @param send takes events and responses in the order in which they are to leave. */
  constructor(host: AdapterHost, send: (message: OutgoingMessage) => void) {
    this.#host = host;
    this.#send = send;
    this.#handlers = this.#makeHandlers();
  }

  /** Carries out a request and sends its response; never throws. */
  async handle(request: DebugProtocol.Request): Promise<void> {
    const response = { type: 'response', request_seq: request.seq, command: request.command } as const;
    const holds = HOLDING.has(request.command);
    this.#requestId = request.seq;
    if (holds) this.#holding++;
    try {
      const body = await this.#dispatch(request.command, request.arguments);
      this.#send({ ...response, success: true, ...(body === undefined ? {} : { body }) });
      this.#afterResponse(request.command);
    } catch (error) {
      this.#send({ ...response, success: false, ...errorBody(requestError(request.command, error)) });
    }
    if (holds && --this.#holding === 0) for (const event of this.#held.splice(0)) this.#send(event);
  }

  /** Ends the target; the client is gone. */
  async dispose(): Promise<void> {
    const target = this.#target;
    this.#target = undefined;
    this.#state = 'ended';
    this.#launching?.cancel();
    await target?.terminate();
  }

  #dispatch(command: string, args: unknown): Promise<unknown> {
    if (!Object.hasOwn(this.#handlers, command)) {
      throw new DapError('unknownRequest', `the request "${command}" is not supported`, { showUser: false });
    }
    const handler = this.#handlers[command as ServedCommand] as (args: unknown) => Promise<unknown>;
    return handler(args ?? {});
  }

  #makeHandlers(): RequestHandlers {
    const none = undefined;
    return {
      initialize: async (args) => this.#initialize(args),
      launch: async (args) => this.#launchRequest(args),
      configurationDone: async () => none,
      restart: async (args) => this.#restart(args),
      cancel: async (args) => this.#cancel(args),
      disconnect: () => this.dispose().then(() => none),
      terminate: async () => this.#terminate(),
      setBreakpoints: (args) => this.#breakpoints.set(this.#running(), this.#client, args),
      breakpointLocations: (args) => breakpointLocations(this.#running(), this.#client, this.#sources, args),
      setFunctionBreakpoints: (args) => this.#functionBreakpoints.set(this.#running(), this.#client, args),
      setInstructionBreakpoints: (args) =>
        this.#instructionBreakpoints.set(this.#running(), this.#client, args),
      disassemble: async (args) => {
        const body = await disassemble(this.#running(), this.#client, this.#sources, args);
        this.#inView.noteDisassembled(args.memoryReference);
        return body;
      },
      setExceptionBreakpoints: async (args) => {
        this.#stopOnFaults = args.filters.includes('fault');
        await this.#running().request('setFaultStops', { on: this.#stopOnFaults });
      },
      exceptionInfo: async () => {
        const info = exceptionInfo(this.#lastStop);
        if (info === undefined) throw new DapError('notStopped', 'the program is not stopped at a fault');
        return info;
      },
      continue: async () => {
        await this.#resume({ kind: 'continue' });
        return { allThreadsContinued: true };
      },
      next: (args) => this.#resume({ kind: 'over', granularity: this.#inView.granularity(args.granularity) }),
      stepIn: (args) => this.#resume({ kind: 'in', granularity: this.#inView.granularity(args.granularity) }),
      stepOut: () => this.#resume({ kind: 'out' }),
      pause: () =>
        this.#running()
          .pause()
          .then(() => none),
      threads: async () => ({ threads: [{ id: this.#threadId(), name: `CPU ${this.#launch?.cpu ?? 0}` }] }),
      stackTrace: async (args) => {
        const body = await stackTrace(this.#stopped(), this.#client, this.#handles, this.#sources, args);
        if (args.startFrame === undefined || args.startFrame === 0) this.#inView.noteFrames(body.stackFrames);
        return body;
      },
      source: async (args) => this.#sources.content(args),
      scopes: (args) => nothingWhenOver({ scopes: [] }, () => scopes(this.#stopped(), this.#handles, args)),
      variables: (args) =>
        nothingWhenOver({ variables: [] }, () =>
          variables(this.#stopped(), this.#client, this.#handles, args),
        ),
      setVariable: async (args) => {
        const result = await setVariable(this.#stopped(), this.#client, this.#handles, args);
        return this.#edited(result);
      },
      evaluate: async (args) => {
        const result = await evaluate(this.#running(), this.#client, this.#handles, args);
        return this.#edited(result);
      },
      setExpression: async (args) => {
        const result = await setExpression(this.#running(), this.#client, this.#handles, args);
        return this.#edited(result);
      },
      readMemory: (args) => readMemory(this.#running(), args),
      writeMemory: async (args) => this.#edited(await writeMemory(this.#running(), args)),
      'bpf/registers': (args) => registersRequest(this.#stopped(), this.#handles, args),
      'bpf/stack': (args) => stackRequest(this.#stopped(), this.#handles, args),
      'bpf/programText': (args) => programTextRequest(this.#running(), this.#handles, args),
      'bpf/stats': () => statsRequest(this.#running()),
      'bpf/engine': (args) => this.#engine(args),
      'bpf/jit': (args) => {
        const addresses = this.#instructionBreakpoints.addresses();
        return jitRequest(this.#running(), this.#handles, this.#sources, args, addresses);
      },
      'bpf/jitRows': (args) => jitRowsRequest(this.#running(), args),
      'bpf/jitText': (args) => jitTextRequest(this.#running(), args),
      'bpf/jitBreakpoint': async (args) =>
        this.#instructionBreakpoints.setOfView(this.#running(), jitBreakpointArguments(args)),
    };
  }

  async #initialize(args: DebugProtocol.InitializeRequestArguments): Promise<DebugProtocol.Capabilities> {
    if (args.pathFormat !== undefined && args.pathFormat !== 'path') {
      throw new DapError(
        'pathFormat',
        `paths of the format "${args.pathFormat}" are not supported; use "path"`,
      );
    }
    this.#client = readConventions(args);
    return CAPABILITIES;
  }

  async #launchRequest(args: unknown): Promise<undefined> {
    if (this.#state !== 'new') throw new DapError('alreadyLaunched', 'a program has been launched already');
    const requestId = this.#requestId;
    this.#launch = readLaunchArguments(args);
    await this.#load(this.#launch, requestId);
    this.#state = 'configuring';
  }

  /** Loads the program into a new target, which becomes the session's; `requestId`: of the request for it. */
  async #load(launch: LaunchArguments, requestId: number): Promise<void> {
    this.#checkNotEnded();
    const turn = this.#restarts;
    const name = baseName(launch.program);
    // Progress is told of a request that has no answer yet.
    const progress = new LaunchProgress(
      this.#host,
      (event, body) => this.#send({ type: 'event', event, body }),
      {
        requestId,
        title: `Launching ${name}`,
        isShown: this.#client.progressReporting,
      },
    );
    this.#launching = progress;
    try {
      const detail = (line: string): void => this.#output(`${line}\n`, 'stderr');
      const { target, loaded } = await loadTarget(this.#host, launch, progress, detail);
      if (loaded.generated !== undefined) this.#sources.add(loaded.generated);
      for (const message of loaded.messages) this.#output(`${message}\n`, 'console');
      target.onEvent((event) => this.#onTargetEvent(target, event));
      target.onClose((error) => this.#onTargetClosed(target, error));
      this.#target = target;
    } catch (error) {
      this.#checkNotEnded();
      if (progress.isCancelled && turn === this.#restarts)
        this.#output(`The launch of ${name} was cancelled.\n`, 'console');
      throw error;
    } finally {
      progress.end();
      if (this.#launching === progress) this.#launching = undefined;
    }
  }

  /** Ends a launch that is under way; any other request is over before it could be cancelled. */
  async #cancel(args: DebugProtocol.CancelArguments | undefined): Promise<undefined> {
    const { requestId, progressId } = args ?? {};
    const launching = this.#launching;
    if (launching?.requestId === requestId || launching?.progressId === progressId) launching?.cancel();
  }

  /** What may only happen once the response has left. */
  #afterResponse(command: string): void {
    if (command === 'launch') this.#event('initialized');
    if (command === 'configurationDone' && this.#state === 'configuring') {
      this.#start().catch((error: unknown) => this.#fail(error));
    }
  }

  async #start(): Promise<void> {
    const launch = this.#launch;
    const target = this.#target;
    if (launch === undefined || target === undefined) return;
    this.#state = 'running';
    await target.request('start', { stopOnEntry: launch.stopOnEntry, debug: !launch.noDebug });
  }

  /** Reads everything again and begins anew; breakpoints and the choice of packets stay. */
  async #restart(args: DebugProtocol.RestartArguments | undefined): Promise<undefined> {
    const old = this.#launch;
    const requestId = this.#requestId;
    this.#checkNotEnded();
    if (old === undefined || this.#state === 'new') {
      throw new DapError('notLaunched', 'no program has been launched');
    }
    const asked = args?.arguments === undefined ? old : readLaunchArguments(args.arguments);
    const launch = this.#engineName === undefined ? asked : { ...asked, engine: this.#engineName };
    const turn = ++this.#restarts;
    this.#state = 'restarting';
    this.#launching?.cancel();
    const target = this.#target;
    this.#target = undefined;
    this.#handles.clear();
    await target?.terminate();
    if (turn !== this.#restarts) throw cancelled();
    try {
      await this.#load(launch, requestId);
    } catch (error) {
      if (turn === this.#restarts) this.#end(1);
      throw error;
    }
    this.#launch = launch;
    this.#inView.forget();
    const fresh = this.#running();
    await this.#setBreakpointsAgain(fresh);
    await fresh.request('setFaultStops', { on: this.#stopOnFaults });
    await this.#start();
  }

  /** Sets all breakpoints in a target that may bind them elsewhere, and tells what became of each. */
  async #setBreakpointsAgain(target: TargetClient): Promise<void> {
    const again = [
      ...(await this.#breakpoints.setAgain(target, this.#client)),
      ...(await this.#functionBreakpoints.setAgain(target, this.#client)),
      ...(await this.#instructionBreakpoints.setAgain(target, this.#client)),
    ];
    for (const breakpoint of again) this.#event('breakpoint', { reason: 'changed', breakpoint });
  }

  /** Tells which engine executes; with a name another one goes on, and the client reads everything again. */
  async #engine(args: EngineRequest | undefined): Promise<EngineReply> {
    const target = this.#running();
    const reply = await engineRequest(target, args);
    if (args?.engine === undefined) return reply;
    this.#engineName = reply.engine;
    this.#inView.forget();
    await this.#setBreakpointsAgain(target);
    this.#output(`The engine ${reply.engine} executes the program from here on.\n`, 'console');
    if (this.#client.invalidatedEvent) this.#event('invalidated', { areas: ['all'] });
    return reply;
  }

  async #terminate(): Promise<undefined> {
    await this.dispose();
    this.#event('terminated');
  }

  async #resume(command: RunCommand): Promise<undefined> {
    const target = this.#running();
    // A held step key asks again before the step has ended: an error would be a message of the editor's each time.
    if (this.#state === 'running') return;
    this.#stopped();
    // Before the request: what the target tells afterwards belongs to the next stop.
    this.#state = 'running';
    this.#handles.clear();
    await target.request('resume', command);
  }

  #onTargetEvent(target: TargetClient, event: TargetEvent): void {
    if (target !== this.#target) return;
    switch (event.kind) {
      case 'stopped':
        this.#state = 'stopped';
        this.#lastStop = event.report;
        this.#handles.clear();
        this.#event('stopped', this.#stoppedBody(event.report));
        return;
      case 'output': {
        const place =
          event.location === undefined ? {} : dapPlace(this.#client, this.#sources, event.location);
        this.#event('output', { category: event.category, output: event.text, ...place });
        return;
      }
      case 'failed':
        this.#fail(`The simulation has failed: ${event.message}`);
        return;
      case 'ended':
        this.#end(event.exitCode);
        return;
    }
  }

  #stoppedBody(report: StopReport): object {
    const body = stoppedBody(report, this.#threadId());
    const isViews = this.#instructionBreakpoints.areOfView(report.breakpoints);
    return body.reason === 'instruction breakpoint' && isViews ? { ...body, reason: 'breakpoint' } : body;
  }

  /** The target went away by itself: say so and end the session. */
  #onTargetClosed(target: TargetClient, error: Error | undefined): void {
    if (target !== this.#target || error === undefined) return;
    this.#target = undefined;
    this.#fail(`The simulated kernel ended unexpectedly: ${error.message}`);
  }

  #fail(error: unknown): void {
    this.#output(`${messageOf(error)}\n`, 'important');
    this.#end(1);
  }

  #end(exitCode: number): void {
    if (this.#state === 'ended') return;
    const target = this.#target;
    this.#target = undefined;
    this.#state = 'ended';
    this.#handles.clear();
    this.#event('exited', { exitCode });
    this.#event('terminated');
    void target?.terminate();
  }

  /** Tells the client what to read again after an edit; gives the answer's body back. */
  #edited<B>(result: { readonly body: B; readonly edited: Edited | undefined }): B {
    const { body, edited } = result;
    if (edited === undefined) return body;
    const { memory } = edited;
    if (memory !== undefined && this.#client.memoryEvent) {
      const { reference, offset, count } = memory;
      this.#event('memory', { memoryReference: reference, offset, count });
    }
    if (this.#client.invalidatedEvent) this.#event('invalidated', { areas: ['variables'] });
    return body;
  }

  /** Throws where the end of the session has overtaken a request. */
  #checkNotEnded(): void {
    if (this.#state !== 'ended') return;
    throw new DapError('notLaunched', 'the session has ended', { showUser: false });
  }

  #running(): TargetClient {
    if (this.#target === undefined)
      throw new DapError('notLaunched', 'no program is running', { showUser: false });
    return this.#target;
  }

  #stopped(): TargetClient {
    const target = this.#running();
    if (this.#state !== 'stopped') {
      throw new DapError('notStopped', 'the program is running; pause it first', { showUser: false });
    }
    return target;
  }

  #threadId(): number {
    return (this.#launch?.cpu ?? 0) + 1;
  }

  #output(output: string, category: string): void {
    this.#event('output', { category, output });
  }

  #event(event: string, body?: object): void {
    const message: OutgoingMessage = { type: 'event', event, ...(body === undefined ? {} : { body }) };
    if (this.#holding > 0) this.#held.push(message);
    else this.#send(message);
  }
}

/**
 * `nothing` where the stop that is asked about is over: a client that steps fast is told of the next one already, and
 * an editor would show the refusal as a value, in red.
 */
async function nothingWhenOver<B>(nothing: B, work: () => Promise<B>): Promise<B> {
  try {
    return await work();
  } catch (error) {
    const { notStopped, staleReference } = ERROR_IDS;
    if (error instanceof DapError && (error.id === notStopped || error.id === staleReference)) return nothing;
    throw error;
  }
}
