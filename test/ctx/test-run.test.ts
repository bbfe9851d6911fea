import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import type { ProgType } from '#core/object/object.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, unhex } from '../prog/build.ts';

interface Recorded {
  readonly type: ProgType;
  readonly packet: string;
  /** What the program looks at or calls. */
  readonly field: string;
  readonly insns: string;
  readonly data: string;
  readonly retval: number;
  readonly data_out: string;
}

const file = new URL('../testdata/prog/test-run-6.18.json', import.meta.url);
const { runs }: { runs: Recorded[] } = JSON.parse(readFileSync(file, 'utf8'));

test.each(['socket_filter', 'sched_cls', 'xdp'] as const)(
  'context fields, packet loads and packet helpers of %s give what TEST_RUN of Linux 6.18 gave',
  (type) => {
    const rows = runs.filter((run) => run.type === type);
    const other: string[] = [];
    const machine = new Machine({ shared: false });
    for (const row of rows) {
      const loaded = bpfProgLoad(machine, attrOf(type, unhex(row.insns)));
      if (!loaded.ok) {
        other.push(`${row.field}: ${loaded.refusal.message}`);
        continue;
      }
      const input = { data: unhex(row.data), attach: 'test_run', ctx: {} } as const;
      const { retval, fault, dataOut } = runProgram(machine, loaded.prog, reference, input);
      const ours = `${fault?.message ?? retval} ${Buffer.from(dataOut).toString('hex')}`;
      const kernel = `${row.retval} ${row.data_out}`;
      if (ours !== kernel) other.push(`${row.packet}, ${row.field}: ${ours}, the kernel: ${kernel}`);
    }
    console.log(`${type}: ${rows.length} runs compared`);
    expect(other).toEqual([]);
    expect(rows.length).toBeGreaterThan(50);
  },
);
