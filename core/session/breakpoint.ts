import type { InsnIndex } from '../isa/insn.ts';
import {
  type BreakpointTexts,
  type Condition,
  type ConditionPlace,
  conditionOf,
  type HitTest,
  hitTest,
} from './breakpoint-condition.ts';
import type { DebugProgram } from './loaded.ts';

/** Bits of a program's breakpoint byte. */
export const USER_BREAKPOINT = 1;
export const STEP_BREAKPOINT = 2;

/** What a breakpoint was set on. */
export type BreakpointKind = 'source' | 'instruction' | 'function';

/** Where a breakpoint lies. */
export interface BreakpointPlaces {
  /** Instructions as loaded. */
  readonly slots: readonly { readonly program: DebugProgram; readonly slot: InsnIndex }[];
  /** The native instruction that it is patched over, whichever BPF instruction that belongs to; undefined: none. */
  readonly address?: bigint;
}

/** A breakpoint of a session. */
export interface Breakpoint {
  readonly id: number;
  readonly kind: BreakpointKind;
  /** `in line 5`, `at 0x0bbf…`: for messages. */
  readonly where: string;
  readonly places: BreakpointPlaces;
  readonly logMessage: string | undefined;
  /** Undefined: it has none. */
  readonly condition: Condition | undefined;
  readonly hitTest: HitTest | undefined;
  hits: number;
}

/** A breakpoint as it was asked for and what became of it. */
export interface Asked<Request, Reply> extends Breakpoint {
  readonly request: Request;
  readonly reply: Reply;
}

/** Where a request's breakpoint comes to lie (nowhere, when the reply is not verified) and what is said of it. */
export interface Resolved<Reply> {
  readonly where: string;
  readonly places: BreakpointPlaces;
  readonly reply: Reply;
}

/** Lies nowhere. */
export const NOWHERE: BreakpointPlaces = { slots: [] };

/** A breakpoint that has not been hit yet. */
export function newBreakpoint<Request extends BreakpointTexts, Reply extends { readonly id: number }>(
  kind: BreakpointKind,
  request: Request,
  { where, places, reply }: Resolved<Reply>,
  at: ConditionPlace,
): Asked<Request, Reply> {
  const isBound = places !== NOWHERE;
  return {
    id: reply.id,
    kind,
    where,
    places,
    logMessage: isBound ? request.logMessage : undefined,
    condition: isBound ? conditionOf(request, at) : undefined,
    hitTest: isBound && request.hitCondition !== undefined ? hitTest(request.hitCondition) : undefined,
    hits: 0,
    request,
    reply,
  };
}

/** Those of `before` that are asked for again, unchanged; new ones for the rest. */
export function keepUnchanged<Request extends object, Reply>(
  before: readonly Asked<Request, Reply>[],
  requests: readonly Request[],
  make: (request: Request) => Asked<Request, Reply>,
): readonly Asked<Request, Reply>[] {
  const known = new Map<string, Asked<Request, Reply>[]>();
  // backwards: the first of several alike is the first to be taken again
  for (const one of before.toReversed()) {
    const text = textOf(one.request);
    const alike = known.get(text) ?? [];
    alike.push(one);
    known.set(text, alike);
  }
  return requests.map((request) => known.get(textOf(request))?.pop() ?? make(request));
}

/** What makes two requests the same: all but the id. */
function textOf(request: object): string {
  return JSON.stringify({ ...request, id: undefined });
}
