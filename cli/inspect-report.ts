import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { programFacts } from '#core/prog/facts.ts';
import type { BpfProg } from '#core/prog/load.ts';
import { readStats } from '#core/prog/stats.ts';
import { usedMapIds } from '#core/prog/used-maps.ts';
import type { LifeCycleCall } from '#core/vm/life-cycle.ts';
import type { Machine } from '#core/vm/machine.ts';
import { AUX_PROG_ARRAY_MEMBER_CNT, auxWord } from '#core/vm/prog-aux.ts';
import { type Io, stylesFor } from './io.ts';
import { hex64 } from './json.ts';
import { statsRowJson } from './run-report.ts';

/** What `inspect --trace` adds. */
export interface Traced {
  readonly trace?: readonly LifeCycleCall[];
}

/** A program object as `inspect --json` prints it; names as bpftool's where it has them. */
export type Inspected = ReturnType<typeof inspected>;

/** Everything there is to tell of a loaded program. */
export function inspected(machine: Machine, prog: BpfProg) {
  const facts = programFacts(machine, prog);
  const jited = jitedLinfo(machine, prog);
  return {
    id: prog.id,
    name: prog.name,
    type: prog.progType,
    tag: facts.tag ?? null,
    hash: facts.hash ?? null,
    kernel: facts.kernel,
    gpl_compatible: facts.gplCompatible,
    insns: prog.insns.length / 8,
    xlated_insns: prog.xlated.length / 8,
    bytes_xlated: facts.bytesXlated,
    jited: facts.jited,
    bytes_jited: facts.bytesJited,
    why_interpreted: facts.whyInterpreted ?? null,
    pages: facts.pages,
    bytes_memlock: facts.bytesMemlock,
    flags: {
      jit_requested: facts.jitRequested,
      blinding_requested: facts.blindingRequested,
      blinded: facts.blinded,
    },
    line_info: prog.xlatedLineInfo.map((line, i) => ({
      insn_off: line.insnOff,
      orig_insn_off: prog.origIdx[line.insnOff] ?? 0,
      file: prog.attr.files[line.file] ?? null,
      line: line.line,
      column: line.column,
      jited: jited === undefined ? null : hex64(jited[i] ?? 0n),
    })),
    subprograms: prog.subprogs.map(({ name, start, end, stackDepth }, i) => ({
      name,
      start,
      end,
      stack_depth: stackDepth,
      jited: facts.jitedFuncs[i]?.address ?? null,
      bytes_jited: facts.jitedFuncs[i]?.length ?? 0,
    })),
    extensions: [...prog.extensions].map(([start, ext]) => ({
      func: prog.subprogs.find((func) => func.start === start)?.name ?? null,
      prog: ext.name,
      id: ext.id,
    })),
    prog_array_member_cnt: auxWord(machine, prog, AUX_PROG_ARRAY_MEMBER_CNT),
    map_ids: usedMapIds(machine, prog),
    maps: prog.maps.map(({ id, def }) => ({
      id,
      name: def.name,
      type: def.type,
      key_size: def.keySize,
      value_size: def.valueSize,
      max_entries: def.maxEntries,
      flags: def.flags,
    })),
    stats: readStats(machine, prog).map(statsRowJson),
  };
}

/** Rewritten instruction, native address, place of a line record. */
function lineRecordText({ insn_off, jited, file, line, column }: Inspected['line_info'][number]): string {
  const native = jited === null ? '' : `  ${jited}`;
  return `\t  ${String(insn_off).padStart(4)}${native}  ${file ?? '?'}:${line}:${column}`;
}

/** What people read: first what `bpftool prog show` prints of a program that was not run, then the rest. */
export function inspectText(
  shown: Omit<Inspected, 'type'> & { readonly type: string } & Traced,
  io: Io,
  options: { readonly linum: boolean },
): string {
  const styles = stylesFor(io);
  const { flags } = shown;
  const tag = shown.tag === null ? '' : `  tag ${shown.tag}`;
  const hash = shown.hash === 'sha1' ? 'SHA-1' : 'SHA-256';
  const jited = shown.jited ? `jited ${shown.bytes_jited}B` : 'not jited';
  const maps = shown.map_ids.length === 0 ? '' : `  map_ids ${shown.map_ids.join(',')}`;
  const set = Object.entries(flags).filter(([, on]) => on);
  const lines = [
    `${shown.id}: ${shown.type}  name ${styles.bold(shown.name)}${tag}${shown.gpl_compatible ? '  gpl' : ''}`,
    `\txlated ${shown.bytes_xlated}B  ${jited}  memlock ${shown.bytes_memlock}B${maps}`,
    ...(shown.jited ? [] : [`\tnot jited: ${shown.why_interpreted}`]),
    ...(shown.tag === null ? [] : [`\ttag by ${hash}, as Linux ${shown.kernel} does`]),
    `\t${shown.insns} instructions, ${shown.xlated_insns} rewritten; ${shown.pages} ${shown.pages === 1 ? 'page' : 'pages'}`,
    `\tflags ${set.length === 0 ? 'none' : set.map(([name]) => name).join(' ')}`,
    `\tline info ${shown.line_info.length} entries`,
    ...(options.linum ? shown.line_info.map(lineRecordText) : []),
    ...shown.subprograms.map(
      (func) =>
        `\tfunction ${func.name}  ${func.start}–${func.end - 1}  stack ${func.stack_depth}B${func.jited === null ? '' : `  jited ${func.bytes_jited}B at ${func.jited}`}`,
    ),
    ...shown.extensions.map(({ func, prog, id }) => `\tfunction ${func} is replaced by ${prog} (id ${id})`),
    ...shown.maps.map(
      (map) =>
        `\tmap ${map.id} ${map.name}  ${map.type}  key ${map.key_size}B  value ${map.value_size}B  max_entries ${map.max_entries}`,
    ),
    ...shown.stats.map(
      (row) =>
        `\tcpu ${row.cpu}  run_cnt ${BigInt(row.cnt)}  run_time_ns ${BigInt(row.nsecs)}  misses ${BigInt(row.misses)}`,
    ),
    ...(shown.trace ?? []).map(
      ({ name, detail }) => `${name}${detail === '' ? '' : styles.dim(`  ${detail}`)}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
