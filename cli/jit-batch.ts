import { hexText } from '#core/bytes/hex.ts';
import { compileX86 } from '#core/jit/x86-64/compile-x86.ts';
import { X86_PRESETS, type X86Config } from '#core/jit/x86-64/config.ts';
import { lineAddresses } from '#core/jit/x86-64/line-addresses.ts';
import type { X86Func } from '#core/jit/x86-64/program.ts';
import type { Io } from './io.ts';
import { CONFIG_FIELDS, configured, DEFAULT_PRESET, refuseMisspelt } from './jit-config.ts';
import { PROGRAM_FIELDS, programLine } from './jit-line.ts';
import { hex64 } from './json.ts';
import { batch } from './jsonl.ts';

/** What lines may have beside: lines of vectors are piped in as they are, and callers add what is theirs. */
const FURTHER_FIELDS: readonly string[] = [
  ...['name', 'prog_type', 'map', 'insns', 'tag', 'func_len', 'jited', 'jited_line_info'],
  ...['map_imm_zeroed_at', 'map_imm_at', 'insn_to_jit_off', 'data', 'retval', 'data_out', 'map_out'],
];

/**
 * Compiles each line; the configuration of a line stays for the lines behind it. A line that is not understood changes
 * nothing.
 */
export function jitBatch(io: Io): Promise<number> {
  let config: X86Config = X86_PRESETS[DEFAULT_PRESET];
  return batch(io, (line) => {
    refuseMisspelt(line, [...CONFIG_FIELDS, ...PROGRAM_FIELDS], FURTHER_FIELDS);
    const changed = configured(line, config);
    if ((line.xlated ?? undefined) === undefined && CONFIG_FIELDS.some((name) => name in line)) {
      config = changed;
      return { config: 'kept' };
    }
    const { program, lineOffs } = programLine(line);
    config = changed;
    const outcome = compileX86(program, config);
    if (outcome.ok) return answer(outcome.funcs, lineOffs);
    return { error: outcome.message, ...(outcome.slot === undefined ? {} : { xlated_pc: outcome.slot }) };
  });
}

function answer(funcs: readonly X86Func[], lineOffs: readonly number[]): object {
  let base = 0;
  const mapImms: number[] = [];
  for (const func of funcs) {
    for (const { at } of func.mapImms) mapImms.push(base + at);
    base += func.image.length;
  }
  return {
    jited: funcs.map(({ image }) => hexText(image)).join(''),
    func_len: funcs.map(({ image }) => image.length),
    insn_to_jit_off: funcs.map(({ insnToJitOff }) => Array.from(insnToJitOff)),
    jited_line_info: lineAddresses(funcs, lineOffs).map(hex64),
    map_imm_at: mapImms,
  };
}
