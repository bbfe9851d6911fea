import { u32Bytes, u32Of } from '../bytes/little-endian.ts';
import { prepareInput } from '../ctx/setup.ts';
import { linkProgram } from '../object/link.ts';
import type { BpfObject, ObjSection } from '../object/object.ts';
import { PROG_TYPES, rawNotice } from '../object/prog-types.ts';
import type { TracingLink } from '../prog/bpf-tracing-prog-attach.ts';
import { extendProgram } from '../prog/extend.ts';
import { ProgramSet } from '../prog/program-set.ts';
import { CONTROL_PAUSE, CPU_CONTROL, MAX_CPUS } from '../vm/layout.ts';
import { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { HashHost } from '../vm/settings.ts';
import type { ClassicDebug } from './classic.ts';
import { classicLines } from './classic-lines.ts';
import { chooseEngine, ENGINE_NAMES, type EngineChoice } from './engines.ts';
import { LaunchFailure } from './launch-failure.ts';
import { indexLines, type LineIndex } from './line-index.ts';
import { readSource } from './load-source.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { choosePackets, seccompPacket } from './session-packets.ts';
import type { ControlWord, LaunchProblem, LoadArgs } from './target-api.ts';

/** A session ready to start, or why it cannot be. */
export type LoadResult =
  | {
      readonly ok: true;
      readonly loaded: Loaded;
      readonly messages: readonly string[];
      readonly control: ControlWord | undefined;
    }
  | { readonly ok: false; readonly problem: LaunchProblem };

/**
 * Makes a machine, assembles (or reads) the program, loads it and lays the input out: everything between
 * launch arguments and the first instruction. What is wrong with the arguments or the file is a value.
 */
export function loadSession(args: LoadArgs, sharedMemory: boolean, hash?: HashHost): LoadResult {
  try {
    return load(args, sharedMemory, hash);
  } catch (error) {
    if (error instanceof LaunchFailure) return { ok: false, problem: error.problem };
    if (error instanceof MemoryLimitError) {
      return { ok: false, problem: { kind: 'bad-argument', message: error.message } };
    }
    throw error;
  }
}

function load(args: LoadArgs, sharedMemory: boolean, hash: HashHost | undefined): LoadResult {
  checkArguments(args);
  const messages: string[] = [];
  const choice = engineOf(args);
  if (choice.message !== undefined) messages.push(choice.message);
  const source = readSource(args, messages);
  const attr = link(args, source.object, args.prog);
  if (args.tracepoint !== undefined && attr.progType !== 'raw_tracepoint') {
    const message = `tracepoint: ${attr.name} is of type ${attr.progType}, not raw_tracepoint`;
    throw new LaunchFailure('bad-argument', message);
  }
  const isSeccomp = args.type === 'seccomp';
  const packets = isSeccomp ? seccompPacket(args) : choosePackets(args, attr.progType);
  if (!packets.ok) throw new LaunchFailure(packets.kind, packets.message);
  messages.push(...packets.messages);
  const notice = args.type === undefined ? rawNotice(source.object, attr.name) : undefined;
  if (notice !== undefined) messages.push(notice);
  const cpuNumber = args.cpu ?? 0;
  const machine = new Machine({
    shared: sharedMemory,
    nCpus: cpuNumber + 1,
    seed: args.seed ?? 0n,
    hash,
    settings: {
      ...(args.blind ? { bpfJitHarden: 2 } : {}),
      ...(args.kernel === undefined ? {} : { kernel: args.kernel }),
    },
  });
  machine.statsEnabled = args.stats ?? true;
  const { programs, links } = loadPrograms(args, machine, source.object, attr, source.classic);
  const main = programs[0];
  if (main === undefined) throw new LaunchFailure('no-program', `${args.fileName} holds no program`);
  const cpu = machine.cpu(cpuNumber);
  const loaded: Loaded = {
    fileName: args.fileName,
    machine,
    engine: choice.engine,
    cpu,
    main,
    programs: new Map(programs.map((program) => [program.prog.id, program])),
    object: source.object,
    allLines:
      source.classic === undefined
        ? objectLines(source.object, args.fileName)
        : classicLines(source.classic, args.fileName),
    classic: source.classic,
    maps: namedMaps(programs),
    constants: source.constants,
    packets: packets.packets,
    nCaptured: packets.nCaptured,
    maxInsns: args.maxInsns,
    links,
    sight: { rewritten: false },
  };
  checkContext(args, loaded);
  const control: ControlWord | undefined = sharedMemory
    ? {
        memory: machine.memory.wasm.buffer as SharedArrayBuffer,
        byteOffset: cpu.block + CPU_CONTROL,
        pause: CONTROL_PAUSE,
      }
    : undefined;
  return { ok: true, loaded, messages, control };
}

function engineOf({ engine }: LoadArgs): EngineChoice {
  const choice = chooseEngine(engine);
  if (choice !== undefined) return choice;
  const known = ENGINE_NAMES.map((name) => `"${name}"`).join(', ');
  throw new LaunchFailure('bad-engine', `engine "${engine}" is not there; the engines are ${known}`);
}

function checkArguments(args: LoadArgs): void {
  const known = [...PROG_TYPES, 'seccomp'];
  if (args.type !== undefined && !known.includes(args.type)) {
    throw new LaunchFailure('bad-type', `type "${args.type}" is not supported; use ${known.join(', ')}`);
  }
  const { cpu, maxInsns } = args;
  if (cpu !== undefined && !(Number.isInteger(cpu) && cpu >= 0 && cpu < MAX_CPUS)) {
    throw new LaunchFailure('bad-argument', `cpu ${cpu}: a whole number from 0 to ${MAX_CPUS - 1} is needed`);
  }
  if (maxInsns !== undefined && !(Number.isSafeInteger(maxInsns) && maxInsns > 0)) {
    throw new LaunchFailure('bad-argument', `maxInsns ${maxInsns}: a whole number from 1 on is needed`);
  }
}

function link(args: LoadArgs, object: BpfObject, name: string | undefined) {
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

type LoadAttr = ReturnType<typeof link>;

/** Loads the main program, those that program arrays need, then its extensions. */
function loadPrograms(
  args: LoadArgs,
  machine: Machine,
  object: BpfObject,
  main: LoadAttr,
  classic: ClassicDebug | undefined,
): { readonly programs: DebugProgram[]; readonly links: readonly TracingLink[] } {
  const set = new ProgramSet(machine);
  const links: TracingLink[] = [];
  const byName = new Map<string, DebugProgram>();
  const loadOne = (attr: LoadAttr): DebugProgram => {
    const known = byName.get(attr.name);
    if (known !== undefined) return known;
    const lines =
      classic === undefined
        ? indexLines(attr.lineInfo, attr.files, args.fileName)
        : classicLines(classic, args.fileName);
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

function namedMaps(programs: readonly DebugProgram[]): ReadonlyMap<string, BpfMap> {
  return new Map(programs.flatMap(({ prog }) => prog.maps.map((map) => [map.def.name, map] as const)));
}

/** Line info of all sections as one, for questions about lines only. */
function objectLines(object: BpfObject, fileName: string): LineIndex {
  const entries = object.sections.flatMap((section: ObjSection) => section.lineInfo);
  return indexLines(entries, object.files, fileName);
}

/** Finds fields that the input cannot set before the program starts, not at its first packet. */
function checkContext(args: LoadArgs, loaded: Loaded): void {
  const [first] = loaded.packets;
  if (args.ctx === undefined || first === undefined) return;
  const prepared = prepareInput(loaded.machine, loaded.cpu.index, loaded.main.prog, first.input);
  const [problem] = prepared.problems;
  prepared.dispose();
  if (problem !== undefined) throw new LaunchFailure('bad-context', problem);
}
