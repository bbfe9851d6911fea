import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { preparedRun } from '#cli/bench/prepared-run.ts';
import { PROGRAM_KINDS, storedProgram } from '#cli/bench/programs.ts';
import { assemble } from '#core/asm/assemble.ts';
import { prepareInput } from '#core/ctx/setup.ts';
import type { Engine, StopCause } from '#core/interp/engine.ts';
import { wasm, wasmEngine } from '#core/jit/wasm/engine.ts';
import { linkProgram } from '#core/object/link.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { ENGINES } from '#core/session/engines.ts';
import { Machine } from '#core/vm/machine.ts';
import { execute } from '../filetests/execute.ts';
import { parseDataFile } from '../filetests/format.ts';

const limited = wasmEngine({ checks: 'limit' });

test('no user can choose the engine that checks limits only', () => {
  expect(ENGINES).not.toContain(limited);
  expect(ENGINES.filter(({ name }) => name === 'wasm')).toEqual([wasm]);
});

test.each(PROGRAM_KINDS)('$name of the benchmarks has its result', ({ name, result }) => {
  const { run, insns } = preparedRun(storedProgram(name), limited);
  // Twice: frames begin with zeroes again.
  expect([run(1), run(1)]).toEqual([result, result]);
  const precise = preparedRun(storedProgram(name), wasm);
  precise.run(2);
  expect(insns()).toBe(precise.insns());
});

test('what faults nowhere does what it does with precise checks', () => {
  let nFiles = 0;
  for (const folder of ['run', 'xlated']) {
    const path = new URL(`../filetests/${folder}/`, import.meta.url);
    for (const name of readdirSync(path, { recursive: true }) as string[]) {
      if (!name.endsWith('.data')) continue;
      const file = parseDataFile(readFileSync(new URL(name, path), 'utf8'));
      for (const slice of [Number.POSITIVE_INFINITY, 50]) {
        const expected = execute(file, { engine: wasm, shared: true, slice });
        if (expected.fault !== undefined) continue;
        expect(execute(file, { engine: limited, shared: true, slice }), name).toEqual(expected);
        nFiles++;
      }
    }
  }
  expect(nFiles).toBeGreaterThan(600);
});

/** Runs a program on `machine`. */
function run(text: string, engine: Engine, machine: Machine = new Machine({ shared: true })): StopCause {
  const head = '.map numbers, array, 4, 64, 1\n.section xdp\nmain:\nr0 = 0\n';
  const linked = linkProgram(assemble(head + text, { fileName: 'limit.bpf.s' }).value);
  if (linked.value === undefined) throw new Error(linked.errors.join('\n'));
  const insns = linked.value.insns.slice();
  for (let at = 0; at < insns.length; at += 8) {
    // BPF_PSEUDO_MAP_FD → BPF_PSEUDO_MAP_VALUE
    if (insns[at] === 0x18 && insns[at + 1] === 0x12) insns[at + 1] = 0x22;
  }
  const loaded = bpfProgLoad(machine, { ...linked.value, insns });
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const input = prepareInput(machine, 0, loaded.prog, { data: new Uint8Array(61) });
  machine.enter(machine.cpu(0), loaded.prog, input.r1, input.r2);
  return engine.run(machine, 0, { budget: 1_000_000, breakpoints: false, resume: true });
}

const PACKET = 'r2 = *(u32 *)(r1 + 0)\n';
const VALUES = 'r2 = numbers ll\n';

/** An access at the distance in r6 of where r2 points; what is not known when it is compiled. */
const access = (pointer: string, distance: string, what: string): string =>
  `${pointer}*(u64 *)(r10 - 8) = 1\nr6 = ${distance} ll\nr7 = *(u64 *)(r10 - 8)\nr6 *= r7\nr2 += r6\n${what}\nexit`;

test.each([
  ['packet', PACKET],
  ['map', VALUES],
])('an access closely behind a %s is not found to be a fault: limits only are checked', (_, pointer) => {
  const text = access(pointer, '72', 'r3 = *(u64 *)(r2 + 0)');
  expect(run(text, wasm).kind).toBe('fault');
  expect(run(text, limited).kind).toBe('exit');
});

/** Distances that lead out of the linear memory, and in front of its start. */
const FAR = ['0x7fffffff', '0x80000000', '0xfffffff8', '0x7f00000000', '-0x10000000', '-0x7f000000'].concat(
  '0x4000000000000000',
  '-0x8000000000000000',
);

test.each(
  [PACKET, VALUES, 'r2 = r10\n'].flatMap((pointer) =>
    FAR.flatMap((distance) =>
      ['r3 = *(u64 *)(r2 + 32767)', '*(u8 *)(r2 - 32768) = 1', 'lock *(u64 *)(r2 + 0) += r6'].map(
        (what) => [what, distance, pointer.trim()] as const,
      ),
    ),
  ),
)('%s, %s behind %s, ends the run as it does with precise checks', (what, distance, pointer) => {
  const text = access(`${pointer}\n`, distance, what);
  const expected = run(text, wasm);
  expect(expected.kind).toBe('fault');
  expect(run(text, limited)).toEqual(expected);
});

test('an access that begins inside the linear memory and ends outside is not made', () => {
  const machine = new Machine({ shared: true });
  run(access(VALUES, '0', ''), wasm, machine);
  const base = [...machine.maps.values()][0]?.valueRegions?.[0]?.base ?? 0;
  for (const inside of [1, 7]) {
    const distance = machine.memory.bytes.length - base - inside;
    for (const off of [0, 32767, -32768]) {
      const text = access(VALUES, String(distance - off), `*(u64 *)(r2 + ${off}) = r6`);
      const expected = run(text, wasm);
      expect(expected.kind).toBe('fault');
      expect(run(text, limited)).toEqual(expected);
    }
  }
});

const NULLS: readonly (readonly [claim: string, text: string])[] = [
  ['at once', '*(u64 *)(r10 - 8) = 0\nr2 = *(u64 *)(r10 - 8)\n*(u32 *)(r2 + 64) = 1\nexit'],
  [
    'where a pointer into a map was',
    'r2 = numbers ll\n*(u64 *)(r10 - 8) = r2\nloop:\nr2 = *(u64 *)(r10 - 8)\nr3 = *(u32 *)(r2 + 60)\n*(u64 *)(r10 - 8) = 0\ngoto loop',
  ],
];

test.each(NULLS)('NULL is a fault there too, %s', (_, text) => {
  const machines = [new Machine({ shared: true }), new Machine({ shared: true })] as const;
  const expected = run(text, wasm, machines[0]);
  expect(expected.kind).toBe('fault');
  expect(run(text, limited, machines[1])).toEqual(expected);
  // Not only when the next slice of time begins.
  expect(machines[1].cpu(0).insnsExecuted).toBe(machines[0].cpu(0).insnsExecuted);
});

const FRAMES: readonly (readonly [claim: string, text: string])[] = [
  [
    'a function wrote',
    'call writes\ncall reads\nexit\nwrites:\n*(u64 *)(r10 - 8) = 7\nr0 = 0\nexit\nreads:\nr0 = *(u64 *)(r10 - 8)\nexit',
  ],
  [
    'a callee wrote',
    'call passes\ncall reads\nexit\npasses:\nr1 = r10\nr1 += -8\ncall writes\nexit\nwrites:\n*(u64 *)(r1 + 0) = 7\nr0 = 0\nexit\nreads:\nr0 = *(u64 *)(r10 - 8)\nexit',
  ],
];

test.each(FRAMES)('a frame begins with zeroes where %s', (_, text) => {
  const machine = new Machine({ shared: true });
  expect(run(text, limited, machine).kind).toBe('exit');
  expect(machine.cpu(0).readReg(0)).toBe(0n);
});

test('a program that overwrites all that it can reach harms no other machine', () => {
  const other = new Machine({ shared: true });
  const back =
    'r2 = numbers ll\nr6 = 0x100000\nloop:\n*(u8 *)(r2 + 0) = 255\nr2 -= 1\nr6 -= 1\nif r6 != 0 goto loop\nexit';
  try {
    run(back, limited);
  } catch (error) {
    // What lies in the memory of that machine is of no meaning any more.
    expect(error).toBeInstanceOf(Error);
  }
  expect(run('r0 = 7\nexit', limited, other).kind).toBe('exit');
});
