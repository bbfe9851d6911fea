import { describe, expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { lint } from '#core/lint/lint.ts';

/** `severity code: "text that is underlined" message` of each diagnostic, in the order of the text. */
function lintText(text: string): string[] {
  return lint(assemble(text, { fileName: 'prog.bpf.s' })).map(({ severity, code, range, message }) => {
    return `${severity} ${code} ${JSON.stringify(text.slice(range.start, range.end))}: ${message}`;
  });
}

const xdp = (body: string) => `.section xdp\nprog:\n${body}\n`;

describe('flow of control', () => {
  test.each([
    {
      name: 'jump out of program',
      text: xdp('  r0 = 0\n  goto +5\n  exit'),
      expected: [
        'error jump-out-of-program "goto +5": jump out of range from insn 1 to 7: prog has instructions 0 … 2',
        'hint unreachable "exit": unreachable code: no path leads to this instruction',
      ],
    },
    {
      name: 'jump before the program',
      text: xdp('  r0 = 0\n  if r0 == 0 goto -3\n  exit'),
      expected: [
        'error jump-out-of-program "if r0 == 0 goto -3": jump out of range from insn 1 to -1: prog has instructions 0 … 2',
      ],
    },
    {
      name: 'jump into another function',
      text: xdp('  call other\n  if r0 == 0 goto inside\n  exit\nother:\n  r0 = 0\ninside:\n  exit'),
      expected: [
        'error jump-out-of-program "if r0 == 0 goto inside": jump out of range from insn 1 to 4: that lies in other, which can be called but not jumped into from prog',
      ],
    },
    {
      name: 'jump into the middle of a wide instruction',
      text: xdp('  if r1 == 0 goto +1\n  r0 = 5 ll\n  exit'),
      expected: [
        'error jump-into-wide "if r1 == 0 goto +1": jump from insn 0 into the middle of the wide instruction at 1: jump to 1 or 3',
      ],
    },
    {
      name: 'fall through past the end',
      text: xdp('  r0 = 0\n  if r1 == 0 goto out\n  exit\nout:\n  r0 = 1'),
      expected: [
        'error falls-through "r0 = 1": execution runs past the end of prog: its last instruction must be exit or a jump',
      ],
    },
    {
      name: 'a last instruction that nothing leads to',
      text: xdp('  r0 = 0\n  exit\n  r0 = 1'),
      expected: [
        'error falls-through "r0 = 1": the last instruction of prog must be exit or a jump, also where no path leads to it',
        'hint unreachable "r0 = 1": unreachable code: no path leads to this instruction',
      ],
    },
    {
      name: 'no instruction at the end is one mistake',
      text: xdp('  r0 = 0\n  if r0 == 0 goto +1\n  exit\n  .quad 0xff'),
      expected: ['error unknown-opcode "0xff": unknown opcode ff: no instruction has the opcode 0xff'],
    },
    {
      name: 'missing exit',
      text: xdp('  r0 = 0\n  r0 += 1'),
      expected: ['error missing-exit "r0 += 1": prog has no exit: execution runs past its last instruction'],
    },
    {
      name: 'nothing at all',
      text: '.section xdp\nprog:\n',
      expected: [
        'warning missing-exit "prog": prog has no instructions; the shortest program is: r0 = 0; exit',
      ],
    },
    {
      name: 'a jump to a label with nothing behind it',
      text: xdp('  r0 = 0\n  if r0 == 0 goto end\n  exit\nend:'),
      expected: [
        'error jump-out-of-program "if r0 == 0 goto end": jump out of range from insn 1 to 3: prog has instructions 0 … 2',
      ],
    },
    {
      name: 'no exit can be reached',
      text: xdp('again:\n  r0 = 0\n  goto again\n  exit'),
      expected: [
        'warning missing-exit "r0 = 0": prog never returns: no exit can be reached from its first instruction',
        'hint unreachable "exit": unreachable code: no path leads to this instruction',
      ],
    },
    {
      name: 'unreachable code is one hint a run',
      text: xdp('  r0 = 0\n  exit\n  r0 = 1\n  r0 = 2\n  exit'),
      expected: [
        'hint unreachable "r0 = 1\\n  r0 = 2\\n  exit": unreachable code: no path leads to these 3 instructions',
      ],
    },
    {
      name: 'a loop with a way out is fine',
      text: xdp('  r0 = 10\nagain:\n  r0 += -1\n  if r0 != 0 goto again\n  exit'),
      expected: [],
    },
  ])('$name', ({ text, expected }) => expect(lintText(text)).toEqual(expected));

  test('the unreachable hint carries the unnecessary mark', () => {
    const text = xdp('  r0 = 0\n  exit\n  exit');
    expect(lint(assemble(text, { fileName: 'a.bpf.s' }))).toMatchObject([
      { code: 'unreachable', unnecessary: true },
    ]);
  });

  test('the fix of a missing exit adds one with the same indentation', () => {
    const text = xdp('  r0 = 0');
    const [diagnostic] = lint(assemble(text, { fileName: 'a.bpf.s' }));
    const at = text.indexOf('r0 = 0') + 'r0 = 0'.length;
    expect(diagnostic?.fix).toEqual({
      title: 'Add exit',
      newText: '\n  exit',
      range: { start: at, end: at },
    });
  });
});

describe('registers', () => {
  test.each([
    {
      name: 'R10 written',
      text: xdp('  r10 = 1\n  r0 = 0\n  exit'),
      expected: [
        'error frame-pointer-written "r10": frame pointer is read only: r10 cannot be written; copy it first: r2 = r10',
      ],
    },
    {
      name: 'no value at all',
      text: xdp('  r0 = r3\n  exit'),
      expected: [
        'error uninitialised-register "r3": r3 has no value here: nothing before this instruction gives it one',
      ],
    },
    {
      name: 'reported once, not at each later use',
      text: xdp('  r0 = r3\n  r0 += r3\n  exit'),
      expected: [
        'error uninitialised-register "r3": r3 has no value here: nothing before this instruction gives it one',
      ],
    },
    {
      name: 'the read one of two mentions',
      text: xdp('  r6 = r6\n  r0 = r6\n  exit'),
      expected: [
        'error uninitialised-register "r6": r6 has no value here: nothing before this instruction gives it one',
      ],
    },
    {
      name: 'a value on some paths only',
      text: xdp('  r2 = *(u32 *)(r1 + 12)\n  if r2 == 0 goto out\n  r3 = 1\nout:\n  r0 = r3\n  exit'),
      expected: [
        'warning uninitialised-register "r3": r3 may have no value here: not every path to this instruction gives it one',
      ],
    },
    {
      name: 'exit without a value in r0',
      text: xdp('  exit'),
      expected: [
        'error uninitialised-register "exit": r0 has no value here: exit returns r0; set it first, for example r0 = 0',
      ],
    },
    {
      name: 'clobbered by a call',
      text: xdp('  call bpf_ktime_get_ns\n  r0 = r1\n  exit'),
      expected: [
        'error uninitialised-register "r1": r1 has no value here: the call in line 3 clobbered it (r1-r5 do not survive a call); keep it in r6-r9 or on the stack',
      ],
    },
    {
      name: 'clobbered by a call in a loop',
      text: xdp(
        'again:\n  r0 = *(u32 *)(r1 + 12)\n  call bpf_get_prandom_u32\n  if r0 != 0 goto again\n  exit',
      ),
      expected: [
        'warning uninitialised-register "r1": r1 may have no value here: the call in line 5 clobbered it (r1-r5 do not survive a call); keep it in r6-r9 or on the stack',
      ],
    },
    {
      name: 'a helper argument without a value',
      text: xdp('  call bpf_xdp_adjust_head\n  exit'),
      expected: [
        'error uninitialised-register "call bpf_xdp_adjust_head": r2 has no value here, but bpf_xdp_adjust_head takes it as an argument: nothing before this instruction gives it one',
      ],
    },
    {
      name: 'an argument that a local function reads',
      text: xdp('  call add\n  exit\nadd:\n  r0 = r1\n  r0 += r2\n  exit'),
      expected: [
        'error uninitialised-register "call add": r2 has no value here: nothing before this instruction gives it one',
      ],
    },
    {
      name: 'raw programs have their length in r2',
      text: '.program raw\nmain:\n  r0 = r2\n  exit\n',
      expected: [],
    },
    {
      name: 'a function whose address is taken has arguments',
      text: xdp(
        '  r1 = 4\n  r2 = each ll\n  r3 = 0\n  r4 = 0\n  call bpf_loop\n  r0 = 0\n  exit\neach:\n  r0 = r1\n  r0 += r2\n  exit',
      ),
      expected: [],
    },
    {
      name: 'callee-saved registers survive',
      text: xdp('  r6 = r1\n  call bpf_ktime_get_ns\n  r0 = *(u32 *)(r6 + 12)\n  exit'),
      expected: [],
    },
  ])('$name', ({ text, expected }) => expect(lintText(text)).toEqual(expected));
});

describe('single instructions', () => {
  test.each([
    {
      name: 'below the stack frame',
      text: xdp('  r0 = 0\n  *(u64 *)(r10 - 520) = r0\n  exit'),
      expected: [
        'error stack-bounds "*(u64 *)(r10 - 520) = r0": 8 bytes at r10 - 520 lie outside the stack frame, which is r10 - 512 … r10 - 1',
      ],
    },
    {
      name: 'across the frame pointer',
      text: xdp('  r0 = *(u64 *)(r10 - 4)\n  exit'),
      expected: [
        'error stack-bounds "r0 = *(u64 *)(r10 - 4)": 8 bytes at r10 - 4 lie outside the stack frame, which is r10 - 512 … r10 - 1',
      ],
    },
    {
      name: 'the whole frame',
      text: xdp('  r0 = 0\n  *(u64 *)(r10 - 512) = r0\n  *(u8 *)(r10 - 1) = r0\n  exit'),
      expected: [],
    },
    {
      name: 'unknown helper number',
      text: xdp('  call 9999\n  r0 = 0\n  exit'),
      expected: [
        'warning unknown-helper "call 9999": there is no helper function number 9999; call a helper by name, or a program-local function by its label',
      ],
    },
    {
      name: 'shift beyond the width',
      text: xdp('  r0 = 1\n  w0 <<= 33\n  exit'),
      expected: [
        'warning shift-range "w0 <<= 33": invalid shift 33: a 32-bit shift uses the low 5 bits only, which are 1',
      ],
    },
    {
      name: 'division by the constant 0',
      text: xdp('  r0 = 1\n  r0 /= 0\n  exit'),
      expected: ['warning division-by-zero "r0 /= 0": div by zero: the result is 0; the verifier refuses it'],
    },
    {
      name: 'reserved field',
      text: xdp('  r0 = 0\n  .quad 0x00000000000100b7, 0xb7\n  exit'),
      expected: [
        expect.stringMatching(/^error reserved-field "0x00000000000100b7": .*uses reserved fields: /),
      ],
    },
    {
      name: 'unknown opcode',
      text: xdp('  .byte 0xff, 0, 0, 0, 0, 0, 0, 0\n  r0 = 0\n  exit'),
      expected: [expect.stringMatching(/^error unknown-opcode ".byte[^"]+": unknown opcode ff: /)],
    },
    {
      name: 'unused label',
      text: xdp('  r0 = 0\nhere:\n  exit'),
      expected: ['hint unused-label "here": nothing jumps to here or calls it'],
    },
    {
      name: 'context access that no field allows',
      text: xdp('  r0 = *(u64 *)(r1 + 0)\n  exit'),
      expected: [
        'error context-access "r0 = *(u64 *)(r1 + 0)": invalid bpf_context access off=0 size=8: data of struct xdp_md is 4 bytes at offset 0, read only',
      ],
    },
    {
      name: 'context access behind the last field',
      text: xdp('  r0 = *(u32 *)(r1 + 64)\n  exit'),
      expected: [
        'error context-access "r0 = *(u32 *)(r1 + 64)": invalid bpf_context access off=64 size=4: struct xdp_md has no field at offset 64 that a program of this type may access',
      ],
    },
    {
      name: 'a write to a field that is read only',
      text: xdp('  *(u32 *)(r1 + 4) = r1\n  r0 = 0\n  exit'),
      expected: [
        'error context-access "*(u32 *)(r1 + 4) = r1": invalid bpf_context access off=4 size=4: data_end of struct xdp_md is 4 bytes at offset 4, read only',
      ],
    },
    {
      name: 'stack frames that are too deep together',
      text: xdp(
        '  r1 = 0\n  *(u64 *)(r10 - 400) = r1\n  call deep\n  r0 = 0\n  exit\ndeep:\n  r1 = 0\n  *(u64 *)(r10 - 400) = r1\n  r0 = 0\n  exit',
      ),
      expected: [
        'error refused "call deep": combined stack size of 2 calls is 800. Too large: the frames along a chain of calls may have 512 bytes in all',
      ],
    },
    {
      name: 'a helper that programs of the type do not have',
      text: '.section raw_tp/x\nprog:\n  r2 = 4\n  call bpf_xdp_adjust_head\n  r0 = 0\n  exit\n',
      expected: [
        'error refused "call bpf_xdp_adjust_head": program of this type cannot use helper bpf_xdp_adjust_head#44',
      ],
    },
    {
      name: 'a packet load without a socket buffer',
      text: xdp('  r6 = r1\n  r0 = *(u8 *)skb[0]\n  exit'),
      expected: [
        'error refused "r0 = *(u8 *)skb[0]": BPF_LD_[ABS|IND] instructions not allowed for this program type',
      ],
    },
    {
      name: 'an argument that no tracepoint has',
      text: '.section raw_tp/x\nprog:\n  r0 = *(u64 *)(r1 + 96)\n  exit\n',
      expected: [
        'error context-access "r0 = *(u64 *)(r1 + 96)": invalid bpf_context access off=96 size=8: struct bpf_raw_tracepoint_args has no field at offset 96 that a program of this type may access',
      ],
    },
    {
      name: 'what an extension is given is its target’s business',
      text: '.section freplace/f\nprog:\n  r0 = *(u64 *)(r1 + 999)\n  r0 += r5\n  exit\n',
      expected: [],
    },
    {
      name: 'the same access in another program type',
      text: '.section socket\nprog:\n  r0 = *(u32 *)(r1 + 0)\n  exit\n',
      expected: [],
    },
  ])('$name', ({ text, expected }) => expect(lintText(text)).toEqual(expected));
});

describe('what the assembler finds', () => {
  test.each([
    {
      name: 'unknown mnemonic',
      text: xdp('  movv %r0, 0\n  exit'),
      expected: 'error unknown-mnemonic "movv": unknown instruction `movv`; did you mean `mov`?',
    },
    {
      name: 'unknown register',
      text: xdp('  r12 = 0\n  exit'),
      expected: 'error unknown-register "r12": there is no register r12; registers are r0 to r10',
    },
    {
      name: 'unknown helper',
      text: xdp('  call bpf_map_lookup_elm\n  exit'),
      expected:
        'error unknown-function "bpf_map_lookup_elm": unknown function or helper `bpf_map_lookup_elm`; did you mean `bpf_map_lookup_elem`?',
    },
    {
      name: 'unknown label',
      text: xdp('  r0 = 0\n  goto owt\nout:\n  exit'),
      expected: 'error unknown-label "owt": unknown label `owt`; did you mean `out`?',
    },
    {
      name: 'unknown constant',
      text: xdp('  r0 = XDP_PAS\n  exit'),
      expected: 'error unknown-symbol "XDP_PAS": unknown symbol `XDP_PAS`; did you mean `XDP_PASS`?',
    },
    {
      name: 'immediate out of range',
      text: xdp('  r0 = 0x1ffffffff\n  exit'),
      expected:
        'error immediate-range "0x1ffffffff": immediate 0x1ffffffff does not fit in 32 bits; use a 64-bit load: r0 = 0x1ffffffff ll',
    },
    {
      name: 'offset out of range',
      text: xdp('  r0 = *(u32 *)(r1 + 40000)\n  exit'),
      expected:
        'error offset-range "+ 40000": offset 40000 does not fit in 16 bits: -32768 to 32767; add it to the register first',
    },
    {
      name: 'a jump to data',
      text: `${xdp('  r0 = 0\n  goto value\n  exit')}.data\nvalue: .quad 1\n`,
      expected:
        'error jump-to-other-section "value": `value` is in section .data; a jump stays in its section (use `call`)',
    },
    {
      name: 'duplicate label',
      text: xdp('out:\n  r0 = 0\nout:\n  exit'),
      expected: 'error duplicate-label "out": `out` is already defined in line 3',
    },
    {
      name: 'syntax',
      text: xdp('  r0 = = 1\n  exit'),
      expected: expect.stringMatching(/^error unexpected-token "=": .* is expected here, not `=`$/),
    },
  ])('$name, and nothing more', ({ text, expected }) => {
    expect(lintText(text)).toEqual([expected]);
  });

  test('a function with a broken statement is spared what follows from its flow', () => {
    const found = lintText(xdp('  r0 = = 1\n  exit\nout:\n  r3 = r4\n'));
    expect(found.filter((line) => line.startsWith('error'))).toHaveLength(1);
  });

  test('the other functions are not', () => {
    const text = '.section xdp\na:\n  r0 = = 1\n  exit\n.section tc\nb:\n  r0 = r7\n  exit\n';
    expect(lintText(text).filter((line) => line.includes('uninitialised'))).toEqual([
      'error uninitialised-register "r7": r7 has no value here: nothing before this instruction gives it one',
    ]);
  });
});
