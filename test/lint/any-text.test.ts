import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { lint } from '#core/lint/lint.ts';

const REGISTER = fc.integer({ min: 0, max: 10 }).map((n) => `r${n}`);
const NUMBER = fc.constantFrom('0', '1', '-1', '7', '64', '0x7fffffff', '0x1ffffffff', '-600');
const LABEL = fc.constantFrom('a', 'b', 'c', '+0', '+1', '-2', '+900', 'data');
const LINE = fc.oneof(
  fc
    .tuple(REGISTER, fc.constantFrom('=', '+=', '/=', '<<=', 's>>='), fc.oneof(REGISTER, NUMBER))
    .map((all) => all.join(' ')),
  fc.tuple(REGISTER, REGISTER, NUMBER).map(([a, b, n]) => `${a} = *(u32 *)(${b} + ${n})`),
  fc.tuple(REGISTER, REGISTER, NUMBER).map(([a, b, n]) => `*(u64 *)(${a} + ${n}) = ${b}`),
  fc.tuple(REGISTER, NUMBER, LABEL).map(([a, n, l]) => `if ${a} > ${n} goto ${l}`),
  fc.tuple(fc.constantFrom('goto', 'gotol', 'may_goto', 'call'), LABEL).map((all) => all.join(' ')),
  fc.tuple(REGISTER, NUMBER).map(([a, n]) => `${a} = ${n} ll`),
  fc.constantFrom(
    'exit',
    'a:',
    'b:',
    'c:',
    'call 1',
    'call 9999',
    'callx r3',
    'call a',
    'r1 = m ll',
    '.quad 0xff',
    '.byte 1, 2',
    '.quad 0x95, 7',
  ),
  fc.constantFrom(
    '.section xdp',
    '.section tc',
    '.text',
    '.program raw',
    '.globl a',
    '.type a, @function',
    '.map m, hash, 4, 8, 1',
    '.data',
    'data: .quad a',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

test('any text: lint answers, and every range lies inside the text', () => {
  fc.assert(
    fc.property(fc.array(LINE, { maxLength: 30 }), (lines) => {
      const text = lines.join('\n');
      for (const { range, message, fix } of lint(assemble(text, { fileName: 'any.bpf.s' }))) {
        for (const { start, end } of [range, fix?.range ?? range]) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
        expect(message).not.toMatch(/undefined|NaN|\[object/);
      }
    }),
    { numRuns: 1500, seed: 20_240_906, interruptAfterTimeLimit: 15_000 },
  );
}, 40_000);
