import { describe, expect, test } from 'vitest';
import type { JitCompiler } from '#core/prog/bpf-int-jit-compile.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import { bpfProgFree } from '#core/prog/bpf-prog-free.ts';
import { bpfProgSelectRuntime } from '#core/prog/bpf-prog-select-runtime.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { auxOf } from '#core/prog/prog.ts';
import { Machine } from '#core/vm/machine.ts';
import { attrOf, EXIT, type Slot } from './build.ts';
import { account, calls, failEach, machineOf, shellOf } from './shells.ts';

const CODE: Slot[] = [[0xb7, 0, 0, 0, 5], [0x85, 0, 2, 0, 9], EXIT];

/** Four bytes of code an instruction. */
const compiler: JitCompiler = (code) => {
  const n = code.insns.length / 8;
  const insnToJitOff = Array.from({ length: n }, (_, i) => (i + 1) * 4);
  return {
    ok: true,
    arch: 'x86-64',
    funcs: [{ image: 0xffff_ffff_c000_0000n, length: n * 4, insnToJitOff }],
  };
};
const failing: JitCompiler = () => ({ ok: false, message: 'no room for the image' });

describe.each([
  ['plain', {}],
  ['blinded', { bpfJitHarden: 2 }],
] as const)('%s', (kind, settings) => {
  const nInsns = kind === 'blinded' ? 5 : 3;

  test('compiled: line addresses are there', () => {
    const machine = machineOf(settings);
    const prog = bpfProgSelectRuntime(machine, shellOf(machine, CODE, { lines: [0, 1] }), compiler);
    expect(prog.jited).toBe(true);
    expect(auxOf(prog)).toMatchObject({ jitedLen: nInsns * 4, whyInterpreted: undefined, kfuncTab: 0 });
    const second = BigInt((nInsns - 2) * 4);
    expect(jitedLinfo(machine, prog)).toEqual([0xffff_ffff_c000_0000n, 0xffff_ffff_c000_0000n + second]);
    expect(prog.blinded).toBe(kind === 'blinded');
  });

  test('the compiler fails: the original program is interpreted, and it is told why', () => {
    const machine = machineOf(settings);
    const original = shellOf(machine, CODE, { lines: [0, 1] });
    const held = account(machine);
    const prog = bpfProgSelectRuntime(machine, original, failing);
    expect(prog).toBe(original);
    expect(prog).toMatchObject({ jited: false, blinded: false });
    expect(auxOf(prog)).toMatchObject({ whyInterpreted: 'no room for the image', jitedLinfo: 0 });
    expect(account(machine)).toEqual(held);
  });

  test('no compiler: interpreted, as blinded as it was asked for', () => {
    const machine = machineOf(settings);
    const prog = bpfProgSelectRuntime(machine, shellOf(machine, CODE, { lines: [0, 1] }));
    expect(prog.code.insns.length / 8).toBe(nInsns);
    expect(auxOf(prog).whyInterpreted).toBe('loaded without a compiler to native code');
    expect(jitedLinfo(machine, prog)).toBeUndefined();
  });
});

test('bpf_jit_enable 0: nothing is tried', () => {
  const machine = machineOf({ bpfJitEnable: 0, bpfJitHarden: 2 });
  const original = shellOf(machine, CODE, { lines: [0, 1] });
  const prog = bpfProgSelectRuntime(machine, original, compiler);
  expect(prog).toBe(original);
  expect(auxOf(prog).whyInterpreted).toBe('bpf_jit_enable is 0');
});

test('constants that cannot be blinded: the original program is interpreted, and it is told why', () => {
  const machine = machineOf({ bpfJitHarden: 2 });
  const filler = Array<Slot>(0x7000).fill([0xb7, 0, 0, 0, 5]);
  const original = shellOf(machine, [[0x15, 0, 0, 0x7000, 4], ...filler, EXIT]);
  const prog = bpfProgSelectRuntime(machine, original, compiler);
  expect(prog).toBe(original);
  expect(prog.jited).toBe(false);
  expect(auxOf(prog).whyInterpreted).toContain('could not be blinded');
});

test('blinded without memory: the original is compiled no more than in the kernel', () => {
  const machine = machineOf({ bpfJitHarden: 2 });
  const original = shellOf(machine, CODE);
  machine.memory.failAfter(0);
  const prog = bpfProgSelectRuntime(machine, original, compiler);
  expect(prog).toBe(original);
  expect(auxOf(prog).whyInterpreted).toContain('told to fail');
});

test('every load takes these steps, in this order', () => {
  const machine = new Machine({
    shared: false,
    settings: { bpfJitHarden: 2 },
    hash: { sha1: () => new Uint8Array(20), sha256: () => new Uint8Array(32) },
  });
  const lineInfo = [{ insnOff: 0, file: 0, line: 1, column: 0 }];
  // r0 = ctx->ingress_ifindex; r0 += 5; exit
  const code: Slot[] = [[0x61, 0, 1, 12], [0x07, 0, 0, 0, 5], EXIT];
  const loaded = bpfProgLoad(machine, attrOf('xdp', code, { lineInfo }), { jit: compiler });
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  bpfProgFree(machine, loaded.prog);
  expect(calls(machine)).toEqual([
    'bpf_prog_load',
    'bpf_prog_alloc',
    'bpf_prog_alloc_no_stats',
    'bpf_prog_calc_tag',
    'convert_ctx_accesses',
    'bpf_patch_insn_single',
    'bpf_prog_realloc',
    'do_misc_fixups',
    'bpf_prog_select_runtime',
    'bpf_prog_alloc_jited_linfo',
    'bpf_int_jit_compile',
    'bpf_jit_blind_constants',
    'bpf_prog_clone_create',
    'bpf_patch_insn_single',
    'bpf_prog_realloc',
    'bpf_jit_prog_release_other',
    'bpf_prog_clone_free',
    '__bpf_prog_free',
    'bpf_prog_fill_jited_linfo',
    'bpf_prog_jit_attempt_done',
    'bpf_prog_free',
    '__bpf_prog_free',
  ]);
});

test('a load in which any allocation fails leaves nothing behind', () => {
  const attr = attrOf('xdp', [[0x61, 0, 1, 12], ...CODE], {
    lineInfo: [{ insnOff: 0, file: 0, line: 1, column: 0 }],
  });
  let before = {};
  const failures = failEach(
    () => {
      const machine = machineOf({ bpfJitHarden: 2 });
      before = account(machine);
      const call = (): void => {
        const loaded = bpfProgLoad(machine, attr);
        // A failure while blinding is none of the load.
        if (!loaded.ok) throw new Error(loaded.refusal.message);
        const why = auxOf(loaded.prog).whyInterpreted;
        bpfProgFree(machine, loaded.prog);
        if (why?.includes('told to fail')) throw new Error(why);
      };
      return { machine, call };
    },
    (machine, nth, error) => {
      expect(String(error)).toContain('told to fail');
      expect(account(machine), `allocation ${nth}`).toEqual(before);
    },
  );
  expect(failures).toBe(7);
});
