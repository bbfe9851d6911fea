import { expect, test } from 'vitest';
import { evaluateClassic } from '#core/cbpf/evaluate.ts';
import { seccompInput } from '#core/cbpf/packet-input.ts';
import { filtersOf } from '#core/cbpf/program.ts';
import { readClassic } from '#core/cbpf/read.ts';
import { seccompActionText, seccompData } from '#core/cbpf/seccomp.ts';
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
