import { test } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import { reference } from '#core/interp/reference.ts';
import { Machine } from '#core/vm/machine.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { unhex } from '../prog/build.ts';
import { furtherVectors, loadVector, vectors } from '../prog/vectors.ts';
test('dbg', () => {
  const vector = [...vectors, ...furtherVectors].find((v) => v.name === (process.env.V ?? 'random-6'))!;
  const ms = [new Machine({ shared: false }), new Machine({ shared: false })];
  for (const m of ms) {
    const l = loadVector(m, vector);
    if (!l.ok) throw 1;
    const { r1, r2 } = prepareInput(m, 0, l.prog, { data: unhex(vector.data!), attach: 'test_run' });
    m.enter(0, l.prog, r1, r2);
  }
  const engine = [reference, x86Sim] as const;
  const trace = engine.map((e, i) => {
    const out: string[] = [];
    for (let k = 0; k < 500; k++) {
      const c = e.run(ms[i]!, 0, { budget: 1, breakpoints: false, resume: true });
      out.push(`${ms[i]!.cpu(0).pc} ${ms[i]!.cpu(0).insnsExecuted} ${c.kind}`);
      if (c.kind === 'exit') break;
    }
    return out;
  });
  for (let k = 0; k < 500; k++) if (trace[0]![k] !== trace[1]![k]) { console.log(k, trace[0]!.slice(k-2, k+3), trace[1]!.slice(k-2,k+3)); 
   break; }
});
