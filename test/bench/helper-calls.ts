import type { Clock } from '#cli/bench/clock.ts';
import { preparedRun } from '#cli/bench/prepared-run.ts';
import { assemble } from '#core/asm/assemble.ts';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import { linkProgram } from '#core/object/link.ts';
import type { LoadAttr } from '#core/object/object.ts';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { benchRow } from './report.ts';

/** Loops, each without the call and with it. */
const HELPERS: readonly { readonly name: string; readonly before: string; readonly call: string }[] = [
  { name: 'bpf_ktime_get_ns', before: '', call: 'call bpf_ktime_get_ns' },
  { name: 'bpf_get_prandom_u32', before: '', call: 'call bpf_get_prandom_u32' },
  {
    name: 'bpf_map_lookup_elem of a hash',
    before: 'r1 = table ll\nr2 = r10\nr2 += -4',
    call: 'call bpf_map_lookup_elem',
  },
  {
    name: 'bpf_map_lookup_elem of an array (inlined)',
    before: 'r1 = row ll\nr2 = r10\nr2 += -4',
    call: 'call bpf_map_lookup_elem',
  },
];

/** Nanoseconds that the call of a helper takes on each engine; `calls`: how many a run makes. */
export function helperCalls(clock: Clock, rounds: number, calls: number): BenchRow[] {
  return HELPERS.flatMap(({ name, before, call }) =>
    [reference, interp, wasm].map((engine) => {
      const loops = ['', call].map((body) => preparedRun(attrOf(before, body, calls), engine));
      const ns = loops.map(({ run }) => (): number => {
        const began = clock.now();
        run(2);
        return (clock.now() - began) / 2 / calls;
      });
      const samples: number[] = [];
      for (let round = -4; round < rounds; round++) {
        const [without = 0, withCall = 0] = ns.map((time) => time());
        if (round >= 0) samples.push(withCall - without);
      }
      return benchRow(`${engine.name}: ${name}`, 'ns', samples);
    }),
  );
}

function attrOf(before: string, body: string, calls: number): LoadAttr {
  const text = `.map table, hash, 4, 8, 16
.map_entry table, 7, 1
.map row, array, 4, 8, 16
.section xdp
main:
r7 = ${calls}
w1 = 7
*(u32 *)(r10 - 4) = w1
again:
${before}
${body}
r7 -= 1
if r7 != 0 goto again
r0 = 0
exit
`;
  const linked = linkProgram(assemble(text, { fileName: 'helper.bpf.s' }).value);
  if (linked.value === undefined) throw new Error(linked.errors.join('; '));
  return linked.value;
}
