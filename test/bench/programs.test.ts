import { afterAll, describe, expect, test } from 'vitest';
import { openKernel } from '#core/platform/node/kernel/bridge.ts';
import { ENGINES } from '#core/session/engines.ts';
import { preparedRun } from './prepared-run.ts';
import { PACKET, PROGRAM_KINDS, storedProgram } from './stored-programs.ts';

const opened = openKernel();
afterAll(() => {
  if (opened.ok) opened.kernel.dispose();
  else console.log(`programs of the benchmarks: not run in the kernel: ${opened.message}`);
});

describe.each(PROGRAM_KINDS)('$name', ({ name, result }) => {
  const attr = storedProgram(name);

  test.each(ENGINES.map((engine) => [engine.name, engine] as const))(
    'gives on %s what native code gives',
    (_, engine) => {
      expect(preparedRun(attr, engine).run(1)).toBe(result);
    },
  );
});

const inKernel = PROGRAM_KINDS.filter(({ inKernel: runs }) => runs);

test.each(opened.ok ? inKernel : [])(
  '$name gives in the kernel what native code gives',
  ({ name, result }) => {
    if (!opened.ok) return;
    const { kernel } = opened;
    const attr = storedProgram(name);
    const maps = attr.maps.map((def) => kernel.createMap(def));
    const prog = kernel.load({ ...attr, maps, verifiedApart: true });
    expect(prog.refused ? prog.log : prog.refused).toBe(false);
    if (!prog.refused) expect(kernel.testRun(prog, { data: PACKET }).retval).toBe(result);
  },
);
