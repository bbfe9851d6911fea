import { assemble } from '#core/asm/assemble.ts';
import { prepareInput } from '#core/ctx/setup.ts';
import { verdictText } from '#core/ctx/verdict.ts';
import type { Engine, StopCause } from '#core/interp/engine.ts';
import { interpretedInsns, wasm } from '#core/jit/wasm/engine.ts';
import { createMap } from '#core/maps/create.ts';
import { linkProgram } from '#core/object/link.ts';
import type { LoadAttr, MapDef } from '#core/object/object.ts';
import { type BpfProg, bpfProgLoad } from '#core/prog/load.ts';
import { notCompiled } from '#core/session/engines.ts';
import type { Cpu } from '#core/vm/cpu.ts';
import type { Fault } from '#core/vm/fault.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import type { ExecProg } from '#core/vm/program.ts';
import type { DataFile } from './format.ts';
import { givenProgram } from './given-program.ts';

/** Steps of one run that are recorded: later ones are loops over the same slots. */
const MAX_RECORDED = 10_000;
/** Instructions a slice from then on: a long loop step by step takes its time. */
const BEHIND_STEPS = 97;

/** How a data file is run: all at once over shared memory, or in time slices over memory of its own. */
export interface Way {
  readonly engine: Engine;
  readonly shared: boolean;
  /** Instructions a slice; Infinity: one slice. */
  readonly slice: number;
  /** With constants blinded; instructions are not counted then. */
  readonly blind?: true;
}

/** What came out. */
export interface Outcome {
  /** `line:col: text` of the assembler's errors; nothing was run when there are any. */
  readonly errors: readonly string[];
  readonly refused?: string;
  readonly fault?: Fault;
  readonly r0?: bigint;
  readonly verdict?: string;
  readonly insnsExecuted?: number;
  readonly dataOut?: Uint8Array;
  readonly arenaOut?: Uint8Array;
  readonly mapsOut?: readonly string[];
  readonly output?: readonly string[];
  /** 8 bytes of each slot that was executed, as loaded and as rewritten; only in single steps. */
  readonly executed: readonly Uint8Array[];
  /** Why an engine that compiles did not execute code of its own; undefined: it did, or it does not compile. */
  readonly notCompiled?: string;
}

/** Runs a data file one way. */
export function execute(file: DataFile, way: Way): Outcome {
  const machine = new Machine({
    shared: way.shared,
    ...(way.blind ? { settings: { bpfJitHarden: 2 }, blindSeed: 0x0123_4567_89ab_cdefn } : {}),
  });
  if (file.xlated !== undefined) return executeXlated(machine, file, file.xlated, way);
  const maps = new Map<string, BpfMap>();
  const main = attrOf(file, file.asm, file.raw);
  if ('errors' in main) return { errors: main.errors, executed: [] };
  for (const def of main.attr.maps) maps.set(def.name, mapOf(machine, def));
  const load = (attr: LoadAttr) =>
    bpfProgLoad(machine, attr, { maps: attr.maps.map((def) => maps.get(def.name)) });
  const loaded = load(main.attr);
  if (!loaded.ok) return { errors: [], refused: loaded.refusal.message, executed: [] };
  for (const { map, key, program } of file.progEntries) {
    const attr = attrOf(file, file.programs.get(program), undefined);
    if ('errors' in attr) throw new Error(`program ${program}: ${attr.errors[0]}`);
    const other = load(attr.attr);
    if (!other.ok) throw new Error(`program ${program} is refused: ${other.refusal.message}`);
    const id = new Uint8Array(4);
    new DataView(id.buffer).setUint32(0, other.prog.id, true);
    const error = maps.get(map)?.update(key, id, 0n);
    if (error !== 0) throw new Error(`program ${program} cannot be put into ${map}: ${error}`);
  }
  const { prog } = loaded;
  const prepared = prepareInput(machine, 0, prog, {
    data: file.data,
    ...(file.ctx === undefined ? {} : { ctx: file.ctx }),
    ...(file.attach === undefined ? {} : { attach: file.attach }),
  });
  const cpu = machine.cpu(0);
  machine.enter(cpu, prog, prepared.r1, prepared.r2);
  const executed: Uint8Array[] = [];
  const fault = runSlices(machine, cpu, way, file.limit, executed);
  const r0 = cpu.readReg(0);
  return {
    errors: [],
    executed,
    ...whyInterpreted(machine, prog, way),
    ...(fault === undefined ? { r0, verdict: verdictText(file.type, Number(r0 & 0xffff_ffffn)) } : { fault }),
    insnsExecuted: Number(cpu.insnsExecuted),
    dataOut: prepared.dataOut(),
    mapsOut: mapLines([...maps.values()]),
    output: [...machine.output],
  };
}

function mapOf(machine: Machine, def: MapDef): BpfMap {
  const map = createMap(machine, def);
  if ('errno' in map) throw new Error(map.message);
  return map;
}

/** The program of a data file with its maps, or the assembler's errors. */
function attrOf(
  file: DataFile,
  asm: string | undefined,
  raw: Uint8Array | undefined,
): { readonly attr: LoadAttr } | { readonly errors: readonly string[] } {
  if (asm === undefined) {
    const name = { name: 'main', progType: file.type, license: 'GPL' };
    return {
      attr: { ...name, insns: raw ?? new Uint8Array(), lineInfo: [], files: [], funcs: [], maps: file.maps },
    };
  }
  // Maps of the data file's own section become maps of the text, so that programs can name them.
  const extra = file.maps.map(mapDirective).join('');
  const text = extra + asm;
  const assembled = assemble(text, { fileName: 'test.s', dialect: file.dialect });
  const errors = assembled.diagnostics
    .filter((each) => each.severity === 'error')
    .sort((a, b) => a.range.start - b.range.start)
    .map((each) => `${place(text, each.range.start, file.maps.length)}: ${each.message}`);
  if (errors.length > 0) return { errors };
  const linked = linkProgram(assembled.value, undefined, { progType: file.type });
  if (linked.value === undefined) return { errors: linked.errors };
  return { attr: linked.value };
}

function mapDirective(def: MapDef): string {
  return `.map ${def.name}, ${def.type}, ${def.keySize}, ${def.valueSize}, ${def.maxEntries}\n`;
}

function place(text: string, offset: number, nExtraLines: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length - nExtraLines}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Gives instructions to the engine as they are, with an arena and maps where the file has them. */
function executeXlated(machine: Machine, file: DataFile, xlated: Uint8Array, way: Way): Outcome {
  const maps = file.maps.map((def) => mapOf(machine, def));
  const arena =
    file.arena === undefined
      ? undefined
      : machine.space.alloc({ name: 'arena', kind: 'memory', size: file.arena.length, perm: 'rw' });
  if (arena !== undefined && file.arena !== undefined) machine.space.write(arena.addr, file.arena);
  const prog = givenProgram(machine, file, xlated, { maps, arenaAddr: arena?.addr });
  const prepared = prepareInput(machine, 0, prog, { data: file.data });
  const cpu = machine.cpu(0);
  machine.enter(cpu, prog, prepared.r1, prepared.r2);
  const executed: Uint8Array[] = [];
  const fault = runSlices(machine, cpu, way, file.limit, executed);
  return {
    errors: [],
    executed,
    ...whyInterpreted(machine, prog, way),
    ...(fault === undefined ? { r0: cpu.readReg(0) } : { fault }),
    insnsExecuted: Number(cpu.insnsExecuted),
    dataOut: prepared.dataOut(),
    mapsOut: mapLines(maps),
    output: [...machine.output],
    ...(arena === undefined
      ? {}
      : { arenaOut: machine.space.read(arena.addr, arena.size) ?? new Uint8Array() }),
  };
}

/** `Outcome.notCompiled` of a run that has come to its end. */
function whyInterpreted(
  machine: Machine,
  prog: ExecProg,
  { engine, slice }: Way,
): Pick<Outcome, 'notCompiled'> {
  const [reason] = notCompiled(engine, machine, [prog]);
  if (reason !== undefined) return { notCompiled: reason };
  // What follows something rare is interpreted up to where code can be entered again; short slices are altogether.
  const isAtOnce = engine === wasm && !Number.isFinite(slice);
  const { insnsExecuted } = machine.cpu(0);
  const isInterpreted = isAtOnce && insnsExecuted > 0n && interpretedInsns(machine) >= insnsExecuted;
  return isInterpreted ? { notCompiled: 'all of it was interpreted' } : {};
}

/** Runs to the end, one time slice after the other. */
function runSlices(
  machine: Machine,
  cpu: Cpu,
  way: Way,
  limit: number,
  executed: Uint8Array[],
): Fault | undefined {
  for (;;) {
    const left = limit - Number(cpu.insnsExecuted);
    if (left <= 0) return limitFault(cpu);
    const isStep = way.slice === 1 && executed.length < MAX_RECORDED;
    const budget = Math.min(left, isStep || way.slice > 1 ? way.slice : BEHIND_STEPS);
    if (isStep) record(cpu, executed);
    const stop: StopCause = way.engine.run(machine, 0, { budget, breakpoints: false, resume: true });
    if (stop.kind === 'exit') return undefined;
    if (stop.kind === 'fault') return stop.fault;
  }
}

function record(cpu: Cpu, executed: Uint8Array[]): void {
  const { prog, pc } = cpu;
  const slot = (insns: Uint8Array, at: number) => insns.subarray(at * 8, at * 8 + 8);
  if ((pc + 1) * 8 > prog.xlated.length) return;
  executed.push(slot(prog.xlated, pc));
  const original = (prog as Partial<BpfProg>).insns;
  if (original !== undefined) executed.push(slot(original, prog.origIdx[pc] ?? 0));
}

function limitFault(cpu: Cpu): Fault {
  const place = { pc: cpu.prog.origIdx[cpu.pc] ?? 0, xlatedPc: cpu.pc };
  return {
    kind: 'insn_limit',
    ...place,
    address: undefined,
    size: 0,
    region: undefined,
    message: 'instruction limit',
  };
}

function mapLines(maps: readonly BpfMap[]): string[] {
  return maps
    .filter((map) => map.def.type !== 'prog_array')
    .flatMap((map) =>
      [...map.entries()].map(([key, value]) => `${map.def.name}[${hex(key)}] = ${hex(value)}`).sort(),
    );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
