import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { tagText } from '#core/prog/bpf-prog-calc-tag.ts';
import type { BpfProg } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { readStats } from '#core/prog/stats.ts';
import type { LifeCycleCall } from '#core/vm/life-cycle.ts';
import type { Machine } from '#core/vm/machine.ts';
import { kernelVersionText } from '#core/vm/settings.ts';
import { type Io, stylesFor } from './io.ts';
import { hex64 } from './json.ts';

const PAGE_SIZE = 4096;
/** Licences that the kernel takes for compatible with the GPL (include/linux/license.h). */
const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

/** What `inspect --trace` adds. */
export interface Traced {
  readonly trace?: readonly LifeCycleCall[];
}

/** A program object as `inspect --json` prints it; names as bpftool's where it has them. */
export type Inspected = ReturnType<typeof inspected>;

/** Everything there is to tell of a loaded program. */
export function inspected(machine: Machine, prog: BpfProg) {
  const aux = auxOf(prog);
  const jited = jitedLinfo(machine, prog);
  return {
    id: prog.id,
    name: prog.name,
    type: prog.progType,
    tag: aux.tag === undefined ? null : tagText(aux.tag.tag),
    hash: aux.tag?.hash ?? null,
    kernel: kernelVersionText(machine.settings.kernel),
    gpl_compatible: GPL_COMPATIBLE.has(prog.attr.license),
    insns: prog.insns.length / 8,
    xlated_insns: prog.xlated.length / 8,
    bytes_xlated: prog.xlated.length,
    jited: prog.jited,
    bytes_jited: aux.jitedLen,
    why_interpreted: aux.whyInterpreted ?? null,
    pages: prog.pages,
    bytes_memlock: prog.pages * PAGE_SIZE,
    flags: {
      jit_requested: prog.jitRequested,
      blinding_requested: prog.blindingRequested,
      blinded: prog.blinded,
    },
    line_info: prog.xlatedLineInfo.map((line, i) => ({
      insn_off: line.insnOff,
      orig_insn_off: prog.origIdx[line.insnOff] ?? 0,
      file: prog.attr.files[line.file] ?? null,
      line: line.line,
      column: line.column,
      jited: jited === undefined ? null : hex64(jited[i] ?? 0n),
    })),
    subprograms: prog.subprogs.map(({ name, start, end, stackDepth }) => ({
      name,
      start,
      end,
      stack_depth: stackDepth,
    })),
    map_ids: prog.mapIds,
    maps: prog.maps.map(({ id, def }) => ({
      id,
      name: def.name,
      type: def.type,
      key_size: def.keySize,
      value_size: def.valueSize,
      max_entries: def.maxEntries,
      flags: def.flags,
    })),
    stats: readStats(machine, prog).map(({ cpu, cnt, nsecs, misses }) => ({
      cpu,
      cnt: hex64(cnt),
      nsecs: hex64(nsecs),
      misses: hex64(misses),
    })),
  };
}

/** What people read. */
export function inspectText(shown: Inspected & Traced, io: Io): string {
  const styles = stylesFor(io);
  const { flags } = shown;
  const hash = shown.hash === 'sha1' ? 'SHA-1' : 'SHA-256';
  const tag = shown.tag === null ? '' : `  tag ${shown.tag} (${hash}, Linux ${shown.kernel})`;
  const jited = shown.jited ? `jited ${shown.bytes_jited}B` : `not jited (${shown.why_interpreted})`;
  const maps = shown.map_ids.length === 0 ? '' : `  map_ids ${shown.map_ids.join(',')}`;
  const set = Object.entries(flags).filter(([, on]) => on);
  const lines = [
    `${shown.id}: ${shown.type}  name ${styles.bold(shown.name)}${tag}${shown.gpl_compatible ? '  gpl' : ''}`,
    `    xlated ${shown.bytes_xlated}B  ${jited}  memlock ${shown.bytes_memlock}B${maps}`,
    `    ${shown.insns} instructions, ${shown.xlated_insns} rewritten; ${shown.pages} ${shown.pages === 1 ? 'page' : 'pages'}`,
    `    flags ${set.length === 0 ? 'none' : set.map(([name]) => name).join(' ')}`,
    `    line info ${shown.line_info.length} entries`,
    ...shown.subprograms.map(
      (func) => `    function ${func.name}  ${func.start}–${func.end - 1}  stack ${func.stack_depth}B`,
    ),
    ...shown.maps.map(
      (map) =>
        `    map ${map.id} ${map.name}  ${map.type}  key ${map.key_size}B  value ${map.value_size}B  max_entries ${map.max_entries}`,
    ),
    ...shown.stats.map(
      (row) =>
        `    cpu ${row.cpu}  run_cnt ${BigInt(row.cnt)}  run_time_ns ${BigInt(row.nsecs)}  misses ${BigInt(row.misses)}`,
    ),
    ...(shown.trace ?? []).map(
      ({ name, detail }) => `${name}${detail === '' ? '' : styles.dim(`  ${detail}`)}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
