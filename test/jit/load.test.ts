import { expect, test } from 'vitest';
import { bytesOfHex, hexText } from '#core/bytes/hex.ts';
import { decodeProgram } from '#core/isa/decode.ts';
import { decodeX86 } from '#core/jit/x86-64/decode.ts';
import { x86JitCompiler } from '#core/jit/x86-64/jit-compiler.ts';
import { lineAddresses } from '#core/jit/x86-64/line-addresses.ts';
import type { X86Func } from '#core/jit/x86-64/program.ts';
import type { LoadAttr } from '#core/object/object.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { Machine } from '#core/vm/machine.ts';
import { type Vector, vectorsOf } from './vectors.ts';

function attrOf(vector: Vector): LoadAttr {
  const insns = bytesOfHex(vector.insns) ?? new Uint8Array();
  const { map } = vector;
  return {
    name: vector.name,
    progType: vector.prog_type,
    insns,
    lineInfo: decodeProgram(insns).map(({ index }) => ({
      insnOff: index,
      file: 0,
      line: index + 1,
      column: 1,
    })),
    files: ['vector.s'],
    funcs: [],
    maps:
      map === null
        ? []
        : [
            {
              name: 'm',
              type: map.type,
              keySize: map.key_size,
              valueSize: map.value_size,
              maxEntries: map.max_entries,
              flags: 0,
            },
          ],
    license: 'GPL',
  };
}

/** An image without what our kernel has elsewhere: map addresses and distances of calls. */
function masked({ image, mapImms }: Pick<X86Func, 'image' | 'mapImms'>): string {
  const copy = image.slice();
  for (const { at } of mapImms) copy.fill(0, at, at + 8);
  for (let at = 0; at < copy.length; ) {
    const insn = decodeX86(copy, at);
    if (insn?.form.row.id === 'call_rel32') copy.fill(0, at + 1, at + 5);
    at += insn?.length ?? 1;
  }
  return hexText(copy);
}

/** Rewritten code without map ids, and without what calls lead to. The kernel shows a tail call as one. */
function shape(insns: Uint8Array): string {
  return decodeProgram(insns)
    .map(({ insn, imm64 }) => {
      const elsewhere = insn.opcode === 0x85 || (insn.opcode === 0x18 && insn.src > 0);
      if (insn.opcode === 0xf5) return '133,0,0,0,,';
      return [
        insn.opcode,
        insn.dst,
        insn.src,
        insn.off,
        elsewhere ? '' : insn.imm,
        elsewhere ? '' : imm64,
      ].join();
    })
    .join(';');
}

test('what is rewritten here as in the kernel becomes the same image here', () => {
  let same = 0;
  const tailCalls = { direct: 0, indirect: 0 };
  for (const name of ['kernel-6.18-x86-64', 'further-6.18-x86-64']) {
    const { config, vectors } = vectorsOf(name);
    for (const vector of vectors) {
      if (vector.func_len.length > 1) continue;
      const machine = new Machine({ shared: false });
      const attr = attrOf(vector);
      const imageAddr = BigInt(vector.image_addr[0] ?? 0);
      let funcs: readonly X86Func[] = [];
      const compiled = (made: readonly X86Func[]): void => {
        funcs = made;
      };
      const loaded = bpfProgLoad(machine, attr, {
        jit: x86JitCompiler({ machine, attr, config, imageAddr, compiled }),
      });
      if (!loaded.ok) continue;
      const { prog } = loaded;
      const [func] = funcs;
      expect(prog.jited, vector.name).toBe(true);
      expect(auxOf(prog).jitedLen, vector.name).toBe(func?.image.length);
      expect(jitedLinfo(machine, prog), vector.name).toEqual(
        lineAddresses(
          funcs,
          prog.xlatedLineInfo.map(({ insnOff }) => insnOff),
        ),
      );
      const kernelImage = bytesOfHex(vector.jited) ?? new Uint8Array();
      const xlated = bytesOfHex(vector.xlated) ?? new Uint8Array();
      if (func !== undefined && shape(prog.xlated) === shape(xlated)) {
        same++;
        if (vector.tail_call !== null) tailCalls[vector.tail_call]++;
        expect(masked(func), vector.name).toBe(masked({ image: kernelImage, mapImms: [] }));
      }
      bpfProgFree(machine, prog);
    }
  }
  // Where the kernel removes code that its verifier saw not to run, the rewritten programs differ.
  expect(same).toBeGreaterThan(850);
  expect(tailCalls.direct).toBeGreaterThanOrEqual(10);
  expect(tailCalls.indirect).toBeGreaterThanOrEqual(10);
}, 60_000);

test('a program that cannot be compiled is interpreted, and says why', () => {
  const { config, vectors } = vectorsOf('kernel-6.18-x86-64');
  const [vector] = vectors.filter(({ name }) => name === 'demo-alu');
  if (vector === undefined) throw new Error('demo-alu is not there');
  const machine = new Machine({ shared: false });
  const attr = attrOf(vector);
  const far = { ...config, callBase: 0x10_0000_0000n, returnThunk: 0x10_0000_0000n };
  const loaded = bpfProgLoad(machine, attr, {
    jit: x86JitCompiler({ machine, attr, config: far }),
  });
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  expect(loaded.prog.jited).toBe(false);
  expect(auxOf(loaded.prog).whyInterpreted).toMatch(
    /^instruction \d+: the return thunk is more than 2 GiB away/,
  );
  expect(jitedLinfo(machine, loaded.prog)).toBeUndefined();
});
