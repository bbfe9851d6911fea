import { u32Bytes } from '#core/bytes/little-endian.ts';
import type { Engine } from '#core/interp/engine.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import type { MapDef } from '#core/object/object.ts';
import type { KernelBridge } from '#core/platform/node/kernel/bridge.ts';
import { ctxBytes, ctxField } from '#core/platform/node/kernel/ctx-bytes.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { ENGINES } from '#core/session/engines.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { attrOfGenerated, type Generated, tailTarget } from './generate.ts';
import { initialValue, KEYS, keyBytes, PROGRAM_MAPS, PROGS_MAP, TAIL_INDEX } from './program-maps.ts';
import { PROGRAM_TYPES, type Recipe } from './recipe.ts';

/** What a program did, as far as everybody has to agree on it. */
export interface Effects {
  /** R0's low 32 bits, unsigned. */
  readonly retval: number;
  readonly data: Uint8Array;
  /** Values of the named maps: `name[key]`, hex; without those that are not there. */
  readonly maps: ReadonlyMap<string, string>;
  /** Fields of the context that BPF_PROG_TEST_RUN gives back. */
  readonly ctx: ReadonlyMap<string, bigint>;
}

/** Who executes our side. */
export interface Executor {
  readonly name: string;
  /** What came out, or why nothing did. */
  run(program: Generated): Effects | string;
}

/** Maps of PROGRAM_MAPS that the machine can simulate, by index. */
export function availableMaps(): ReadonlySet<number> {
  const machine = new Machine({ shared: false });
  return new Set(PROGRAM_MAPS.flatMap((def, index) => (isRefusal(createMap(machine, def)) ? [] : [index])));
}

/** By index in PROGRAM_MAPS. A program array belongs to programs of the type that names it first. */
type MapsByType<T> = Readonly<Record<Recipe['progType'], readonly T[]>>;

function mapsByType<T>(make: (def: MapDef) => T): MapsByType<T> {
  const common = PROGRAM_MAPS.map((def) => make(def));
  const own = (): readonly T[] =>
    PROGRAM_MAPS.map((def, i) => (i === PROGS_MAP ? make(def) : (common[i] as T)));
  return { sched_cls: own(), xdp: own(), socket_filter: own() };
}

const isPerCpu = (map: number): boolean => PROGRAM_MAPS[map]?.type.startsWith('percpu') ?? false;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const named = (program: Generated): number[] => program.maps.filter((map) => map !== PROGS_MAP);

/** The engines, with and without blinding, on machines that live as long as the test. */
export function executors(engines: readonly Engine[] = ENGINES): Executor[] {
  return engines.flatMap((engine) =>
    ([0, 2] as const).map((bpfJitHarden) => new MachineExecutor(engine, bpfJitHarden)),
  );
}

class MachineExecutor implements Executor {
  readonly name: string;
  readonly #engine: Engine;
  readonly #machine: Machine;
  readonly #maps: MapsByType<BpfMap | undefined>;

  constructor(engine: Engine, bpfJitHarden: 0 | 2) {
    this.name = bpfJitHarden === 0 ? engine.name : `${engine.name}, blinded`;
    this.#engine = engine;
    this.#machine = new Machine({ shared: false, settings: { bpfJitHarden }, blindSeed: 1 });
    this.#maps = mapsByType((def) => {
      const map = createMap(this.#machine, def);
      return isRefusal(map) ? undefined : map;
    });
    for (const progType of PROGRAM_TYPES) {
      const loaded = bpfProgLoad(this.#machine, tailTarget(progType));
      if (!loaded.ok) throw new Error(loaded.refusal.message);
      this.#maps[progType][PROGS_MAP]?.update(u32Bytes(TAIL_INDEX), u32Bytes(loaded.prog.id), 0n);
    }
  }

  run(program: Generated): Effects | string {
    const { recipe } = program;
    const loaded = bpfProgLoad(this.#machine, attrOfGenerated(program), {
      maps: this.#maps[recipe.progType],
    });
    if (!loaded.ok) return `refused at ${loaded.refusal.pc}: ${loaded.refusal.message}`;
    for (const map of named(program)) this.#reset(map, recipe);
    const ctx = Object.keys(recipe.ctx).length === 0 ? {} : { ctx: recipe.ctx };
    const input = { data: recipe.packet, attach: 'test_run', ...ctx } as const;
    const result = runProgram(this.#machine, loaded.prog, this.#engine, input);
    bpfProgFree(this.#machine, loaded.prog);
    if (result.fault) return `${result.fault.kind} at ${result.fault.pc}: ${result.fault.message}`;
    const maps = new Map<string, string>();
    for (const map of named(program)) {
      for (let n = 0; n < KEYS; n++) {
        const value = this.#maps[recipe.progType][map]?.lookup(keyBytes(map, n));
        if (value !== undefined) maps.set(entryName(map, n), hex(value));
      }
    }
    return { retval: result.retval, data: result.dataOut, maps, ctx: new Map(Object.entries(result.ctxOut)) };
  }

  #reset(index: number, recipe: Recipe): void {
    const map = this.#maps[recipe.progType][index];
    for (let n = 0; n < KEYS; n++) {
      const value = initialValue(recipe.start, index, n);
      if (value === undefined) map?.delete(keyBytes(index, n));
      else map?.update(keyBytes(index, n), value, 0n);
    }
  }
}

function entryName(map: number, n: number): string {
  return `${PROGRAM_MAPS[map]?.name}[${n}]`;
}

/** What the kernel says of a program: what it did, or the log of the verifier that refused it. */
export type KernelAnswer =
  | { readonly refused: false; readonly effects: Effects }
  | { readonly refused: true; readonly log: string };

/** The running kernel with maps of its own. */
export class KernelExecutor {
  readonly #kernel: KernelBridge;
  readonly #cpu: number;
  readonly #fds: MapsByType<number>;

  /** The thread must stay on `cpu`. */
  constructor(kernel: KernelBridge, cpu: number) {
    this.#kernel = kernel;
    this.#cpu = cpu;
    this.#fds = mapsByType((def) => kernel.createMap(def));
    for (const progType of PROGRAM_TYPES) {
      const { insns } = tailTarget(progType);
      const prog = kernel.load({ insns, progType });
      if (prog.refused) throw new Error(prog.log);
      kernel.mapUpdate(this.#fds[progType][PROGS_MAP] ?? -1, u32Bytes(TAIL_INDEX), u32Bytes(prog.fd));
    }
  }

  /** Loads, runs once, and unloads. */
  run(program: Generated): KernelAnswer {
    const { recipe, insns } = program;
    const kernel = this.#kernel;
    const prog = kernel.load({
      insns,
      progType: recipe.progType,
      maps: this.#fds[recipe.progType],
      name: 'random',
    });
    if (prog.refused) return { refused: true, log: prog.log };
    try {
      for (const map of named(program)) this.#reset(map, recipe);
      const hasCtx = Object.keys(recipe.ctx).length > 0;
      const given = hasCtx ? { ctx: ctxBytes(recipe.progType, recipe.ctx, recipe.packet) } : {};
      const { retval, dataOut, ctxOut } = kernel.testRun(prog, { data: recipe.packet, ...given });
      const fields = new Map<string, bigint>();
      for (const name of CTX_OUT[recipe.progType]) {
        const value = ctxField(recipe.progType, ctxOut, name);
        if (value !== undefined) fields.set(name, value);
      }
      return { refused: false, effects: { retval, data: dataOut, maps: this.#values(program), ctx: fields } };
    } finally {
      kernel.close(prog);
    }
  }

  #values(program: Generated): Map<string, string> {
    const maps = new Map<string, string>();
    for (const map of named(program)) {
      for (let n = 0; n < KEYS; n++) {
        if (PROGRAM_MAPS[map]?.type !== 'hash' && n >= (PROGRAM_MAPS[map]?.maxEntries ?? 0)) continue;
        const value = this.#kernel.mapLookup(this.#fd(map), keyBytes(map, n));
        if (value !== undefined) maps.set(entryName(map, n), hex(this.#own(map, value)));
      }
    }
    return maps;
  }

  /** Of a map that programs of all types share. */
  #fd(map: number): number {
    return this.#fds.xdp[map] ?? -1;
  }

  #own(map: number, value: Uint8Array): Uint8Array {
    const size = PROGRAM_MAPS[map]?.valueSize ?? 0;
    return isPerCpu(map) ? value.subarray(this.#cpu * size, (this.#cpu + 1) * size) : value;
  }

  #reset(map: number, recipe: Recipe): void {
    const fd = this.#fd(map);
    for (let n = 0; n < KEYS; n++) {
      const value = initialValue(recipe.start, map, n);
      if (value === undefined) {
        if (PROGRAM_MAPS[map]?.type === 'hash') this.#kernel.mapDelete(fd, keyBytes(map, n));
        continue;
      }
      const cpus = isPerCpu(map) ? this.#kernel.nCpus : 1;
      const all = new Uint8Array(value.length * cpus);
      for (let cpu = 0; cpu < cpus; cpu++) all.set(value, cpu * value.length);
      this.#kernel.mapUpdate(fd, keyBytes(map, n), all);
    }
  }
}

const SKB_OUT = [
  ...[
    'mark',
    'priority',
    'ingress_ifindex',
    'ifindex',
    'tstamp',
    'wire_len',
    'gso_segs',
    'gso_size',
    'hwtstamp',
  ],
  ...['cb[0]', 'cb[1]', 'cb[2]', 'cb[3]', 'cb[4]'],
];
const XDP_OUT = ['data', 'data_end', 'data_meta', 'ingress_ifindex', 'rx_queue_index'];

/** Fields that BPF_PROG_TEST_RUN writes back. */
const CTX_OUT: Readonly<Record<Recipe['progType'], readonly string[]>> = {
  sched_cls: SKB_OUT,
  socket_filter: SKB_OUT,
  xdp: XDP_OUT,
};

/** In what `ours` is not what `kernel` is, one line each. */
export function differences(ours: Effects | string, kernel: Effects): string[] {
  if (typeof ours === 'string') return [`here: ${ours}; the kernel returned ${kernel.retval}`];
  const found: string[] = [];
  if (ours.retval !== kernel.retval) found.push(`R0: here ${ours.retval}, in the kernel ${kernel.retval}`);
  if (Buffer.compare(ours.data, kernel.data) !== 0) {
    found.push(`packet: here ${hex(ours.data)}, in the kernel ${hex(kernel.data)}`);
  }
  for (const name of new Set([...ours.maps.keys(), ...kernel.maps.keys()])) {
    const [here, there] = [ours.maps.get(name), kernel.maps.get(name)];
    if (here !== there) found.push(`${name}: here ${here ?? 'none'}, in the kernel ${there ?? 'none'}`);
  }
  for (const [name, there] of kernel.ctx) {
    const here = ours.ctx.get(name);
    if (here !== there) found.push(`${name}: here ${here}, in the kernel ${there}`);
  }
  return found;
}
