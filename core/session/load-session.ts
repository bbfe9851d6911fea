import { assemble } from '../asm/assemble.ts';
import { prepareInput } from '../ctx/setup.ts';
import { reference } from '../interp/reference.ts';
import { linkProgram } from '../object/link.ts';
import type { BpfObject, MapDef, ObjSection, ProgType } from '../object/object.ts';
import { objectFromInsns, parseHexInsns, recogniseSource } from '../object/raw.ts';
import { bpfProgLoad } from '../prog/load.ts';
import { CONTROL_PAUSE, CPU_CONTROL, MAX_CPUS } from '../vm/layout.ts';
import { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { HashHost } from '../vm/settings.ts';
import { indexLines, type LineIndex } from './line-index.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { baseName } from './paths.ts';
import { choosePackets } from './session-packets.ts';
import type { ControlWord, LaunchProblem, LaunchProblemKind, LoadArgs } from './target-api.ts';
import { diagnosticText, firstError } from './text-place.ts';

/** A session ready to start, or why it cannot be. */
export type LoadResult =
  | {
      readonly ok: true;
      readonly loaded: Loaded;
      readonly messages: readonly string[];
      readonly control: ControlWord | undefined;
    }
  | { readonly ok: false; readonly problem: LaunchProblem };

const PROG_TYPES: readonly ProgType[] = ['xdp', 'socket_filter', 'sched_cls', 'raw'];

/** Unwinds to `loadSession`; never leaves this file. */
class LaunchFailure extends Error {
  readonly problem: LaunchProblem;
  constructor(kind: LaunchProblemKind, message: string, details?: readonly string[]) {
    super(message);
    this.problem = { kind, message, ...(details === undefined ? {} : { details }) };
  }
}

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
  const source = readSource(args, messages);
  const attr = link(args, source.object, args.prog);
  const packets = choosePackets(args, attr.progType);
  if (!packets.ok) throw new LaunchFailure(packets.kind, packets.message);
  messages.push(...packets.messages);
  const cpuNumber = args.cpu ?? 0;
  const machine = new Machine({
    shared: sharedMemory,
    nCpus: cpuNumber + 1,
    seed: args.seed ?? 0n,
    hash,
    ...(args.blind ? { settings: { bpfJitHarden: 2 } } : {}),
  });
  machine.statsEnabled = args.stats ?? true;
  const programs = loadPrograms(args, machine, source.object, attr);
  const main = programs[0];
  if (main === undefined) throw new LaunchFailure('no-program', `${args.fileName} holds no program`);
  const cpu = machine.cpu(cpuNumber);
  const loaded: Loaded = {
    fileName: args.fileName,
    machine,
    engine: reference,
    cpu,
    main,
    programs: new Map(programs.map((program) => [program.prog.id, program])),
    object: source.object,
    allLines: objectLines(source.object, args.fileName),
    maps: namedMaps(programs),
    constants: source.constants,
    packets: packets.packets,
    nCaptured: packets.nCaptured,
    maxInsns: args.maxInsns,
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

function checkArguments(args: LoadArgs): void {
  if (args.engine !== undefined && args.engine !== 'reference') {
    throw new LaunchFailure('bad-engine', `engine "${args.engine}" is not there; the engine is "reference"`);
  }
  if (args.type !== undefined && !PROG_TYPES.includes(args.type)) {
    throw new LaunchFailure('bad-type', `type "${args.type}" is not supported; use ${PROG_TYPES.join(', ')}`);
  }
  const { cpu, maxInsns } = args;
  if (cpu !== undefined && !(Number.isInteger(cpu) && cpu >= 0 && cpu < MAX_CPUS)) {
    throw new LaunchFailure('bad-argument', `cpu ${cpu}: a whole number from 0 to ${MAX_CPUS - 1} is needed`);
  }
  if (maxInsns !== undefined && !(Number.isSafeInteger(maxInsns) && maxInsns > 0)) {
    throw new LaunchFailure('bad-argument', `maxInsns ${maxInsns}: a whole number from 1 on is needed`);
  }
}

interface Source {
  readonly object: BpfObject;
  readonly constants: ReadonlyMap<string, bigint>;
}

/** Bytes that are looked at to recognise what a file is. */
const HEAD = 4096;

function readSource(args: LoadArgs, messages: string[]): Source {
  const { fileName, source } = args;
  const none = new Map<string, bigint>();
  const options = {
    name: args.prog ?? baseName(fileName).replace(/\..*$/, ''),
    fileName,
    ...(args.type === undefined ? {} : { progType: args.type }),
  };
  const kind = recogniseSource(fileName, source.subarray(0, HEAD));
  switch (kind) {
    case 'asm':
      return assembleSource(args, new TextDecoder().decode(source), messages);
    case 'raw':
      return { object: objectFromInsns(source, options), constants: none };
    case 'hex': {
      const text = new TextDecoder().decode(source);
      const parsed = parseHexInsns(text);
      const error = firstError(parsed.diagnostics);
      if (error !== undefined) throw new LaunchFailure('assembly', diagnosticText(fileName, text, error));
      return { object: objectFromInsns(parsed.value, options), constants: none };
    }
    default:
      throw new LaunchFailure(
        'no-program',
        `${fileName} (${kind}) cannot be debugged in this version; it takes BPF assembly text, raw instructions (.bin) and hex text (.hex)`,
      );
  }
}

function assembleSource(args: LoadArgs, text: string, messages: string[]): Source {
  const { fileName } = args;
  const assembled = assemble(text, { fileName });
  const errors = assembled.diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const [first] = errors;
  if (first !== undefined) {
    const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
    const details = errors.map((error) => diagnosticText(fileName, text, error));
    throw new LaunchFailure('assembly', diagnosticText(fileName, text, first) + more, details);
  }
  for (const diagnostic of assembled.diagnostics) {
    if (diagnostic.severity === 'warning') messages.push(diagnosticText(fileName, text, diagnostic));
  }
  const constants = new Map<string, bigint>();
  for (const [name, definition] of assembled.definitions) {
    if (definition.kind === 'constant' && definition.value !== undefined) {
      constants.set(name, BigInt(definition.value));
    }
  }
  return { object: assembled.value, constants };
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
  const linked = linkProgram(object, name, args.type === undefined ? {} : { progType: args.type });
  if (linked.value === undefined || linked.errors.length > 0) {
    const message = linked.errors[0] ?? 'it cannot be linked';
    throw new LaunchFailure('assembly', `${args.fileName}: ${message}`, linked.errors);
  }
  return linked.value;
}

type LoadAttr = ReturnType<typeof link>;

/** Loads the main program, then those that program arrays need; all share the maps of the same name. */
function loadPrograms(args: LoadArgs, machine: Machine, object: BpfObject, main: LoadAttr): DebugProgram[] {
  const shared = new Map<string, BpfMap>();
  const byName = new Map<string, DebugProgram>();
  const loadOne = (attr: LoadAttr): DebugProgram => {
    const known = byName.get(attr.name);
    if (known !== undefined) return known;
    const lines = indexLines(attr.lineInfo, attr.files, args.fileName);
    // Elements of program arrays are put in when their programs are loaded.
    const bare = { ...attr, maps: attr.maps.map(withoutPrograms) };
    const result = bpfProgLoad(machine, bare, { maps: attr.maps.map((map) => shared.get(map.name)) });
    if (!result.ok) throw refused(args, attr, lines, result.refusal);
    for (const map of result.prog.maps) shared.set(map.def.name, map);
    const program = { prog: result.prog, attr, lines };
    byName.set(attr.name, program);
    return program;
  };
  loadOne(main);
  for (const { name, entries } of main.maps.filter((map) => map.type === 'prog_array')) {
    for (const { key, value } of entries ?? []) {
      const program = object.programs[firstWord(value)];
      if (program === undefined) continue;
      putInArray(shared.get(name), name, String(firstWord(key)), loadOne(link(args, object, program.name)));
    }
  }
  for (const [mapName, entries] of Object.entries(args.progArrays ?? {})) {
    for (const [index, progName] of Object.entries(entries)) {
      const program = loadOne(link(args, object, progName));
      putInArray(shared.get(mapName), mapName, index, program);
    }
  }
  return [...byName.values()];
}

function withoutPrograms(def: MapDef): MapDef {
  if (def.type !== 'prog_array') return def;
  const { entries: _programs, ...bare } = def;
  return bare;
}

/** The first four bytes as a little-endian number. */
function firstWord(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
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
  const key = new Uint8Array(4);
  const value = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, Number(index), true);
  new DataView(value.buffer).setUint32(0, program.prog.id, true);
  if (!/^\d+$/.test(index) || Number(index) >= map.def.maxEntries || map.update(key, value, 0n) !== 0) {
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
