import { expect, test } from 'vitest';
import { formatPrintk } from '#core/helpers/printk-format.ts';

const memory = {
  string: (addr: bigint) => (addr === 0x1000n ? 'eth0' : undefined),
  bytes: (addr: bigint, size: number) =>
    addr === 0x2000n ? Uint8Array.from({ length: size }, (_, i) => i + 10) : undefined,
};
const MINUS_ONE = 0xffffffff_ffffffffn;

test.each<[string, bigint[], string | undefined]>([
  ['plain', [], 'plain'],
  ['tab\tand newline\n', [], 'tab\tand newline\n'],
  ['100%%', [], '100%'],
  ['%d %d', [5n, MINUS_ONE], '5 -1'],
  ['%d', [0xffffffffn], '-1'],
  ['%i', [0x1_00000007n], '7'],
  ['%u', [MINUS_ONE], '4294967295'],
  ['%x %X', [0xbeefn, 0xbeefn], 'beef BEEF'],
  ['%x', [0x12_00000034n], '34'],
  ['%ld %lu', [MINUS_ONE, MINUS_ONE], '-1 18446744073709551615'],
  ['%lld %llu %llx', [MINUS_ONE, MINUS_ONE, MINUS_ONE], '-1 18446744073709551615 ffffffffffffffff'],
  ['%lx', [0x12_00000034n], '1200000034'],
  ['[%5d]', [42n], '[   42]'],
  ['[%-5d]', [42n], '[42   ]'],
  ['[%05d]', [MINUS_ONE], '[-0001]'],
  ['[%+d]', [42n], '[+42]'],
  ['[% d]', [42n], '[ 42]'],
  ['[%08x]', [0xabcn], '[00000abc]'],
  ['%c%c', [0x4fn, 0x4bn], 'OK'],
  ['%s!', [0x1000n], 'eth0!'],
  ['%6s|%-6s|', [0x1000n, 0x1000n], '  eth0|eth0  |'],
  ['%s', [0xdeadn], ''],
  ['%pks %pus', [0x1000n, 0x1000n], 'eth0 eth0'],
  ['%p', [0xffff8801_00000010n], 'ffff880100000010'],
  ['%p,', [0x10n], '0000000000000010,'],
  ['%px', [0x10n], '0000000000000010'],
  ['%20p|%-20pK|', [1n, 1n], '    0000000000000001|0000000000000001    |'],
  ['%pS %ps %pB', [1n, 2n, 3n], '0x1 0x2 0x3'],
  ['%pI4abc.', [0x2000n], '10.11.12.13.'],
  ['%pxyz!', [0x10n], '0000000000000010!'],
  ['%pI4 %pi4', [0x2000n, 0x2000n], '10.11.12.13 010.011.012.013'],
  ['%pI6', [0x2000n], '0a0b:0c0d:0e0f:1011:1213:1415:1617:1819'],
  ['%pi6', [0x2000n], '0a0b0c0d0e0f10111213141516171819'],
  ['%d%d%d%d', [1n, 2n, 3n], undefined],
  ['%', [1n], undefined],
  ['%q', [1n], undefined],
  ['%lc', [1n], undefined],
  ['%f', [1n], undefined],
  ['%lllx', [1n], undefined],
  ['%pz', [1n], undefined],
  ['%pI5', [1n], undefined],
  ['%5', [1n], undefined],
  ['caf\u00e9', [], undefined],
  ['bell\u0007', [], undefined],
])('%s with %s', (format, args, want) => {
  expect(formatPrintk(format, args, memory)).toBe(want);
});
