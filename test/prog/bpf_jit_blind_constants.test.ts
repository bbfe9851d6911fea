import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hexText } from '#core/bytes/hex.ts';
import { reference } from '#core/interp/reference.ts';
import { decodeInsn } from '#core/isa/decode.ts';
import { INSN_SIZE, type Insn, readInsn } from '#core/isa/insn.ts';
import { printInsn } from '#core/isa/print.ts';
import { bpfJitBlindConstants, isBlindable } from '#core/prog/bpf-jit-blind-constants.ts';
import { bpfJitProgReleaseOther } from '#core/prog/bpf-prog-clone.ts';
import { bpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { ENGINES } from '#core/session/engines.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { availableMaps } from '../kernel/differential.ts';
import { attrOfGenerated, generate } from '../kernel/generate.ts';
import { anyRecipe, type Recipe } from '../kernel/recipe.ts';
import { programReport } from '../kernel/report.ts';
import { attrOf, bytesOf, EXIT, R0_0, type Slot, unhex } from './build.ts';
import { account, failEach, machineOf, shellOf } from './shells.ts';
import { axLiveAtBlindable, unblind } from './unblind.ts';
import { loadVector, vectors } from './vectors.ts';

const HARDEN = { bpfJitHarden: 2 } as const;
const AX = 11;

function blindedMachine(blindSeed: number | bigint = 1): Machine {
  return new Machine({ shared: false, settings: HARDEN, blindSeed });
}

/** Whole instructions of a program, with the `imm`s of both halves of wide ones. */
function* insnsOf(code: Uint8Array): Generator<Insn & { readonly imms: readonly number[] }> {
  for (let slot = 0; slot * INSN_SIZE < code.length; slot++) {
    const insn = readInsn(code, slot);
    if (insn.opcode !== 0x18) yield { ...insn, imms: [insn.imm] };
    else yield { ...insn, imms: [insn.imm, readInsn(code, ++slot).imm] };
  }
}

function blind(code: readonly Slot[], seed = 1n): Uint8Array {
  const machine = blindedMachine(seed);
  const prog = shellOf(machine, code);
  const blinded = bpfJitBlindConstants(machine, prog);
  if ('message' in blinded) throw new Error(blinded.message);
  return blinded.code.insns;
}

function texts(code: Uint8Array): string[] {
  const lines: string[] = [];
  for (let slot = 0; slot * INSN_SIZE < code.length; ) {
    const decoded = decodeInsn(code, slot);
    lines.push(printInsn(decoded, 'pseudoc').replace(/-?0x[0-9a-f]{5,}|-?\d{5,}/g, 'KEY'));
    slot += decoded.length;
  }
  return lines;
}

function fieldsOf({ opcode, dst, src, imm }: Insn): string {
  return [opcode, dst, src, imm].join(' ');
}

test('vectors: the same result blinded, and no constant of the original is left', () => {
  let equal = 0;
  const other: string[] = [];
  for (const [i, vector] of vectors.entries()) {
    const plain = loadVector(machineOf(), vector);
    const machine = blindedMachine(BigInt(i) * 0x1234_5678_9abc_def1n);
    const loaded = loadVector(machine, vector);
    if (!plain.ok || !loaded.ok) continue;
    const hidden = new Set<number>();
    for (const insn of insnsOf(plain.prog.xlated)) {
      if (isBlindable(insn)) for (const imm of insn.imms) hidden.add(imm);
    }
    const usesAx = new Set(
      [...insnsOf(plain.prog.xlated)].filter((insn) => insn.dst === AX || insn.src === AX).map(fieldsOf),
    );
    for (const insn of insnsOf(loaded.prog.xlated)) {
      // Guards of divisions and may_goto use AX themselves: the kernel leaves them alone.
      if (usesAx.has(fieldsOf(insn))) continue;
      const own = insn.dst === AX && insn.src === 0 && (insn.opcode & 0xf0) !== 0x60;
      if (own) expect(hidden.has(insn.imm), `${vector.name}: ${insn.imm}`).toBe(false);
      else expect(isBlindable(insn), vector.name).toBe(false);
    }
    if (vector.retval === null || vector.data === null) continue;
    const input = { data: unhex(vector.data), attach: 'test_run' } as const;
    const engine = ENGINES[i % ENGINES.length] ?? reference;
    const { retval, fault } = runProgram(machine, loaded.prog, engine, input);
    if (!fault && retval === vector.retval) equal++;
    else other.push(`${vector.name}: ${fault?.message ?? retval}, the kernel gave ${vector.retval}`);
  }
  console.log(`vectors: ${equal} results equal when blinded`);
  expect(other).toEqual([]);
  expect(equal).toBeGreaterThanOrEqual(395);
});

describe('what stands for an instruction', () => {
  test.each<[string, Slot[], string[]]>([
    ['64-bit arithmetic', [[0x07, 3, 0, 0, 5]], ['ax = KEY', 'ax ^= KEY', 'r3 += ax']],
    ['32-bit arithmetic', [[0x54, 3, 0, 0, 5]], ['ax = KEY', 'ax ^= KEY', 'w3 &= ax']],
    ['signed division keeps its offset', [[0x37, 3, 0, 1, 5]], ['ax = KEY', 'ax ^= KEY', 'r3 s/= ax']],
    ['a zero', [[0xb7, 3, 0, 0, 0]], ['r3 ^= r3']],
    ['a 32-bit zero', [[0xb4, 3, 0, 0, 0]], ['w3 ^= w3']],
    ['a store', [[0x7a, 10, 0, -8, 5]], ['ax = KEY', 'ax ^= KEY', '*(u64 *)(r10 - 8) = ax']],
    [
      'a wide load',
      [
        [0x18, 3, 0, 0, 5],
        [0, 0, 0, 0, 6],
      ],
      ['ax = KEY', 'ax ^= KEY', 'ax <<= 32', 'r3 = ax', 'ax = KEY', 'ax ^= KEY', 'r3 |= ax'],
    ],
  ])('%s', (_, code, expected) => {
    expect(texts(blind([...code, EXIT])).slice(0, -1)).toEqual(expected);
  });

  test.each<[string, Slot[]]>([
    [
      'shift counts',
      [
        [0x67, 1, 0, 0, 5],
        [0x74, 1, 0, 0, 5],
        [0xc7, 1, 0, 0, 5],
      ],
    ],
    [
      'byte swaps',
      [
        [0xd4, 1, 0, 0, 16],
        [0xd7, 1, 0, 0, 64],
      ],
    ],
    [
      'calls',
      [
        [0x85, 0, 0, 0, 5],
        [0x85, 0, 1, 0, 0],
      ],
    ],
    [
      'jumps without condition',
      [
        [0x05, 0, 0, 0],
        [0x06, 0, 0, 0, 0],
      ],
    ],
    ['may_goto', [[0xe5, 0, 0, 0]]],
    [
      'register forms',
      [
        [0x0f, 1, 2],
        [0x1d, 1, 2, 0],
        [0x7b, 10, 1, -8],
      ],
    ],
    ['atomics', [[0xdb, 10, 1, -8, 1]]],
    ['maps and addresses of functions', [[0x18, 1, 1, 0, 7], [0], [0x18, 1, 4, 0, 0], [0]]],
    ['what uses AX already', [[0xb7, 11, 0, 0, 5]]],
  ])('left alone: %s', (_, code) => {
    const program = [...code, EXIT];
    expect(blind(program)).toEqual(bytesOf(program));
  });

  test('branches reach their targets, forwards and backwards', () => {
    const code: Slot[] = [
      [0xb7, 1, 0, 0, 3],
      [0x07, 1, 0, 0, -1],
      [0x55, 1, 0, -2, 0],
      [0x16, 1, 0, 1, 9],
      R0_0,
      EXIT,
    ];
    const out = blind(code);
    const slots = out.length / INSN_SIZE;
    const insns = Array.from({ length: slots }, (_, i) => readInsn(out, i));
    const back = insns.findIndex((insn) => insn.opcode === 0x5d);
    const forth = insns.findIndex((insn) => insn.opcode === 0x1e);
    expect(back + 1 + (insns[back]?.off ?? 0)).toBe(3);
    expect(forth + 1 + (insns[forth]?.off ?? 0)).toBe(slots - 1);
  });
});

test('keys follow the seed; the same seed gives the same program', () => {
  const code: Slot[] = [[0xb7, 0, 0, 0, 0x1234], EXIT];
  expect(blind(code, 5n)).toEqual(blind(code, 5n));
  expect(blind(code, 5n)).not.toEqual(blind(code, 6n));
  expect(blind(code, 5n)).not.toEqual(blind(code, 5n + 2n ** 40n));
});

test('random programs give the same result blinded', () => {
  const slot = fc.record({
    opcode: fc.constantFrom(
      0x07,
      0x17,
      0x27,
      0x37,
      0x47,
      0x57,
      0x97,
      0xa7,
      0xb7,
      0x04,
      0x14,
      0x34,
      0x94,
      0xb4,
      0x67,
      0x0f,
    ),
    branch: fc.constantFrom(0, 0, 0x15, 0x25, 0x45, 0x55, 0x65, 0xc5, 0x16, 0x36, 0x46, 0xd6),
    dst: fc.integer({ min: 0, max: 5 }),
    imm: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer()),
    signed: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(slot, { minLength: 1, maxLength: 30 }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (rows, seed) => {
        const code: Slot[] = [0, 1, 2, 3, 4, 5].map((reg) => [0xb7, reg, 0, 0, reg * 77 - 100]);
        for (const { opcode, branch, dst, imm, signed } of rows) {
          const divides = (opcode & 0xf0) === 0x30 || (opcode & 0xf0) === 0x90;
          const shifts = (opcode & 0xf0) === 0x60;
          // A branch over the instruction behind it.
          if (branch !== 0) code.push([branch, dst, 0, 1, imm]);
          if (opcode === 0x0f) code.push([opcode, dst, (dst + 1) % 6]);
          else
            code.push([
              opcode,
              dst,
              0,
              divides && signed ? 1 : 0,
              shifts ? imm & 63 : divides ? imm || 1 : imm,
            ]);
        }
        code.push(EXIT);
        const results = [machineOf(), blindedMachine(seed)].map((machine) => {
          const loaded = bpfProgLoad(machine, attrOf('raw', code));
          if (!loaded.ok) throw new Error(loaded.refusal.message);
          return runProgram(machine, loaded.prog, reference, { data: new Uint8Array() }).r0;
        });
        return results[0] === results[1];
      },
    ),
    { seed: 11, numRuns: 300 },
  );
});

test.each(['sched_cls', 'xdp', 'socket_filter'] as const)(
  'random %s programs, read back beside what they were: every constant hidden, nothing else changed, AX used by nothing else',
  (progType) => {
    let blindable = 0;
    let kept = 0;
    const available = availableMaps();
    const check = (recipe: Recipe, blindSeed: bigint): string[] => {
      const attr = attrOfGenerated(generate(recipe, available));
      const plain = bpfProgLoad(machineOf(), attr);
      const blinded = bpfProgLoad(blindedMachine(blindSeed), attr);
      if (!plain.ok || !blinded.ok) return ['not loaded'];
      const [again, others] = [blindSeed, blindSeed + 1n].map((seed) => {
        const loaded = bpfProgLoad(blindedMachine(seed), attr);
        return loaded.ok ? hexText(loaded.prog.xlated) : '';
      });
      const found = unblind(plain.prog.xlated, blinded.prog.xlated);
      if (again !== hexText(blinded.prog.xlated)) found.problems.push('the same seed gives another program');
      if (others === again) found.problems.push('another seed gives the same program');
      blindable += found.hidden.size;
      kept += found.kept;
      const leaked = [...found.hidden].filter((imm) => found.shown.has(imm));
      const lost = axLiveAtBlindable(plain.prog.xlated);
      return [
        ...found.problems,
        ...leaked.map((imm) => `${imm} shows`),
        ...lost.map((slot) => `${slot}: AX is in use`),
      ];
    };
    const drawn = [anyRecipe(progType), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })] as const;
    const result = fc.check(
      fc.property(...drawn, (recipe, seed) => check(recipe, seed).length === 0),
      { seed: 12, numRuns: 120 },
    );
    const found = result.counterexample;
    if (found)
      throw new Error(`${check(...found).join('\n')}\n${programReport(generate(found[0], available))}`);
    expect(result.failed).toBe(false);
    expect(blindable).toBeGreaterThan(500);
    expect(kept).toBeGreaterThan(500);
  },
);

test('a constant that shows, an instruction that changes and a branch astray are found', () => {
  const code: Slot[] = [[0x07, 1, 0, 0, 1234], [0x15, 1, 0, 1, 5], [0xbf, 0, 1], EXIT];
  const plain = bytesOf(code);
  const good = blind(code);
  expect(unblind(plain, good).problems).toEqual([]);
  expect(unblind(plain, plain).problems).not.toEqual([]);
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice();
    bad[at] = (bad[at] ?? 0) ^ 1;
    expect(unblind(plain, bad).problems, `byte ${at}`).not.toEqual([]);
  }
  expect(axLiveAtBlindable(bytesOf([[0xbf, 11, 1], [0x07, 1, 0, 0, 1234], [0xbf, 0, 11], EXIT]))).toEqual([
    1,
  ]);
});

test('not asked for, or done before: the same object', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [[0xb7, 0, 0, 0, 5], EXIT]);
  expect(bpfJitBlindConstants(machine, prog)).toBe(prog);
  const hardened = blindedMachine();
  const done = shellOf(hardened, [[0xb7, 0, 0, 0, 5], EXIT]);
  done.blinded = true;
  expect(bpfJitBlindConstants(hardened, done)).toBe(done);
});

test('the clone is used and the original freed, or the other way round: nothing is lost', () => {
  const machine = blindedMachine();
  const empty = account(machine);
  for (const keepBlinded of [true, false]) {
    const prog = shellOf(machine, Array<Slot>(400).fill([0xb7, 0, 0, 0, 5]));
    const blinded = bpfJitBlindConstants(machine, prog);
    if ('message' in blinded) throw new Error(blinded.message);
    expect(blinded).not.toBe(prog);
    expect(blinded.pages).toBeGreaterThan(prog.pages);
    expect(prog.code.insns.length).toBe(3200);
    const [kept, other] = keepBlinded ? [blinded, prog] : [prog, blinded];
    bpfJitProgReleaseOther(machine, kept, other);
    expect(kept.aux?.prog).toBe(kept);
    bpfProgFree(machine, kept);
    expect(account(machine)).toEqual(empty);
  }
});

test('a branch that cannot reach over the longer code: refused, the program stays as it was', () => {
  const machine = blindedMachine();
  const prog = shellOf(machine, [
    [0x15, 1, 0, 0x7000, 4],
    ...Array<Slot>(0x7000).fill([0xb7, 0, 0, 0, 5]),
    EXIT,
  ]);
  const held = account(machine);
  const { code } = prog;
  expect(bpfJitBlindConstants(machine, prog)).toMatchObject({
    pc: 0,
    message: expect.stringContaining('16-bit range'),
  });
  expect(account(machine)).toEqual(held);
  expect(prog.code).toBe(code);
  expect(prog.aux?.prog).toBe(prog);
});

test('each allocation that fails gives back what was taken before it', () => {
  let held = {};
  const failures = failEach(
    () => {
      const machine = blindedMachine();
      const prog = shellOf(machine, Array<Slot>(400).fill([0xb7, 0, 0, 0, 5]));
      held = account(machine);
      return { machine, call: () => bpfJitBlindConstants(machine, prog) };
    },
    (machine) => expect(account(machine)).toEqual(held),
  );
  expect(failures).toBe(2);
});

describe('a key that the seed would give and that is a constant of the program is not taken', () => {
  const first = [0xb7, 0, 0, 0, 1] as const;
  /** All numbers that stand in a blinded program. */
  const numbers = (code: Uint8Array): number[] => [...insnsOf(code)].flatMap(({ imms }) => imms);
  /** The key of the first constant, and the constant under it. */
  const drawn = (code: Uint8Array): [masked: number, key: number] => {
    const [masked = 0, key = 0] = numbers(code);
    return [masked, key];
  };

  test.each<[string, (n: number) => Slot[]]>([
    ['an immediate', (n) => [[0xb7, 1, 0, 0, n]]],
    [
      'the low half of a wide constant',
      (n) => [
        [0x18, 1, 0, 0, n],
        [0, 0, 0, 0, 7],
      ],
    ],
    [
      'the high half of a wide constant',
      (n) => [
        [0x18, 1, 0, 0, 7],
        [0, 0, 0, 0, n],
      ],
    ],
  ])('%s', (_, constant) => {
    for (const n of drawn(blind([first, EXIT], 5n))) {
      expect(numbers(blind([first, ...constant(n), EXIT], 5n))).not.toContain(n);
    }
  });
});
