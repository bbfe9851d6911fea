import { describe, expect, test } from 'vitest';
import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { seccompInput } from '#core/cbpf/packet-input.ts';
import { filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { seccompActionText, seccompData } from '#core/cbpf/seccomp.ts';
import { looksLikeSeccomp, seccompNotes } from '#core/cbpf/seccomp-flow.ts';
import { SYSCALLS } from '#core/cbpf/syscalls.ts';

const FILTER = `
	ld [4]
	jne #0xc000003e, bad
	ld [0]
	jeq #257, file		; openat
	ret #0x7fff0000
file:	ld [32]			; flags, low half
	jset #1, deny
	ret #0x7fff0000
deny:	ret #0x00050001
bad:	ret #0x80000000
`;

test.each<[Record<string, string>, string]>([
  [{ nr: 'read' }, 'SECCOMP_RET_ALLOW'],
  [{ nr: 'openat', 'args[2]': '0' }, 'SECCOMP_RET_ALLOW'],
  [{ nr: 'openat', 'args[2]': '0x241' }, 'SECCOMP_RET_ERRNO (1)'],
  [{ nr: '257', 'args[2]': '1' }, 'SECCOMP_RET_ERRNO (1)'],
  [{ nr: 'openat', arch: 'arm64' }, 'SECCOMP_RET_KILL_PROCESS'],
])('%o → %s', (fields, want) => {
  const made = seccompData(fields);
  if (!made.ok) throw new Error(made.message);
  const result = evaluateClassic(filtersOf(readClassic(FILTER).value), seccompInput(made.data));
  expect(result.kind === 'return' && seccompActionText(result.value)).toBe(want);
});

test('numbers of both architectures', () => {
  // asm/unistd_64.h and asm-generic/unistd.h
  const known = { read: [0, 63], openat: [257, 56], execve: [59, 221], mmap: [9, 222], bpf: [321, 280] };
  for (const [name, [x86, arm]] of Object.entries(known)) {
    expect([SYSCALLS['x86-64'].get(name), SYSCALLS.arm64.get(name)]).toEqual([x86, arm]);
  }
  expect([SYSCALLS['x86-64'].get('open'), SYSCALLS.arm64.get('open')]).toEqual([2, undefined]);
});

test.each(['arm64', 'aarch64', 'AUDIT_ARCH_AARCH64', '0xc00000b7', '3221225655'])(
  'arch %s is one whose system calls have names',
  (arch) => {
    const made = seccompData({ nr: 'openat', arch });
    expect(made.ok && Buffer.from(made.data.subarray(0, 8)).toString('hex')).toBe('38000000b70000c0');
  },
);

test('every field has its place', () => {
  const made = seccompData({
    nr: '1',
    arch: '0x12345678',
    instruction_pointer: '0x1122334455667788',
    'args[0]': '2',
    'args[5]': '0xffffffffffffffff',
  });
  expect(made.ok && Buffer.from(made.data).toString('hex')).toBe(
    `01000000785634128877665544332211${'0200000000000000'}${'00'.repeat(32)}${'ff'.repeat(8)}`,
  );
});

test.each<[Record<string, string>, RegExp]>([
  [{ nr: 'opena' }, /x86-64 has no such system call; did you mean open\?/],
  [{ nr: 'open', arch: 'arm64' }, /arm64 has no such system call/],
  [{ nr: 'open', arch: '5' }, /give a number/],
  [{ arch: 'vax' }, /must be x86-64, arm64 or a number/],
  [{ arch: 'toString' }, /must be x86-64, arm64 or a number/],
  [{ 'args[6]': '1' }, /has no args\[6\]/],
  [{ 'args[0]': '-1' }, /unsigned number of 64 bits/],
])('%o is refused', (fields, want) => {
  const made = seccompData(fields);
  expect(made.ok).toBe(false);
  if (!made.ok) expect(made.message).toMatch(want);
});

test('an action that is none kills', () => {
  expect(seccompActionText(0x12345678)).toMatch(/process is killed/);
});

describe('seccompNotes', () => {
  const notes = (text: string) => {
    const { value, diagnostics } = readClassic(text);
    expect(diagnostics).toEqual([]);
    return seccompNotes(filtersOf(value));
  };

  test('a number is a system call of those architectures that are left', () => {
    const text = `ld [4]
      jeq #0xc00000b7, arm
      jne #0xc000003e, bad
      ld [0]
      jeq #56, bad
      ret #0x7fff0000
      arm: ld [0]
      jeq #56, bad
      ret #0x7fff0000
      bad: ret #0x80000000`;
    const found = notes(text);
    expect([found[1], found[2]]).toEqual(['AUDIT_ARCH_AARCH64', 'AUDIT_ARCH_X86_64']);
    expect([found[4], found[7]]).toEqual(['clone', 'openat']);
  });

  test('where any architecture can be meant, each name is told with its own', () => {
    expect(notes('ld [0]\njeq #56, l1\nl1: ret #0')[1]).toBe('clone (x86-64), openat (arm64)');
    expect(notes('ld [0]\njeq #424, l1\nl1: ret #0')[1]).toBe('pidfd_send_signal');
  });

  test('what an unknown architecture compares with has no name', () => {
    expect(notes('ld [4]\njne #0x40000003, l1\nld [0]\njeq #2, l1\nl1: ret #0').slice(1, 4)).toEqual([
      'AUDIT_ARCH_I386',
      'nr',
      undefined,
    ]);
  });

  test('values are followed through X and scratch memory, and lost by arithmetic', () => {
    const text =
      'ld [0]\nst M[2]\ntax\nld [16]\nld M[2]\njeq #0, l1\ntxa\njeq #0, l1\nand #1\njeq #0, l1\nl1: ret #0';
    const found = notes(text);
    expect([found[3], found[5], found[7], found[9]]).toEqual([
      'args[0] (low half)',
      'read (x86-64), io_setup (arm64)',
      'read (x86-64), io_setup (arm64)',
      undefined,
    ]);
  });

  test('where paths with different values meet, nothing is said', () => {
    expect(notes('ld [0]\njeq #1, l1\nld [16]\nl1: jeq #0, l2\nl2: ret #0')[3]).toBeUndefined();
  });

  test('the bit of x32 is named, actions with their data', () => {
    const found = notes('ld [0]\njset #0x40000000, l1\nret #0x7fff0000\nl1: ret #0x00050026');
    expect(found.slice(1)).toEqual(['__X32_SYSCALL_BIT', 'SECCOMP_RET_ALLOW', 'SECCOMP_RET_ERRNO (38)']);
  });
});

test.each([
  [
    'compares a system call and returns actions',
    'ld [0]\njeq #1, l1\nret #0x7fff0000\nl1: ret #0x80000000',
    true,
  ],
  ['accepts bytes', 'ld [0]\nret #0x40000', false],
  ['drops only', 'ld [0]\nret #0', false],
  ['reads a packet', 'ldh [12]\nret #0x7fff0000', false],
  ['looks at no system call', 'ld [16]\nret #0x7fff0000', false],
])('a program that %s: meant for seccomp %s', (_, text, is) => {
  expect(looksLikeSeccomp(filtersOf(readClassic(text).value))).toBe(is);
});
