import { bytesOfHex, hexText } from '#core/bytes/hex.ts';
import { u32Bytes } from '#core/bytes/little-endian.ts';
import { ETH_HLEN } from '#core/ctx/offsets.ts';
import { isPercpu, roundUp8 } from '#core/maps/header.ts';
import type { LoadAttr, MapDef, ProgType } from '#core/object/object.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import { unloadPrograms } from '#core/prog/extend.ts';
import type { Refusal } from '#core/prog/load.ts';
import { interpretedNotices } from '#core/session/engines.ts';
import { DEFAULT_MAX_INSNS, type RunResult, runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { UsageError } from './failure.ts';
import type { Io } from './io.ts';
import { ctxJson, faultJson, hex64 } from './json.ts';
import {
  batch,
  isObject,
  type JsonObject,
  optionalHex,
  optionalInteger,
  optionalText,
  requiredInsns,
  requiredText,
  u64Of,
} from './jsonl.ts';
import { allPrograms, loadPrograms } from './program-arrays.ts';
import { attachNamed, engineNamed, HIGHEST_CPU, HIGHEST_MAX_INSNS, progTypeNamed } from './run-options.ts';
import { mapsJson } from './run-report.ts';

/** Most linear memory of one line's machine: a batch of hostile lines must not take the host down. */
const MAX_MEMORY_BYTES = 256 << 20;

/** `run --jsonl`: each line a machine of its own, so that answers do not depend on the lines before. */
export function runBatch(io: Io): Promise<number> {
  return batch(io, (line) => runLine(line, io));
}

function runLine(line: JsonObject, io: Io): object {
  const { engine } = engineNamed(optionalText(line, 'engine'));
  const progType = progTypeNamed(optionalText(line, 'prog_type')) ?? 'raw';
  const attach = attachNamed(optionalText(line, 'attach')) ?? 'test_run';
  const cpu = optionalInteger(line, 'cpu', 0, HIGHEST_CPU) ?? 0;
  const maxInsns = optionalInteger(line, 'max_insns', 1, HIGHEST_MAX_INSNS) ?? DEFAULT_MAX_INSNS;
  const seed = line.seed === undefined || line.seed === null ? 0n : u64Of(line.seed, 'seed');
  const blindSeed =
    line.blind_seed === undefined || line.blind_seed === null
      ? undefined
      : u64Of(line.blind_seed, 'blind_seed');
  const ctx = ctxOf(line);
  const data = dataOf(line, progType, attach);
  const progs = progsOf(line, progType);
  const maps = mapsOf(line, progs.length, cpu + 1);
  const main = attrOf('main', requiredInsns(line, 'insns'), progType, maps);
  const others = progs.map((each, index) => attrOf(`progs[${index}]`, each.insns, each.progType, maps));

  const machine = new Machine({
    shared: false,
    nCpus: cpu + 1,
    seed,
    maxMemory: MAX_MEMORY_BYTES,
    hash: nodeHash,
    ...(blindSeed === undefined ? {} : { settings: { bpfJitHarden: 2 }, blindSeed }),
  });
  const loaded = loadPrograms(machine, main, others);
  if (!loaded.ok) return refusedAnswer(loaded.name, loaded.refusal);
  for (const notice of interpretedNotices(engine, machine, allPrograms(loaded))) {
    io.err(`bpf-workbench: ${notice}`);
  }
  const input = { data, attach, ...(ctx === undefined ? {} : { ctx }) };
  const result = runProgram(machine, loaded.main, engine, input, { cpu, maxInsns });
  const [problem] = result.inputProblems;
  if (problem !== undefined) throw new UsageError(problem);
  const told = answer(result, loaded.main.maps);
  unloadPrograms(machine, loaded.main, loaded.others, loaded.links);
  return told;
}

/** `data` as given; BPF_PROG_TEST_RUN pulls an Ethernet header off before a socket filter runs, so it must be there. */
function dataOf(line: JsonObject, progType: ProgType, attach: 'packet' | 'test_run'): Uint8Array {
  const least = progType === 'socket_filter' && attach === 'test_run' ? ETH_HLEN : 0;
  const data = optionalHex(line, 'data') ?? new Uint8Array(least);
  if (data.length >= least) return data;
  throw new UsageError(
    `"data" has ${data.length} bytes; a socket filter needs ${least} under test_run (EINVAL), as its Ethernet header is pulled off`,
  );
}

function answer(result: RunResult, maps: readonly BpfMap[]): object {
  return {
    r0: hex64(result.r0),
    retval: result.retval,
    verdict: result.fault === undefined ? result.verdict : null,
    insns_executed: Number(result.insnsExecuted),
    fault: faultJson(result.fault),
    refused: null,
    data_out: hexText(result.dataOut),
    ctx_out: ctxJson(result.ctxOut),
    maps_out: mapsJson(maps),
    output: result.output,
  };
}

function refusedAnswer(name: string, refusal: Refusal): object {
  const message = name === 'main' ? refusal.message : `${name}: ${refusal.message}`;
  return {
    r0: null,
    retval: null,
    verdict: null,
    insns_executed: 0,
    fault: null,
    refused: { pc: refusal.pc ?? null, message },
    data_out: '',
    ctx_out: {},
    maps_out: [],
    output: [],
  };
}

function attrOf(name: string, insns: Uint8Array, progType: ProgType, maps: readonly MapDef[]): LoadAttr {
  return { name, progType, insns, lineInfo: [], files: [], funcs: [], maps, license: 'GPL' };
}

function ctxOf(line: JsonObject): Record<string, bigint> | undefined {
  const ctx = line.ctx ?? undefined;
  if (ctx === undefined) return undefined;
  if (!isObject(ctx)) throw new UsageError('"ctx" must be an object: {"field": value}');
  return Object.fromEntries(Object.entries(ctx).map(([name, value]) => [name, u64Of(value, `ctx.${name}`)]));
}

/** A program for program arrays: hex text, or an object with `insns` and perhaps `prog_type`. */
function progsOf(line: JsonObject, progType: ProgType): { insns: Uint8Array; progType: ProgType }[] {
  const list = line.progs ?? [];
  if (!Array.isArray(list)) throw new UsageError('"progs" must be an array');
  return list.map((each: unknown, index) => {
    const object = typeof each === 'string' ? { insns: each } : each;
    if (!isObject(object)) throw new UsageError(`progs[${index}] must be hex text or {"insns": hex}`);
    const type = progTypeNamed(optionalText(object, 'prog_type')) ?? progType;
    return { insns: requiredInsns(object, 'insns'), progType: type };
  });
}

function mapsOf(line: JsonObject, nProgs: number, nCpus: number): MapDef[] {
  const list = line.maps ?? [];
  if (!Array.isArray(list)) throw new UsageError('"maps" must be an array');
  return list.map((each: unknown, index) => {
    if (!isObject(each)) throw new UsageError(`maps[${index}] must be an object`);
    return mapOf(each, index, nProgs, nCpus);
  });
}

function mapOf(map: JsonObject, index: number, nProgs: number, nCpus: number): MapDef {
  const size = (name: string, least: number): number => {
    const value = optionalInteger(map, name, least, 0xffff_ffff);
    if (value === undefined) throw new UsageError(`maps[${index}]: "${name}" is missing`);
    return value;
  };
  const def = {
    name: optionalText(map, 'name') ?? `map${index}`,
    type: requiredText(map, 'type')
      .toLowerCase()
      .replace(/^bpf_map_type_/, ''),
    keySize: size('key_size', 0),
    valueSize: size('value_size', 0),
    maxEntries: size('max_entries', 0),
    flags: optionalInteger(map, 'flags', 0, 0xffff_ffff) ?? 0,
  };
  return { ...def, entries: entriesOf(map, index, def, nProgs, nCpus) };
}

/**
 * Entries as given; in a per-CPU map a value is that of every CPU, or those of all one behind the other. A
 * program array without entries holds program k of `progs` at key k; with entries, a
 * value is the index of a program.
 */
function entriesOf(
  map: JsonObject,
  index: number,
  def: MapDef,
  nProgs: number,
  nCpus: number,
): { key: Uint8Array; value: Uint8Array }[] {
  const entries = map.entries ?? undefined;
  if (entries === undefined) {
    if (def.type !== 'prog_array') return [];
    return Array.from({ length: Math.min(nProgs, def.maxEntries) }, (_, k) => ({
      key: u32Bytes(k),
      value: u32Bytes(k),
    }));
  }
  if (!isObject(entries)) throw new UsageError(`maps[${index}]: "entries" must be {keyhex: valuehex}`);
  return Object.entries(entries).map(([keyHex, valueHex]) => {
    const key = bytesOfHex(keyHex);
    const value = typeof valueHex === 'string' ? bytesOfHex(valueHex) : undefined;
    const ofAllCpus = isPercpu(def) ? roundUp8(def.valueSize) * nCpus : def.valueSize;
    const fits = value?.length === def.valueSize || value?.length === ofAllCpus;
    if (key?.length !== def.keySize || value === undefined || !fits) {
      const sizes = isPercpu(def) ? `${def.valueSize} (or ${ofAllCpus}, for all CPUs)` : def.valueSize;
      throw new UsageError(
        `maps[${index}]: entry ${JSON.stringify(keyHex)} must be hex of ${def.keySize} bytes with a value of ${sizes}`,
      );
    }
    return { key, value };
  });
}
