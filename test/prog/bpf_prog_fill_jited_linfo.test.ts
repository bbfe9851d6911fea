import { expect, test } from 'vitest';
import { bpfProgAllocJitedLinfo, jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgFillJitedLinfo } from '#core/prog/bpf-prog-fill-jited-linfo.ts';
import { EXIT, R0_0, unhex } from './build.ts';
import { machineOf, shellOf } from './shells.ts';
import { vectors } from './vectors.ts';

test('native line addresses of all vectors are those that Linux 6.18 recorded', () => {
  let compared = 0;
  let functions = 0;
  for (const vector of vectors) {
    const { xlated_line_insn_off: lines, jited_line_info: recorded, func_insn_start: funcs } = vector;
    if (lines.length === 0) continue;
    const machine = machineOf();
    const prog = shellOf(machine, unhex(vector.xlated), { lines, funcs });
    bpfProgAllocJitedLinfo(machine, prog);
    const n = vector.xlated.length / 16;
    const addresses = new Map(lines.map((slot, i) => [slot, BigInt(recorded[i] ?? '0')]));
    funcs.forEach((start, f) => {
      const image = BigInt(vector.image_addr[f] ?? '0');
      const length = vector.func_len[f] ?? 0;
      const end = funcs[f + 1] ?? n;
      // insn_to_jit_off[i] is where the code of slot i ends, which is where the next one's line begins.
      const insnToJitOff = Array.from({ length: end - start }, (_, i) => {
        const next = start + i + 1 < end ? addresses.get(start + i + 1) : image + BigInt(length);
        return Number((next ?? image) - image);
      });
      for (const offset of insnToJitOff) {
        expect(offset, vector.name).toBeGreaterThanOrEqual(0);
        expect(offset, vector.name).toBeLessThanOrEqual(length);
      }
      bpfProgFillJitedLinfo(machine, prog, f, { image, length, insnToJitOff });
      functions++;
    });
    expect(
      jitedLinfo(machine, prog)?.map((address) => `0x${address.toString(16)}`),
      vector.name,
    ).toEqual(recorded);
    compared++;
  }
  console.log(`vectors: jited_linfo of ${compared} programs with ${functions} functions equal`);
  expect(compared).toBe(vectors.filter((each) => each.jited_line_info.length > 0).length);
  expect(compared).toBeGreaterThan(370);
  expect(functions).toBeGreaterThan(compared);
});

test('lines of one function are filled from its own image, the others stay', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [R0_0, R0_0, EXIT, R0_0, EXIT], { lines: [0, 2, 3, 4], funcs: [0, 3] });
  bpfProgAllocJitedLinfo(machine, prog);
  bpfProgFillJitedLinfo(machine, prog, 1, { image: 0x2000n, length: 20, insnToJitOff: [12, 20] });
  expect(jitedLinfo(machine, prog)).toEqual([0n, 0n, 0x2000n, 0x200cn]);
  bpfProgFillJitedLinfo(machine, prog, 0, { image: 0x1000n, length: 30, insnToJitOff: [8, 15, 30] });
  expect(jitedLinfo(machine, prog)).toEqual([0x1000n, 0x100fn, 0x2000n, 0x200cn]);
});

test('without a table nothing happens', () => {
  const machine = machineOf({ bpfJitEnable: 0 });
  const prog = shellOf(machine, [R0_0, EXIT], { lines: [0, 1] });
  bpfProgFillJitedLinfo(machine, prog, 0, { image: 0x1000n, length: 9, insnToJitOff: [4, 9] });
  expect(jitedLinfo(machine, prog)).toBeUndefined();
});

test('offsets of fewer instructions than the function has are refused', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [R0_0, R0_0, EXIT], { lines: [0, 1] });
  bpfProgAllocJitedLinfo(machine, prog);
  expect(() =>
    bpfProgFillJitedLinfo(machine, prog, 0, { image: 0x1000n, length: 9, insnToJitOff: [4] }),
  ).toThrow('function 0 has 3 slots; insn_to_jit_off tells of 1');
});
