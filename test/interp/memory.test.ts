import { describe, expect, test } from 'vitest';
import type { Insn } from '#core/isa/insn.ts';
import type { InsnId } from '#core/isa/table.ts';
import type { Fault } from '#core/vm/fault.ts';
import type { Machine } from '#core/vm/machine.ts';
import { PER_CPU_CPU_NUMBER, PER_CPU_THIS_CPU_OFF } from '#core/vm/per-cpu.ts';
import type { Region, RegionKind, RegionPerm } from '#core/vm/region.ts';
import { EXIT, insn, lddw, newMachine, type Ran, runSlots } from './build.ts';

const WIDTHS = { b: 1, h: 2, w: 4, dw: 8 } as const;
type Width = keyof typeof WIDTHS;
const PATTERN = 0xf1e2d3c4_b5a69788n;

function setUp(options: { size?: number; perm?: RegionPerm; kind?: RegionKind; shared?: boolean } = {}): {
  machine: Machine;
  region: Region;
} {
  const machine = newMachine({ shared: options.shared ?? false });
  const { size = 16, perm = 'rw', kind = 'memory' } = options;
  const region = machine.space.alloc({ name: 'memory', kind, size, perm });
  const bytes = new Uint8Array(size);
  if (size >= 8) new DataView(bytes.buffer).setBigUint64(0, PATTERN, true);
  machine.space.write(region.addr, bytes);
  return { machine, region };
}

function faultOf(ran: Ran): Fault {
  if (ran.stop.kind !== 'fault') throw new Error(`expected a fault, got ${ran.stop.kind}`);
  return ran.stop.fault;
}

const low = (bytes: number): bigint => BigInt.asUintN(bytes * 8, PATTERN);
const lowSigned = (bytes: number): bigint => BigInt.asUintN(64, BigInt.asIntN(bytes * 8, PATTERN));

describe.each([false, true])('loads and stores (shared memory: %s)', (shared) => {
  test.each<[InsnId, bigint]>([
    ...(['b', 'h', 'w', 'dw'] as Width[]).flatMap((width): [InsnId, bigint][] => [
      [`ldx${width}`, low(WIDTHS[width])],
      [`load_acquire_${width}`, low(WIDTHS[width])],
      [`probe_ldx${width}`, low(WIDTHS[width])],
    ]),
    ...(['b', 'h', 'w'] as const).flatMap((width): [InsnId, bigint][] => [
      [`ldxs${width}`, lowSigned(WIDTHS[width])],
      [`probe_ldxs${width}`, lowSigned(WIDTHS[width])],
    ]),
  ])('%s', (id, value) => {
    const { machine, region } = setUp({ shared });
    const slots = [
      ...insn('add64_imm', { dst: 1, imm: 100 }),
      ...insn(id, { dst: 0, src: 1, off: -100 }),
      ...EXIT,
    ];
    expect(runSlots(slots, { machine, r1: region.addr }).r0).toBe(value);
  });

  test.each<[InsnId, number]>(
    (['b', 'h', 'w', 'dw'] as Width[]).flatMap((width): [InsnId, number][] => [
      [`st${width}`, WIDTHS[width]],
      [`stx${width}`, WIDTHS[width]],
      [`store_release_${width}`, WIDTHS[width]],
    ]),
  )('%s writes %d bytes and no more', (id, size) => {
    const { machine, region } = setUp({ shared });
    const slots = [
      ...insn('mov64_imm', { dst: 2, imm: -2 }),
      ...insn(id, { dst: 1, src: 2, off: 3, imm: -2 }),
      ...EXIT,
    ];
    runSlots(slots, { machine, r1: region.addr });
    const want = new Uint8Array(16);
    new DataView(want.buffer).setBigUint64(0, PATTERN, true);
    want.set([0xfe, 255, 255, 255, 255, 255, 255, 255].slice(0, size), 3);
    expect(machine.space.read(region.addr, 16)).toEqual(want);
  });

  test('a low word that overflows carries into the high word, and back', () => {
    const { machine, region } = setUp({ shared });
    const slots = [...insn('ldxb', { dst: 0, src: 1, off: -1 }), ...EXIT];
    expect(runSlots(slots, { machine, r1: region.addr + 1n }).r0).toBe(low(1));
    const below = [...insn('ldxb', { dst: 0, src: 1, off: 16 }), ...EXIT];
    expect(runSlots(below, { machine, r1: region.addr - 16n }).r0).toBe(low(1));
  });
});

describe('rewritten reads and writes that may fault', () => {
  test.each<InsnId>([
    'probe_ldxb',
    'probe_ldxh',
    'probe_ldxw',
    'probe_ldxdw',
    'probe_ldxsb',
    'probe_ldxsh',
    'probe_ldxsw',
  ])('%s of null gives 0', (id) => {
    const ran = runSlots([
      ...insn('mov64_imm', { dst: 0, imm: 7 }),
      ...insn(id, { dst: 0, src: 1 }),
      ...EXIT,
    ]);
    expect([ran.stop.kind, ran.r0]).toEqual(['exit', 0n]);
  });

  test('arena accesses use the low 32 bits of the pointer', () => {
    const { machine, region } = setUp();
    const slots = [
      ...lddw(1, 0xdead_beef_0000_0008n),
      ...insn('probe_arena_stdw', { dst: 1, imm: 5 }),
      ...insn('mov64_imm', { dst: 2, imm: 3 }),
      ...insn('probe_atomic64', { dst: 1, src: 2, imm: 1 }),
      ...insn('probe_arena_ldxdw', { dst: 0, src: 1 }),
      ...insn('add64_reg', { dst: 0, src: 2 }),
      ...insn('probe_arena_ldxw', { dst: 1, src: 1, off: 8 }),
      ...insn('add64_reg', { dst: 0, src: 1 }),
      ...EXIT,
    ];
    expect(runSlots(slots, { machine, arenaAddr: region.addr }).r0).toBe(8n + 5n);
  });

  test('without an arena they read 0 and write nothing', () => {
    const slots = [
      ...insn('probe_arena_stdw', { dst: 1, imm: 5 }),
      ...insn('probe_arena_ldxdw', { dst: 0, src: 1 }),
      ...EXIT,
    ];
    expect(runSlots(slots, { r1: 8n })).toMatchObject({ stop: { kind: 'exit' }, r0: 0n });
  });
});

describe('atomic operations', () => {
  const OLD = 0xf0f0_0000_ffff_fff0n;
  const SRC = 0x1234_5678_0000_0ff0n;
  const u32 = (n: bigint): bigint => BigInt.asUintN(32, n);
  const both = (op: (a: bigint, b: bigint) => bigint) => ({
    on64: BigInt.asUintN(64, op(OLD, SRC)),
    on32: (OLD & ~0xffffffffn) | u32(op(OLD, SRC)),
  });
  const cases = {
    add: both((a, b) => a + b),
    or: both((a, b) => a | b),
    and: both((a, b) => a & b),
    xor: both((a, b) => a ^ b),
    xchg: both((_, b) => b),
  };
  const rows = Object.entries(cases).flatMap(([name, { on64, on32 }]) => [
    ...(name === 'xchg'
      ? []
      : [
          { id: `atomic_${name}64`, memory: on64, src: SRC },
          { id: `atomic_${name}32`, memory: on32, src: SRC },
        ]),
    { id: name === 'xchg' ? 'atomic_xchg64' : `atomic_fetch_${name}64`, memory: on64, src: OLD },
    { id: name === 'xchg' ? 'atomic_xchg32' : `atomic_fetch_${name}32`, memory: on32, src: u32(OLD) },
  ]);

  function run(id: string, r0: bigint, src: bigint): { memory: bigint; src: bigint; r0: bigint } {
    const { machine, region } = setUp();
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, OLD, true);
    machine.space.write(region.addr + 8n, bytes);
    const slots = [
      ...lddw(0, r0),
      ...lddw(2, src),
      ...insn(id as InsnId, { dst: 1, src: 2, off: 8 }),
      ...EXIT,
    ];
    const ran = runSlots(slots, { machine, r1: region.addr });
    const after = machine.space.read(region.addr + 8n, 8) as Uint8Array<ArrayBuffer>;
    return {
      memory: new DataView(after.buffer).getBigUint64(0, true),
      src: machine.cpu(0).readReg(2),
      r0: ran.r0,
    };
  }

  test.each(rows)('$id', ({ id, memory, src }) => {
    expect(run(id, 5n, SRC)).toEqual({ memory, src, r0: 5n });
  });

  test.each([
    ['atomic_cmpxchg64', 'equal', OLD, SRC, OLD],
    ['atomic_cmpxchg64', 'different in the high word', OLD ^ (1n << 40n), OLD, OLD],
    [
      'atomic_cmpxchg32',
      'equal in the low word',
      u32(OLD) | (77n << 32n),
      (OLD & ~0xffffffffn) | u32(SRC),
      u32(OLD),
    ],
    ['atomic_cmpxchg32', 'different', 1n, OLD, u32(OLD)],
  ])('%s, %s', (id, _, r0, memory, after) => {
    expect(run(id, r0, SRC)).toEqual({ memory, src: SRC, r0: after });
  });

  test.each<InsnId>(['atomic_add64', 'atomic_fetch_or32', 'atomic_cmpxchg64'])(
    '%s needs write permission',
    (id) => {
      const { machine, region } = setUp({ perm: 'r' });
      expect(
        faultOf(runSlots([...insn(id, { dst: 1, src: 2 }), ...EXIT], { machine, r1: region.addr })).kind,
      ).toBe('permission');
    },
  );
});

describe('address arithmetic of rewritten programs', () => {
  test('addr_space_cast keeps the low 32 bits, null stays null', () => {
    for (const imm of [1, 1 << 16]) {
      const slots = [...insn('addr_space_cast', { dst: 0, src: 1, imm }), ...EXIT];
      expect(runSlots(slots, { r1: 0x1234_5678_9abc_def0n }).r0).toBe(0x9abc_def0n);
      expect(runSlots(slots, { r1: 0n }).r0).toBe(0n);
    }
  });

  test.each([0, 1, 2])('a per-CPU pointer becomes an address on CPU %d', (cpu) => {
    const machine = newMachine({ nCpus: 3 });
    const perCpu = machine.perCpu();
    const pointer = [
      ...insn('mov64_imm', { dst: 0, imm: PER_CPU_CPU_NUMBER }),
      ...insn('mov64_percpu', { dst: 0, src: 0 }),
    ];
    const at = runSlots([...pointer, ...EXIT], { machine, cpu }).r0;
    expect(at).toBe(perCpu.thisCpuOff(cpu) + BigInt(PER_CPU_CPU_NUMBER));
    expect(machine.space.describe(at)).toBe(`per-CPU variables of CPU ${cpu} + 52`);
    const read = [...pointer, ...insn('ldxw', { dst: 0, src: 0 }), ...EXIT];
    expect(runSlots(read, { machine, cpu }).r0).toBe(BigInt(cpu));
    const offset = insn('ldxdw', { dst: 0, src: 0, off: PER_CPU_THIS_CPU_OFF - PER_CPU_CPU_NUMBER });
    expect(runSlots([...pointer, ...offset, ...EXIT], { machine, cpu }).r0).toBe(perCpu.thisCpuOff(cpu));
    const write = [...pointer, ...insn('stw', { dst: 0, imm: 1 }), ...EXIT];
    expect(faultOf(runSlots(write, { machine, cpu })).kind).toBe('permission');
  });
});

describe('faults', () => {
  const cases: [string, Insn[], Partial<Fault>][] = [
    [
      'one past the end',
      insn('ldxb', { dst: 0, src: 1, off: 16 }),
      {
        kind: 'out_of_bounds',
        size: 1,
        region: 'memory',
        message: 'read of 1 byte at memory + 16: memory has 16 bytes (0 … 15)',
      },
    ],
    [
      'straddling the end',
      insn('ldxdw', { dst: 0, src: 1, off: 12 }),
      {
        kind: 'out_of_bounds',
        size: 8,
        message: 'read of 8 bytes at memory + 12: memory has 16 bytes (0 … 15)',
      },
    ],
    [
      'a store straddling the end',
      insn('stdw', { dst: 1, off: 9, imm: -1 }),
      {
        kind: 'out_of_bounds',
        size: 8,
        message: 'write of 8 bytes at memory + 9: memory has 16 bytes (0 … 15)',
      },
    ],
    [
      'in front of the first byte',
      insn('ldxw', { dst: 0, src: 1, off: -4 }),
      {
        kind: 'out_of_bounds',
        region: 'memory',
        message: 'read of 4 bytes at memory - 4: memory has 16 bytes (0 … 15)',
      },
    ],
    [
      'straddling the first byte',
      insn('ldxw', { dst: 0, src: 1, off: -2 }),
      { kind: 'out_of_bounds', message: 'read of 4 bytes at memory - 2: memory has 16 bytes (0 … 15)' },
    ],
    [
      'null',
      insn('ldxw', { dst: 0, src: 3 }),
      {
        kind: 'out_of_bounds',
        address: 0n,
        region: undefined,
        message: 'read of 4 bytes at 0x0: a null pointer; compare it with 0 before using it',
      },
    ],
    [
      'null plus an offset',
      insn('ldxw', { dst: 0, src: 3, off: 24 }),
      {
        kind: 'out_of_bounds',
        address: 24n,
        message: 'read of 4 bytes at 0x18: a small number, or null plus an offset, is not a pointer',
      },
    ],
    [
      'null minus an offset',
      insn('ldxw', { dst: 0, src: 3, off: -8 }),
      {
        kind: 'out_of_bounds',
        address: 0xffffffff_fffffff8n,
        message:
          'read of 4 bytes at 0xfffffffffffffff8: this is the address of code or an error number, not of data',
      },
    ],
    [
      'below the frame',
      insn('stdw', { dst: 10, off: -520 }),
      {
        kind: 'out_of_bounds',
        region: 'stack of main',
        message:
          'write of 8 bytes at stack of main: fp - 520: a stack frame has 512 bytes (fp - 512 … fp - 1)',
      },
    ],
    [
      'at the frame pointer',
      insn('ldxb', { dst: 0, src: 10 }),
      {
        kind: 'out_of_bounds',
        message: 'read of 1 byte at stack of main: fp: a stack frame has 512 bytes (fp - 512 … fp - 1)',
      },
    ],
  ];

  test.each(cases)('%s', (_, slots, want) => {
    const { machine, region } = setUp();
    const before = machine.space.read(region.addr, 16);
    const ran = runSlots([...slots, ...EXIT], { machine, r1: region.addr, r2: 0n });
    expect(faultOf(ran)).toMatchObject({ pc: 0, xlatedPc: 0, ...want });
    expect(machine.space.read(region.addr, 16)).toEqual(before);
  });

  test('a pointer cut to 32 bits is a number', () => {
    const { machine, region } = setUp({ size: 0x8000 });
    const slots = [
      ...insn('mov32_reg', { dst: 1, src: 1 }),
      ...insn('ldxb', { dst: 0, src: 1, off: 0x7000 }),
      ...EXIT,
    ];
    expect(faultOf(runSlots(slots, { machine, r1: region.addr })).message).toBe(
      'read of 1 byte at 0x7000: this number is not a pointer (a pointer cut to 32 bits is none any more)',
    );
  });

  test('writing read-only memory', () => {
    const { machine, region } = setUp({ perm: 'r' });
    const fault = faultOf(
      runSlots([...insn('sth', { dst: 1, off: 2 }), ...EXIT], { machine, r1: region.addr }),
    );
    expect(fault).toMatchObject({ kind: 'permission', address: region.addr + 2n, size: 2, region: 'memory' });
    expect(fault.message).toBe('write of 2 bytes at memory + 2: memory is read-only');
  });

  test('memory that programs may not touch', () => {
    const { machine, region } = setUp({ perm: 'none' });
    const fault = faultOf(
      runSlots([...insn('ldxb', { dst: 0, src: 1 }), ...EXIT], { machine, r1: region.addr }),
    );
    expect(fault).toMatchObject({
      kind: 'permission',
      message: 'read of 1 byte at memory: programs cannot access memory directly',
    });
  });

  test('a freed object', () => {
    const { machine, region } = setUp();
    machine.space.free(region);
    const fault = faultOf(
      runSlots([...insn('ldxb', { dst: 0, src: 1, off: 3 }), ...EXIT], { machine, r1: region.addr }),
    );
    expect(fault.message).toBe(
      'read of 1 byte at memory + 3: this pointer is stale, memory has been freed or moved since; take its address again',
    );
  });

  test('a window that was never given out names the nearest object', () => {
    const { machine, region } = setUp();
    const fault = faultOf(
      runSlots([...insn('ldxb', { dst: 0, src: 1 }), ...EXIT], { machine, r1: region.addr + (5n << 32n) }),
    );
    expect(fault.region).toBe('memory');
    expect(fault.message).toContain('no object has this address; the nearest is memory at 0xffff88');
  });

  test('pc is the original instruction, xlatedPc the rewritten one', () => {
    const ran = runSlots([...insn('ja', { off: 0 }), ...insn('ldxb', { dst: 0, src: 3 }), ...EXIT]);
    expect(faultOf(ran)).toMatchObject({ pc: 1, xlatedPc: 1 });
  });
});

describe('which stack bytes were written', () => {
  test.each<[InsnId, number]>([
    ['stb', 1],
    ['sth', 2],
    ['stw', 4],
    ['stdw', 8],
    ['atomic_add64', 8],
  ])('%s marks %d', (id, size) => {
    const { machine } = runSlots([...insn(id, { dst: 10, src: 1, off: -16 }), ...EXIT]);
    const fp = machine.cpu(0).readReg(10);
    const marks = machine.space.initialised(fp - 17n, 17);
    expect(Array.from(marks ?? [])).toEqual(
      Array.from({ length: 17 }, (_, i) => (i >= 1 && i < 1 + size ? 1 : 0)),
    );
  });

  test('the debugger marks too, a new run clears', () => {
    const { machine } = runSlots(EXIT);
    const fp = machine.cpu(0).readReg(10);
    machine.space.write(fp - 8n, Uint8Array.of(1, 2));
    expect(machine.space.initialised(fp - 8n, 3)).toEqual(Uint8Array.of(1, 1, 0));
    machine.enter(0, machine.cpu(0).prog, 0n);
    expect(machine.space.initialised(fp - 8n, 3)).toEqual(Uint8Array.of(0, 0, 0));
  });

  test('no record of other memory', () => {
    const { machine, region } = setUp();
    expect(machine.space.initialised(region.addr, 1)).toBeUndefined();
  });
});
