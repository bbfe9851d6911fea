import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findRow, TABLE_ROWS } from '#core/isa/decode.ts';
import { encodeRow } from '#core/isa/encode.ts';
import { readInsn } from '#core/isa/insn.ts';
import { insnProblem } from '#core/isa/problems.ts';
import { sampleOperands } from '#scripts/isa-samples.ts';
import { bytesOf, recorded } from './recorded.ts';

const refusals = recorded<{ name: string; bytes: string; message: string }>('kernel-refusals.json');

describe('malformed instructions', () => {
  test.each(refusals.map((entry) => [entry.name, entry]))('%s: the verifier’s text', (_name, entry) => {
    expect(insnProblem(bytesOf(entry.bytes), 0)?.message).toBe(entry.message);
  });

  test.each([
    ['8d01000000000000', 'unknown-opcode', 'Linux has no call through a register'],
    ['ff00000000000000', 'unknown-opcode', 'no instruction has the opcode 0xff'],
    ['f500000000000000', 'rewritten-only', 'tail_call exists only in rewritten programs'],
    ['bf10ffff00000000', 'rewritten-only', 'mov64_percpu exists only in rewritten programs'],
    ['bc11000001000000', 'rewritten-only', 'mov32_zext exists only in rewritten programs'],
    ['2110000000000000', 'rewritten-only', 'probe_ldxw exists only in rewritten programs'],
    ['0700010001000000', 'reserved-field', 'off is 1; it must be 0'],
    ['3701020005000000', 'reserved-field', 'off is 2; it must be 0, 1'],
    ['8700000001000000', 'reserved-field', 'imm is 1; it must be 0'],
    ['d400000008000000', 'reserved-field', 'imm is 8; it must be 0x10, 0x20, 0x40'],
    ['8530000005000000', 'reserved-field', 'src_reg is 3; it must be 0, 1, 2'],
    ['9500000001000000', 'reserved-field', 'imm is 1; it must be 0'],
    ['b70b000000000000', 'register-range', 'dst_reg is 11; a program may name R0 to R10'],
    ['bfc0000000000000', 'register-range', 'src_reg is 12; a program may name R0 to R10'],
    ['1800000000000000', 'incomplete-wide', 'the second is missing'],
    ['18000000000000000700000000000000', 'incomplete-wide', 'of the second slot must be 0'],
    ['18110000000000000000000001000000', 'reserved-field', 'next_imm of a map load must be 0'],
  ])('%s is %s: %s', (hex, code, hint) => {
    const problem = insnProblem(bytesOf(hex), 0);
    expect(problem?.code).toBe(code);
    expect(problem?.hint).toContain(hint);
  });

  test.each([
    ['9500000001000000', 'BPF_EXIT uses reserved fields'],
    ['1800000000000000', 'invalid bpf_ld_imm64 insn'],
    ['18110000000000000000000001000000', 'unrecognized bpf_ld_imm64 insn'],
  ])('%s: %s', (hex, message) => {
    expect(insnProblem(bytesOf(hex), 0)?.message).toBe(message);
  });
});

test.each([
  ['8d01000000000000', true],
  ['f500000000000000', true],
  ['6110000005000000', true],
  ['1800000000000000', true],
  ['18700000000000000000000000000000', true],
  ['18000100000000000000000000000000', false],
  ['61f0000000000000', false],
  ['bf10ffff00000000', false],
  ['9500000001000000', false],
])('%s: seen before paths are followed: %s', (hex, early) => {
  expect(insnProblem(bytesOf(hex), 0)?.early).toBe(early);
});

describe('well-formed instructions', () => {
  test.each(TABLE_ROWS.map((row) => [row.id, row] as const))('%s is judged as its row says', (_id, row) => {
    const refused = Boolean(row.rewrittenOnly) || row.id === 'callx';
    for (const operands of sampleOperands(row)) {
      expect(insnProblem(encodeRow(row, operands), 0) !== undefined).toBe(refused);
    }
  });

  test('any slot without a row is refused, and every message says something', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const problem = insnProblem(bytes, 0);
        if (!findRow(readInsn(bytes, 0))) expect(problem).toBeDefined();
        if (problem) expect(problem.message.length * problem.hint.length).toBeGreaterThan(0);
      }),
      { seed: 20261122, numRuns: 3000 },
    );
  });
});
