import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf } from '../prog/build.ts';
import { Code } from './code.ts';
import { openWitness } from './witness.ts';

const SEED = 20260605;
const INPUTS = 60;
const SIZES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16];
/** What the program works on: seed, old bytes, new bytes. */
const MAP = { name: 'in', type: 'array', keySize: 4, valueSize: 40, maxEntries: 1, flags: 0 };
const [OLD, NEW] = [8, 24];

/** `r0 = bpf_csum_diff(old, oldSize, new, newSize, seed)` */
function program(oldSize: number, newSize: number): Uint8Array {
  const code = new Code();
  code.emit('lddw_map_value', { dst: 6, imm: 0, next: 0 });
  code.emit('mov64_reg', { dst: 1, src: 6 });
  code.emit('add64_imm', { dst: 1, imm: OLD });
  code.emit('mov64_imm', { dst: 2, imm: oldSize });
  code.emit('mov64_reg', { dst: 3, src: 6 });
  code.emit('add64_imm', { dst: 3, imm: NEW });
  code.emit('mov64_imm', { dst: 4, imm: newSize });
  code.emit('ldxw', { dst: 5, src: 6, off: 0 });
  code.emit('call_helper', { imm: 28 });
  code.emit('exit');
  return code.bytes();
}

/** Words of which sums come out as 0 and as 65535, and others. */
const anyWord = fc.oneof(
  fc.constantFrom(0, 1, 0xffff, 0xfffe, 0x10000, 0xffff0000, 0xffffffff, 0xfffffffe, 0x7fff8000, 0x80007fff),
  fc.nat({ max: 0xffffffff }),
);
const anyInput = fc
  .array(anyWord, { minLength: MAP.valueSize / 4, maxLength: MAP.valueSize / 4 })
  .map((words) => new Uint8Array(Uint32Array.from(words).buffer));

test(`bpf_csum_diff is what the kernel computes, for all sizes (seed ${SEED})`, () => {
  const kernel = openWitness('checksums');
  if (kernel === undefined) return;
  const fd = kernel.createMap(MAP);
  const machine = new Machine({ shared: false });
  const map = createMap(machine, MAP);
  if (isRefusal(map)) throw new Error(map.message);
  const key = new Uint8Array(4);
  const data = new Uint8Array(14);
  const inputs = fc.sample(anyInput, { seed: SEED, numRuns: INPUTS });
  let runs = 0;
  for (const oldSize of SIZES) {
    for (const newSize of SIZES) {
      const insns = program(oldSize, newSize);
      const there = kernel.load({ insns, progType: 'sched_cls', maps: [fd] });
      if (there.refused) throw new Error(there.log);
      const here = bpfProgLoad(machine, attrOf('sched_cls', insns, { maps: [MAP] }), { maps: [map] });
      if (!here.ok) throw new Error(here.refusal.message);
      for (const input of inputs) {
        kernel.mapUpdate(fd, key, input);
        map.update(key, input, 0n);
        const want = kernel.testRun(there, { data }).retval;
        const got = runProgram(machine, here.prog, reference, { data, attach: 'test_run' }).retval;
        const words = Buffer.from(input).toString('hex');
        expect(got, `${oldSize} bytes out, ${newSize} in, of ${words}`).toBe(want);
        runs++;
      }
      kernel.close(there);
      bpfProgFree(machine, here.prog);
    }
  }
  kernel.dispose();
  console.log(`kernel: ${runs} checksums compared, 0 different`);
});
