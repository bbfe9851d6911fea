import type { Decoded } from '../isa/decode.ts';
import { helperById } from '../isa/helpers.ts';
import type { InsnIndex } from '../isa/insn.ts';
import type { BpfObject, Diagnostic, TextRange } from '../object/object.ts';
import { type FlowGraph, type FlowProblem, flowGraph } from './flow-graph.ts';
import { type CodeFunction, calleeOf } from './functions.ts';
import { argumentsRead, CALLER_SAVED_ARGUMENTS, type UnsetRead, unsetReads } from './register-flow.ts';
import type { SourceMap } from './source-map.ts';

/** What the flow of control shows: bad jumps, running past the end, unreachable code, registers without a value. */
export function flowDiagnostics(
  object: BpfObject,
  functions: readonly CodeFunction[],
  source: SourceMap,
): Diagnostic[] {
  const graphs = new Map<string, FlowGraph>();
  for (const fn of functions) {
    const section = object.sections[fn.section];
    if (section !== undefined && fn.end > fn.start)
      graphs.set(placeKey(fn.section, fn.start), flowGraph(section, fn));
  }
  const calls = callArguments(object, graphs);
  const found: Diagnostic[] = [];
  for (const graph of graphs.values()) {
    if (source.isBroken(graph.fn)) continue;
    const problems = graph.problems.flatMap((one) => problemDiagnostic(graph, one, functions, source) ?? []);
    for (const list of [problems, unreachableCode(graph, source)]) for (const one of list) found.push(one);
    // What registers hold says nothing while control itself goes wrong.
    if (problems.some(({ code }) => code !== 'missing-exit' && code !== 'falls-through')) continue;
    for (const one of neverReturns(graph, source)) found.push(one);
    for (const one of registerDiagnostics(graph, calls, source)) found.push(one);
  }
  return found;
}

function problemDiagnostic(
  graph: FlowGraph,
  problem: FlowProblem,
  functions: readonly CodeFunction[],
  source: SourceMap,
): Diagnostic | undefined {
  const decoded = graph.insns[problem.at];
  const range = decoded && source.rangeOfInsn(graph.fn.section, decoded.index);
  if (decoded === undefined || range === undefined) return undefined;
  const { fn } = graph;
  const from = decoded.index - fn.start;
  const to = (problem.target ?? decoded.index) - fn.start;
  switch (problem.kind) {
    case 'jump-outside':
      return {
        range,
        severity: 'error',
        code: 'jump-out-of-program',
        message: `jump out of range from insn ${from} to ${to}: ${outsideText(fn, problem.target, functions)}`,
      };
    case 'jump-into-wide':
      return {
        range,
        severity: 'error',
        code: 'jump-into-wide',
        message: `jump from insn ${from} into the middle of the wide instruction at ${to - 1}: jump to ${to - 1} or ${to + 1}`,
      };
    case 'runs-past-end': {
      const hasExit = graph.insns.some((one) => one.row?.flow === 'exit');
      const fix = {
        title: 'Add exit',
        newText: `\n${source.indentAt(range.start)}exit`,
        range: pointAt(range.end),
      };
      return hasExit
        ? {
            range,
            severity: 'error',
            code: 'falls-through',
            message:
              graph.reachable[problem.at] === 0
                ? `the last instruction of ${fn.name} must be exit or a jump, also where no path leads to it`
                : `execution runs past the end of ${fn.name}: its last instruction must be exit or a jump`,
            fix,
          }
        : {
            range,
            severity: 'error',
            code: 'missing-exit',
            message: `${fn.name} has no exit: execution runs past its last instruction`,
            fix,
          };
    }
  }
}

function outsideText(
  fn: CodeFunction,
  target: InsnIndex | undefined,
  functions: readonly CodeFunction[],
): string {
  const other = functions.find(({ section, start, end }) => {
    return section === fn.section && target !== undefined && target >= start && target < end;
  });
  return other === undefined
    ? `${fn.name} has instructions 0 … ${fn.end - fn.start - 1}`
    : `that lies in ${other.name}, which can be called but not jumped into from ${fn.name}`;
}

/** One hint for each run of instructions that nothing leads to. */
function unreachableCode(graph: FlowGraph, source: SourceMap): Diagnostic[] {
  const { insns, reachable, fn } = graph;
  const found: Diagnostic[] = [];
  for (let at = 0; at < insns.length; at++) {
    if (reachable[at] !== 0) continue;
    const first = at;
    while (at + 1 < insns.length && reachable[at + 1] === 0) at++;
    const start = source.rangeOfInsn(fn.section, insns[first]?.index ?? 0);
    const end = source.rangeOfInsn(fn.section, insns[at]?.index ?? 0);
    if (start === undefined || end === undefined) continue;
    const count = at - first + 1;
    found.push({
      range: { start: start.start, end: Math.max(start.end, end.end) },
      severity: 'hint',
      code: 'unreachable',
      message: `unreachable code: no path leads to ${count === 1 ? 'this instruction' : `these ${count} instructions`}`,
      unnecessary: true,
    });
  }
  return found;
}

/** All instructions are well, yet no `exit` can be reached. */
function neverReturns(graph: FlowGraph, source: SourceMap): Diagnostic[] {
  const { insns, reachable, problems, fn } = graph;
  if (problems.length > 0 || insns.some((one, at) => reachable[at] !== 0 && one.row?.flow === 'exit'))
    return [];
  const range = source.rangeOfInsn(fn.section, fn.start);
  if (range === undefined) return [];
  const message = `${fn.name} never returns: no exit can be reached from its first instruction`;
  return [{ range, severity: 'warning', code: 'missing-exit', message }];
}

function registerDiagnostics(
  graph: FlowGraph,
  calls: (call: Decoded, section: number) => number,
  source: SourceMap,
): Diagnostic[] {
  const { fn, insns } = graph;
  const reads = unsetReads(graph, {
    entry: entryRegisters(fn),
    argumentsOf: (call) => calls(call, fn.section),
    exitReadsR0: fn.role === 'program',
  });
  return reads.flatMap((read) => {
    const decoded = insns[read.at];
    const place = decoded && source.rangeOfInsn(fn.section, decoded.index);
    if (decoded === undefined || place === undefined) return [];
    return [
      {
        range: registerRange(decoded, read.register, place, source),
        severity: read.always ? ('error' as const) : ('warning' as const),
        code: 'uninitialised-register',
        message: unsetMessage(graph, read, decoded, source),
      },
    ];
  });
}

function unsetMessage(graph: FlowGraph, read: UnsetRead, decoded: Decoded, source: SourceMap): string {
  const { fn, insns } = graph;
  const name = `r${read.register}`;
  const lost = read.lostIn === undefined ? undefined : insns[read.lostIn];
  const use = useText(decoded);
  const state = read.always ? `${name} has no value here${use}` : `${name} may have no value here${use}`;
  if (lost !== undefined) {
    const range = source.rangeOfInsn(fn.section, lost.index);
    const where = range === undefined ? 'a call before it' : `the call in line ${source.lineOf(range.start)}`;
    return `${state}: ${where} clobbered it (r1-r5 do not survive a call); keep it in r6-r9 or on the stack`;
  }
  if (decoded.row?.flow === 'exit') {
    return `${state}: exit returns r0; ${read.always ? 'set it first' : 'set it on every path'}, for example r0 = 0`;
  }
  return read.always
    ? `${state}: nothing before this instruction gives it one`
    : `${state}: not every path to this instruction gives it one`;
}

function useText(decoded: Decoded): string {
  if (decoded.row?.id !== 'call_helper') return '';
  const helper = helperById(decoded.insn.imm);
  return helper === undefined ? '' : `, but ${helper.name} takes it as an argument`;
}

/** Underlines the register where it is read; the whole instruction where it is not written there. */
function registerRange(decoded: Decoded, register: number, place: TextRange, source: SourceMap): TextRange {
  const { row, insn } = decoded;
  if (row === undefined || row.flow === 'call' || row.flow === 'exit') return place;
  const isOnlyWrittenFirst = row.dst === 'w' && insn.dst === register;
  return source.rangeOfRegister(place, register, isOnlyWrittenFirst ? 'last' : 'first');
}

/** Registers with a value when the function starts. */
function entryRegisters(fn: CodeFunction): number {
  const frame = 1 << 10;
  if (fn.role !== 'program' || fn.progType === 'ext') return frame | CALLER_SAVED_ARGUMENTS;
  const isRaw = fn.progType === undefined || fn.progType === 'raw';
  return frame | 0b10 | (isRaw ? 0b100 : 0);
}

/** Which argument registers a call reads: by the helper's prototype, or by what the called function does. */
function callArguments(
  object: BpfObject,
  graphs: ReadonlyMap<string, FlowGraph>,
): (call: Decoded, section: number) => number {
  const known = new Map<string, number>();
  return (call, section) => {
    if (call.row?.id === 'call_helper') return helperArguments(call.insn.imm);
    const place = call.row?.id === 'call_local' ? calleeOf(object, section, call) : undefined;
    const key = place === undefined ? '' : placeKey(place.section, place.slot);
    const callee = graphs.get(key);
    if (callee === undefined) return 0;
    const before = known.get(key);
    if (before !== undefined) return before;
    // Calls inside the callee count by their prototype only: recursion must not run on.
    const read = argumentsRead(callee, (inner) =>
      inner.row?.id === 'call_helper' ? helperArguments(inner.insn.imm) : 0,
    );
    known.set(key, read);
    return read;
  };
}

function helperArguments(id: number): number {
  const count = helperById(id)?.args.length ?? 0;
  return (2 << Math.min(count, 5)) - 2;
}

function pointAt(offset: number): TextRange {
  return { start: offset, end: offset };
}

function placeKey(section: number, slot: number): string {
  return `${section}:${slot}`;
}
