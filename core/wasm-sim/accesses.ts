import { OP } from '../wasm/opcodes.ts';
import { i32, type Value, WasmTrap } from './numeric.ts';
import type { Overlay } from './overlay.ts';

/** An instruction that reads or writes memory: what it takes off the stack, the address first, and what it leaves. */
export interface Access {
  /** Values that it takes. */
  readonly takes: 1 | 2 | 3;
  /** `addr`: with the instruction's own offset. Undefined: it leaves nothing. */
  readonly run: (memory: Overlay, addr: number, values: readonly Value[]) => Value | undefined;
}

const MODIFY: Readonly<Record<string, (old: bigint, value: bigint) => bigint>> = {
  add: (old, value) => old + value,
  sub: (old, value) => old - value,
  and: (old, value) => old & value,
  or: (old, value) => old | value,
  xor: (old, value) => old ^ value,
  xchg: (_, value) => value,
};

/** Accesses by opcode, from what their names say. Atomic ones are accesses like others: one thread looks at them. */
export const ACCESSES: ReadonlyMap<number, Access> = new Map(
  Object.entries(OP).flatMap(([name, opcode]) => {
    const access = accessOf(name);
    return access === undefined ? [] : [[opcode, access] as const];
  }),
);

/** Where an access of `values` goes. */
export function addressOf(values: readonly Value[], offset: number): number {
  return (i32(values[0]) >>> 0) + offset;
}

function accessOf(name: string): Access | undefined {
  const found = /^i(32|64)_(?:atomic_)?(load|store|rmw)(\d*)(?:_([a-z]+))?(?:_[su])?$/.exec(name);
  if (found === null) return undefined;
  const [, width, kind, bits, word] = found;
  const type = Number(width) as 32 | 64;
  const size = Number(bits === '' ? width : bits) / 8;
  const access =
    kind === 'load'
      ? load(type, size, name.endsWith('_s'))
      : kind === 'store'
        ? store(size)
        : word === 'cmpxchg'
          ? compareExchange(type, size)
          : modify(type, size, MODIFY[word ?? '']);
  return name.includes('atomic') ? access && aligned(access, size) : access;
}

/** Atomic accesses trap where they are not aligned. */
function aligned({ takes, run }: Access, size: number): Access {
  return {
    takes,
    run: (memory, addr, values) => {
      if (addr % size !== 0) throw new WasmTrap(`an atomic access of ${size} bytes at ${addr}`);
      return run(memory, addr, values);
    },
  };
}

function load(type: 32 | 64, size: number, isSigned: boolean): Access {
  return {
    takes: 1,
    run: (memory, addr) => {
      const value = memory.read(addr, size);
      return typed(type, isSigned ? BigInt.asIntN(size * 8, value) : value);
    },
  };
}

function store(size: number): Access {
  return {
    takes: 2,
    run: (memory, addr, [, value]) => {
      memory.write(addr, size, BigInt(value ?? 0));
      return undefined;
    },
  };
}

function modify(
  type: 32 | 64,
  size: number,
  change: ((old: bigint, value: bigint) => bigint) | undefined,
): Access | undefined {
  if (change === undefined) return undefined;
  return {
    takes: 2,
    run: (memory, addr, [, value]) => {
      const old = memory.read(addr, size);
      memory.write(addr, size, change(old, BigInt(value ?? 0)));
      return typed(type, old);
    },
  };
}

function compareExchange(type: 32 | 64, size: number): Access {
  return {
    takes: 3,
    run: (memory, addr, [, expected, value]) => {
      const old = memory.read(addr, size);
      // What is expected is compared whole: with more bits than are there it is never found.
      if (old === BigInt.asUintN(type, BigInt(expected ?? 0))) memory.write(addr, size, BigInt(value ?? 0));
      return typed(type, old);
    },
  };
}

function typed(type: 32 | 64, value: bigint): Value {
  return type === 32 ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value);
}
