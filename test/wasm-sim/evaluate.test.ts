import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinearMemory } from '#core/vm/memory.ts';
import { Code } from '#core/wasm/code.ts';
import { type FuncType, type Locals, ModuleBuilder } from '#core/wasm/module.ts';
import { I32, I64, OP, PAGE_SIZE, type ValType } from '#core/wasm/opcodes.ts';
import { ACCESSES } from '#core/wasm-sim/accesses.ts';
import { Activation } from '#core/wasm-sim/activation.ts';
import { evaluate } from '#core/wasm-sim/evaluate.ts';
import { ModuleCode } from '#core/wasm-sim/module-code.ts';
import { OPERATIONS, type Value, WasmTrap } from '#core/wasm-sim/numeric.ts';
import { Overlay } from '#core/wasm-sim/overlay.ts';

/** What the host and the evaluator make of one function. */
class Pair {
  readonly #memory = new LinearMemory({ shared: true, reserved: 0, limit: PAGE_SIZE });
  readonly #host: (...args: Value[]) => Value | undefined;
  readonly #code: ModuleCode;

  constructor(type: FuncType, locals: Locals, code: Code) {
    const builder = new ModuleBuilder();
    builder.importMemory('engine', 'memory', { min: 1, max: 1, shared: true });
    builder.exportFunc('f', builder.func(type, locals, code, 'f'));
    const { bytes } = builder.encode({ names: true });
    this.#code = new ModuleCode({ bytes, functions: [], flagsAt: undefined });
    const module = new WebAssembly.Module(bytes);
    const instance = new WebAssembly.Instance(module, { engine: { memory: this.#memory.wasm } });
    this.#host = instance.exports.f as (...args: Value[]) => Value | undefined;
  }

  /** Result and memory of both; a trap as `trap`. */
  run(args: readonly Value[]): [host: unknown, evaluated: unknown] {
    const before = this.#memory.bytes.slice(0, 64);
    const overlay = new Overlay(this.#memory);
    const evaluated = outcome(() => {
      const func = this.#code.funcOfName('f');
      if (func === undefined) throw new Error('no function');
      const activation = new Activation(func, args);
      for (let n = 0; n < 10_000; n++) {
        const transfer = evaluate(activation, overlay);
        if (transfer?.kind === 'return') return transfer.results[0];
      }
      throw new Error('it does not end');
    });
    expect([...this.#memory.bytes.subarray(0, 64)]).toEqual([...before]);
    const host = outcome(() => this.#host(...args));
    const written = before.slice();
    for (const [addr, byte] of overlay.written) written[addr] = byte;
    const after = this.#memory.bytes.slice(0, 64);
    return [
      [host, host === 'trap' ? [] : [...after]],
      [evaluated, evaluated === 'trap' ? [] : [...written]],
    ];
  }
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof WasmTrap) return 'trap';
    throw error;
  }
}

const edges32 = [0, 1, -1, 2, 7, 31, 32, 33, 0x7fff, 0x8000, -0x8000_0000, 0x7fff_ffff, 0x1234_5678];
const edges64 = [...edges32.map(BigInt), 63n, 64n, 1n << 63n, (1n << 63n) - 1n, 0x8000_0000n, 0xffff_ffffn];
const numbers: Readonly<Record<ValType, fc.Arbitrary<Value>>> = {
  [I32]: fc.oneof(fc.constantFrom(...edges32), fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })),
  [I64]: fc
    .oneof(fc.constantFrom(...edges64), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }))
    .map((n) => BigInt.asIntN(64, n)),
};

/** Types that an operation takes and leaves, by its name. */
function typeOf(name: string, takes: number): FuncType {
  const own: ValType = name.startsWith('i32') ? I32 : I64;
  const from: ValType = name === 'i32_wrap_i64' ? I64 : name.startsWith('i64_extend_i32') ? I32 : own;
  const isTest = /_(eqz?|ne|[lg][te]_[su])$/.test(name);
  return { params: Array<ValType>(takes).fill(from), results: [isTest ? I32 : own] };
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(OP).map(([name, opcode]) => [opcode, name]),
);

test('every instruction of the table is evaluated', () => {
  const others = [
    'unreachable',
    'nop',
    'return',
    'drop',
    'select',
    'memory_fill',
    'memory_copy',
    'atomic_fence',
  ];
  const known = [...OPERATIONS.keys(), ...ACCESSES.keys()].map((opcode) => NAMES.get(opcode) ?? '');
  expect([...known, ...others].sort()).toEqual(Object.keys(OP).sort());
});

describe('as the host computes', () => {
  test.each([...OPERATIONS].map(([opcode, { takes }]) => [NAMES.get(opcode) ?? '', opcode, takes] as const))(
    '%s',
    (name, opcode, takes) => {
      const type = typeOf(name, takes);
      const code = new Code();
      for (const index of type.params.keys()) code.localGet(index);
      code.op(opcode);
      const pair = new Pair(type, [], code);
      const args = fc.tuple(...type.params.map((each) => numbers[each]));
      fc.assert(
        fc.property(args, (values) => {
          const [host, evaluated] = pair.run(values);
          expect(evaluated).toEqual(host);
        }),
        { seed: 7, numRuns: 150 },
      );
    },
  );
});

describe('as the host accesses memory', () => {
  test.each([...ACCESSES].map(([opcode, { takes }]) => [NAMES.get(opcode) ?? '', opcode, takes] as const))(
    '%s',
    (name, opcode, takes) => {
      const own: ValType = name.startsWith('i32') ? I32 : I64;
      const params: ValType[] = [I32, ...Array<ValType>(takes - 1).fill(own)];
      const results: ValType[] = name.includes('store') ? [] : [own];
      const bits = /(?:load|store|rmw)(\d*)/.exec(name)?.[1];
      const size = Number(bits === '' ? (own === I32 ? 32 : 64) : bits) / 8;
      const code = new Code();
      for (const index of params.keys()) code.localGet(index);
      code.access(opcode, Math.log2(size), 8);
      const pair = new Pair({ params, results }, [], code);
      const addr = fc.oneof(fc.nat(40), fc.constantFrom(8, 16, PAGE_SIZE - 9, PAGE_SIZE - 16, -1, -8));
      const values = fc.tuple(addr, ...params.slice(1).map((each) => numbers[each]));
      fc.assert(
        fc.property(values, ([at, ...rest]) => {
          // Expected values of more bits than are compared are never found; V8 cuts them off.
          const cut = (value: Value): Value =>
            typeof value === 'bigint' && name.includes('rmw32_cmpxchg') ? value & 0xffff_ffffn : value;
          const args = [at, ...rest.map(cut)];
          const [host, evaluated] = pair.run(args);
          expect(evaluated).toEqual(host);
        }),
        { seed: 8, numRuns: 150 },
      );
    },
  );
});

describe('as the host goes', () => {
  const cases: Readonly<Record<string, (code: Code) => void>> = {
    'a loop with a way out': (code) => {
      code.block();
      code.loop();
      code.localGet(0);
      code.i32Const(100);
      code.op(OP.i32_gt_s);
      code.brIf(1);
      code.localGet(0);
      code.localGet(1);
      code.i32Const(1);
      code.op(OP.i32_or);
      code.op(OP.i32_add);
      code.localTee(0);
      code.op(OP.drop);
      code.localGet(2);
      code.i32Const(1);
      code.op(OP.i32_add);
      code.localTee(2);
      code.i32Const(50);
      code.op(OP.i32_lt_s);
      code.brIf(0);
      code.end();
      code.end();
      code.localGet(0);
    },
    'a jump table in blocks': (code) => {
      for (let i = 0; i < 3; i++) code.block();
      code.localGet(0);
      code.brTable([0, 1, 0], 2);
      code.end();
      code.localGet(1);
      code.op(OP.return);
      code.end();
      code.i32Const(7);
      code.localSet(2);
      code.end();
      code.localGet(2);
    },
    'a branch that carries a value past others on the stack': (code) => {
      code.i32Const(1000);
      code.block(I32);
      code.i32Const(5);
      code.localGet(0);
      code.localGet(1);
      code.brIf(0);
      code.op(OP.i32_add);
      code.end();
      code.op(OP.i32_sub);
    },
    'if and else with a value, select': (code) => {
      code.localGet(0);
      code.if(I32);
      code.localGet(1);
      code.else();
      code.localGet(1);
      code.localGet(0);
      code.localGet(1);
      code.op(OP.select);
      code.end();
      code.localGet(1);
      code.if();
      code.op(OP.nop);
      code.end();
    },
    'a branch out of the function': (code) => {
      code.localGet(0);
      code.localGet(1);
      code.brIf(0);
      code.op(OP.drop);
      code.localGet(2);
      code.if();
      code.op(OP.unreachable);
      code.end();
      code.localGet(1);
    },
    'memory filled and copied over itself': (code) => {
      code.i32Const(3);
      code.localGet(0);
      code.i32Const(9);
      code.memoryFill();
      code.fence();
      code.i32Const(6);
      code.i32Const(2);
      code.i32Const(11);
      code.memoryCopy();
      code.localGet(1);
    },
  };

  test.each(Object.entries(cases))('%s', (_, write) => {
    const code = new Code();
    write(code);
    const pair = new Pair({ params: [I32, I32], results: [I32] }, [[1, I32]], code);
    const small = fc.oneof(fc.integer({ min: -3, max: 5 }), fc.integer({ min: -200, max: 200 }));
    fc.assert(
      fc.property(small, small, (a, b) => {
        const [host, evaluated] = pair.run([a, b]);
        expect(evaluated).toEqual(host);
      }),
      { seed: 9, numRuns: 200 },
    );
  });
});
