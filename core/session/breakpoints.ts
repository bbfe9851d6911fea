import type { InsnIndex } from '../isa/insn.ts';
import { setBreakpointByte } from '../vm/program.ts';
import {
  type BreakpointTexts,
  conditionHolds,
  type HitTest,
  hitTest,
  logText,
  parsedCondition,
  requestProblem,
} from './breakpoint-condition.ts';
import { addressText } from './code-address.ts';
import { codePlace } from './disassembly.ts';
import type { Expr } from './expression-parse.ts';
import type { ExprEnv } from './expression-value.ts';
import type { LinePlace } from './line-index.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { baseName, foldPath, samePath } from './paths.ts';
import type {
  BreakpointReply,
  BreakpointRequest,
  InstructionBreakpointReply,
  InstructionBreakpointRequest,
} from './target-api.ts';

/** Bits of a program's breakpoint byte. */
export const USER_BREAKPOINT = 1;
export const STEP_BREAKPOINT = 2;

interface Breakpoint {
  readonly id: number;
  /** `in line 5`, `at 0x0bbf…`: for messages. */
  readonly where: string;
  readonly byAddress: boolean;
  readonly logMessage: string | undefined;
  readonly places: readonly { readonly program: DebugProgram; readonly slot: InsnIndex }[];
  /** Parsed condition; undefined: none. */
  readonly condition: Expr | undefined;
  readonly hitTest: HitTest | undefined;
  hits: number;
}

/** A breakpoint as it was asked for and what became of it. */
interface Asked<Request, Reply> extends Breakpoint {
  readonly request: Request;
  readonly reply: Reply;
}

type SourceBreakpoint = Asked<BreakpointRequest, BreakpointReply>;
type InstructionBreakpoint = Asked<InstructionBreakpointRequest, InstructionBreakpointReply>;

/** What happens at a breakpoint that was reached. */
export interface BreakpointHit {
  /** Ids of those that stop. */
  readonly stops: readonly number[];
  /** All that stop lie on an address, none on a line. */
  readonly byAddress: boolean;
  /** Texts of log points. */
  readonly logs: readonly string[];
  /** Conditions that could not be evaluated, each with its message; they stop too. */
  readonly problems: readonly string[];
}

/** Breakpoints of a session, on lines and on addresses. Writes the programs' breakpoint bytes. */
export class BreakpointTable {
  readonly #loaded: Loaded;
  readonly #byFile = new Map<string, readonly SourceBreakpoint[]>();
  #byAddress: readonly InstructionBreakpoint[] = [];
  /** What lies at a slot, by program: looked at each time an engine stops there. */
  readonly #bySlot = new Map<DebugProgram, Map<InsnIndex, Breakpoint[]>>();
  #nextId = 1;

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
  }

  /**
   * Replaces all breakpoints of a file. One on a line without instructions moves to the next line that
   * has some, and says so. A breakpoint that was there before unchanged keeps its id and its count.
   */
  set(file: string, requests: readonly BreakpointRequest[]): readonly BreakpointReply[] {
    const key = foldPath(file);
    const now = keepUnchanged(this.#byFile.get(key) ?? [], requests, (one) => this.#resolve(file, one));
    this.#byFile.set(key, now);
    this.#writeBytes();
    return now.map((breakpoint) => breakpoint.reply);
  }

  /** Replaces all breakpoints by address; one that was there before unchanged keeps its id and its count. */
  setInstructions(requests: readonly InstructionBreakpointRequest[]): readonly InstructionBreakpointReply[] {
    this.#byAddress = keepUnchanged(this.#byAddress, requests, (one) => this.#resolveAddress(one));
    this.#writeBytes();
    return this.#byAddress.map((breakpoint) => breakpoint.reply);
  }

  /** Binds all of them anew, ids and counts kept: another engine executes the programs. */
  rebind(): void {
    for (const [file, before] of this.#byFile) {
      this.#byFile.set(
        file,
        before.map(({ request, id, hits }) => ({
          ...this.#resolve(file, { ...request, id }),
          request,
          hits,
        })),
      );
    }
    this.#byAddress = this.#byAddress.map(({ request, id, hits }) => ({
      ...this.#resolveAddress({ ...request, id }),
      request,
      hits,
    }));
    this.#writeBytes();
  }

  /** Places in lines `from`…`to` where a breakpoint can stop. */
  locations(file: string, from: number, to: number): readonly { line: number; column: number }[] {
    const key = this.#fileKey(file);
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

  /** Looks at the breakpoints before `slot` (original) of `program`: counts, evaluates, decides. */
  reached(program: DebugProgram, slot: InsnIndex, env: ExprEnv): BreakpointHit {
    const stops: Breakpoint[] = [];
    const logs: string[] = [];
    const problems: string[] = [];
    for (const breakpoint of this.#bySlot.get(program)?.get(slot) ?? []) {
      const { logMessage } = breakpoint;
      const held = breakpoint.condition === undefined || conditionHolds(breakpoint.condition, env);
      if (typeof held === 'string') {
        problems.push(`condition of the breakpoint ${breakpoint.where}: ${held}`);
        stops.push(breakpoint);
        continue;
      }
      if (!held) continue;
      breakpoint.hits++;
      if (breakpoint.hitTest !== undefined && !breakpoint.hitTest(breakpoint.hits)) continue;
      if (logMessage === undefined) stops.push(breakpoint);
      else logs.push(logText(logMessage, env));
    }
    const byAddress = stops.every((breakpoint) => breakpoint.byAddress);
    return { stops: stops.map((breakpoint) => breakpoint.id), byAddress, logs, problems };
  }

  /** Forgets how often breakpoints were hit (a new run of the same program). */
  clearHits(): void {
    for (const breakpoint of this.#all()) breakpoint.hits = 0;
  }

  #all(): readonly Breakpoint[] {
    return [...[...this.#byFile.values()].flat(), ...this.#byAddress];
  }

  #takeId({ id = this.#nextId }: { readonly id?: number }): number {
    this.#nextId = Math.max(this.#nextId, id + 1);
    return id;
  }

  #resolve(file: string, request: BreakpointRequest): SourceBreakpoint {
    const id = this.#takeId(request);
    const { line: asked } = request;
    const refused = (message: string): SourceBreakpoint => ({
      ...newBreakpoint(id, `in line ${asked}`, {}),
      request,
      reply: { id, verified: false, line: asked, message },
    });
    const problem = requestProblem(request);
    if (problem !== undefined) return refused(problem);
    const key = this.#fileKey(file);
    if (!this.#loaded.allLines.files.includes(key)) {
      return refused(`${baseName(file)} is not part of the program that is debugged`);
    }
    const line = this.#loaded.allLines.linesOf(key).find((one) => one >= request.line);
    if (line === undefined) return refused('there is no instruction on this line or after it');
    const places = this.#placesOf(key, line, request);
    if (places.length === 0) {
      return refused(
        `line ${line} belongs to another program than ${this.#loaded.main.attr.name}, which runs`,
      );
    }
    const column = places[0]?.place.column ?? 0;
    const moved =
      line === request.line
        ? {}
        : { message: `line ${request.line} has no instruction: stops at line ${line}` };
    return {
      ...newBreakpoint(id, `in line ${line}`, request),
      request,
      reply: { id, verified: true, line, ...(column > 0 ? { column } : {}), ...moved },
      places: places.map(({ program, place }) => ({ program, slot: place.slot })),
    };
  }

  #resolveAddress(request: InstructionBreakpointRequest): InstructionBreakpoint {
    const id = this.#takeId(request);
    const problem = requestProblem(request);
    const place =
      problem === undefined
        ? codePlace(this.#loaded, request.reference, request.offset)
        : { message: problem };
    if ('message' in place) {
      const { message } = place;
      const where = `at ${request.reference}`;
      return {
        ...newBreakpoint(id, where, {}),
        byAddress: true,
        request,
        reply: { id, verified: false, message },
      };
    }
    const { address, program, slot } = place;
    const location = program.lines.locationOf(slot);
    return {
      ...newBreakpoint(id, `at ${addressText(address)}`, request),
      byAddress: true,
      request,
      reply: { id, verified: true, address, ...(location === undefined ? {} : { location }) },
      places: [{ program, slot }],
    };
  }

  #placesOf(
    key: string,
    line: number,
    request: BreakpointRequest,
  ): { program: DebugProgram; place: LinePlace }[] {
    const wanted = line === request.line ? (request.column ?? 1) : 1;
    return [...this.#loaded.programs.values()].flatMap((program) => {
      const all = program.lines.slotsOfLine(key, line);
      const atColumn = wanted > 1 ? all.filter((place) => place.column >= wanted) : [];
      const nearest = Math.min(...atColumn.map((place) => place.column));
      const chosen =
        atColumn.length > 0
          ? atColumn.filter((place) => place.column === nearest)
          : all.filter((place) => !place.continues);
      return chosen.map((place) => ({ program, place }));
    });
  }

  /** The folded path that line info uses for `file`; the program's own file goes by its own path. */
  #fileKey(file: string): string {
    return samePath(file, this.#loaded.fileName) ? foldPath(this.#loaded.fileName) : foldPath(file);
  }

  #writeBytes(): void {
    for (const { prog } of this.#loaded.programs.values()) {
      for (let slot = 0; slot < prog.breakpoints.length; slot++) {
        setBreakpointByte(prog, slot, (prog.breakpoints[slot] ?? 0) & ~USER_BREAKPOINT);
      }
    }
    this.#bySlot.clear();
    for (const breakpoint of this.#all()) {
      for (const { program, slot } of breakpoint.places) {
        const slots = this.#bySlot.get(program) ?? new Map<InsnIndex, Breakpoint[]>();
        const here = slots.get(slot) ?? [];
        here.push(breakpoint);
        this.#bySlot.set(program, slots.set(slot, here));
        const xlated = program.prog.firstXlated[slot];
        if (xlated !== undefined) {
          setBreakpointByte(program.prog, xlated, (program.prog.breakpoints[xlated] ?? 0) | USER_BREAKPOINT);
        }
      }
    }
  }
}

/** Those of `before` that are asked for again, unchanged; new ones for the rest. */
function keepUnchanged<Request extends object, Reply>(
  before: readonly Asked<Request, Reply>[],
  requests: readonly Request[],
  resolve: (request: Request) => Asked<Request, Reply>,
): readonly Asked<Request, Reply>[] {
  const known = new Map<string, Asked<Request, Reply>[]>();
  // backwards: the first of several alike is the first to be taken again
  for (const one of before.toReversed()) {
    const text = textOf(one.request);
    const alike = known.get(text) ?? [];
    alike.push(one);
    known.set(text, alike);
  }
  return requests.map((request) => known.get(textOf(request))?.pop() ?? resolve(request));
}

/** What makes two requests the same: all but the id. */
function textOf(request: object): string {
  return JSON.stringify({ ...request, id: undefined });
}

/** A breakpoint on a line that lies nowhere yet. */
function newBreakpoint(id: number, where: string, texts: BreakpointTexts): Breakpoint {
  return {
    id,
    where,
    byAddress: false,
    logMessage: texts.logMessage,
    places: [],
    condition: parsedCondition(texts),
    hitTest: texts.hitCondition === undefined ? undefined : hitTest(texts.hitCondition),
    hits: 0,
  };
}
