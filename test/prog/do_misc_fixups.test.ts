import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import type { LineInfo } from '#core/object/object.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { MemoryLimitError } from '#core/vm/memory.ts';
import { arrayMap, attrOf, bytesOf, EXIT, R0_0, type Slot } from './build.ts';
import { account, calls, failEach, machineOf } from './shells.ts';

const repeat = (n: number, ...slots: Slot[]): Slot[] => Array.from({ length: n }, () => slots).flat();
/** `r0 s%= r1`: nine slots for one. */
const DIVIDE: Slot = [0x94 | 8, 0, 1, 1];

/** Bytes of a program object in front of its instructions. */
const HEAD = 80;

/** With `pad` instructions more. */
const growing = (pad: number): Slot[] => [
  [0x61, 2, 1, 40],
  [0xb7, 1, 0, 0, 3],
  ...repeat(pad + 1, R0_0),
  ...repeat(460, DIVIDE),
  [0xe5, 0, 0, 1],
  [0x85, 0, 1, 0, 1],
  EXIT,
  R0_0,
  [0xe5, 0, 0, 1],
  R0_0,
  EXIT,
];

/** Needs further pages with its divisions, and one more with what its functions begin with. */
const GROWING = growing(padding());

/** How many instructions bring the end of the last one behind the start of a page, by one slot. */
function padding(): number {
  const loaded = bpfProgLoad(machineOf(), attrOf('sched_cls', growing(0)));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return ((4096 + 8 - ((HEAD + loaded.prog.xlated.length) % 4096)) % 4096) / 8;
}

describe('memory', () => {
  test('an allocation that fails in the middle leaves nothing behind', () => {
    const failures = failEach(
      () => {
        const machine = machineOf();
        const before = account(machine);
        return {
          machine,
          call: () => {
            const loaded = bpfProgLoad(machine, attrOf('sched_cls', GROWING));
            expect(account(machine), loaded.ok ? 'loaded' : loaded.refusal.message).not.toEqual(
              loaded.ok ? before : undefined,
            );
            if (loaded.ok) return;
            expect(account(machine)).toEqual(before);
            throw new MemoryLimitError(loaded.refusal.message);
          },
        };
      },
      (_machine, _nth, error) => {
        expect(error).toBeInstanceOf(MemoryLimitError);
      },
    );
    // The object's own, the one for divisions, and the one for may_goto.
    expect(failures).toBeGreaterThan(5);
  });

  test('the pages follow the rewritten program, and go back with it', () => {
    const machine = machineOf();
    const before = account(machine);
    const loaded = bpfProgLoad(machine, attrOf('sched_cls', GROWING));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    const n = loaded.prog.xlated.length / 8;
    expect(n).toBeGreaterThan(460 * 9);
    expect(loaded.prog.pages).toBe(Math.ceil((n * 8 + HEAD) / 4096));
    const { memory } = machine;
    const inMemory = memory.bytes.slice(loaded.prog.base + HEAD, loaded.prog.base + HEAD + n * 8);
    expect(Buffer.compare(inMemory, loaded.prog.xlated)).toBe(0);
    bpfProgFree(machine, loaded.prog);
    expect(account(machine)).toEqual(before);
  });
});

describe('branches', () => {
  /** A jump over `n` divisions. */
  const over = (n: number): Slot[] => [R0_0, [0x15, 2, 0, n, 0], ...repeat(n, DIVIDE), EXIT];

  test('one that no longer reaches refuses the program, at the slot as loaded', () => {
    const far = bpfProgLoad(machineOf(), attrOf('raw', over(4000)));
    expect(far).toMatchObject({
      ok: false,
      refusal: { pc: 1, message: 'insn 1 cannot be patched due to 16-bit range' },
    });
    expect(bpfProgLoad(machineOf(), attrOf('raw', over(3600))).ok).toBe(true);
  });

  test('a may_goto that no longer reaches, too', () => {
    const code: Slot[] = [R0_0, [0xe5, 0, 0, 4000], ...repeat(4000, DIVIDE), EXIT];
    const far = bpfProgLoad(machineOf(), attrOf('raw', code));
    expect(far).toMatchObject({ ok: false, refusal: { pc: 1 } });
  });

  test('its slot is told as loaded, whatever was put in front of it before', () => {
    const WRITE: Slot[] = [
      [0x61, 2, 1, 76],
      [0x61, 3, 1, 80],
      [0xbf, 4, 2],
      [0x07, 4, 0, 0, 8],
      [0x2d, 4, 3, 1],
      [0x72, 2, 0, 0, 5],
    ];
    const code: Slot[] = [...WRITE, R0_0, [0xe5, 0, 0, 4000], ...repeat(4000, DIVIDE), EXIT];
    const far = bpfProgLoad(machineOf(), attrOf('sched_cls', code));
    expect(far).toMatchObject({ ok: false, refusal: { pc: WRITE.length + 1 } });
  });

  test('in and out of rewritten instructions, forwards and backwards', () => {
    // Sums 7 % 4, 6 % 4, … 1 % 4, skipping multiples of 3.
    const code: Slot[] = [
      R0_0,
      [0xb7, 6, 0, 0, 7],
      [0xb7, 7, 0, 0, 3],
      [0xb7, 8, 0, 0, 4],
      [0xbf, 1, 6],
      [0x9f, 1, 7],
      [0x15, 1, 0, 3, 0],
      [0xbf, 2, 6],
      [0x9f, 2, 8],
      [0x0f, 0, 2],
      [0x17, 6, 0, 0, 1],
      [0x55, 6, 0, -8, 0],
      EXIT,
    ];
    const machine = machineOf();
    const loaded = bpfProgLoad(machine, attrOf('raw', code));
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    expect(runProgram(machine, loaded.prog, reference, { data: new Uint8Array(8) }).r0).toBe(
      BigInt([7, 5, 4, 2, 1].reduce((sum, n) => sum + (n % 4), 0)),
    );
  });
});

test('line info, origIdx and firstXlated follow', () => {
  const code: Slot[] = [[0x85, 0, 1, 0, 2], [0x3f, 0, 0], EXIT, R0_0, [0xe5, 0, 0, 1], R0_0, EXIT];
  const lineInfo: LineInfo[] = code.map((_, insnOff) => ({ insnOff, file: 0, line: insnOff + 1, column: 1 }));
  const loaded = bpfProgLoad(machineOf(), attrOf('raw', bytesOf(code), { lineInfo }));
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const { prog } = loaded;
  // 0 call, 1–4 division, 5 exit; 6–7 counter, 8 r0 = 0, 9–15 may_goto, 16 r0 = 0, 17 exit.
  expect([...prog.origIdx]).toEqual([0, 1, 1, 1, 1, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 6]);
  expect([...prog.firstXlated]).toEqual([0, 1, 5, 8, 9, 16, 17, 18]);
  // A function's first line begins with what was put in front of it.
  expect(prog.xlatedLineInfo.map((line) => line.insnOff)).toEqual([0, 1, 5, 6, 9, 16, 17]);
  expect(prog.subprogs.map(({ start, end }) => [start, end])).toEqual([
    [0, 6],
    [6, 18],
  ]);
});

test('the calls that a load makes for it', () => {
  const machine = machineOf();
  const slots: Slot[] = [[0x18, 1, 1], [0], [0x85, 0, 0, 0, 1], [0xe5, 0, 0, 1], R0_0, EXIT];
  bpfProgLoad(
    machine,
    attrOf('raw', [[0x62, 10, 0, -4, 0], [0xbf, 2, 10], [0x07, 2, 0, 0, -4], ...slots], {
      maps: [arrayMap('m')],
    }),
  );
  const made = calls(machine);
  expect(made.slice(made.indexOf('convert_ctx_accesses'), made.indexOf('bpf_prog_select_runtime'))).toEqual([
    'convert_ctx_accesses',
    'do_misc_fixups',
    'bpf_patch_insn_single',
    'bpf_prog_realloc',
    'bpf_patch_insn_single',
    'bpf_prog_realloc',
  ]);
});
