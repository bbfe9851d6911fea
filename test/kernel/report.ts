import { decodeProgram } from '#core/isa/decode.ts';
import { helperById } from '#core/isa/helpers.ts';
import { printInsn } from '#core/isa/print.ts';
import type { Generated } from './generate.ts';
import {
  initialValue,
  KEYS,
  keyBytes,
  PROGRAM_MAPS,
  PROGS_MAP,
  TAIL_INDEX,
  TAIL_TARGET,
} from './program-maps.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The program and all it runs on as a line for `bpf-workbench run --jsonl`. */
export function jsonLine({ recipe, insns, maps }: Generated): string {
  const ctx = Object.fromEntries(
    Object.entries(recipe.ctx).map(([name, value]) => [name, `0x${value.toString(16)}`]),
  );
  const all = PROGRAM_MAPS.slice(0, Math.max(-1, ...maps) + 1).map((def, map) => {
    const entries: Record<string, string> = {};
    for (let n = 0; n < KEYS; n++) {
      const value = initialValue(recipe.start, map, n);
      if (value !== undefined) entries[hex(keyBytes(map, n))] = hex(value);
    }
    // a value there is the index of a program of the line
    if (map === PROGS_MAP) entries[hex(keyBytes(map, TAIL_INDEX))] = hex(new Uint8Array(4));
    const { name, type, keySize, valueSize, maxEntries } = def;
    return { name, type, key_size: keySize, value_size: valueSize, max_entries: maxEntries, entries };
  });
  const given = Object.keys(ctx).length > 0 ? { ctx } : {};
  return JSON.stringify({
    prog_type: recipe.progType,
    insns: hex(insns),
    data: hex(recipe.packet),
    ...given,
    maps: all,
    progs: [hex(TAIL_TARGET)],
  });
}

/** A program as a person wants to see it: listing as in verifier logs, bytes, and how to run it again. */
export function programReport(program: Generated): string {
  const lines = decodeProgram(program.insns).map((decoded) => {
    const text = printInsn(decoded, 'kernel', {
      helper: (id) => helperById(id)?.name,
      map: (ref) => PROGRAM_MAPS[ref]?.name,
    });
    return `${String(decoded.index).padStart(4)}: ${text}`;
  });
  return [
    `${program.recipe.progType}, ${program.insns.length / 8} slots:`,
    ...lines,
    `insns: ${hex(program.insns)}`,
    `again: echo '${jsonLine(program)}' | bpf-workbench run --jsonl`,
  ].join('\n');
}
