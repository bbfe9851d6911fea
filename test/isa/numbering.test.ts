import { expect, test } from 'vitest';
import { HELPERS, MAX_HELPER_ID } from '#core/isa/helpers.ts';
import { calledFunction, helperImm, kernelFunctionImm, kernelFunctionOfImm } from '#core/isa/numbering.ts';

test('every helper has an address of its own, far from every helper number', () => {
  const imms = HELPERS.map(({ id }) => helperImm(id) ?? 0);
  expect(new Set(imms).size).toBe(MAX_HELPER_ID);
  expect(Math.min(...imms)).toBeGreaterThan(1000 * MAX_HELPER_ID);
  for (const { id, name } of HELPERS) {
    const imm = helperImm(id) ?? 0;
    expect(kernelFunctionImm(name), name).toBe(imm);
    expect(kernelFunctionOfImm(imm)?.helper, name).toBe(id);
    expect(calledFunction(imm)?.helper, name).toBe(id);
    expect(calledFunction(id), name).toEqual({ name, helper: id });
  }
});

test('a function is called by its symbol', () => {
  expect(kernelFunctionOfImm(helperImm(7) ?? 0)).toEqual({ name: 'bpf_user_rnd_u32', helper: 7 });
  expect(kernelFunctionImm('bpf_user_rnd_u32')).toBe(kernelFunctionImm('bpf_get_prandom_u32'));
});

test.each(['bpf_skb_load_helper_8_no_cache', '__htab_map_lookup_elem', 'arch_bpf_timed_may_goto'])(
  '%s is no helper',
  (name) => {
    const imm = kernelFunctionImm(name);
    expect(kernelFunctionOfImm(imm)).toEqual({ name });
    expect(calledFunction(imm)).toEqual({ name });
  },
);

test('what is no function', () => {
  expect(kernelFunctionOfImm(1)).toBeUndefined();
  expect(kernelFunctionOfImm(0)).toBeUndefined();
  expect(calledFunction(0)).toBeUndefined();
  expect(calledFunction(MAX_HELPER_ID + 1)).toBeUndefined();
  expect(helperImm(0)).toBeUndefined();
  expect(helperImm(MAX_HELPER_ID + 1)).toBeUndefined();
  expect(() => kernelFunctionImm('printk')).toThrow('no kernel function is called printk');
});
