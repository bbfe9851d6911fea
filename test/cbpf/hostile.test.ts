import { expect, test } from 'vitest';
import { readClassic } from '#core/cbpf/read.ts';

const MIB = 1 << 20;

test.each<[string, string, string]>([
  ['an instruction', 'x'.repeat(MIB), 'classic BPF has no instruction x'],
  ['a number', `ld #${'9'.repeat(MIB)}`, '9… does not fit in 32 bits'],
  ['a label', `jmp ${'y'.repeat(MIB)}\nret #0`, 'there is no label y'],
  ['an extension', `ld #${'z'.repeat(MIB)}`, 'there is no extension z'],
  ['a count', `${'9'.repeat(MIB)}\n6 0 0 1\n`, '1 follow, not 9'],
  ['a field', `1\n6 0 0 ${'9'.repeat(MIB)}\n`, 'k is a number from 0 to 4294967295, not 9'],
  ['an initialiser', `{ 6, 0, 0, ${'9'.repeat(MIB)} },`, 'k is a number from 0 to 4294967295, not 9'],
])('%s of a megabyte is not repeated whole', (_, text, message) => {
  const [first] = readClassic(text).diagnostics;
  expect(first?.message).toContain(message);
  expect(first?.message.length).toBeLessThan(300);
});

test('a character outside of the basic plane is one character', () => {
  expect(readClassic('💥').diagnostics[0]).toMatchObject({
    message: 'an instruction or a label is wanted here, not 💥',
    range: { start: 0, end: 2 },
  });
});

test('thousands of labels that are all misspelt', () => {
  const n = 4000;
  const lines = Array.from({ length: n }, (_, i) => `label_number_${i}: jmp lable_numbr_${i}`);
  const { diagnostics } = readClassic(`${lines.join('\n')}\nret #0\n`);
  expect(diagnostics).toHaveLength(n);
  // Every one compared with every other takes minutes.
  expect(diagnostics.filter(({ fix }) => fix !== undefined)).toHaveLength(100);
  expect(diagnostics[0]?.message).toBe('there is no label lable_numbr_0; did you mean label_number_0?');
}, 60_000);
