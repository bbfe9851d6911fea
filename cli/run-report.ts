import { hexText } from '#core/bytes/hex.ts';
import { littleEndian } from '#core/bytes/little-endian.ts';
import { roundUp8 } from '#core/maps/header.ts';
import type { LoadAttr } from '#core/object/object.ts';
import type { BpfProg, Refusal } from '#core/prog/load.ts';
import { type ProgStats, readStats } from '#core/prog/stats.ts';
import type { RunResult } from '#core/session/run.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { BpfMap } from '#core/vm/map.ts';
import { UsageError } from './failure.ts';
import { type Io, type Styles, stylesFor } from './io.ts';
import { ctxJson, faultJson, hex64 } from './json.ts';
import type { Inputs } from './run-input.ts';
import type { Source } from './source.ts';

/** One element of `results` of `run --json`. Throws as `mapsJson`. */
export function resultJson(
  packet: number,
  result: RunResult,
  maps: readonly BpfMap[],
  room: MapsRoom,
): object {
  return {
    packet,
    verdict: result.fault === undefined ? result.verdict : null,
    retval: result.retval,
    r0: hex64(result.r0),
    insns_executed: Number(result.insnsExecuted),
    fault: faultJson(result.fault),
    data_out: hexText(result.dataOut),
    ctx_out: ctxJson(result.ctxOut),
    maps_out: mapsJson(maps, room),
    output: result.output,
  };
}

/** Most characters that the maps of one result take: an object with many more entries is more than the host can hold. */
const MAX_MAPS_CHARS = 64 << 20;
/** Most characters that the maps of all results of a run take; a JavaScript string has some 500 million at most. */
const MAX_ALL_MAPS_CHARS = 256 << 20;
/** Quotes, colon and comma of an entry. */
const ENTRY_MARKS = 6;

/** How many characters are left for the maps of a run's results. */
export interface MapsRoom {
  chars: number;
}

/** Room for the maps of all results of one run. */
export function roomForMaps(): MapsRoom {
  return { chars: MAX_ALL_MAPS_CHARS };
}

/**
 * The contents of each map, in the order of the program's maps; a value of a per-CPU map is those of all
 * CPUs, as BPF_MAP_LOOKUP_ELEM gives them. Takes from `room`; throws `UsageError` when that is not enough.
 */
export function mapsJson(maps: readonly BpfMap[], room: MapsRoom = roomForMaps()): object[] {
  const whole = Math.min(room.chars, MAX_MAPS_CHARS);
  let left = whole;
  const found = maps.map((map) => {
    const { keySize, maxEntries, name } = map.def;
    const chars = (valueBytes: number): number => 2 * (keySize + valueBytes) + ENTRY_MARKS;
    // Arrays hold all their entries always: no need to begin.
    const values = map.valueRegions?.length ?? 0;
    if (values > 0 && chars(values * (map.stride ?? 0)) * maxEntries > left) throw tooLarge(name, whole);
    const entries: Record<string, string> = {};
    for (const [key, value] of map.entries()) {
      left -= chars(value.length);
      if (left < 0) throw tooLarge(name, whole);
      entries[hexText(key)] = hexText(value);
    }
    return entries;
  });
  room.chars -= whole - left;
  return found;
}

function tooLarge(name: string, whole: number): UsageError {
  const limit =
    whole === MAX_MAPS_CHARS
      ? `a result shows at most ${MAX_MAPS_CHARS >> 20} MiB of maps`
      : `all results together show at most ${MAX_ALL_MAPS_CHARS >> 20} MiB of maps`;
  return new UsageError(`map ${name} is too large for "maps_out": ${limit}; make the map smaller`);
}

/** Run statistics of one CPU, as `run --json` and `inspect --json` have them. */
export function statsRowJson({ cpu, cnt, nsecs, misses }: ProgStats) {
  return { cpu, cnt: hex64(cnt), nsecs: hex64(nsecs), misses: hex64(misses) };
}

/** `stats` of `run --json`: the CPUs on which the program has run or was refused entry. */
export function statsJson(machine: Machine, prog: BpfProg): object[] {
  return readStats(machine, prog)
    .filter((row) => row.cnt > 0n || row.misses > 0n)
    .map(statsRowJson);
}

/** `run --json` of a program that was not loaded. */
export function refusedJson(
  name: string,
  attr: LoadAttr,
  type: string,
  engine: string,
  refusal: Refusal,
): object {
  const message = name === attr.name ? refusal.message : `${name}: ${refusal.message}`;
  const refused = { pc: refusal.pc ?? null, message };
  return { prog: attr.name, type, engine, refused, results: [], stats: [] };
}

/** What people read when a program was not loaded. */
export function refusedReport(
  name: string,
  attr: LoadAttr,
  refusal: Refusal,
  source: Source,
  io: Io,
): string {
  const styles = stylesFor(io);
  const place =
    refusal.pc === undefined || name !== attr.name ? '' : ` at ${placeOfInsn(attr, refusal.pc, source)}`;
  return `${styles.bold(name)}  ${attr.progType}\n${styles.red('refused')}${place}: ${refusal.message}\n`;
}

/** Everything that the report for people shows. */
export interface ReportOf {
  readonly attr: LoadAttr;
  /** Program type as the user knows it. */
  readonly type: string;
  readonly engine: string;
  readonly inputs: Inputs;
  readonly results: readonly { readonly packet: number; readonly result: RunResult }[];
  readonly machine: Machine;
  readonly prog: BpfProg;
  readonly source: Source;
  readonly io: Io;
}

/** What people read: a line a packet, what the program printed, faults, maps that hold something. */
export function runReport(of: ReportOf): string {
  const styles = stylesFor(of.io);
  const lines = [`${styles.bold(of.attr.name)}  ${of.type}, ${of.engine}`];
  const summaries = new Map(of.inputs.packets.map(({ number, summary }) => [number, summary]));
  const rows = of.results.map(({ packet, result }) => [
    summaries.get(packet) ?? '',
    outcomeText(of.attr, result),
    hex64(result.r0),
    `${result.insnsExecuted} instructions`,
  ]);
  const widths = [0, 1, 2].map((column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  of.results.forEach(({ packet, result }, index) => {
    const cells = (rows[index] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const verdict = cells[1] ?? '';
    cells[1] = result.fault === undefined ? styles.green(verdict) : styles.red(verdict);
    const number = `#${packet}`.padStart(`#${of.results.at(-1)?.packet ?? packet}`.length);
    lines.push(`${number}  ${cells.filter((cell) => cell !== '').join('  ')}`.trimEnd());
    for (const text of result.output) lines.push(styles.dim(`    ${text}`));
    if (result.fault !== undefined) {
      lines.push(`    ${placeOfInsn(of.attr, result.fault.pc, of.source)}: ${result.fault.message}`);
    }
  });
  for (const { cpu, misses } of readStats(of.machine, of.prog)) {
    if (misses > 0n)
      lines.push(`cpu ${cpu}  misses ${misses}: entries refused because the program ran there already`);
  }
  // Constants are in the file as they are here.
  const maps = of.prog.maps.filter((map) => !map.frozen);
  lines.push(...mapLines(maps, styles));
  return `${lines.join('\n')}\n`;
}

/** A raw program has no verdict beside its R0, which stands in the next column; a seccomp filter has an action. */
function outcomeText(attr: LoadAttr, result: RunResult): string {
  if (result.fault !== undefined) return `fault: ${result.fault.kind}`;
  return attr.progType === 'raw' && result.verdict.startsWith('0x') ? '' : result.verdict;
}

/** Most entries of a map that people are shown. */
const MAX_SHOWN_ENTRIES = 20;

/** What is shown of a map: one of the machine's, or one that is like it. */
export type ShownMap = Pick<BpfMap, 'def' | 'entries' | 'nValues'>;

/**
 * A map's name, type and elements, a line each. Array elements that are all zero say nothing and are left out; a
 * per-CPU map has a line a CPU.
 */
export function mapLines(maps: readonly ShownMap[], styles: Styles): string[] {
  return maps.flatMap((map) => {
    const rows: string[] = [];
    let more = 0;
    for (const [key, all] of map.entries()) {
      for (const { value, cpu } of cpuValues(map, all)) {
        if (map.def.type.endsWith('array') && value.every((byte) => byte === 0)) continue;
        if (rows.length < MAX_SHOWN_ENTRIES) rows.push(`    ${keyText(key)}${cpu} = ${numberText(value)}`);
        else more++;
      }
    }
    if (rows.length === 0) return [];
    if (more > 0) rows.push(styles.dim(`    … ${more} more`));
    return [`map ${styles.bold(map.def.name)}  ${map.def.type}`, ...rows];
  });
}

/** The value of each CPU out of those of all, with ` on CPU n`; the one value of other maps. */
function cpuValues(map: ShownMap, all: Uint8Array): { value: Uint8Array; cpu: string }[] {
  const { def, nValues } = map;
  const stride = roundUp8(def.valueSize);
  return Array.from({ length: nValues }, (_, cpu) => ({
    value: all.subarray(cpu * stride, cpu * stride + def.valueSize),
    cpu: nValues > 1 ? ` on CPU ${cpu}` : '',
  }));
}

/** Small keys are mostly indices and ports; larger ones (addresses, structures) are shown byte by byte. */
function keyText(bytes: Uint8Array): string {
  return bytes.length <= 8 && littleEndian(bytes) < 0x10000n
    ? littleEndian(bytes).toString()
    : hexText(bytes, ' ');
}

/** Values of a number's size are mostly counters. */
function numberText(bytes: Uint8Array): string {
  return [1, 2, 4, 8].includes(bytes.length) ? littleEndian(bytes).toString() : hexText(bytes, ' ');
}

/** `file:line:col` of an instruction, or its number where there is no line info. */
function placeOfInsn(attr: LoadAttr, pc: number, source: Source): string {
  const info = source.kind !== 'insns' ? attr.lineInfo.findLast((each) => each.insnOff <= pc) : undefined;
  if (info === undefined) return `instruction ${pc}`;
  const column = info.column > 0 ? `:${info.column}` : '';
  return `${attr.files[info.file] ?? source.name}:${info.line}${column} (instruction ${pc})`;
}
