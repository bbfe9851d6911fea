import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepareInput } from '#core/ctx/setup.ts';
import { expressionEnv } from '#core/session/environment.ts';
import { compileCondition } from '#core/session/expression/compile.ts';
import { evaluateParsed } from '#core/session/expression/eval.ts';
import { parseExpression } from '#core/session/expression/parse.ts';
import { ExprFailure } from '#core/session/expression/value.ts';
import { loadSession } from '#core/session/load-session.ts';

const SEED = 0xc0de;

const SOURCE = `.map ports, array, 4, 2, 4
.map bytes, hash, 1, 8, 4
.equ LIMIT, -7
.section xdp,"ax"
.globl main
.type main, @function
main:
	r2 = ports ll
	r3 = bytes ll
	r0 = XDP_PASS
	exit
	.size main, .-main
`;

const loading = loadSession({ fileName: '/p.bpf.s', source: new TextEncoder().encode(SOURCE) }, false);
if (!loading.ok) throw new Error(loading.problem.message);
const { loaded } = loading;
const { machine, cpu, main } = loaded;
const [packet] = loaded.packets;
if (packet === undefined) throw new Error('no packet');
const prepared = prepareInput(machine, cpu.index, main.prog, packet.input);
machine.enter(cpu, main.prog, prepared.r1, prepared.r2);
const env = expressionEnv(loaded, () => 0);
for (const key of [0, 3, 0x80, 0xff]) {
  loaded.maps.get('bytes')?.update(Uint8Array.of(key), Uint8Array.of(key, 0, 0, 0, 0, 0, 0, key), 0n);
}
loaded.maps.get('ports')?.update(Uint8Array.of(2, 0, 0, 0), Uint8Array.of(7, 9), 0n);

const numbers = fc.oneof(
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  fc.integer({ min: 0, max: 70 }).map(BigInt),
  fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x8000_0000_0000_0000n, 2n ** 64n - 1n),
);
const names = [
  'r0',
  'r1',
  'r6',
  'w0',
  'w6',
  'r10',
  'FP',
  'packet',
  'ctx',
  'LIMIT',
  'XDP_TX',
  'IMM',
  'OFF',
  'SRC',
];
const types = ['u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', 's64', 'be16', 'be32', 'be64'];
const operators = ['+', '-', '*', '/', '%', '<<', '>>', '&', '|', '^', '&&', '||', '==', '!='];
const relations = ['<', '>', '<=', '>=', 's<', 's>', 's<=', 's>='];

const { text } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      numbers.map((n) => `0x${n.toString(16)}`),
      fc.constantFrom(...names, 'nothing', 'ports', 'A'),
    ),
    fc.tuple(fc.constantFrom('-', '~', '!', '&'), tie('text')).map(([op, of]) => `${op}(${of})`),
    fc
      .tuple(tie('text'), fc.constantFrom(...operators, ...relations), tie('text'))
      .map(([a, op, b]) => `(${a}) ${op} (${b})`),
    fc.tuple(fc.constantFrom(...types), tie('text')).map(([type, of]) => `(${type})(${of})`),
    fc
      .tuple(
        fc.constantFrom(...types),
        fc.constantFrom('packet', 'r10', 'r1', 'ctx'),
        fc.integer({ min: -64, max: 64 }),
      )
      .map(([type, from, by]) => `*(${type} *)(${from} + (${by}))`),
    fc.tuple(tie('text'), tie('text'), tie('text')).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
    tie('text').map((key) => `ports[(${key}) & 7]`),
    tie('text').map((key) => `ports[${key}]`),
    tie('text').map((key) => `bytes[(s8)(${key})]`),
    tie('text').map((key) => `bytes[(${key}) & 1023]`),
    tie('text').map((key) => `map_lookup(ports, (${key}) & 3)`),
  ),
}));

test(`compiled conditions hold where their trees do and fail with the same words (seed ${SEED})`, () => {
  const outcomes = { true: 0, false: 0, failed: 0, 'left to the tree': 0 };
  fc.assert(
    fc.property(text, fc.array(numbers, { minLength: 3, maxLength: 3 }), (source, values) => {
      for (const [i, reg] of [0, 1, 6].entries()) cpu.writeReg(reg, values[i] ?? 0n);
      const parsed = parseExpression(source);
      if (!parsed.ok) throw new Error(`${source}: ${parsed.error.message}`);
      const compiled = compileCondition(parsed.expr, { machine, cpu, env });
      if (compiled === undefined) {
        outcomes['left to the tree']++;
        return;
      }
      const tree = evaluateParsed(parsed.expr, env, { assignments: false });
      let got: boolean | string;
      try {
        got = compiled();
      } catch (error) {
        if (!(error instanceof ExprFailure)) throw error;
        got = error.message;
      }
      if (!tree.ok) {
        expect(got, source).toBe(tree.error.message);
        outcomes.failed++;
      } else if (tree.value.kind === 'int') {
        expect(got, source).toBe(tree.value.bits !== 0n);
        outcomes[got === true ? 'true' : 'false']++;
      } else expect(got, source).toBeTypeOf('string');
    }),
    { seed: SEED, numRuns: 20_000 },
  );
  console.log('conditions:', outcomes);
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(200);
});
