import { expect, test } from 'vitest';
import { nodeHash } from '#core/platform/node/hash.ts';
import { functionSymbol } from '#core/prog/function-symbol.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, bytesOf, EXIT, type Slot } from './build.ts';

/** r0 = 2 in a function of its own, plus 1. */
const CODE: Slot[] = [[0x85, 0, 1, 0, 2], [0x07, 0, 0, 0, 1], EXIT, [0xb7, 0, 0, 0, 2], EXIT];

function symbols(machine: Machine): string[] {
  const loaded = bpfProgLoad(machine, attrOf('xdp', bytesOf(CODE)));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const { prog } = loaded;
  return prog.subprogs.map((subprog, i) => functionSymbol(machine, prog, subprog, `f${i}`));
}

test('the main function has the tag of the program, others their own: as /proc/kallsyms of Linux 6.18 had them', () => {
  expect(symbols(new Machine({ shared: false, hash: nodeHash }))).toEqual([
    'bpf_prog_5f2ddd0e76e6d91b_f0',
    'bpf_prog_614b434cd8324ecc_f1',
  ]);
});

test('without a hash, or a kernel that has tags, the name alone', () => {
  expect(symbols(new Machine({ shared: false }))).toEqual(['f0', 'f1']);
  const settings = { kernel: { major: 4, minor: 9 } };
  expect(symbols(new Machine({ shared: false, hash: nodeHash, settings }))).toEqual(['f0', 'f1']);
});
