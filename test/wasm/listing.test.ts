import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { emitInterpreter } from '#core/interp-wasm/emit.ts';
import { type CompiledProgram, compileProgram } from '#core/jit/wasm/compile.ts';
import { slotAt } from '#core/jit/wasm/jit-compiler.ts';
import { wasmListing } from '#core/jit/wasm/listing.ts';
import { localNames } from '#core/jit/wasm/local-names.ts';
import { linkProgram } from '#core/object/link.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { Code } from '#core/wasm/code.ts';
import { mnemonicOf } from '#core/wasm/mnemonics.ts';
import { ModuleBuilder } from '#core/wasm/module.ts';
import { CODED, I32, I64, OP, VOID } from '#core/wasm/opcodes.ts';
import { funcTypeText, insnText, readInsn } from '#core/wasm/print.ts';
import { readModule } from '#core/wasm/read-module.ts';
import { RowCollector } from '#core/wasm/rows.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { execute } from '../filetests/execute.ts';
import { parseDataFile } from '../filetests/format.ts';
import { newMachine } from '../interp/build.ts';
import { TWICE } from '../jit/twice-program.ts';
import { furtherVectors, loadVector, type Vector, vectors } from '../prog/vectors.ts';
import { type ForeignRow, foreignRows } from './foreign-decoder.ts';

const foreignNames = {
  func: (index: number) => `f${index}`,
  local: (_: number, index: number) => `l${index}`,
};

/** What our decoder makes of a module. */
function ownRows(bytes: Uint8Array): ForeignRow[] {
  const module = readModule(bytes);
  const names = {
    func: (index: number) => `$f${index}`,
    local: (index: number) => `$l${index}`,
    type: (index: number) => funcTypeText(module.types[index]),
  };
  return module.functions.flatMap(({ start, end }) => {
    const collector = new RowCollector(1);
    collector.add(bytes, start, end);
    const { offset, length, depth, count } = collector.rows;
    return Array.from({ length: count }, (_, row) => {
      const at = offset[row] ?? 0;
      const insn = readInsn(bytes, at, at + (length[row] ?? 0), names);
      return { offset: at, text: insn === undefined ? '(bad)' : insnText(insn), depth: depth[row] ?? -1 };
    });
  });
}

function compiledVector(vector: Vector): CompiledProgram | undefined {
  const machine = newMachine();
  const loaded = loadVector(machine, vector);
  if (!loaded.ok) return undefined;
  const program = compileProgram(machine, loaded.prog);
  return 'reason' in program ? undefined : program;
}

function compiledText(text: string): CompiledProgram {
  const { value } = linkProgram(assemble(text, { fileName: 'listed.bpf.s' }).value);
  if (value === undefined) throw new Error('it does not link');
  const machine = newMachine();
  const loaded = bpfProgLoad(machine, value);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const program = compileProgram(machine, loaded.prog);
  if ('reason' in program) throw new Error(program.reason);
  return program;
}

/** Every instruction of the table with operands of several lengths. */
function everyInstruction(): Uint8Array {
  const builder = new ModuleBuilder();
  builder.importFunc('env', 'f', { params: [I32], results: [I32] });
  builder.importMemory('env', 'memory', { min: 1, max: 2, shared: true });
  builder.importTable('env', 'table', 1);
  const code = new Code();
  for (const opcode of Object.values(OP)) {
    const operands = mnemonicOf(opcode)?.operands;
    if (operands === 'access') {
      const align = mnemonicOf(opcode)?.align ?? 0;
      for (const offset of [0, 1, 127, 128, 70_000, 0xffff_ffff]) code.access(opcode, align, offset);
      if (align > 0) code.access(opcode, 0, 8);
    } else if (operands === 'zero') {
      code.op(opcode);
      code.byte(0);
    } else if (operands === 'two zeros') code.memoryCopy();
    else code.op(opcode);
  }
  for (const value of [0, 1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)]) code.i32Const(value);
  for (const [low, high] of [
    [0, 0],
    [-1, -1],
    [0, 1],
    [-1, 0x7fff_ffff],
    [0, -0x8000_0000],
    [0x40, 0],
  ] as const) {
    code.i64Const(low, high);
  }
  for (const index of [0, 5, 127, 128, 300]) {
    code.localGet(index);
    code.localSet(index);
    code.localTee(index);
    code.br(index);
    code.brIf(index);
  }
  code.call(0);
  code.call(1);
  code.callIndirect(0);
  code.brTable([], 3);
  code.brTable([0, 1, 200], 2);
  for (const type of [VOID, I32, I64]) {
    code.block(type);
    code.loop(type);
    code.if(type);
    code.else();
    code.end();
    code.end();
    code.end();
  }
  builder.exportFunc('all', builder.func({ params: [], results: [] }, [[301, I32]], code, 'all'));
  return builder.encode({ names: true }).bytes;
}

describe('our decoder and a foreign one', () => {
  test('see the same in every instruction of the table', () => {
    const bytes = everyInstruction();
    const rows = ownRows(bytes);
    expect(rows).toEqual(foreignRows(bytes, foreignNames));
    const seen = new Set(rows.map(({ text }) => text.split(' ')[0]));
    expect(seen.size).toBe(Object.keys(OP).length + Object.keys(CODED).length - 2);
  });

  test('see the same in the compiled vectors, with names', () => {
    let compared = 0;
    for (const vector of [...vectors, ...furtherVectors].filter((_, i) => i % 8 === 0)) {
      const program = compiledVector(vector);
      if (program === undefined) continue;
      compared++;
      compare(program, vector.name);
    }
    expect(compared).toBeGreaterThan(100);
  });

  test('see the same in the compiled programs of data files', () => {
    let compared = 0;
    const folder = inRoot('test/filetests/run');
    for (const name of readdirSync(folder).filter((_, i) => i % 8 === 0)) {
      const engine: Engine = {
        name: 'reference',
        run(machine, cpu, limits) {
          const program = compileProgram(machine, machine.cpu(cpu).prog);
          if (!('reason' in program)) {
            compare(program, name);
            compared++;
          }
          return reference.run(machine, cpu, limits);
        },
      };
      const file = parseDataFile(readFileSync(`${folder}/${name}`, 'utf8'));
      execute(file, { engine, shared: true, slice: Number.POSITIVE_INFINITY });
    }
    expect(compared).toBeGreaterThan(30);
  });

  test('see the same in the interpreter that is a module', () => {
    const { bytes } = emitInterpreter(0, true);
    expect(ownRows(bytes).map(cut)).toEqual(foreignRows(bytes, foreignNames).map(cut));
  });
});

/** The rows of a program's listing are those of the foreign decoder, and every local has a name. */
function compare(program: CompiledProgram, what: string): void {
  const listing = wasmListing(program);
  const own = Array.from({ length: listing.count }, (_, row) => ({
    offset: listing.offset[row] ?? -1,
    text: listing.text(row).replace(/ ;; .*/, ''),
    depth: listing.depth[row] ?? -1,
  }));
  const { functions, funcNames } = readModule(program.bytes);
  const foreign = foreignRows(program.bytes, {
    func: (index) => funcNames.get(index) ?? '?',
    local: (func, index) => {
      const name = funcNames.get(func);
      const isCompiled = program.functions.some((each) => each.name === name);
      return localNames(isCompiled ? undefined : name)(index);
    },
  });
  expect(own.map(cut), what).toEqual(foreign.map(cut));
  expect(
    own.filter(({ text }) => /\$local\d/.test(text)),
    what,
  ).toEqual([]);
  expect(listing.functions.map(({ name }) => name)).toEqual(
    functions.map(({ index }) => funcNames.get(index)),
  );
}

/** Long jump tables are not printed whole. */
function cut({ text, ...row }: ForeignRow): ForeignRow {
  return { ...row, text: text.replace(/^(br_table(?: \d+){64}) .* (\d+)$/, '$1 … $2') };
}

describe('the listing of a compiled program', () => {
  const program = compiledText(TWICE);
  const listing = wasmListing(program, { funcName: (start) => (start === 0 ? 'main' : 'twice') });
  const texts = Array.from({ length: listing.count }, (_, row) => listing.text(row));

  test('names functions, locals and where branches lead', () => {
    expect(listing.functions.map(({ name, start }) => [name, start])).toEqual([
      ['lookup', -1],
      ['clear', -1],
      ['main', 0],
      ['twice', 7],
      ['leave_43', -1],
      ['leave_1', -1],
    ]);
    expect(listing.functions[2]?.head).toBe(
      '(func $main (export "at_0") (param $block i32) (param $left i32) (param $depth i32) (param $init i32) (result i32)',
    );
    expect(listing.functions[2]?.locals[0]).toMatch(/^\(local \$frame i32\) \(local \$shadow i32\)/);
    expect(texts).toEqual(expect.arrayContaining(['local.set $r6', 'i64.const 10', 'call $twice']));
    expect(texts.filter((each) => each.includes(';; loop'))).toEqual([
      expect.stringMatching(/^br_if \d ;; loop @2$/),
    ]);
  });

  test('says what of the CPU block is accessed', () => {
    const at = texts.indexOf('i64.load offset=48 ;; R6');
    expect(texts[at - 1]).toBe('local.get $block');
    expect(texts[at + 1]).toBe('local.set $r6');
    const store = texts.indexOf('i32.store offset=96 ;; pc');
    expect(texts.slice(store - 2, store)).toEqual([
      expect.stringMatching(/^local\.get \$block$/),
      expect.any(String),
    ]);
    const found = ['i64.store ;; R0', 'i64.store offset=80 ;; R10', 'i32.load offset=64 ;; region table'];
    expect(texts).toEqual(expect.arrayContaining(found));
    // A field of something else has no name.
    expect(texts).toEqual(expect.arrayContaining(['i32.load offset=12']));
  });

  test('knows of each row its slot, its depth and its function', () => {
    for (let row = 0; row < listing.count; row++) {
      const at = listing.offset[row] ?? 0;
      expect(listing.slot[row]).toBe(slotAt(program, at) ?? -1);
      expect(listing.rowAt(at)).toBe(row);
      expect(listing.rowAt(at + (listing.length[row] ?? 0) - 1)).toBe(row);
    }
    for (const { firstRow, endRow } of listing.functions) {
      expect(listing.text(endRow - 1)).toBe('end');
      expect(listing.depth[firstRow]).toBe(0);
      expect(listing.depth[endRow - 1]).toBe(0);
    }
    // What looks at the budget, amid the function, is no instruction's.
    const before = (row: number) => listing.slot[row - 1] ?? -1;
    const looks = texts.flatMap((each, row) => (each === 'local.get $left' && before(row) >= 0 ? [row] : []));
    expect(looks.filter((row) => listing.slot[row] === -1).length).toBeGreaterThan(0);
    expect(listing.rowAt(0)).toBe(-1);
    expect(listing.rowAt(program.bytes.length)).toBe(-1);
    expect([listing.text(-1), listing.text(listing.count)]).toEqual(['', '']);
  });

  test('a large one is read whole: its rows lie one behind the other', () => {
    const large = compiledText(
      `.program raw\nmain:\n${'  r1 += 1\n  if r1 == 7 goto out\n'.repeat(8_000)}out:\n  exit\n`,
    );
    const { functions, count, offset, length, ...whole } = wasmListing(large);
    expect(count).toBeGreaterThan(50_000);
    const main = functions[2];
    for (let row = main?.firstRow ?? 0; row + 1 < (main?.endRow ?? 0); row++) {
      if ((offset[row] ?? 0) + (length[row] ?? 0) !== offset[row + 1])
        throw new Error(`a gap behind row ${row}`);
    }
    // What a function ends with belongs to no instruction.
    expect(whole.slot[count - 1]).toBe(-1);
    expect(whole.slot.indexOf(16_000)).toBeGreaterThan(0);
  });
});

test('bytes of any kind are listed without an error', () => {
  const small = compiledText('.program raw\nmain:\n  r0 = 1\n  exit\n');
  const seeds = [small.bytes, everyInstruction()];
  const change = fc.record({ at: fc.nat(4000), value: fc.nat(255) });
  const made = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(3000))
    .map(([bytes, changes, size]) => {
      const copy = bytes.slice(0, Math.max(8, size));
      for (const { at, value } of changes) copy[at % copy.length] = value;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(made, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      const { codeStart, codeEnd } = { codeStart: 20, codeEnd: 60 };
      const functions = [{ start: 0, name: 'f', needs: 0, codeStart, codeEnd, offsets: [[0, 25] as const] }];
      const listing = wasmListing({ ...small, bytes: Uint8Array.from(bytes), functions });
      for (let row = 0; row < listing.count; row++) {
        expect((listing.offset[row] ?? 0) + (listing.length[row] ?? 0)).toBeLessThanOrEqual(bytes.length);
        expect(listing.text(row)).not.toBe('');
      }
    }),
    { seed: 4, numRuns: 500 },
  );
});
