import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nodeHash } from '#core/platform/node/hash.ts';
import { bpfProgCalcTag, tagHash, tagText } from '#core/prog/bpf-prog-calc-tag.ts';
import { parseKernelVersion } from '#core/vm/settings.ts';
import { bytesOf, EXIT, R0_0, type Slot, unhex } from './build.ts';
import { vectors } from './vectors.ts';

const version = (text: string) => {
  const parsed = parseKernelVersion(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};
const tag = (insns: Uint8Array, kernel: string) =>
  tagText(bpfProgCalcTag(insns, nodeHash, version(kernel)).tag);

test('tags are those that Linux 6.18 gave', () => {
  const other = vectors.filter((each) => tag(unhex(each.insns), '6.18.44-fc-v769') !== each.tag);
  console.log(`vectors: ${vectors.length - other.length} of ${vectors.length} tags equal`);
  expect(vectors.length).toBe(400);
  expect(other.map((each) => each.name)).toEqual([]);
});

/** Programs so short that their tags are in many a listing of `bpftool prog`. */
test.each([
  ['r0 = 0; exit', 'b7000000000000009500000000000000', 'a04f5eef06a7f555'],
  ['r0 = 2; exit (XDP_PASS)', 'b7000000020000009500000000000000', '3b185187f1855c4c'],
])('SHA-1 tag of %s is the one that kernels before 6.18 show', (_, hex, published) => {
  const independent = createHash('sha1').update(unhex(hex)).digest('hex').slice(0, 16);
  expect(tag(unhex(hex), '6.12')).toBe(independent);
  expect(tag(unhex(hex), '6.12')).toBe(published);
});

describe('references to maps', () => {
  const withMap = (src: number, imm: number, next: number): Uint8Array => {
    const code: Slot[] = [[0x18, 1, src, 0, imm], [0, 0, 0, 0, next], R0_0, EXIT];
    return bytesOf(code);
  };

  test.each([
    ['BPF_PSEUDO_MAP_FD', 1, '4.10', true],
    ['BPF_PSEUDO_MAP_FD', 1, '6.18', true],
    ['BPF_PSEUDO_MAP_VALUE before 5.2', 2, '5.1', false],
    ['BPF_PSEUDO_MAP_VALUE from 5.2 on', 2, '5.2', true],
    ['BPF_PSEUDO_MAP_VALUE', 2, '6.18', true],
    ['a plain 64-bit constant', 0, '6.18', false],
    ['BPF_PSEUDO_FUNC', 4, '6.18', false],
    ['BPF_PSEUDO_MAP_IDX', 5, '6.18', false],
  ])('%s: both halves %#', (_, src, kernel, zeroed) => {
    const plain = tag(withMap(src, 0, 0), kernel);
    expect(tag(withMap(src, 7, 0), kernel) === plain).toBe(zeroed);
    expect(tag(withMap(src, 0, 9), kernel) === plain).toBe(zeroed);
  });

  test('what follows a map load counts', () => {
    const a = bytesOf([[0x18, 1, 1, 0, 5], [0], [0xb7, 0, 0, 0, 1], EXIT]);
    const b = bytesOf([[0x18, 1, 1, 0, 5], [0], [0xb7, 0, 0, 0, 2], EXIT]);
    expect(tag(a, '6.18')).not.toBe(tag(b, '6.18'));
  });

  test('the program itself is left alone, a cut-off wide load too', () => {
    const insns = withMap(1, 7, 9);
    const before = insns.slice();
    tag(insns, '6.18');
    expect(insns).toEqual(before);
    expect(tag(insns.slice(0, 8), '6.18')).toMatch(/^[0-9a-f]{16}$/);
  });
});

test.each([
  ['4.9', undefined],
  ['4.10', 'sha1'],
  ['5.15.0-91-generic', 'sha1'],
  ['6.17.9', 'sha1'],
  ['v6.18-rc1', 'sha256'],
  ['7.0', 'sha256'],
])('Linux %s: %s', (text, hash) => {
  expect(tagHash(version(text))).toBe(hash);
});

test('a kernel without tags is refused with the version that brought them', () => {
  expect(() => tag(bytesOf([R0_0, EXIT]), '4.9')).toThrow(
    'Linux 4.9 has no program tags; they came with 4.10',
  );
});

test.each(['', '6', '6.x', '6.18x', 'six', '6.1.8.'])('%j is %s', (text) => {
  expect(parseKernelVersion(text) === undefined).toBe(text !== '6.1.8.');
});
