import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { decodeInsn } from '#core/isa/decode.ts';
import { helperById } from '#core/isa/helpers.ts';
import { printInsn } from '#core/isa/print.ts';
import type { Dialect } from '#core/isa/template.ts';
import { bytesOf, findTool, recorded } from './recorded.ts';

const print = (hex: string, dialect: Dialect, names = {}) =>
  printInsn(decodeInsn(bytesOf(hex), 0), dialect, names);

describe('pseudo-C and GNU texts', () => {
  test.each([
    ['6112040000000000', 'r2 = *(u32 *)(r1 + 4)', 'ldxw %r2, [%r1+4]'],
    ['7b3af8ff00000000', '*(u64 *)(r10 - 8) = r3', 'stxdw [%r10-8], %r3'],
    ['720a000007000000', '*(u8 *)(r10 + 0) = 7', 'stb [%r10+0], 7'],
    ['6601020005000000', 'if w1 s> 5 goto +2', 'jsgt32 %r1, 5, +2'],
    ['0500fdff00000000', 'goto -3', 'ja -3'],
    ['0600000070110100', 'gotol +70000', 'jal +70000'],
    ['db21000000000000', 'lock *(u64 *)(r1 + 0) += r2', 'aadd [%r1+0], %r2'],
    ['db31f8ff01000000', 'r3 = atomic_fetch_add((u64 *)(r1 - 8), r3)', 'afadd [%r1-8], %r3'],
    ['c331f8fff1000000', 'w0 = cmpxchg32_32(r1 - 8, w0, w3)', 'acmp32 [%r1-8], %r3'],
    ['18010000050000000000000000000000', 'r1 = 5 ll', 'lddw %r1, 5'],
    ['18010000ffffffff00000000ffffffff', 'r1 = -1 ll', 'lddw %r1, -1'],
    ['18010000ffffffff0000000000000000', 'r1 = 0xffffffff ll', 'lddw %r1, 0xffffffff'],
    ['8500000001000000', 'call 1', 'call 1'],
    ['dc01000010000000', 'r1 = be16 r1', 'endbe %r1, 16'],
    ['3f21010000000000', 'r1 s/= r2', 'sdiv %r1, %r2'],
    ['bf21080000000000', 'r1 = (s8)r2', 'movs %r1, %r2, 8'],
    ['5020000005000000', 'r0 = *(u8 *)skb[r2 + 5]', 'ldindb %r2, 5'],
    ['5020000000000000', 'r0 = *(u8 *)skb[r2]', 'ldindb %r2, 0'],
    ['5020000000000080', 'r0 = *(u8 *)skb[r2 - 2147483648]', 'ldindb %r2, -2147483648'],
    ['8d03000000000000', 'callx r3', 'call %r3'],
    ['e500020000000000', 'may_goto +2', 'may_goto +2'],
    ['18110000030000000000000000000000', 'r1 = map_fd(3) ll', 'r1 = map_fd(3) ll'],
    ['ff12345678563412', '.quad 0x12345678563412ff', '.8byte 0x12345678563412ff'],
    ['07fb000001000080', '.quad 0x800000010000fb07', '.8byte 0x800000010000fb07'],
  ])('%s', (hex, pseudoc, gnu) => {
    expect(print(hex, 'pseudoc')).toBe(pseudoc);
    expect(print(hex, 'gnu')).toBe(gnu);
  });

  test('rewritten programs name the hidden register', () => {
    expect(print('bfb1000000000000', 'pseudoc')).toBe('r1 = ax');
    expect(print('bfb1000000000000', 'gnu')).toBe('mov %r1, %ax');
    expect(print('bfb1000000000000', 'kernel')).toBe('r1 = r11');
  });

  test('names stand instead of numbers where there are any', () => {
    const names = {
      target: (slot: number) => (slot === 3 ? 'out' : undefined),
      helper: (id: number) => helperById(id)?.name,
      func: (slot: number) => (slot === 6 ? 'count' : undefined),
      map: (ref: number) => (ref === 3 ? 'ports' : undefined),
    };
    expect(print('1501020000000000', 'pseudoc', names)).toBe('if r1 == 0 goto out');
    expect(print('1501030000000000', 'pseudoc', names)).toBe('if r1 == 0 goto +3');
    expect(print('8500000001000000', 'gnu', names)).toBe('call bpf_map_lookup_elem');
    expect(print('8510000005000000', 'pseudoc', names)).toBe('call count');
    expect(print('18110000030000000000000000000000', 'pseudoc', names)).toBe('r1 = map_fd(ports) ll');
    expect(print('18410000050000000000000000000000', 'pseudoc', names)).toBe('r1 = code_addr(count) ll');
  });

  test.each([
    ['a wide instruction without its second slot', '18010000ffffffff', '.quad 0xffffffff00000118'],
    [
      'a second slot with an opcode',
      '18010000010000000700000002000000',
      '.quad 0x0000000100000118, 0x0000000200000007',
    ],
    [
      'a map load with next_imm',
      '18110000030000000000000009000000',
      '.quad 0x0000000300001118, 0x0000000900000000',
    ],
    ['a register beyond AX', 'bfc1000000000000', '.quad 0x000000000000c1bf'],
    ['a local call whose target has no name', '8510000005000000', 'call pc+5'],
    ['a kernel function', '85200400e8030000', 'call kfunc(1000, 4)'],
  ])('%s prints as what assembles to the same bytes', (_name, hex, text) => {
    expect(print(hex, 'pseudoc')).toBe(text);
  });

  test('the kernel prints damaged instructions all the same', () => {
    expect(print('18010000010000000700000002000000', 'kernel')).toBe('r1 = 0x200000001');
    expect(print('bfc1000000000000', 'kernel')).toBe('r1 = r12');
  });
});

describe('kernel texts', () => {
  test.each(
    recorded<{ id: string; bytes: string; text: string }>('kernel-print.json').map((e) => [e.text, e]),
  )('%s, as the verifier prints it', (_text, { id, bytes, text }) => {
    const names = { helper: (n: number) => helperById(n)?.name };
    expect(decodeInsn(bytesOf(bytes), 0).row?.id).toBe(id);
    expect(print(bytes, 'kernel', names)).toBe(text);
  });

  // In a program that was compiled, the kernel's dump has the distance of a local call in `off`: no row.
  const xlated = recorded<{ bytes: string; text: string }>('xlated.json').filter(
    (e) => !e.bytes.startsWith('8510'),
  );

  test.each(xlated.map((e, i) => [i, e.text, e]))(
    '%i: %s, as bpftool prints it',
    (_index, _text, { bytes, text }) => {
      // What the recorded program called its functions is not in its bytes.
      const helper = /^call (\w+)#/.exec(text)?.[1];
      const padded = bytes.padEnd(bytes.startsWith('18') ? 32 : 16, '0');
      expect(print(padded, 'kernel', { helper: () => helper })).toBe(text);
    },
  );

  test('a function with a name is printed with its distance and name', () => {
    expect(print('851000000d000000', 'kernel', { func: () => 'bpf_prog_181a9f0a20d4932a_sub' })).toBe(
      'call pc+13#bpf_prog_181a9f0a20d4932a_sub',
    );
  });

  test('an unknown helper is called unknown', () => {
    expect(print('8500000088130000', 'kernel')).toBe('call unknown#5000');
  });
});

describe('printed text assembles to the same bytes', () => {
  test('by llvm-mc, where it is installed', () => {
    const tool = findTool(['llvm-mc-19', 'llvm-mc']);
    if (!tool) return;
    const known = recorded<{ text: string; bytes: string; by: string }>('encodings.json').filter(
      (entry) => entry.by === 'llvm-mc' && !entry.text.startsWith('ld_pseudo'),
    );
    const run = spawnSync(tool, ['-triple=bpfel', '-mcpu=v4', '-disassemble'], {
      input: known.map((entry) => `${entry.bytes.replaceAll(/../g, '0x$& ')}\n`).join(''),
      encoding: 'utf8',
    });
    const texts = run.stdout.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '));
    const printed = texts.filter((line) => line && line !== '.text');
    if (run.status !== 0 || printed.length !== known.length) {
      console.log(`oracle too old: ${tool}; the recorded texts alone were compared`);
      return;
    }
    // LLVM writes the low register for accesses of less than 8 bytes, and every 64-bit number in decimal.
    const same = (text: string) => text.replaceAll(/\bw(\d)/g, 'r$1');
    known.forEach(({ bytes }, i) => {
      const ours = print(bytes, 'pseudoc').replaceAll(/0x[0-9a-f]+(?= ll)/g, (n) =>
        String(BigInt.asIntN(64, BigInt(n))),
      );
      expect(same(ours)).toBe(same(printed[i] ?? ''));
    });
  });
});
