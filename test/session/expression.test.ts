import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignExpression, evaluateExpression } from '#core/session/expression/eval.ts';
import { MAX_EXPRESSION_LENGTH } from '#core/session/expression/lex.ts';
import type { ExprEnv } from '#core/session/expression/value.ts';

const CONSTANTS = new Map([
  ['LIMIT', 14n],
  ['MINUS', -1n],
  ['XDP_DROP', 1n],
]);

/** r0…r10 hold 0x100·n + n, except r1 = 0x1000 (memory 00 01 02 … 0f) and r2 = −1. */
function environment(): ExprEnv & { readonly registers: bigint[]; readonly memory: Uint8Array } {
  const registers = Array.from({ length: 12 }, (_, n) => BigInt(0x101 * n));
  registers[1] = 0x1000n;
  registers[2] = 0xffff_ffff_ffff_ffffn;
  const memory = Uint8Array.from({ length: 16 }, (_, i) => i);
  const inside = (addr: bigint, size: number): boolean => addr >= 0x1000n && addr + BigInt(size) <= 0x1010n;
  return {
    registers,
    memory,
    readRegister: (reg) => registers[reg] ?? 0n,
    showsAx: () => true,
    nativeValue: () => undefined,
    writeRegister(reg, value) {
      if (reg >= 10) return 'not writable';
      registers[reg] = value;
      return undefined;
    },
    currentInsn: () => ({ dst: 3, src: 4, off: -8, imm: -1n }),
    readMemory(addr, size) {
      const at = Number(addr - 0x1000n);
      return inside(addr, size) ? memory.slice(at, at + size) : undefined;
    },
    writeMemory(addr, bytes) {
      if (!inside(addr, bytes.length)) return false;
      memory.set(bytes, Number(addr - 0x1000n));
      return true;
    },
    explainMemory: (addr, size) => `no ${size} bytes at 0x${addr.toString(16)}`,
    constant: (name) => CONSTANTS.get(name),
    map: (name) =>
      name === 'ports'
        ? {
            id: 1,
            name,
            keySize: 4,
            valueSize: 8,
            valueAddr: (key) => (key[0] === 80 && key[1] === 0 ? 0x1008n : undefined),
          }
        : name === 'routes'
          ? {
              id: 2,
              name,
              keySize: 16,
              valueSize: 3,
              valueAddr: (key) => (key[0] === 10 ? 0x1000n : undefined),
            }
          : undefined,
    address: (name) => (name === 'packet' ? 0x1000n : undefined),
    cells: () => undefined,
    names: () => ['r1', 'XDP_DROP', 'ports'],
  };
}

describe('evaluateExpression', () => {
  const values: readonly (readonly [text: string, bits: bigint, type: string])[] = [
    ['42', 42n, 's64'],
    ['0x2A', 42n, 's64'],
    ['0b101ull', 5n, 's64'],
    ['0xffffffffffffffff', 0xffff_ffff_ffff_ffffn, 'u64'],
    ['r3', 0x303n, 'u64'],
    ['%r3', 0x303n, 'u64'],
    ['R3', 0x303n, 'u64'],
    ['w2', 0xffff_ffffn, 'u32'],
    ['7 %r4', 7n, 'u64'],
    ['r3 %3', 0x303n % 3n, 'u64'],
    ['FP', 0xa0an, 'u64'],
    ['AX', 0xb0bn, 'u64'],
    ['ARG1', 0x1000n, 'u64'],
    ['CTX', 0x1000n, 'u64'],
    ['DST', 0x303n, 'u64'],
    ['SRC', 0x404n, 'u64'],
    ['OFF', 0xffff_ffff_ffff_fff8n, 's16'],
    ['IMM', 0xffff_ffff_ffff_ffffn, 's64'],
    ['r1 - 8', 0xff8n, 'u64'],
    ['r0 - 1', 0xffff_ffff_ffff_ffffn, 'u64'],
    ['r2 + 1', 0n, 'u64'],
    ['2 + 3 * 4', 14n, 's64'],
    ['(2 + 3) * 4', 20n, 's64'],
    ['1 << 2 + 1', 8n, 's64'],
    ['7 & 3 == 3', 1n, 's64'],
    ['1 | 2 ^ 3 & 1', 3n, 's64'],
    ['-7 / 2', 0xffff_ffff_ffff_fffdn, 's64'],
    ['-7 % 2', 0xffff_ffff_ffff_ffffn, 's64'],
    ['r2 / 2', 0x7fff_ffff_ffff_ffffn, 'u64'],
    ['-1 >> 1', 0xffff_ffff_ffff_ffffn, 's64'],
    ['r2 >> 63', 1n, 'u64'],
    ['1 << 64', 1n, 's64'],
    ['~0', 0xffff_ffff_ffff_ffffn, 's64'],
    ['!r0', 1n, 's64'],
    ['r2 == -1', 1n, 's64'],
    ['r2 < 0', 0n, 's64'],
    ['r2 s< 0', 1n, 's64'],
    ['(s64)r2 < 0', 1n, 's64'],
    ['r2 s>= 0', 0n, 's64'],
    ['-1 < 0', 1n, 's64'],
    ['r0 && *(u8 *)(0)', 0n, 's64'],
    ['r1 || *(u8 *)(0)', 1n, 's64'],
    ['r0 ? 1 : 2', 2n, 's64'],
    ['(u8)0x1ff', 0xffn, 'u8'],
    ['(s8)0xff', 0xffff_ffff_ffff_ffffn, 's8'],
    ['(be16)0x1234', 0x3412n, 'be16'],
    ['*(u8 *)(r1 + 4)', 4n, 'u8'],
    ['*(u32 *)(r1 + 4)', 0x0706_0504n, 'u32'],
    ['*(__be16 *)(r1 + 4)', 0x0405n, 'be16'],
    ['*(u64 *)r1', 0x0706_0504_0302_0100n, 'u64'],
    ['*(u16*)(packet+14)', 0x0f0en, 'u16'],
    ['LIMIT + 1', 15n, 's64'],
    ['MINUS', 0xffff_ffff_ffff_ffffn, 's64'],
    ['ports[80]', 0x0f0e_0d0c_0b0a_0908n, 'u64'],
    ['map_lookup(ports, 80)', 0x1008n, 'u64'],
    ['map_lookup(ports, 81)', 0n, 'u64'],
    ['&ports[80] + 1', 0x1009n, 'u64'],
    [`routes["0a${'00'.repeat(15)}"][2]`, 2n, 'u8'],
  ];
  test.each(values)('%s', (text, bits, type) => {
    const result = evaluateExpression(text, environment(), { assignments: false });
    expect(result).toMatchObject({ ok: true, value: { kind: 'int', bits, type } });
  });

  const wrong: readonly (readonly [text: string, message: string])[] = [
    ['', 'a register, number, constant, map or "(" expected, not end of the expression'],
    ['r1 +', 'a register, number, constant, map or "(" expected, not end of the expression'],
    ['r11', '"r11" is no register, constant or map; did you mean r1?'],
    ['XDP_DRPO', '"XDP_DRPO" is no register, constant or map; did you mean XDP_DROP?'],
    ['xyzzy', '"xyzzy" is no register, constant or map of this program'],
    ['12abc', '"12abc" is no number; write 10, 0x1f or 0b101'],
    ['0x', '"0x" is no number; write 10, 0x1f or 0b101'],
    [
      '0x1ffffffffffffffff',
      '0x1ffffffffffffffff does not fit in 64 bits; the largest value is 0xffffffffffffffff',
    ],
    ['*r1', 'say how much to read: *(u8 *), *(u16 *), *(u32 *), *(u64 *), s8…s64 or be16…be64'],
    ['(u32 *)(r1)', 'a pointer cast needs a * in front: *(u32 *)(r1 + 4)'],
    ['*(u32 *)(r1 + 14)', 'no 4 bytes at 0x100e'],
    ['1 / 0', 'division by zero'],
    ['1 % r0', 'remainder by zero'],
    ['(1', '")" expected before end of the expression'],
    ['ports[80', '"]" expected before end of the expression'],
    ['ports[81]', 'ports has no entry with this key (map_lookup gives 0 instead)'],
    ['ports[0x100000000]', 'a key of ports has 4 bytes; 0x100000000 does not fit'],
    ['routes[1]', `a key of routes has 16 bytes: write it in hex, routes["${'00'.repeat(16)}"]`],
    ['routes["0a"]', 'a key of routes has 16 bytes: write 32 hex digits'],
    ['ports + 1', 'ports is a map; look up an entry: ports[0]'],
    ['r1[0]', 'only maps have entries: ports[80]'],
    ['printf(1)', '"printf" cannot be called; there is map_lookup(MAP, KEY)'],
    ['map_lookup(ports)', 'map_lookup takes a map and a key: map_lookup(ports, 80)'],
    ['&r1', 'only memory has an address: &ports[80], &*(u32 *)(r1 + 4)'],
    ['r1 = 5', 'an assignment is possible in the debug console only; compare with =='],
    ['r1 r2', 'unexpected "r2"; an operator or the end was expected'],
    ['goto again', 'unexpected "again"; an operator or the end was expected'],
    ['r1 ? 2', '":" expected before end of the expression: a ? b : c'],
    ['"00" + 1', 'a string of bytes can only be a key or a new value: routes["0a000001"]'],
    ['"00', 'the string has no end; write the bytes in hex between two quotes: "0a000001"'],
    ['1 @ 2', 'unexpected character "@"'],
  ];
  test.each(wrong)('%s is refused', (text, message) => {
    const result = evaluateExpression(text, environment(), { assignments: false });
    expect(result).toMatchObject({ ok: false, error: { message } });
  });

  test.each([
    ['parentheses', '('.repeat(4000)],
    ['prefixes', '-'.repeat(4000)],
    ['a long sum', `${'1+'.repeat(2000)}1`],
    ['nested conditions', '1?'.repeat(2000)],
    ['nested indices', 'ports['.repeat(600)],
    ['too long a text', 'r'.repeat(MAX_EXPRESSION_LENGTH + 1)],
  ])('hostile: %s', (_, text) => {
    expect(() => evaluateExpression(text, environment(), { assignments: true })).not.toThrow();
  });

  test('never throws, whatever is typed', () => {
    const words = [
      'r1',
      'w2',
      'ports',
      '*',
      '(',
      ')',
      '[',
      ']',
      'u32',
      '-',
      '/',
      '0',
      '0x',
      '=',
      '?',
      ':',
      '"',
      '%',
      's<',
      '&',
    ];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom(...words)).map((all) => all.join(' ')),
        ),
        (text) => {
          const result = evaluateExpression(text, environment(), { assignments: true });
          expect(result.ok || result.error.message.length > 0).toBe(true);
        },
      ),
      { seed: 20_26, numRuns: 2000 },
    );
  });
});

describe('assignExpression', () => {
  test('a register, cut to nothing', () => {
    const env = environment();
    expect(assignExpression('r3', 'r3 + 1', env)).toMatchObject({ ok: true, value: { bits: 0x304n } });
    expect(env.registers[3]).toBe(0x304n);
  });

  test('a 32-bit register zeroes the upper half', () => {
    const env = environment();
    assignExpression('w2', '-2', env);
    expect(env.registers[2]).toBe(0xffff_fffen);
  });

  test('memory in either byte order', () => {
    const env = environment();
    assignExpression('*(u16 *)(r1 + 0)', '0x1234', env);
    assignExpression('*(be16 *)(r1 + 2)', '0x1234', env);
    expect([...env.memory.slice(0, 4)]).toEqual([0x34, 0x12, 0x12, 0x34]);
  });

  test('a map value, and one of three bytes', () => {
    const env = environment();
    assignExpression('ports[80]', '1', env);
    assignExpression(`routes["0a${'00'.repeat(15)}"]`, '"a1 a2:a3"', env);
    expect([...env.memory]).toEqual([0xa1, 0xa2, 0xa3, 3, 4, 5, 6, 7, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test.each([
    ['r10', '1', 'not writable'],
    ['5', '1', 'cannot be written; a register, memory or a map value can'],
    ['ports', '1', 'ports cannot be written; a register, memory or a map value can'],
    ['OFF', '1', 'OFF cannot be written; a register, memory or a map value can'],
    ['*(u8 *)(0)', '1', 'no 1 bytes at 0x0'],
    ['r1', 'r1 = 2', 'an assignment stands alone; use == to compare'],
    [`routes["0a${'00'.repeat(15)}"]`, '5', 'write the 3 bytes in hex between quotes: "000000"'],
  ])('%s = %s is refused', (target, value, message) => {
    expect(assignExpression(target, value, environment())).toMatchObject({ ok: false, error: { message } });
  });
});
