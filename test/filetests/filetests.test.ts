import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRow } from '#core/isa/decode.ts';
import { readInsn } from '#core/isa/insn.ts';
import { INSN_TABLE } from '#core/isa/table.ts';
import { ENGINES } from '#core/session/engines.ts';
import { Machine } from '#core/vm/machine.ts';
import { Stepping } from '../wasm-sim/stepping.ts';
import { execute, type Outcome, type Way } from './execute.ts';
import { type DataFile, parseDataFile } from './format.ts';
import { givenProgram } from './given-program.ts';

/** Steps of WebAssembly in one run; later ones are loops over the same code. */
const MOST_STEPS = 20_000;

const ROOT = import.meta.dirname;

type NamedWay = Way & { readonly title: string };

/** Every engine, at once over shared memory and in slices of a prime length over memory of its own. */
const WAYS: readonly NamedWay[] = [
  ...ENGINES.flatMap((engine): NamedWay[] => [
    { title: `${engine.name}, shared memory`, engine, shared: true, slice: Number.POSITIVE_INFINITY },
    { title: `${engine.name}, time slices`, engine, shared: false, slice: 7 },
    // One instruction at a time also tells which ones were executed.
    { title: `${engine.name}, single steps`, engine, shared: false, slice: 1 },
    { title: `${engine.name}, blinded`, engine, shared: false, slice: Number.POSITIVE_INFINITY, blind: true },
  ]),
  {
    title: 'wasm, native steps',
    engine: new Stepping(MOST_STEPS),
    shared: true,
    slice: Number.POSITIVE_INFINITY,
  },
];

/** Programs that run, though not as code of an engine that compiles, and why. */
const NOT_COMPILED: Readonly<Record<string, unknown>> = {
  // A fault on every engine; `wasm` has code that leaves in front of it.
  'xlated/callx.data, x86-64': expect.stringContaining('callx has no machine code'),
};

const FILES = (readdirSync(ROOT, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.data'))
  .sort()
  .map((name) => ({ name: relative(ROOT, join(ROOT, name)), file: parse(name) }));

function parse(name: string): DataFile {
  try {
    return parseDataFile(readFileSync(join(ROOT, name), 'utf8'));
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

const usedRows = new Set<string>();

/** What the first way, the reference engine's, has made of each file: the others must do the same in all. */
const definitions = new Map<string, object>();

function definitionOf(name: string, outcome: Outcome): object {
  const known = definitions.get(name) ?? effectsOf(outcome);
  definitions.set(name, known);
  return known;
}

/** An outcome without what blinding may change: places in the rewritten program, what was executed there. */
function effectsOf({ executed: _, notCompiled: __, fault, ...outcome }: Outcome): object {
  return { ...outcome, fault: fault && { ...fault, xlatedPc: 0 } };
}

for (const way of WAYS) {
  describe(way.title, () => {
    test.each(FILES)('$name', ({ name, file }) => {
      const outcome = execute(file, way);
      compare(file, outcome);
      expect(effectsOf(outcome)).toEqual(definitionOf(name, outcome));
      for (const slot of outcome.executed) countRow(slot);
      expect(outcome.notCompiled).toEqual(NOT_COMPILED[`${name}, ${way.engine.name}`]);
    });
  });
}

test('every data file states its claim and expects something', () => {
  const silent = FILES.filter(({ file }) => {
    const { mapsOut, dataOut, output, insns, ...ends } = file.expect;
    return file.claim === '' || Object.values(ends).every((each) => each === undefined);
  });
  expect(silent.map((each) => each.name)).toEqual([]);
});

test('every rewritten program is blinded where the loader blinds', () => {
  const same = FILES.filter(({ file }) => {
    if (file.xlated === undefined) return false;
    const machine = new Machine({ shared: false, settings: { bpfJitHarden: 2 } });
    const { xlated } = givenProgram(machine, file, file.xlated, { maps: [], arenaAddr: undefined });
    return xlated.length === file.xlated.length;
  });
  expect(same.map(({ name }) => name)).toEqual(NOTHING_TO_BLIND);
});

/** An instruction that uses AX is left alone: blinding needs it itself. */
const NOTHING_TO_BLIND: readonly string[] = ['xlated/ax-register.data'];

test('every row of the instruction table is executed by a data file', () => {
  expect(INSN_TABLE.map((row) => row.id).filter((id) => !usedRows.has(id))).toEqual([]);
});

test('every row that exists in rewritten programs only is refused by a data file', () => {
  const refused = new Set<string>();
  for (const { file } of FILES) {
    if (file.expect.refused === undefined || file.raw === undefined) continue;
    for (let slot = 0; slot < Math.floor(file.raw.length / 8); slot++) {
      const row = findRow(readInsn(file.raw, slot));
      if (row !== undefined) refused.add(row.id);
    }
  }
  const mustBe = INSN_TABLE.filter((row) => NEVER_LOADED.has(row.id) || 'rewrittenOnly' in row);
  expect(mustBe.map((row) => row.id).filter((id) => !refused.has(id))).toEqual([]);
});

/** Refused at load, and a fault when given straight to the engine. */
const NEVER_LOADED: ReadonlySet<string> = new Set(['callx']);

function countRow(slot: Uint8Array): void {
  const row = findRow(readInsn(slot, 0));
  if (row !== undefined) usedRows.add(row.id);
}

function compare(file: DataFile, outcome: Outcome): void {
  const { expect: want } = file;
  if (want.errors !== undefined) {
    expect(outcome.errors).toHaveLength(want.errors.length);
    want.errors.forEach((text, index) => {
      expect(outcome.errors[index]).toContain(text);
    });
    return;
  }
  expect(outcome.errors).toEqual([]);
  if (want.refused !== undefined) {
    expect(outcome.refused).toContain(want.refused);
    return;
  }
  expect(outcome.refused).toBeUndefined();
  if (want.fault !== undefined) {
    expect({ kind: outcome.fault?.kind, pc: outcome.fault?.pc }).toEqual({
      kind: want.fault.kind,
      pc: want.fault.pc,
    });
    expect(outcome.fault?.message).toContain(want.fault.text);
  } else expect(outcome.fault).toBeUndefined();
  if (want.result !== undefined) expect(hex(outcome.r0)).toBe(hex(want.result));
  if (want.verdict !== undefined) expect(outcome.verdict).toBe(want.verdict);
  if (want.insns !== undefined) expect(outcome.insnsExecuted).toBe(want.insns);
  if (want.dataOut !== undefined) expect(bytesText(outcome.dataOut)).toBe(bytesText(want.dataOut));
  if (want.arenaOut !== undefined) expect(bytesText(outcome.arenaOut)).toBe(bytesText(want.arenaOut));
  if (want.mapsOut !== undefined) expect(outcome.mapsOut).toEqual(want.mapsOut);
  if (want.output !== undefined) expect(outcome.output).toEqual(want.output);
}

function hex(value: bigint | undefined): string {
  return value === undefined ? 'none' : `0x${value.toString(16)}`;
}

function bytesText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'none' : Buffer.from(bytes).toString('hex');
}
