import { u32Bytes, u32Of } from '../bytes/little-endian.ts';
import { linkProgram } from '../object/link.ts';
import type { BpfObject, LoadAttr } from '../object/object.ts';
import type { JitCompiler } from '../prog/bpf-int-jit-compile.ts';
import type { TracingLink } from '../prog/bpf-tracing-prog-attach.ts';
import { extendProgram } from '../prog/extend.ts';
import { ProgramSet } from '../prog/program-set.ts';
import type { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import type { ClassicDebug } from './classic.ts';
import { classicLines } from './classic-lines.ts';
import { LaunchFailure } from './launch-failure.ts';
import { indexLines, type LineIndex } from './line-index.ts';
import type { LoadReporter } from './load-progress.ts';
import type { LoadArgs } from './load-request.ts';
import type { DebugProgram } from './loaded.ts';

/** What a session is loaded from: a file's programs, and which of them runs. */
export interface ProgramSource {
  readonly args: LoadArgs;
  readonly object: BpfObject;
  readonly main: LoadAttr;
  /** The classic program that the main one was converted from. */
  readonly classic: ClassicDebug | undefined;
  /** Told how far loading is. */
  readonly reporter?: LoadReporter;
}

/** The programs of a session in their machine. */
export interface LoadedPrograms {
  /** The main one first. */
  readonly programs: readonly DebugProgram[];
  readonly links: readonly TracingLink[];
}

/**
 * Links the program called `name`, the first one where no name is given. Throws LaunchFailure when it is not there or
 * does not link.
 */
export function link(args: LoadArgs, object: BpfObject, name: string | undefined): LoadAttr {
  const known = object.programs.map((program) => program.name);
  if (known.length === 0) {
    throw new LaunchFailure(
      'no-program',
      `${args.fileName} holds no program: write instructions that end in exit`,
    );
  }
  if (name !== undefined && !known.includes(name)) {
    throw new LaunchFailure(
      'no-program',
      `${args.fileName} has no program "${name}"; it has ${known.join(', ')}`,
    );
  }
  const { type, tracepoint } = args;
  const linked = linkProgram(object, name, {
    ...(type === undefined || type === 'seccomp' ? {} : { progType: type }),
    ...(tracepoint === undefined ? {} : { attachTo: tracepoint }),
  });
  if (linked.value === undefined || linked.errors.length > 0) {
    const message = linked.errors[0] ?? 'it cannot be linked';
    throw new LaunchFailure('assembly', `${args.fileName}: ${message}`, linked.errors);
  }
  return linked.value;
}

/**
 * Loads the main program, those that program arrays need, then its extensions. `jit` gives each its compiler. Throws
 * LaunchFailure for what is refused.
 */
export function loadPrograms(
  { args, object, main, classic, reporter }: ProgramSource,
  machine: Machine,
  jit?: (attr: LoadAttr) => JitCompiler,
): LoadedPrograms {
  const set = new ProgramSet(machine, jit);
  const links: TracingLink[] = [];
  const byName = new Map<string, DebugProgram>();
  const loadOne = (attr: LoadAttr): DebugProgram => {
    const known = byName.get(attr.name);
    if (known !== undefined) return known;
    const lines =
      classic === undefined
        ? indexLines(attr.lineInfo, attr.files, args.fileName)
        : classicLines(classic, args.fileName);
    reporter?.report('load', 0.1, attr.name);
    const result = set.load(attr);
    if (!result.ok) throw refused(args, attr, lines, result.refusal);
    const program = { prog: result.prog, attr, lines };
    byName.set(attr.name, program);
    return program;
  };
  loadOne(main);
  for (const { map, key, index } of set.programEntries(main)) {
    const program = object.programs[index];
    if (program === undefined) continue;
    putInArray(map, map.def.name, String(u32Of(key)), loadOne(link(args, object, program.name)));
  }
  for (const [mapName, entries] of Object.entries(args.progArrays ?? {})) {
    for (const [index, progName] of Object.entries(entries)) {
      const program = loadOne(link(args, object, progName));
      putInArray(set.mapNamed(mapName), mapName, index, program);
    }
  }
  const target = byName.get(main.name)?.prog;
  for (const name of args.freplace ?? []) {
    const { type: _type, tracepoint: _tracepoint, ...untyped } = args;
    const attr = link(untyped, object, name);
    const lines = indexLines(attr.lineInfo, attr.files, args.fileName);
    const extended = target && extendProgram(machine, set, target, attr);
    if (extended === undefined) continue;
    if (!extended.ok) throw refused(args, attr, lines, extended.refusal);
    byName.set(name, { prog: extended.prog, attr, lines });
    links.push(extended.link);
  }
  return { programs: [...byName.values()], links };
}

function refused(
  args: LoadArgs,
  attr: LoadAttr,
  lines: LineIndex,
  refusal: { readonly pc: number | undefined; readonly message: string },
): LaunchFailure {
  const location = refusal.pc === undefined ? undefined : lines.locationOf(refusal.pc);
  const place =
    location !== undefined
      ? `${location.file}:${location.line}:${Math.max(1, location.column)}`
      : refusal.pc === undefined
        ? args.fileName
        : `${args.fileName}, instruction ${refusal.pc}`;
  return new LaunchFailure('refused', `${place}: ${attr.name} is refused at load: ${refusal.message}`);
}

function putInArray(map: BpfMap | undefined, mapName: string, index: string, program: DebugProgram): void {
  if (map?.def.type !== 'prog_array') {
    throw new LaunchFailure('bad-argument', `progArrays: ${mapName} is no program array of this program`);
  }
  const at = /^\d+$/.test(index) ? Number(index) : Number.POSITIVE_INFINITY;
  if (at >= map.def.maxEntries || map.update(u32Bytes(at), u32Bytes(program.prog.id), 0n) !== 0) {
    throw new LaunchFailure(
      'bad-argument',
      `progArrays: ${program.attr.name} cannot be put at ${mapName}[${index}]; the indices are 0 to ${map.def.maxEntries - 1}, and the types must be the same`,
    );
  }
}
