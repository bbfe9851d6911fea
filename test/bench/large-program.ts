import { wasm, whyNotCompiled } from '#core/jit/wasm/engine.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import type { BenchRow } from '../../scripts/lib/bench-results.ts';
import { denseAttr } from './compile-time.ts';
import { benchRow } from './report.ts';

/** A program of `steps` instructions: loaded, tried to compile, run to its end; each in milliseconds by the clock. */
export function largeProgram(steps: number, rounds: number): BenchRow[] {
  const attr = denseAttr(steps);
  const load: number[] = [];
  const compile: number[] = [];
  const run: number[] = [];
  let refusal = '';
  for (let round = 0; round < rounds; round++) {
    const machine = new Machine({ shared: true });
    const marks = [performance.now()];
    const loaded = bpfProgLoad(machine, attr);
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    marks.push(performance.now());
    refusal = whyNotCompiled(machine, loaded.prog) === undefined ? 'compiled' : 'refused to compile';
    marks.push(performance.now());
    machine.enter(0, loaded.prog, 0n);
    const stop = wasm.run(machine, 0, { budget: Number.POSITIVE_INFINITY, breakpoints: false, resume: true });
    if (stop.kind !== 'exit') throw new Error(`the large program ends with ${stop.kind}`);
    marks.push(performance.now());
    for (const [i, into] of [load, compile, run].entries()) into.push((marks[i + 1] ?? 0) - (marks[i] ?? 0));
  }
  const name = `${steps} instructions`;
  return [
    benchRow(`${name}: loaded`, 'ms', load),
    benchRow(`${name}: ${refusal}`, 'ms', compile),
    benchRow(`${name}: first run`, 'ms', run),
  ];
}
