import type { DebugProtocol } from '@vscode/debugprotocol';
import type { EngineReply, EngineRequest } from '#core/protocol/engine.ts';
import type { TargetClient } from '#core/session/client.ts';
import type { TargetEvent } from '#core/session/target-api.ts';
import type { Edited, StopReport } from '#core/session/target-rows.ts';
import { breakpointLocations, WantedBreakpoints } from './breakpoints.ts';
import { CAPABILITIES } from './capabilities.ts';
import { type ClientConventions, readConventions } from './client-conventions.ts';
import { disassemble } from './disassembly.ts';
import { engineRequest } from './engine.ts';
import { DapError, ERROR_IDS } from './errors.ts';
import { evaluate, setExpression } from './evaluate.ts';
import { WantedFunctionBreakpoints } from './function-breakpoints.ts';
import { StopHandles } from './handles.ts';
import type { AdapterHost } from './host.ts';
import { WantedInstructionBreakpoints } from './instruction-breakpoints.ts';
import { jitBreakpointArguments, jitRequest, jitRowsRequest, jitTextRequest } from './jit.ts';
import { readMemory, writeMemory } from './memory.ts';
import { Outbox, type OutgoingMessage } from './outbox.ts';
import { ProgramLife } from './program-life.ts';
import type { RequestHandlers, ServedCommand } from './requests.ts';
import { GeneratedSources } from './sources.ts';
import { SpaceInView } from './space-in-view.ts';
import { dapPlace, stackTrace } from './stack-trace.ts';
import { exceptionInfo, stoppedBody } from './stop-events.ts';
import { scopes, setVariable, variables } from './variables.ts';
import { programTextRequest, registersRequest, stackRequest, statsRequest } from './views.ts';

/**
 * One debug session of a client (DAP type `bpf`): translates between the protocol and a target.
 * Transport and platform are handed in, so that it runs in Node and in a browser's worker alike.
 */
export class BpfDebugSession {
  readonly #outbox: Outbox;
  readonly #life: ProgramLife;
  readonly #handlers: RequestHandlers;
  readonly #handles = new StopHandles();
  readonly #sources = new GeneratedSources();
  readonly #breakpoints = new WantedBreakpoints(this.#sources);
  readonly #functionBreakpoints = new WantedFunctionBreakpoints(this.#sources);
  readonly #instructionBreakpoints = new WantedInstructionBreakpoints(this.#sources);
  readonly #inView = new SpaceInView();
  #client: ClientConventions = readConventions({ adapterID: 'bpf' });
  /** Number of the request that was taken last. */
  #requestId = 0;
  #stopOnFaults = true;
  #lastStop: StopReport | undefined;

  /** @param send takes events and responses in the order in which they are to leave. */
  constructor(host: AdapterHost, send: (message: OutgoingMessage) => void) {
    this.#outbox = new Outbox(send);
    this.#life = new ProgramLife(host, this.#outbox, {
      showsProgress: () => this.#client.progressReporting,
      loaded: ({ generated }) => {
        if (generated !== undefined) this.#sources.add(generated);
      },
      restarting: async (target) => {
        this.#inView.forget();
        await this.#setBreakpointsAgain(target);
        await target.request('setFaultStops', { on: this.#stopOnFaults });
      },
      stopIsOver: () => this.#handles.clear(),
      leavesStop: () =>
        this.#outbox.event('continued', { threadId: this.#threadId(), allThreadsContinued: true }),
      stopped: (report) => this.#stopped(report),
      printed: (output) => this.#printed(output),
    });
    this.#handlers = this.#makeHandlers();
  }

  /** Carries out a request and sends its response; never throws. */
  async handle(request: DebugProtocol.Request): Promise<void> {
    const { seq, command, arguments: args } = request;
    this.#requestId = seq;
    await this.#outbox.answer(
      request,
      () => this.#dispatch(command, args),
      () => this.#afterResponse(command),
    );
  }

  /** Ends the target; the client is gone. */
  async dispose(): Promise<void> {
    await this.#life.dispose();
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
      launch: (args) => this.#life.launch(args, this.#requestId),
      configurationDone: async () => none,
      restart: (args) => this.#life.restart(args, this.#requestId),
      cancel: async (args) => this.#life.cancel(args ?? {}),
      disconnect: () => this.dispose().then(() => none),
      terminate: async () => this.#terminate(),
      setBreakpoints: (args) => this.#breakpoints.set(this.#life.loaded(), this.#client, args),
      breakpointLocations: (args) =>
        breakpointLocations(this.#life.loaded(), this.#client, this.#sources, args),
      setFunctionBreakpoints: (args) =>
        this.#functionBreakpoints.set(this.#life.loaded(), this.#client, args),
      setInstructionBreakpoints: (args) =>
        this.#instructionBreakpoints.set(this.#life.loaded(), this.#client, args),
      disassemble: async (args) => {
        const body = await disassemble(this.#life.loaded(), this.#client, this.#sources, args);
        this.#inView.noteDisassembled(args.memoryReference);
        return body;
      },
      setExceptionBreakpoints: async (args) => {
        this.#stopOnFaults = args.filters.includes('fault');
        await this.#life.loaded().request('setFaultStops', { on: this.#stopOnFaults });
      },
      exceptionInfo: async () => {
        const info = exceptionInfo(this.#lastStop);
        if (info === undefined) {
          throw new DapError('notStopped', 'the program is not stopped at a fault', { showUser: false });
        }
        return info;
      },
      continue: async () => {
        await this.#life.resume({ kind: 'continue' });
        return { allThreadsContinued: true };
      },
      next: (args) =>
        this.#life.resume({ kind: 'over', granularity: this.#inView.granularity(args.granularity) }),
      stepIn: (args) =>
        this.#life.resume({ kind: 'in', granularity: this.#inView.granularity(args.granularity) }),
      stepOut: () => this.#life.resume({ kind: 'out' }),
      pause: async () => void (await this.#life.loaded().pause()),
      threads: async () => ({ threads: [{ id: this.#threadId(), name: `CPU ${this.#life.cpu}` }] }),
      stackTrace: async (args) => {
        const body = await stackTrace(this.#life.stopped(), this.#client, this.#handles, this.#sources, args);
        if (args.startFrame === undefined || args.startFrame === 0) this.#inView.noteFrames(body.stackFrames);
        return body;
      },
      source: async (args) => this.#sources.content(args),
      scopes: (args) =>
        nothingWhenOver({ scopes: [] }, () => scopes(this.#life.stopped(), this.#handles, args)),
      variables: (args) =>
        nothingWhenOver({ variables: [] }, () =>
          variables(this.#life.stopped(), this.#client, this.#handles, args),
        ),
      setVariable: async (args) => {
        const result = await setVariable(this.#life.stopped(), this.#client, this.#handles, args);
        return this.#edited(result);
      },
      evaluate: async (args) => {
        const result = await evaluate(this.#life.loaded(), this.#client, this.#handles, args);
        return this.#edited(result);
      },
      setExpression: async (args) => {
        const result = await setExpression(this.#life.loaded(), this.#client, this.#handles, args);
        return this.#edited(result);
      },
      readMemory: (args) => readMemory(this.#life.loaded(), args),
      writeMemory: async (args) => this.#edited(await writeMemory(this.#life.loaded(), args)),
      'bpf/registers': (args) => registersRequest(this.#life.stopped(), this.#handles, args),
      'bpf/stack': (args) => stackRequest(this.#life.stopped(), this.#handles, args),
      'bpf/programText': (args) => programTextRequest(this.#life.loaded(), this.#handles, args),
      'bpf/stats': () => statsRequest(this.#life.loaded()),
      'bpf/engine': (args) => this.#engine(args),
      'bpf/jit': (args) => {
        const addresses = this.#instructionBreakpoints.addresses();
        return jitRequest(this.#life.loaded(), this.#handles, this.#sources, args, addresses);
      },
      'bpf/jitRows': (args) => jitRowsRequest(this.#life.loaded(), args),
      'bpf/jitText': (args) => jitTextRequest(this.#life.loaded(), args),
      'bpf/jitBreakpoint': async (args) =>
        this.#instructionBreakpoints.setOfView(this.#life.loaded(), jitBreakpointArguments(args)),
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

  /** What may only happen once the answer has left. */
  #afterResponse(command: string): void {
    if (command === 'launch') this.#outbox.event('initialized');
    if (command === 'configurationDone') this.#life.configured();
  }

  /** Sets all breakpoints in a target that may bind them elsewhere, and tells what became of each. */
  async #setBreakpointsAgain(target: TargetClient): Promise<void> {
    const again = [
      ...(await this.#breakpoints.setAgain(target, this.#client)),
      ...(await this.#functionBreakpoints.setAgain(target, this.#client)),
      ...(await this.#instructionBreakpoints.setAgain(target, this.#client)),
    ];
    for (const breakpoint of again) this.#outbox.event('breakpoint', { reason: 'changed', breakpoint });
  }

  /** Tells which engine executes; with a name another one goes on, and the client reads everything again. */
  async #engine(args: EngineRequest | undefined): Promise<EngineReply> {
    const target = this.#life.loaded();
    const reply = await engineRequest(target, args);
    if (args?.engine === undefined) return reply;
    this.#life.keepEngine(reply.engine);
    this.#inView.forget();
    await this.#setBreakpointsAgain(target);
    this.#outbox.output(`The engine ${reply.engine} executes the program from here on.\n`, 'console');
    if (this.#client.invalidatedEvent) this.#outbox.event('invalidated', { areas: ['all'] });
    return reply;
  }

  async #terminate(): Promise<undefined> {
    const { hasEnded } = this.#life;
    await this.dispose();
    if (!hasEnded) this.#outbox.event('terminated');
  }

  #stopped(report: StopReport): void {
    this.#lastStop = report;
    this.#outbox.event('stopped', this.#stoppedBody(report));
  }

  #printed({ location, category, text }: TargetEvent & { readonly kind: 'output' }): void {
    const place = location === undefined ? {} : dapPlace(this.#client, this.#sources, location);
    this.#outbox.event('output', { category, output: text, ...place });
  }

  #stoppedBody(report: StopReport): object {
    const body = stoppedBody(report, this.#threadId());
    const isViews = this.#instructionBreakpoints.areOfView(report.breakpoints);
    return body.reason === 'instruction breakpoint' && isViews ? { ...body, reason: 'breakpoint' } : body;
  }

  /** Tells the client what to read again after an edit; gives the answer's body back. */
  #edited<B>(result: { readonly body: B; readonly edited: Edited | undefined }): B {
    const { body, edited } = result;
    if (edited === undefined) return body;
    const { memory } = edited;
    if (memory !== undefined && this.#client.memoryEvent) {
      const { reference, offset, count } = memory;
      this.#outbox.event('memory', { memoryReference: reference, offset, count });
    }
    if (this.#client.invalidatedEvent) this.#outbox.event('invalidated', { areas: ['variables'] });
    return body;
  }

  #threadId(): number {
    return this.#life.cpu + 1;
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
