import { describe, expect, test } from 'vitest';
import { hexText } from '#core/bytes/hex.ts';
import { compileX86 } from '#core/jit/x86-64/compile-x86.ts';
import { decodeX86 } from '#core/jit/x86-64/decode.ts';
import { lineAddresses } from '#core/jit/x86-64/line-addresses.ts';
import type { X86Func } from '#core/jit/x86-64/program.ts';
import { programOf, vectorsOf } from './vectors.ts';

/** Offsets at which an instruction begins, and the end. Throws where bytes are not of the table. */
function boundaries({ image }: X86Func): Set<number> {
  const found = new Set<number>([image.length]);
  for (let at = 0; at < image.length; ) {
    const insn = decodeX86(image, at);
    if (insn === undefined)
      throw new Error(`unknown bytes at ${at}: ${hexText(image.subarray(at, at + 15))}`);
    found.add(at);
    at += insn.length;
  }
  return found;
}

describe.each(['kernel-6.18-x86-64', 'further-6.18-x86-64'])('images of %s', (name) => {
  const { config, vectors } = vectorsOf(name);

  test('there are vectors', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(name.startsWith('kernel') ? 400 : 700);
  });

  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const outcome = compileX86(programOf(vector), config);
    if (!outcome.ok) throw new Error(`slot ${outcome.slot}: ${outcome.message}`);
    const { funcs } = outcome;
    expect(funcs.map(({ image }) => hexText(image)).join('')).toBe(vector.jited);
    expect(funcs.map(({ image }) => image.length)).toEqual(vector.func_len);
    expect(lineAddresses(funcs, vector.xlated_line_insn_off).map((addr) => `0x${addr.toString(16)}`)).toEqual(
      vector.jited_line_info,
    );
    let base = 0;
    const mapImms: number[] = [];
    for (const func of funcs) {
      mapImms.push(...func.mapImms.map(({ at }) => base + at));
      base += func.image.length;
      const at = boundaries(func);
      expect([...func.insnToJitOff].filter((end) => !at.has(end))).toEqual([]);
      expect([...func.insnToJitOff]).toEqual([...func.insnToJitOff].sort((a, b) => a - b));
      expect(func.insnToJitOff.at(-1)).toBe(func.image.length);
    }
    expect(mapImms).toEqual(vector.map_imm_zeroed_at);
  });
});
