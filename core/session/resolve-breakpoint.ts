import { suggest } from '../asm/suggest.ts';
import type { InsnIndex } from '../isa/insn.ts';
import { type BreakpointPlaces, NOWHERE, type Resolved } from './breakpoint.ts';
import { requestProblem } from './breakpoint-condition.ts';
import { ownText } from './classic.ts';
import { addressText } from './code-address.ts';
import { type CodePlace, codePlace } from './disassembly.ts';
import type { LinePlace } from './line-index.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { nativeExecution } from './native/choose-native.ts';
import { nativeCodeOf } from './native-code.ts';
import { baseName, foldPath, samePath } from './paths.ts';
import type {
  BreakpointReply,
  BreakpointRequest,
  FunctionBreakpointReply,
  FunctionBreakpointRequest,
  InstructionBreakpointReply,
  InstructionBreakpointRequest,
} from './target-rows.ts';

/** Where a breakpoint on a line lies: one on a line without instructions moves to the next line that has some. */
export function resolveLine(
  loaded: Loaded,
  file: string,
  id: number,
  request: BreakpointRequest,
): Resolved<BreakpointReply> {
  const { line: asked } = request;
  const refused = (message: string): Resolved<BreakpointReply> => ({
    where: `in line ${asked}`,
    places: NOWHERE,
    reply: { id, verified: false, line: asked, message },
  });
  const problem = requestProblem(request);
  if (problem !== undefined) return refused(problem);
  const key = fileKey(loaded, file);
  const { files } = loaded.allLines;
  if (files.length === 0) {
    return refused(
      `${baseName(loaded.fileName)} has no line info: set breakpoints on instructions, in the Disassembly view`,
    );
  }
  if (!files.includes(key)) {
    return refused(`${baseName(file)} is not part of the program that is debugged`);
  }
  const line = loaded.allLines.linesOf(key).find((one) => one >= asked);
  if (line === undefined) return refused('there is no instruction on this line or after it');
  const places = placesOf(loaded, key, line, request);
  if (places.length === 0) {
    return refused(`line ${line} belongs to another program than ${loaded.main.attr.name}, which runs`);
  }
  const column = places[0]?.place.column ?? 0;
  const moved = line === asked ? {} : { message: `line ${asked} has no instruction: stops at line ${line}` };
  const slots = places.map(({ program, place }) => ({ program, slot: place.slot }));
  const address = lineAddress(loaded, slots[0]);
  return {
    where: `in line ${line}`,
    places: { slots },
    reply: {
      id,
      verified: true,
      line,
      ...(column > 0 ? { column } : {}),
      ...(address === undefined ? {} : { address }),
      ...moved,
    },
  };
}

function lineAddress(
  loaded: Loaded,
  place: BreakpointPlaces['slots'][number] | undefined,
): bigint | undefined {
  if (place === undefined) return undefined;
  const code = nativeCodeOf(loaded, place.program);
  return 'message' in code ? undefined : code.addressOf(place.program.prog.firstXlated[place.slot] ?? -1);
}

function placesOf(
  loaded: Loaded,
  key: string,
  line: number,
  request: BreakpointRequest,
): { program: DebugProgram; place: LinePlace }[] {
  const wanted = line === request.line ? (request.column ?? 1) : 1;
  return [...loaded.programs.values()].flatMap((program) => {
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
export function fileKey({ fileName }: Loaded, file: string): string {
  return samePath(file, fileName) ? foldPath(fileName) : foldPath(file);
}

/** Where a breakpoint by address lies: patched over a native instruction, else before a BPF instruction. */
export function resolveAddress(
  loaded: Loaded,
  id: number,
  request: InstructionBreakpointRequest,
): Resolved<InstructionBreakpointReply> {
  const problem = requestProblem(request);
  const place =
    problem === undefined ? codePlace(loaded, request.reference, request.offset) : { message: problem };
  if ('message' in place) {
    const { message } = place;
    return { where: `at ${request.reference}`, places: NOWHERE, reply: { id, verified: false, message } };
  }
  const { program, slot } = place;
  const location = program.lines.locationOf(slot);
  const { address, places, message } = nativePlaces(loaded, place);
  return {
    where: `at ${addressText(address)}`,
    places,
    reply: {
      id,
      verified: true,
      address,
      ...(location === undefined ? {} : { location }),
      ...(message === undefined ? {} : { message }),
    },
  };
}

/** A native instruction is patched where it is executed one by one; elsewhere its BPF instruction is what can stop. */
function nativePlaces(
  loaded: Loaded,
  { program, slot, address, native }: Exclude<CodePlace, { readonly message: string }>,
): { readonly address: bigint; readonly places: BreakpointPlaces; readonly message?: string } {
  const atSlot = { slots: [{ program, slot }] };
  if (native === undefined) return { address, places: atSlot };
  const { code, row } = native;
  const isExecuted = code.arch === loaded.engine.name;
  if (isExecuted && nativeExecution(loaded)?.stopsAtAddresses) {
    return { address, places: { slots: [], address } };
  }
  const xlated = program.prog.firstXlated[slot] ?? 0;
  const first = code.addressOf(xlated);
  if (!isExecuted) {
    const message = `the engine ${loaded.engine.name} does not execute this code: stops before its BPF instruction`;
    return { address, places: atSlot, message };
  }
  // Of a function's first instruction the line record has the function's start; its own code begins behind the prologue.
  const isOwnFirst = code.rows.slot[row] === xlated && code.rows.slot[row - 1] !== xlated;
  if (first === undefined || first === address || isOwnFirst) return { address, places: atSlot };
  return {
    address: first,
    places: atSlot,
    message: `compiled code stops between BPF instructions only: before this one, at ${addressText(first)}`,
  };
}

/** Where a breakpoint on a function lies: before its first instruction, in each program that has one of that name. */
export function resolveFunction(
  loaded: Loaded,
  id: number,
  request: FunctionBreakpointRequest,
): Resolved<FunctionBreakpointReply> {
  const where = `on ${request.name}`;
  const refused = (message: string): Resolved<FunctionBreakpointReply> => ({
    where,
    places: NOWHERE,
    reply: { id, verified: false, message },
  });
  const problem = requestProblem(request);
  if (problem !== undefined) return refused(problem);
  const wanted = request.name.trim();
  if (wanted === '') return refused(`a function's name is missing; ${knownFunctions(loaded)}`);
  const slots = [...loaded.programs.values()].flatMap((program) => {
    const starts = functionStarts(loaded, program).filter(({ name }) => name === wanted);
    return starts.map(({ slot }) => ({ program, slot }));
  });
  const [first] = slots;
  if (first === undefined) return refused(noFunction(loaded, wanted));
  const location = first.program.lines.locationOf(first.slot);
  return {
    where,
    places: { slots },
    reply: { id, verified: true, ...(location === undefined ? {} : { location }) },
  };
}

/** A program's functions, its main one also by the program's name; slots as loaded. */
function functionStarts(
  loaded: Loaded,
  { prog, attr }: DebugProgram,
): readonly { readonly name: string; readonly slot: InsnIndex }[] {
  return prog.subprogs.flatMap(({ name, start }) => {
    const slot = start === 0 ? (ownText(loaded)?.firstSlot[0] ?? 0) : (prog.origIdx[start] ?? 0);
    const names = start === 0 ? new Set([attr.name, name]) : [name];
    return Array.from(names, (each) => ({ name: each, slot }));
  });
}

/** Most functions that a message lists, and most letters that it repeats of what was asked for. */
const MAX_LISTED = 20;
const MAX_NAME = 80;

function noFunction(loaded: Loaded, wanted: string): string {
  const known = functionNames(loaded);
  const near = suggest(wanted, known);
  const shown = wanted.length > MAX_NAME ? `${wanted.slice(0, MAX_NAME)}…` : wanted;
  if (near !== undefined) return `there is no function "${shown}"; did you mean ${near}?`;
  return `there is no function "${shown}"; ${knownFunctions(loaded)}`;
}

function knownFunctions(loaded: Loaded): string {
  const known = functionNames(loaded);
  const listed = [...known].slice(0, MAX_LISTED).join(', ');
  const more = known.size > MAX_LISTED ? `, and ${known.size - MAX_LISTED} more` : '';
  return `there ${known.size === 1 ? 'is' : 'are'} ${listed}${more}`;
}

function functionNames(loaded: Loaded): ReadonlySet<string> {
  return new Set(
    [...loaded.programs.values()].flatMap((program) =>
      functionStarts(loaded, program).map(({ name }) => name),
    ),
  );
}
