import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { expect, test } from 'vitest';
import { KERNEL_STRUCTS, KERNEL_STRUCTS_FROM } from '#core/vm/kernel-structs.ts';
import { kernelStructsText, structsOf } from '#scripts/generate-kernel-structs.ts';
import { BtfStructs } from '#scripts/lib/btf.ts';

const BTF = '/sys/kernel/btf/vmlinux';

test('the layout of structures is the one that the running kernel tells, if it is the one they are of', () => {
  if (!existsSync(BTF) || release() !== KERNEL_STRUCTS_FROM.release) {
    console.log(`kernel: not Linux ${KERNEL_STRUCTS_FROM.version} with BTF; 0 structures compared`);
    return;
  }
  const btf = new BtfStructs(readFileSync(BTF));
  const told = structsOf(btf);
  expect(KERNEL_STRUCTS).toEqual(told);
  const fields = Object.values(told).reduce((sum, each) => sum + Object.keys(each).length, 0);
  console.log(`kernel: ${Object.keys(told).length} structures, ${fields} sizes and offsets compared`);
  expect(kernelStructsText(btf, release())).toContain(`version: '${KERNEL_STRUCTS_FROM.version}'`);
  expect(() => btf.sizeOf('no_such_struct')).toThrow('no struct no_such_struct');
  expect(() => btf.offsetOf('sk_buff', 'nothing')).toThrow('struct sk_buff has no field nothing');
});

/** `struct outer { int head; union { int a; struct { int b:4; int c:12; }; }; };` behind an array, an enum and a prototype. */
function sample(): Uint8Array {
  const strings = '\0outer\0head\0a\0b\0c\0';
  const at = (name: string): number => strings.indexOf(`\0${name}\0`) + 1;
  const info = (kind: number, count: number, flag = 0): number =>
    (flag * 2 ** 31 + kind * 2 ** 24 + count) >>> 0;
  const types = [
    ...[0, info(1, 0), 4, 32], // 1: int
    ...[0, info(3, 0), 0, 1, 1, 3], // 2: int[3]
    ...[0, info(6, 1), 4, at('a'), 0], // 3: enum
    ...[0, info(13, 1), 1, 0, 1], // 4: prototype
    ...[0, info(4, 2, 1), 4, at('b'), 1, 0x0400_0000, at('c'), 1, 0x0c00_0000 + 12], // 5: bit fields
    ...[0, info(5, 2), 4, at('a'), 1, 0, 0, 5, 0], // 6: the union
    ...[at('outer'), info(4, 2), 8, at('head'), 1, 0, 0, 6, 32], // 7
  ];
  const bytes = new Uint8Array(24 + 4 * types.length + strings.length);
  const view = new DataView(bytes.buffer);
  const head = [0xeb9f | (1 << 16), 24, 0, 4 * types.length, 4 * types.length, strings.length];
  for (const [i, word] of [...head, ...types].entries()) view.setUint32(4 * i, word, true);
  bytes.set(new TextEncoder().encode(strings), 24 + 4 * types.length);
  return bytes;
}

test.each([
  ['head', 0],
  ['a', 4],
  ['b', 4],
  ['c', 5],
])('field %s, through anonymous members, lies at %i', (field, offset) => {
  const btf = new BtfStructs(sample());
  expect(btf.sizeOf('outer')).toBe(8);
  expect(btf.offsetOf('outer', field)).toBe(offset);
});

test('what is no BTF is refused', () => {
  expect(() => new BtfStructs(new Uint8Array(24))).toThrow('no BTF');
  expect(() => new BtfStructs(new Uint8Array(3))).toThrow('no BTF');
});
