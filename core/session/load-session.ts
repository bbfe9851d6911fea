import { prepareInput } from '../ctx/setup.ts';
import type { BpfObject, ObjSection } from '../object/object.ts';
import { PROG_TYPES, rawNotice } from '../object/prog-types.ts';
import { CONTROL_PAUSE, CPU_CONTROL, MAX_CPUS } from '../vm/layout.ts';
import { Machine } from '../vm/machine.ts';
import type { BpfMap } from '../vm/map.ts';
import { MemoryLimitError } from '../vm/memory.ts';
import type { HashHost } from '../vm/settings.ts';
import { classicLines } from './classic-lines.ts';
import { chooseEngine, ENGINE_NAMES, type EngineChoice } from './engines.ts';
import { LaunchFailure } from './launch-failure.ts';
import { indexLines, type LineIndex } from './line-index.ts';
import { loadForEngine } from './load-for-engine.ts';
import { link } from './load-programs.ts';
import { LoadReporter } from './load-progress.ts';
import type { ControlWord, LaunchProblem, LoadArgs } from './load-request.ts';
import { readSource } from './load-source.ts';
import type { DebugProgram, Loaded } from './loaded.ts';
import { choosePackets, seccompPacket } from './session-packets.ts';

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
 * launch arguments and the first instruction. What is wrong with the arguments or the file is a value. `reporter` is
 * told how far it is.
 */
export function loadSession(
  args: LoadArgs,
  sharedMemory: boolean,
  hash?: HashHost,
  reporter = new LoadReporter(),
): LoadResult {
  try {
    return load(args, sharedMemory, hash, reporter);
  } catch (error) {
    if (error instanceof LaunchFailure) return { ok: false, problem: error.problem };
    if (error instanceof MemoryLimitError) {
      return { ok: false, problem: { kind: 'bad-argument', message: error.message } };
    }
    throw error;
  }
}

/** What `loadSession` has loaded with the same arguments, once more: in a machine of its own, and without reports. */
export function loadAgain(args: LoadArgs, sharedMemory: boolean, hash?: HashHost): Loaded {
  const again = loadSession(args, sharedMemory, hash);
  if (!again.ok) throw new Error(again.problem.message);
  return again.loaded;
}

function load(
  args: LoadArgs,
  sharedMemory: boolean,
  hash: HashHost | undefined,
  reporter: LoadReporter,
): LoadResult {
  checkArguments(args);
  const messages: string[] = [];
  const choice = engineOf(args);
  if (choice.message !== undefined) messages.push(choice.message);
  const source = readSource(args, messages, reporter);
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
  const { machine, engine, programs, links, notices } = loadForEngine(
    { args, object: source.object, main: attr, classic: source.classic, reporter },
    choice.engine,
    () => newMachine(args, sharedMemory, hash),
  );
  const main = programs[0];
  if (main === undefined) throw new LaunchFailure('no-program', `${args.fileName} holds no program`);
  messages.push(...notices);
  const cpu = machine.cpu(cpuNumber);
  const loaded: Loaded = {
    fileName: args.fileName,
    machine,
    engine,
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
    shownCode: new Map(),
    space: args.disassembly ?? 'native',
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

/** A machine as launch arguments want it. */
export function newMachine(args: LoadArgs, shared: boolean, hash: HashHost | undefined): Machine {
  const machine = new Machine({
    shared,
    nCpus: (args.cpu ?? 0) + 1,
    seed: args.seed ?? 0n,
    hash,
    settings: {
      ...(args.blind ? { bpfJitHarden: 2 } : {}),
      ...(args.kernel === undefined ? {} : { kernel: args.kernel }),
    },
  });
  machine.statsEnabled = args.stats ?? true;
  return machine;
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
