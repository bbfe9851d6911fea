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
  readonly xlated: string;
  /** `main+function+…` */
  readonly depth: string;
}

const file = new URL('../testdata/prog/ctx-flow-6.18.json.gz', import.meta.url);
const { programs }: { programs: Recorded[] } = JSON.parse(gunzipSync(readFileSync(file)).toString());

/** Hex slots without what calls hold: the kernel shows addresses there. */
function comparable(hex: string): string[] {
  return (hex.match(/.{16}/g) ?? []).map((slot) => (slot.startsWith('85') ? slot.slice(0, 4) : slot));
}

test('the context is followed through registers, spills, joins and functions as Linux 6.18 follows it', () => {
  const machine = new Machine({ shared: false });
  const other: string[] = [];
  let depths = 0;
  for (const row of programs) {
    const loaded = bpfProgLoad(machine, attrOf(row.type, unhex(row.insns)));
    if (!loaded.ok) {
      other.push(`${row.insns}: ${loaded.refusal.pc}: ${loaded.refusal.message}`);
      continue;
    }
    const ours = comparable(Buffer.from(loaded.prog.xlated).toString('hex'));
    if (String(ours) !== String(comparable(row.xlated))) other.push(row.insns);
    if (loaded.prog.subprogs.map((subprog) => subprog.stackDepth).join('+') === row.depth) depths++;
  }
  console.log(`${programs.length} programs compared, ${depths} with the same stack depths`);
  expect(other).toEqual([]);
  // The verifier leaves out branches that ranges of values decide; a store there makes no frame deeper.
  expect(depths).toBeGreaterThan(programs.length * 0.98);
});
