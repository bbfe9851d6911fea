import { expect, test } from 'vitest';
import { lineAnInsn } from '#core/object/line-an-insn.ts';
import { Correspondence, xlatedDifference } from '#core/platform/node/kernel/xlated-difference.ts';
import { bpfInsnPrepareDump } from '#core/prog/bpf-insn-prepare-dump.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, unhex } from './build.ts';
import { firstNotKept, functionNames } from './kept.ts';
import { furtherVectors, mapsOf, type Vector, vectors } from './vectors.ts';

function compare(rows: readonly Vector[]) {
  const called = new Correspondence();
  const other: string[] = [];
  const removed: string[] = [];
  let equal = 0;
  let lines = 0;
  for (const vector of rows) {
    const insns = unhex(vector.insns);
    const attr = attrOf(vector.prog_type, insns, { maps: mapsOf(vector), lineInfo: lineAnInsn(insns) });
    const loaded = bpfProgLoad(new Machine({ shared: false }), attr);
    if (!loaded.ok) {
      other.push(`${vector.name}: ${loaded.refusal.message}`);
      continue;
    }
    const theirs = unhex(vector.xlated);
    const ours = bpfInsnPrepareDump(loaded.prog.code);
    if (theirs.length < ours.length) {
      removed.push(vector.name);
      const lost = firstNotKept(ours, theirs);
      if (lost !== undefined) other.push(`${vector.name}: slot ${lost} of the kernel's is not in ours`);
      continue;
    }
    const slot = xlatedDifference(ours, theirs, called);
    if (slot !== undefined) {
      other.push(`${vector.name}: slot ${slot} of ${ours.length / 8}, the kernel has ${theirs.length / 8}`);
      continue;
    }
    equal++;
    if (vector.xlated_line_insn_off.length === 0) continue;
    const offsets = loaded.prog.xlatedLineInfo.map((line) => line.insnOff);
    if (String(offsets) === String(vector.xlated_line_insn_off)) lines++;
    else other.push(`${vector.name}: line offsets ${offsets}`);
  }
  return { equal, lines, removed, other, functions: functionNames(called) };
}

test.each([
  { name: 'the 400', rows: vectors, minEqual: 267, minLines: 251 },
  { name: 'the further ones', rows: furtherVectors, minEqual: 769, minLines: 769 },
])('$name: rewritten as Linux 6.18 does, wherever it removed no instruction', (row) => {
  const { name, rows, minEqual, minLines } = row;
  const { equal, lines, removed, other, functions } = compare(rows);
  console.log(
    `${name}: ${equal} of ${rows.length} xlated programs equal, ${lines} with line offsets; of ${removed.length} the kernel removed instructions, and what it kept stands here in its order; functions: ${functions}`,
  );
  expect(other).toEqual([]);
  expect(equal).toBeGreaterThanOrEqual(minEqual);
  expect(lines).toBeGreaterThanOrEqual(minLines);
});
