import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ProgType } from '#core/object/object.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { EVERY_WAY } from '../engines.ts';
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

const ROWS = (['socket_filter', 'sched_cls', 'xdp'] as const).flatMap((type) =>
  EVERY_WAY.map((way) => ({ ...way, type })),
);

test.each(ROWS)(
  'context fields, packet loads and packet helpers of $type give what TEST_RUN of Linux 6.18 gave on $title',
  ({ type, engine, options }) => {
    const rows = runs.filter((run) => run.type === type);
    const other: string[] = [];
    const machine = new Machine({ shared: false, ...options });
    for (const row of rows) {
      const loaded = bpfProgLoad(machine, attrOf(type, unhex(row.insns)));
      if (!loaded.ok) {
        other.push(`${row.field}: ${loaded.refusal.message}`);
        continue;
      }
      const input = { data: unhex(row.data), attach: 'test_run', ctx: {} } as const;
      const { retval, fault, dataOut } = runProgram(machine, loaded.prog, engine, input);
      bpfProgFree(machine, loaded.prog);
      const ours = `${fault?.message ?? retval} ${Buffer.from(dataOut).toString('hex')}`;
      const kernel = `${row.retval} ${row.data_out}`;
      if (ours !== kernel) other.push(`${row.packet}, ${row.field}: ${ours}, the kernel: ${kernel}`);
    }
    expect(other).toEqual([]);
    expect(rows.length).toBeGreaterThan(50);
  },
);
