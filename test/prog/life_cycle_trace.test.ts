import { expect, test } from 'vitest';
import { bpfProgFillJitedLinfo, type JitedFunc } from '#core/prog/bpf-prog-fill-jited-linfo.ts';
import { type BpfProg, bpfProgFree, bpfProgLoad, type LoadOptions } from '#core/prog/load.ts';
import type { Machine, MachineOptions } from '#core/vm/machine.ts';
import { attrOf, EXIT, type Slot } from './build.ts';
import { machineOf, shellOf } from './shells.ts';

/** r0 = ingress_ifindex; a kernel function; exit. */
const CODE: readonly Slot[] = [[0x61, 0, 1, 12], [0x85, 0, 2, 0, 12], EXIT];
const LINES = [0, 1, 2].map((insnOff) => ({ insnOff, file: 0, line: insnOff + 1, column: 0 }));

interface Case {
  readonly settings?: MachineOptions['settings'];
  readonly lines?: boolean;
  readonly options?: LoadOptions;
}

const nativeAt = (image: bigint): LoadOptions => ({
  jit: (code) => {
    const slots = code.insns.length / 8;
    const func: JitedFunc = {
      image,
      length: 9 * slots,
      insnToJitOff: Array.from({ length: slots }, (_, i) => 9 * (i + 1)),
    };
    return { ok: true, arch: 'x86-64', funcs: [func] };
  },
});

function traced(machine: Machine): string[] {
  return machine.lifeCycle.calls.map(({ name, detail }) => (detail === '' ? name : `${name}: ${detail}`));
}

function load(machine: Machine, { lines = true, options = {} }: Case): BpfProg {
  const loaded = bpfProgLoad(machine, attrOf('xdp', CODE, lines ? { lineInfo: LINES } : {}), options);
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  return loaded.prog;
}

const FIRST = [
  'bpf_prog_load: prog',
  'bpf_prog_alloc: 3 instructions',
  'bpf_prog_alloc_no_stats: 104 bytes → 1 page',
  'convert_ctx_accesses',
  'bpf_patch_insn_single: 1 replaced: 3 → 5 instructions',
  'bpf_prog_realloc: 5 instructions fit',
  'do_misc_fixups',
  'bpf_prog_select_runtime',
];
const LAST = ['bpf_prog_free: prog', '__bpf_prog_free'];
const NO_BLINDING = 'bpf_jit_blind_constants: no blinding requested';

// The sequence of kernel/bpf/core.c, each call with what came of it.
test.each<[string, Case, readonly string[]]>([
  [
    'no compiler',
    {},
    [
      'bpf_prog_alloc_jited_linfo: 3 line records',
      'bpf_int_jit_compile',
      NO_BLINDING,
      'bpf_prog_jit_attempt_done: not jited, line table freed, kfunc_tab freed',
    ],
  ],
  [
    'no line info',
    { lines: false },
    [
      'bpf_prog_alloc_jited_linfo: no line info',
      'bpf_int_jit_compile',
      NO_BLINDING,
      'bpf_prog_jit_attempt_done: not jited, kfunc_tab freed',
    ],
  ],
  [
    'bpf_jit_enable 0',
    { settings: { bpfJitEnable: 0 } },
    [
      'bpf_prog_alloc_jited_linfo: no JIT requested',
      'bpf_int_jit_compile: no JIT requested',
      'bpf_prog_jit_attempt_done: not jited, kfunc_tab freed',
    ],
  ],
  [
    'native code',
    { options: nativeAt(0xffff_ffff_c000_0000n) },
    [
      'bpf_prog_alloc_jited_linfo: 3 line records',
      'bpf_int_jit_compile',
      NO_BLINDING,
      'bpf_prog_fill_jited_linfo: function 0: 3 line records',
      'bpf_prog_jit_attempt_done: jited, kfunc_tab freed',
    ],
  ],
  [
    'native code, the first line at address 0',
    { options: nativeAt(0n) },
    [
      'bpf_prog_alloc_jited_linfo: 3 line records',
      'bpf_int_jit_compile',
      NO_BLINDING,
      'bpf_prog_fill_jited_linfo: function 0: 3 line records',
      'bpf_prog_jit_attempt_done: jited, line table freed, kfunc_tab freed',
    ],
  ],
])('%s: every call in its order', (_, made, middle) => {
  const machine = machineOf(made.settings);
  bpfProgFree(machine, load(machine, made));
  expect(traced(machine)).toEqual([...FIRST, ...middle, ...LAST]);
});

test('blinding makes a clone, and the original goes', () => {
  const machine = machineOf({ bpfJitHarden: 2 });
  const loaded = bpfProgLoad(machine, attrOf('xdp', [[0xb7, 0, 0, 0, 5], EXIT]));
  expect(loaded.ok && loaded.prog.blinded).toBe(true);
  const names = machine.lifeCycle.calls.map(({ name }) => name);
  const from = names.indexOf('bpf_int_jit_compile');
  expect(names.slice(from)).toEqual([
    'bpf_int_jit_compile',
    'bpf_jit_blind_constants',
    'bpf_prog_clone_create',
    'bpf_patch_insn_single',
    'bpf_prog_realloc',
    'bpf_jit_prog_release_other',
    'bpf_prog_clone_free',
    '__bpf_prog_free',
    'bpf_prog_jit_attempt_done',
  ]);
});

test('a load that memory fails says where, and leaves nothing', () => {
  const said = [0, 1, 2, 3].map((nth) => {
    const machine = machineOf();
    machine.memory.failAfter(nth);
    expect(bpfProgLoad(machine, attrOf('xdp', CODE)).ok).toBe(false);
    expect(machine.progAccount).toEqual({ pages: 0, objects: 0 });
    return traced(machine).slice(3);
  });
  expect(said).toEqual([
    [],
    ['bpf_prog_alloc_no_stats: failed'],
    ['bpf_prog_alloc_no_stats: failed'],
    ['__bpf_prog_free'],
  ]);
});

test('a function of a program without a line table has nothing to fill', () => {
  const machine = machineOf();
  const prog = shellOf(machine, [EXIT]);
  bpfProgFillJitedLinfo(machine, prog, 0, { image: 1n, length: 1, insnToJitOff: [1] });
  expect(traced(machine).at(-1)).toBe('bpf_prog_fill_jited_linfo: function 0: no table');
});
