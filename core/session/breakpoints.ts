import type { InsnIndex } from '../isa/insn.ts';
import type { ExecProg } from '../vm/program.ts';
import {
  type Asked,
  type Breakpoint,
  keepUnchanged,
  newBreakpoint,
  STEP_BREAKPOINT,
  USER_BREAKPOINT,
} from './breakpoint.ts';
import { type ConditionPlace, logText } from './breakpoint-condition.ts';
import { expressionEnv } from './environment.ts';
import type { Loaded } from './loaded.ts';
import { nativeExecution } from './native/choose-native.ts';
import { foldPath } from './paths.ts';
import { fileKey, resolveAddress, resolveFunction, resolveLine } from './resolve-breakpoint.ts';
import type {
  BreakpointReply,
  BreakpointRequest,
  FunctionBreakpointReply,
  FunctionBreakpointRequest,
  InstructionBreakpointReply,
  InstructionBreakpointRequest,
  StopReason,
} from './target-rows.ts';

/** What happens at breakpoints that were reached. */
export interface BreakpointHit {
  /** Ids of those that stop; empty: none does. */
  readonly stops: readonly number[];
  /** What they were set on. */
  readonly reason: StopReason;
  /** Texts of log points. */
  readonly logs: readonly string[];
  /** Conditions that could not be evaluated, each with its message; they stop too. */
  readonly problems: readonly string[];
}

type AnyBreakpoint =
  | Asked<BreakpointRequest, BreakpointReply>
  | Asked<FunctionBreakpointRequest, FunctionBreakpointReply>
  | Asked<InstructionBreakpointRequest, InstructionBreakpointReply>;

const NONE: readonly Breakpoint[] = [];

/**
 * Breakpoints of a session, on lines, functions and addresses. Writes the programs' breakpoint bytes, and the addresses
 * that the simulated processor stops at.
 */
export class BreakpointTable {
  readonly #loaded: Loaded;
  /** The innermost frame, whatever it is at the time. */
  readonly #at: ConditionPlace;
  readonly #byFile = new Map<string, readonly Asked<BreakpointRequest, BreakpointReply>[]>();
  #byAddress: readonly Asked<InstructionBreakpointRequest, InstructionBreakpointReply>[] = [];
  #onFunctions: readonly Asked<FunctionBreakpointRequest, FunctionBreakpointReply>[] = [];
  /** What lies at a slot of a rewritten program: looked at each time an engine comes there. */
  readonly #bySlot = new Map<ExecProg, Map<InsnIndex, Breakpoint[]>>();
  readonly #byNative = new Map<bigint, Breakpoint[]>();
  #nextId = 1;
  #canJudge = true;

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
    const { machine, cpu } = loaded;
    this.#at = { machine, cpu, env: expressionEnv(loaded, () => 0) };
  }

  /**
   * Replaces all breakpoints of a file. One on a line without instructions moves to the next line that
   * has some, and says so. A breakpoint that was there before unchanged keeps its id and its count.
   */
  set(file: string, requests: readonly BreakpointRequest[]): readonly BreakpointReply[] {
    const key = foldPath(file);
    const now = keepUnchanged(this.#byFile.get(key) ?? [], requests, (one) => this.#onLine(file, one));
    this.#byFile.set(key, now);
    this.#write();
    return now.map((breakpoint) => breakpoint.reply);
  }

  /** Replaces all breakpoints by address; one that was there before unchanged keeps its id and its count. */
  setInstructions(requests: readonly InstructionBreakpointRequest[]): readonly InstructionBreakpointReply[] {
    this.#byAddress = keepUnchanged(this.#byAddress, requests, (one) => this.#atAddress(one));
    this.#write();
    return this.#byAddress.map((breakpoint) => breakpoint.reply);
  }

  /** The same for those on functions. */
  setFunctions(requests: readonly FunctionBreakpointRequest[]): readonly FunctionBreakpointReply[] {
    this.#onFunctions = keepUnchanged(this.#onFunctions, requests, (one) => this.#onFunction(one));
    this.#write();
    return this.#onFunctions.map((breakpoint) => breakpoint.reply);
  }

  /** Binds all of them anew, ids and counts kept: another engine executes the programs. */
  rebind(): void {
    for (const [file, before] of this.#byFile) {
      const now = before.map((one) => again(one, (request) => this.#onLine(file, request)));
      this.#byFile.set(file, now);
    }
    this.#onFunctions = this.#onFunctions.map((one) => again(one, (request) => this.#onFunction(request)));
    this.#byAddress = this.#byAddress.map((one) => again(one, (request) => this.#atAddress(request)));
    this.#write();
  }

  /** Places in lines `from`…`to` where a breakpoint can stop. */
  locations(file: string, from: number, to: number): readonly { line: number; column: number }[] {
    const key = fileKey(this.#loaded, file);
    const found = new Map<string, { line: number; column: number }>();
    for (const program of this.#loaded.programs.values()) {
      for (const line of program.lines.linesOf(key)) {
        if (line < from || line > to) continue;
        for (const place of program.lines.slotsOfLine(key, line)) {
          const column = Math.max(1, place.column);
          found.set(`${line}:${column}`, { line, column });
        }
      }
    }
    return [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  /**
   * Looks at the breakpoints before slots of the rewritten `prog`, or patched in at a native address: counts,
   * evaluates, decides. Undefined: nothing comes of them.
   */
  reached(prog: ExecProg, slots: readonly InsnIndex[], address?: bigint): BreakpointHit | undefined {
    let found = NONE;
    for (const slot of slots) found = joined(found, this.#bySlot.get(prog)?.get(slot) ?? NONE);
    if (address !== undefined) found = joined(found, this.#byNative.get(address) ?? NONE);
    return this.#judge(found);
  }

  /**
   * Each slot can be judged by itself while the engine runs: no other breakpoint lies at the same native address, and
   * nothing is asked of the processor.
   */
  get canJudge(): boolean {
    return this.#canJudge;
  }

  /** As `reached` for one slot: what engines ask many times a second. */
  reachedAt(prog: ExecProg, slot: InsnIndex): BreakpointHit | undefined {
    return this.#judge(this.#bySlot.get(prog)?.get(slot) ?? NONE);
  }

  #judge(reached: readonly Breakpoint[]): BreakpointHit | undefined {
    let stops: Breakpoint[] | undefined;
    let logs: string[] | undefined;
    let problems: string[] | undefined;
    for (const breakpoint of reached) {
      const { condition, hitTest, logMessage } = breakpoint;
      const held = condition === undefined || condition();
      if (held === false) continue;
      if (held !== true) {
        problems = [...(problems ?? []), `condition of the breakpoint ${breakpoint.where}: ${held}`];
        stops = [...(stops ?? []), breakpoint];
        continue;
      }
      breakpoint.hits++;
      if (hitTest !== undefined && !hitTest(breakpoint.hits)) continue;
      if (logMessage === undefined) stops = [...(stops ?? []), breakpoint];
      else logs = [...(logs ?? []), logText(logMessage, this.#at.env)];
    }
    if (stops === undefined && logs === undefined) return undefined;
    const reason = reasonOf(stops ?? NONE);
    return { stops: (stops ?? NONE).map(({ id }) => id), reason, logs: logs ?? [], problems: problems ?? [] };
  }

  #all(): readonly AnyBreakpoint[] {
    return [...[...this.#byFile.values()].flat(), ...this.#onFunctions, ...this.#byAddress];
  }

  #takeId({ id = this.#nextId }: { readonly id?: number }): number {
    this.#nextId = Math.max(this.#nextId, id + 1);
    return id;
  }

  #onLine(file: string, request: BreakpointRequest): Asked<BreakpointRequest, BreakpointReply> {
    const resolved = resolveLine(this.#loaded, file, this.#takeId(request), request);
    return newBreakpoint('source', request, resolved, this.#at);
  }

  #atAddress(
    request: InstructionBreakpointRequest,
  ): Asked<InstructionBreakpointRequest, InstructionBreakpointReply> {
    const resolved = resolveAddress(this.#loaded, this.#takeId(request), request);
    return newBreakpoint('instruction', request, resolved, this.#at);
  }

  #onFunction(request: FunctionBreakpointRequest): Asked<FunctionBreakpointRequest, FunctionBreakpointReply> {
    const resolved = resolveFunction(this.#loaded, this.#takeId(request), request);
    return newBreakpoint('function', request, resolved, this.#at);
  }

  /** Tells engines where breakpoints lie now. */
  #write(): void {
    this.#bySlot.clear();
    this.#byNative.clear();
    for (const breakpoint of this.#all()) {
      const { slots, address } = breakpoint.places;
      if (address !== undefined) add(this.#byNative, address, breakpoint);
      for (const { program, slot } of slots) {
        const { prog } = program;
        const ofProg = this.#bySlot.get(prog) ?? new Map<InsnIndex, Breakpoint[]>();
        this.#bySlot.set(prog, ofProg);
        add(ofProg, prog.firstXlated[slot] ?? slot, breakpoint);
      }
    }
    const native = nativeExecution(this.#loaded);
    for (const { prog } of this.#loaded.programs.values()) {
      const now = this.#bySlot.get(prog);
      if (native !== undefined && now !== undefined && now.size > 1) joinSharing(now, native.startsOf(prog));
      for (const slot of [...prog.breakpoints.slots, ...(now?.keys() ?? [])]) {
        const step = (prog.breakpoints.bytes[slot] ?? 0) & STEP_BREAKPOINT;
        prog.breakpoints.set(slot, step | (now?.has(slot) === true ? USER_BREAKPOINT : 0));
      }
    }
    const slots = new Map(Array.from(this.#bySlot, ([prog, its]) => [prog, its.keys()]));
    const asksNative = this.#all().some(({ request }) => request.condition?.includes('$'));
    this.#canJudge = native?.setBreakpoints({ addresses: this.#byNative.keys(), slots, asksNative }) ?? true;
  }
}

/** Of slots that share an address the first gets the breakpoints of all: nothing is executed between them. */
function joinSharing(bySlot: Map<InsnIndex, Breakpoint[]>, starts: ReadonlyMap<InsnIndex, number>): void {
  const firsts = new Map<number, Breakpoint[]>();
  for (const slot of [...bySlot.keys()].sort((a, b) => a - b)) {
    const start = starts.get(slot);
    if (start === undefined) continue;
    const own = bySlot.get(slot) ?? [];
    const first = firsts.get(start);
    if (first === undefined) firsts.set(start, own);
    else {
      first.push(...own);
      bySlot.delete(slot);
    }
  }
}

function add<Key>(map: Map<Key, Breakpoint[]>, key: Key, breakpoint: Breakpoint): void {
  const list = map.get(key) ?? [];
  list.push(breakpoint);
  map.set(key, list);
}

function joined(some: readonly Breakpoint[], more: readonly Breakpoint[]): readonly Breakpoint[] {
  if (some.length === 0 || more.length === 0) return some.length === 0 ? more : some;
  return [...new Set([...some, ...more])];
}

/** The breakpoint bound anew under its id, with its count. */
function again<Request extends { readonly id?: number }, Reply>(
  { request, id, hits }: Asked<Request, Reply>,
  bind: (request: Request) => Asked<Request, Reply>,
): Asked<Request, Reply> {
  return { ...bind({ ...request, id }), request, hits };
}

function reasonOf(stops: readonly Breakpoint[]): StopReason {
  if (stops.some(({ kind }) => kind === 'source')) return 'breakpoint';
  return stops.some(({ kind }) => kind === 'function') ? 'function breakpoint' : 'instruction breakpoint';
}
