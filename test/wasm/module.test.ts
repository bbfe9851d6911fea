import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Code } from '#core/wasm/code.ts';
import { type EncodedModule, ModuleBuilder } from '#core/wasm/module.ts';
import { I32, I64, OP, VOID } from '#core/wasm/opcodes.ts';

const NO_PARAMS = { params: [], results: [] } as const;

function run(module: EncodedModule, imports: WebAssembly.Imports = {}): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(module.bytes), imports).exports;
}

function call(exports: WebAssembly.Exports, name: string, ...args: unknown[]): unknown {
  return (exports[name] as (...args: unknown[]) => unknown)(...args);
}

/** One exported function `f` of `code`. */
function withCode(results: readonly (typeof I32 | typeof I64)[], write: (code: Code) => void): EncodedModule {
  const builder = new ModuleBuilder();
  const code = new Code(1);
  write(code);
  builder.exportFunc('f', builder.func({ params: [], results }, [], code));
  return builder.encode();
}

test('a 32-bit constant of any value comes back', () => {
  const values = fc.oneof(fc.integer(), fc.constantFrom(63, 64, -64, -65, 8191, 8192, -8192, -8193));
  fc.assert(
    fc.property(values, (value) => {
      expect(call(run(withCode([I32], (code) => code.i32Const(value))), 'f')).toBe(value);
    }),
    { seed: 4 },
  );
});

test('a 64-bit constant of any value comes back', () => {
  const edges = [0, 1, 6, 7, 31, 32, 33, 62, 63].flatMap((bit) => [1n << BigInt(bit), -(1n << BigInt(bit))]);
  const values = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(...edges));
  fc.assert(
    fc.property(values, (value) => {
      const module = withCode([I64], (code) => {
        code.i64Const(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
      });
      expect(call(run(module), 'f')).toBe(BigInt.asIntN(64, value));
    }),
    { seed: 4 },
  );
});

test.each([
  ['shared', true],
  ['plain', false],
])('a module works on a %s memory that it imports', (_, shared) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared });
  const builder = new ModuleBuilder();
  const double = builder.importFunc('env', 'double', { params: [I32], results: [I32] });
  builder.importMemory('env', 'memory', { min: 1, max: 2, shared });
  const code = new Code();
  code.i32Const(64);
  code.i32Const(64);
  code.access(OP.i32_load, 2, 4);
  code.call(double);
  code.access(OP.i32_atomic_rmw_add, 2, 0);
  code.op(OP.drop);
  code.i32Const(128);
  code.i32Const(64);
  code.i32Const(8);
  code.memoryCopy();
  code.i32Const(132);
  code.i32Const(7);
  code.i32Const(2);
  code.memoryFill();
  builder.exportFunc('f', builder.func(NO_PARAMS, [[1, I32]], code, 'f'));
  const env = { memory, double: (n: number) => 2 * n };
  const words = new Int32Array(memory.buffer);
  words.set([5, 21], 16);
  call(run(builder.encode({ names: true }), { env }), 'f');
  expect([...words.slice(16, 18), ...words.slice(32, 34)]).toEqual([47, 21, 47, 0x0707]);
});

test('blocks, loops, tables and locals', () => {
  // sum of 1 … n by a loop; br_table chooses between that, n itself and 100 for any other choice
  const builder = new ModuleBuilder();
  const code = new Code();
  code.block();
  code.block();
  code.block();
  code.localGet(0);
  code.brTable([0, 1], 2);
  code.end();
  code.loop(VOID);
  code.localGet(2);
  code.localGet(1);
  code.op(OP.i64_add);
  code.localSet(2);
  code.localGet(1);
  code.i64Const(1, 0);
  code.op(OP.i64_sub);
  code.localTee(1);
  code.op(OP.i64_eqz);
  code.op(OP.i32_eqz);
  code.brIf(0);
  code.end();
  code.localGet(2);
  code.op(OP.return);
  code.end();
  code.localGet(1);
  code.op(OP.return);
  code.end();
  code.i64Const(100, 0);
  const type = { params: [I32, I64], results: [I64] } as const;
  builder.exportFunc('f', builder.func(type, [[1, I64]], code));
  const exports = run(builder.encode());
  expect([0, 1, 2, 99].map((choice) => call(exports, 'f', choice, 10n))).toEqual([55n, 10n, 100n, 100n]);
});

test('a trap is found by the offset of its instruction, in a module of functions of every length', () => {
  const builder = new ModuleBuilder();
  const trapAt: number[] = [];
  const lengths = [0, 1, 120, 121, 125, 126, 127, 128, 16_370, 16_384, 20_000];
  for (const nops of lengths) {
    const code = new Code();
    for (let n = 0; n < nops; n++) code.op(OP.nop);
    trapAt.push(code.length);
    code.op(OP.unreachable);
    builder.exportFunc(`f${nops}`, builder.func(NO_PARAMS, nops % 2 ? [[1, I64]] : [], code, `f${nops}`));
  }
  const module = builder.encode({ names: true });
  const exports = run(module);
  for (const [index, nops] of lengths.entries()) {
    let stack = '';
    try {
      call(exports, `f${nops}`);
    } catch (error) {
      stack = (error as Error).stack ?? '';
    }
    const offset = Number.parseInt(/:0x([0-9a-f]+)/.exec(stack)?.[1] ?? '', 16);
    expect(offset - (module.codeStart[index] ?? 0), `f${nops}`).toBe(trapAt[index]);
  }
});

test('an import behind a function is refused', () => {
  const builder = new ModuleBuilder();
  builder.func(NO_PARAMS, [], new Code());
  expect(() => builder.importFunc('env', 'late', NO_PARAMS)).toThrow(
    'import late: imports come before functions',
  );
});

test('every opcode of the table has a number of its own', () => {
  const numbers = Object.values(OP);
  expect(new Set(numbers).size).toBe(numbers.length);
});
