import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { ProgType } from '#core/object/object.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, unhex } from '../prog/build.ts';

interface Recorded {
  readonly type: ProgType;
  readonly insns: string;
  readonly xlated?: string;
  readonly pc?: number;
  readonly refused?: string;
}

const file = new URL('../testdata/prog/ctx-access-6.18.json.gz', import.meta.url);
const { cases }: { cases: Recorded[] } = JSON.parse(gunzipSync(readFileSync(file)).toString());

test.each(['xdp', 'socket_filter', 'sched_cls'] as const)(
  'every offset and width of a %s context is refused or rewritten as Linux 6.18 does',
  (type) => {
    const machine = new Machine({ shared: false });
    const rows = cases.filter((each) => each.type === type);
    const other: string[] = [];
    for (const row of rows) {
      const loaded = bpfProgLoad(machine, attrOf(row.type, unhex(row.insns)));
      const ours = loaded.ok
        ? Buffer.from(loaded.prog.xlated).toString('hex')
        : `${loaded.refusal.pc}: ${loaded.refusal.message}`;
      const kernel = row.xlated ?? `${row.pc}: ${row.refused}`;
      if (ours !== kernel) other.push(`${row.insns}: ${ours}, the kernel: ${kernel}`);
    }
    console.log(
      `${type}: ${rows.length} accesses compared, ${rows.filter((row) => row.xlated).length} of them legal`,
    );
    expect(other).toEqual([]);
    expect(rows.length).toBeGreaterThan(100);
  },
);
