import { describe, expect, test } from 'vitest';
import { argumentsOf } from '#core/prog/extension-args.ts';
import { ctxAt, PTR, SCALAR } from '#core/prog/lattice.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { attrOf, EXIT, R0_0 } from './build.ts';
import { linked, loadNamed, tryLoad } from './extensions.ts';
import { account, calls, machineOf } from './shells.ts';

function refusal(result: ReturnType<typeof tryLoad>): string {
  return result.ok ? '' : result.refusal.message;
}

test.each([
  ['of_static', 'Cannot replace static functions: hidden has to be global (.globl hidden)'],
  ['of_nobody', "Subprog nobody doesn't exist: main has main, count, hidden"],
])('%s: %s', (name, message) => {
  const machine = machineOf();
  const main = loadNamed(machine, 'main');
  const before = account(machine);
  expect(refusal(tryLoad(machine, name, main))).toBe(message);
  expect(account(machine)).toEqual(before);
  expect(calls(machine)).toContain('bpf_check_attach_target');
});

test('an extension without a target, a target for what is no extension', () => {
  const machine = machineOf();
  expect(refusal(tryLoad(machine, 'plus_length'))).toContain('Tracing programs must provide btf_id');
  const main = loadNamed(machine, 'main');
  const before = account(machine);
  expect(refusal(tryLoad(machine, 'main', main))).toContain(
    'only extensions (freplace/FUNC) have a target (EINVAL)',
  );
  expect(account(machine)).toEqual(before);
});

test('an extension is not extended', () => {
  const machine = machineOf();
  const main = loadNamed(machine, 'main');
  const ext = loadNamed(machine, 'plus_length', main);
  const onExt = bpfProgLoad(
    machine,
    { ...attrOf('ext', [R0_0, EXIT]), attachTo: 'plus_length' },
    { dstProg: { prog: ext, func: 'plus_length' } },
  );
  expect(refusal(onExt)).toBe('Cannot recursively attach: the target is an extension itself');
});

test('without a JIT there are no extensions', () => {
  const machine = machineOf({ bpfJitEnable: 0 });
  const main = loadNamed(machine, 'main');
  expect(refusal(tryLoad(machine, 'plus_length', main))).toContain('Extension programs should be JITed');
});

describe('the packet', () => {
  const text = (inMain: string, inExt: string) => `
.section xdp,"ax",@progbits
.globl main
main:
  r6 = r1
  call f
  r0 = 2
  exit
.text
.globl f
.type f,@function
f:
  ${inMain}
  r0 = 0
  exit
.section freplace/f,"ax",@progbits
.globl ext
ext:
  ${inExt}
  r0 = 0
  exit
.text
.type helper_user,@function
helper_user:
  r2 = 4
  call bpf_xdp_adjust_head
  exit
`;
  const CHANGE = 'r2 = 4\n  call bpf_xdp_adjust_head';
  test.each([
    ['neither changes it', '', '', ''],
    ['only the function', CHANGE, '', ''],
    ['both', CHANGE, CHANGE, ''],
    ['only the extension', '', CHANGE, 'Extension program changes packet data, while original does not'],
    [
      'the extension in a function',
      '',
      'call helper_user',
      'Extension program changes packet data, while original does not',
    ],
    ['the function in another, the extension itself', 'call helper_user', CHANGE, ''],
  ])('%s', (_, inMain, inExt, message) => {
    const machine = machineOf();
    const source = text(inMain, inExt);
    const main = loadNamed(machine, 'main', undefined, source);
    expect(refusal(tryLoad(machine, 'ext', main, source))).toBe(message);
  });
});

describe('what a function is given', () => {
  const given = (body: string, fn = 'f') => {
    const machine = machineOf();
    const source = `.section xdp,"ax",@progbits\n.globl main\nmain:\n${body}\nr0 = 2\nexit\n.text\n.globl f\n.type f,@function\nf:\nr0 = 0\nexit`;
    const { insns, kinds, attr } = loadNamed(machine, 'main', undefined, source);
    const starts = kinds.subprogs.map(({ start }) => start);
    const index = attr.funcs.findIndex(({ name }) => name === fn);
    return argumentsOf({ insns, progType: 'xdp', maps: attr.maps, starts }, index);
  };

  test('the context stays the context, a number any number, stack a pointer; what is not given has no value', () => {
    const args = given('r2 = 5\nr3 = r10\nr3 += -8\ncall f');
    expect(args.regs.slice(1, 4)).toEqual([ctxAt(0), SCALAR, PTR]);
    expect([args.must, args.may]).toEqual([0b1110, 0b1110]);
  });

  test('of several callers: what all of them give', () => {
    const args = given('r6 = r1\nr2 = 5\ncall f\nr1 = r6\ncall f');
    expect(args.regs[1]).toBe(ctxAt(0));
    expect([args.must, args.may]).toEqual([0b10, 0b110]);
  });

  test('the main function is given what the type says', () => {
    expect(given('call f', 'main')).toMatchObject({ must: 0b10, may: 0b10 });
  });
});

test('an extension is checked and rewritten as its target', () => {
  const machine = machineOf();
  const source = (progType: string, off: number) => `
.section ${progType},"ax",@progbits
.globl main
main:
  call f
  exit
.text
.globl f
.type f,@function
f:
  r0 = 0
  exit
.section freplace/f,"ax",@progbits
.globl ext
ext:
  r0 = *(u32 *)(r1 + ${off})
  exit
`;
  for (const [section, off, message] of [
    ['xdp', 12, ''],
    ['xdp', 20, 'invalid bpf_context access off=20 size=4'],
    ['tc', 20, ''],
    ['socket', 76, 'invalid bpf_context access off=76 size=4'],
    ['tc', 76, ''],
    ['raw_tp/x', 92, ''],
    ['raw_tp/x', 96, 'invalid bpf_context access off=96 size=4'],
  ] as const) {
    const text = source(section, off);
    const main = loadNamed(machine, 'main', undefined, text);
    expect(refusal(tryLoad(machine, 'ext', main, text)), `${section} ${off}`).toBe(message);
  }
  expect(linked('ext', source('xdp', 12))).toMatchObject({ progType: 'ext', attachTo: 'f' });
});
