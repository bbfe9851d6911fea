import { describe, expect, test } from 'vitest';
import { UAPI_CONSTANTS, uapiConstant } from '#core/isa/constants.ts';
import * as helperIds from '#core/isa/helper-ids.ts';
import { HELPERS, helperById, helperByName, MAX_HELPER_ID } from '#core/isa/helpers.ts';
import { REGISTERS } from '#core/isa/registers.ts';

describe('helpers', () => {
  test('numbers run from 1 to the last without a gap', () => {
    expect(HELPERS.map((helper) => helper.id)).toEqual(
      Array.from({ length: MAX_HELPER_ID }, (_, i) => i + 1),
    );
  });

  test('names are unique and found again', () => {
    expect(new Set(HELPERS.map((helper) => helper.name)).size).toBe(HELPERS.length);
    for (const helper of HELPERS) {
      expect(helperByName(helper.name)).toBe(helper);
      expect(helperById(helper.id)).toBe(helper);
    }
  });

  test.each(HELPERS.map((helper) => [helper.name, helper] as const))(
    '%s is described whole',
    (name, helper) => {
      expect(name).toMatch(/^bpf_[a-z0-9_]+$/);
      expect(helper.signature).toContain(`${name}(`);
      expect(helper.args.length).toBeLessThanOrEqual(5);
      for (const arg of helper.args) {
        expect(arg.name).toMatch(/^\w+$/);
        expect(arg.type).not.toBe('');
        if (arg.kind === 'scalar' || arg.kind === 'size') expect(arg.type).not.toContain('*');
        else expect(arg.type).toMatch(/\*$/);
      }
      expect(helper.description).toMatch(/^[A-Z].*[.?]$/);
    },
  );

  test.each([
    ['bpf_map_update_elem', 2, 'long', ['map', 'key', 'value', 'scalar']],
    ['bpf_trace_printk', 6, 'long', ['mem', 'size']],
    ['bpf_tail_call', 12, 'long', ['ctx', 'map', 'scalar']],
    ['bpf_skb_load_bytes', 26, 'long', ['ctx', 'scalar', 'mem', 'size']],
    ['bpf_csum_diff', 28, 's64', ['mem', 'size', 'mem', 'size', 'scalar']],
    ['bpf_xdp_adjust_head', 44, 'long', ['ctx', 'scalar']],
    ['bpf_loop', 181, 'long', ['scalar', 'func', 'ptr', 'scalar']],
    ['bpf_cgrp_storage_delete', 211, 'long', ['map', 'ptr']],
    ['bpf_ktime_get_ns', 5, 'u64', []],
  ])('%s is number %i', (name, id, returns, kinds) => {
    const helper = helperByName(name);
    expect(helper).toMatchObject({ id, returns });
    expect(helper?.args.map((arg) => arg.kind)).toEqual(kinds);
  });

  test('what is not there is undefined', () => {
    expect([helperById(0), helperById(212), helperById(-1), helperByName('bpf_nothing')]).toEqual(
      Array(4).fill(undefined),
    );
  });

  test('only trace_printk takes further arguments', () => {
    expect(HELPERS.filter((helper) => helper.variadic).map((helper) => helper.name)).toEqual([
      'bpf_trace_printk',
    ]);
  });
});

describe('constants', () => {
  test('each name stands once and says what it means', () => {
    expect(new Set(UAPI_CONSTANTS.map((constant) => constant.name)).size).toBe(UAPI_CONSTANTS.length);
    for (const { name, meaning } of UAPI_CONSTANTS) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/);
      expect(meaning.length).toBeGreaterThan(0);
    }
  });

  test.each([
    ['XDP_PASS', 2n],
    ['TC_ACT_UNSPEC', -1n],
    ['TC_ACT_SHOT', 2n],
    ['TCX_NEXT', -1n],
    ['TCX_REDIRECT', 7n],
    ['BPF_RINGBUF_BUSY_BIT', 0x80000000n],
    ['BPF_NOEXIST', 1n],
    ['BPF_MAP_TYPE_PROG_ARRAY', 3n],
    ['BPF_MAP_TYPE_ARENA', 33n],
    ['BPF_PROG_TYPE_XDP', 6n],
    ['BPF_PROG_TYPE_NETFILTER', 32n],
    ['BPF_F_CURRENT_CPU', 0xffffffffn],
    ['SKF_NET_OFF', -0x100000n],
    ['ETH_P_IPV6', 0x86ddn],
    ['IPPROTO_UDP', 17n],
    ['BPF_STORE_REL', 0x110n],
  ])('%s is %i', (name, value) => {
    expect(uapiConstant(name)?.value).toBe(value);
  });

  test('case counts', () => {
    expect(uapiConstant('xdp_pass')).toBeUndefined();
  });
});

test('registers stand at their numbers', () => {
  expect(REGISTERS.map((register) => register.number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(REGISTERS[10]).toMatchObject({ name: 'r10', lowName: 'w10', saved: 'frame' });
});

test.each(Object.entries(helperIds))('%s is the number of its helper', (name, id) => {
  expect(helperById(id)?.name).toBe(name.replace('BPF_FUNC_', 'bpf_').toLowerCase());
});
