import type { InsnIndex } from '../isa/insn.ts';
import { evaluateExpression, evaluateParsed } from './expression-eval.ts';
import { type Expr, parseExpression } from './expression-parse.ts';
import type { ExprEnv } from './expression-value.ts';
import type { LinePlace } from './line-index.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { baseName, foldPath, samePath } from './paths.ts';
import type { BreakpointReply, BreakpointRequest } from './target-api.ts';

/** Bits of a program's breakpoint byte. */
export const USER_BREAKPOINT = 1;
export const STEP_BREAKPOINT = 2;

interface Breakpoint {
  readonly id: number;
  readonly request: BreakpointRequest;
  readonly reply: BreakpointReply;
  readonly places: readonly { readonly program: DebugProgram; readonly slot: InsnIndex }[];
  /** Parsed condition; undefined: none. */
  readonly condition: Expr | undefined;
  readonly hitTest: HitTest | undefined;
  hits: number;
}

type HitTest = (hits: number) => boolean;

/** What happens at a breakpoint that was reached. */
export interface BreakpointHit {
  /** Ids of those that stop. */
  readonly stops: readonly number[];
  /** Texts of log points. */
  readonly logs: readonly string[];
  /** Conditions that could not be evaluated, each with its message; they stop too. */
  readonly problems: readonly string[];
}

/** Source breakpoints of a session, by file. Writes the programs' breakpoint bytes. */
export class BreakpointTable {
  readonly #loaded: Loaded;
  readonly #byFile = new Map<string, readonly Breakpoint[]>();
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
    const before = new Map<string, Breakpoint[]>();
    // backwards: the first of several alike is the first to be taken again
    for (const one of (this.#byFile.get(key) ?? []).toReversed()) {
      const text = JSON.stringify(one.request);
      const alike = before.get(text) ?? [];
      alike.push(one);
      before.set(text, alike);
    }
    const now = requests.map(
      (request) => before.get(JSON.stringify(request))?.pop() ?? this.#resolve(file, request),
    );
    this.#byFile.set(key, now);
    this.#writeBytes();
    return now.map((breakpoint) => breakpoint.reply);
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
    const stops: number[] = [];
    const logs: string[] = [];
    const problems: string[] = [];
    for (const breakpoint of this.#bySlot.get(program)?.get(slot) ?? []) {
      const { request } = breakpoint;
      const held = breakpoint.condition === undefined || conditionHolds(breakpoint.condition, env);
      if (typeof held === 'string') {
        problems.push(`condition of the breakpoint in line ${breakpoint.reply.line}: ${held}`);
        stops.push(breakpoint.id);
        continue;
      }
      if (!held) continue;
      breakpoint.hits++;
      if (breakpoint.hitTest !== undefined && !breakpoint.hitTest(breakpoint.hits)) continue;
      if (request.logMessage === undefined) stops.push(breakpoint.id);
      else logs.push(logText(request.logMessage, env));
    }
    return { stops, logs, problems };
  }

  /** Forgets how often breakpoints were hit (a new run of the same program). */
  clearHits(): void {
    for (const breakpoint of [...this.#byFile.values()].flat()) breakpoint.hits = 0;
  }

  #resolve(file: string, request: BreakpointRequest): Breakpoint {
    const id = this.#nextId++;
    const refused = (message: string): Breakpoint => ({
      id,
      request,
      reply: { id, verified: false, line: request.line, message },
      places: [],
      condition: undefined,
      hitTest: undefined,
      hits: 0,
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
      id,
      request,
      reply: { id, verified: true, line, ...(column > 0 ? { column } : {}), ...moved },
      places: places.map(({ program, place }) => ({ program, slot: place.slot })),
      condition: parsedCondition(request),
      hitTest: request.hitCondition === undefined ? undefined : hitTest(request.hitCondition),
      hits: 0,
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
        prog.breakpoints[slot] = (prog.breakpoints[slot] ?? 0) & ~USER_BREAKPOINT;
      }
    }
    this.#bySlot.clear();
    for (const breakpoint of [...this.#byFile.values()].flat()) {
      for (const { program, slot } of breakpoint.places) {
        const slots = this.#bySlot.get(program) ?? new Map<InsnIndex, Breakpoint[]>();
        const here = slots.get(slot) ?? [];
        here.push(breakpoint);
        this.#bySlot.set(program, slots.set(slot, here));
        const xlated = program.prog.firstXlated[slot];
        if (xlated !== undefined) {
          program.prog.breakpoints[xlated] = (program.prog.breakpoints[xlated] ?? 0) | USER_BREAKPOINT;
        }
      }
    }
  }
}

/** Says what is wrong with a breakpoint's texts before it is set; undefined: nothing. */
function requestProblem(request: BreakpointRequest): string | undefined {
  if (request.condition !== undefined && request.condition.trim() !== '') {
    const parsed = parseExpression(request.condition);
    if (!parsed.ok) return `condition: ${parsed.error.message}`;
    if (parsed.expr.kind === 'assign') return 'condition: an assignment is none; compare with ==';
  }
  if (request.hitCondition !== undefined && hitTest(request.hitCondition) === undefined) {
    return `hit count "${request.hitCondition}" is not understood: write 5, >= 5 or % 5`;
  }
  for (const part of logParts(request.logMessage ?? '')) {
    const parsed = part.expression === undefined ? undefined : parseExpression(part.expression);
    if (parsed?.ok === false) return `log message, {${part.expression}}: ${parsed.error.message}`;
  }
  return undefined;
}

/** The condition of a request that `requestProblem` has found nothing wrong with. */
function parsedCondition({ condition }: BreakpointRequest): Expr | undefined {
  if (condition === undefined || condition.trim() === '') return undefined;
  const parsed = parseExpression(condition);
  return parsed.ok ? parsed.expr : undefined;
}

/** true, false, or why it cannot be told. */
function conditionHolds(condition: Expr, env: ExprEnv): boolean | string {
  const result = evaluateParsed(condition, env, { assignments: false });
  if (!result.ok) return result.error.message;
  return result.value.kind === 'int' ? result.value.bits !== 0n : 'it is no number';
}

/** `5` (the fifth time only), `== 5`, `>= 5`, `> 5`, `< 5`, `<= 5`, `% 5`. */
function hitTest(text: string): HitTest | undefined {
  const match = /^\s*(==|=|>=|>|<=|<|%)?\s*(\d{1,15})\s*$/.exec(text);
  if (match === null) return undefined;
  const n = Number(match[2]);
  switch (match[1]) {
    case '>=':
      return (hits) => hits >= n;
    case '>':
      return (hits) => hits > n;
    case '<=':
      return (hits) => hits <= n;
    case '<':
      return (hits) => hits < n;
    case '%':
      return n === 0 ? undefined : (hits) => hits % n === 0;
    default:
      return (hits) => hits === n;
  }
}

function logParts(message: string): { text?: string; expression?: string }[] {
  return message
    .split(/(\{[^{}]*\})/)
    .filter((part) => part !== '')
    .map((part) =>
      part.startsWith('{') && part.endsWith('}') ? { expression: part.slice(1, -1) } : { text: part },
    );
}

function logText(message: string, env: ExprEnv): string {
  return logParts(message)
    .map(({ text, expression }) => {
      if (expression === undefined) return text ?? '';
      const result = evaluateExpression(expression, env, { assignments: false });
      if (!result.ok) return `{${expression}: ${result.error.message}}`;
      return result.value.kind === 'int'
        ? `0x${result.value.bits.toString(16)}`
        : `{${expression}: no number}`;
    })
    .join('');
}
