import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import type { Loaded } from '#core/session/loaded.ts';
import { type NativeCode, nativeCodeFor, nativeCodeOf } from '#core/session/native-code.ts';
import { inRoot } from '#scripts/lib/paths.ts';
import { loadedOf } from './harness.ts';
import { tailCallTo } from './programs.ts';

const CALLS = `	.section xdp,"ax"
	.globl main
	.type main, @function
main:
	r6 = *(u32 *)(r1 + 16)
	r7 = 1 ll
again:	r6 += -1; if r6 s> 0 goto again
	call leaf
	exit
	.size main, .-main
	.type leaf, @function
leaf:
	r0 = XDP_PASS
	exit
	.size leaf, .-leaf
`;

/** Two programs, the second reached by a tail call. */
const TAIL = tailCallTo('\tr0 = XDP_TX\n\texit\n');

function codesOf(loaded: Loaded): readonly NativeCode[] {
  return [...loaded.programs.values()].map((program) => {
    const code = nativeCodeOf(loaded, program);
    if ('message' in code) throw new Error(code.message);
    return code;
  });
}

describe.each(['x86-64', 'wasm'])('%s', (engine) => {
  test.each([
    ['calls, a context access, a wide load', CALLS, {}],
    ['blinded constants', CALLS, { blind: true }],
    ['a program array', TAIL, { prog: 'first' }],
    [
      'a classic program',
      '\tldh [12]\n\tjne #0x806, drop\n\tret #-1\ndrop:\tret #0\n',
      { fileName: '/w/f.cbpf' },
    ],
  ] as const)(
    '%s: addresses of slots are those that the kernel writes to the line records',
    (_, text, args) => {
      const { loaded, messages } = loadedOf(text, { ...args, engine });
      expect(messages.filter((message) => message.startsWith('engine'))).toEqual([]);
      expect(loaded.engine.name).toBe(engine);
      for (const { prog } of loaded.programs.values()) {
        expect(prog.jited).toBe(true);
        const code = nativeCodeOf(loaded, { prog, attr: prog.attr, lines: loaded.allLines });
        if ('message' in code) throw new Error(code.message);
        const linfo = jitedLinfo(loaded.machine, prog) ?? [];
        expect(linfo).toHaveLength(prog.xlatedLineInfo.length);
        expect(linfo).toEqual(prog.xlatedLineInfo.map(({ insnOff }) => code.addressOf(insnOff)));
        expect(prog.aux?.jitedLen).toBe(
          code.funcs.filter(({ start }) => start >= 0).reduce((sum, func) => sum + func.length, 0),
        );
      }
    },
  );

  test('rows follow one another, have bytes and text, and are found by their addresses', () => {
    const [code] = codesOf(loadedOf(CALLS, { engine }).loaded);
    if (code === undefined) throw new Error('no code');
    const { rows, address } = code;
    expect(code.funcs.filter(({ start }) => start >= 0).map(({ name }) => name)).toEqual(['main', 'leaf']);
    let end = 0;
    for (let row = 0; row < rows.count; row++) {
      const offset = rows.offset[row] ?? -1;
      const length = rows.length[row] ?? 0;
      expect(offset).toBeGreaterThanOrEqual(end);
      expect(code.bytes(row)).toHaveLength(length);
      expect(code.text(row)).toMatch(/^[a-z]/);
      for (let at = 0; at < length; at++) expect(code.rowAt(address + BigInt(offset + at))).toBe(row);
      end = offset + length;
    }
    expect(code.rowAt(address - 1n)).toBe(-1);
    expect(code.rowAt(address + BigInt(end))).toBe(-1);
    expect(code.text(-1)).toBe('');
    expect(code.bytes(rows.count)).toHaveLength(0);
    expect(code.addressOf(-1)).toBeUndefined();
    expect(code.addressOf(1000)).toBeUndefined();
  });
});

const examples = [
  'fib/fib.bpf.s',
  'map-counter/counter.bpf.s',
  'socket-filter/dns.bpf.s',
  'xdp-firewall/firewall.bpf.s',
].map((path) => [path, readFileSync(inRoot('examples', path), 'utf8')] as const);

describe.each(['x86-64', 'wasm'])('%s', (engine) => {
  test.each(examples)('%s, blinded and not: rows and line records fit together', (_, text) => {
    for (const blind of [false, true]) {
      const { loaded } = loadedOf(text, { engine, blind });
      const [code] = codesOf(loaded);
      const { prog } = loaded.main;
      if (code === undefined) throw new Error('no code');
      const linfo = jitedLinfo(loaded.machine, prog) ?? [];
      expect(linfo).toEqual(prog.xlatedLineInfo.map(({ insnOff }) => code.addressOf(insnOff)));
      // Each address is where an instruction begins.
      const begins = new Set(Array.from(code.rows.offset, (offset) => code.address + BigInt(offset)));
      expect(linfo.filter((address) => !begins.has(address))).toEqual([]);
      expect(Array.from(code.rows.slot).filter((slot) => slot >= prog.xlated.length / 8)).toEqual([]);
    }
  });
});

test('x86-64: rows are in Intel syntax; calls name what they lead to', () => {
  const [code] = codesOf(loadedOf(CALLS, { engine: 'x86-64' }).loaded);
  const texts = Array.from({ length: code?.rows.count ?? 0 }, (_, row) => code?.text(row));
  expect(texts).toContain('mov rbp, rsp');
  expect(texts.some((text) => /^call 0xffffffffc[0-9a-f]{7} <leaf>$/.test(text ?? ''))).toBe(true);
  expect(texts.at(-1)).toMatch(/^jmp 0x[0-9a-f]{16} <return thunk>$/);
});

test.each(['reference', 'interp', 'wasm'])(
  '%s: the machine code shown of a classic program is what x86-64 executes',
  (engine) => {
    const textsFor = (name: string): readonly string[] => {
      const { loaded } = loadedOf('\tret #1\n', { fileName: '/w/f.cbpf', engine: name });
      const code = nativeCodeFor(loaded, loaded.main, 'x86-64');
      if ('message' in code) throw new Error(code.message);
      return Array.from({ length: code.rows.count }, (_, row) => code.text(row));
    };
    expect(textsFor(engine)).toEqual(textsFor('x86-64'));
    // The kernel leaves the patch site for direct tail calls out of converted programs.
    expect(textsFor(engine)[1]).toBe('push rbp');
  },
);

test.each(['reference', 'interp'])('%s executes no native code', (engine) => {
  const { loaded } = loadedOf(CALLS, { engine });
  expect(nativeCodeOf(loaded, loaded.main)).toEqual({
    message: `the engine ${engine} executes no native code`,
  });
});

test('x86-64: what the kernel patches while a program is loaded is marked', () => {
  const { loaded } = loadedOf(TAIL, { engine: 'x86-64', prog: 'first' });
  const [code] = codesOf(loaded);
  if (code === undefined) throw new Error('no code');
  const texts = Array.from({ length: code.rows.count }, (_, row) => code.text(row));
  expect(texts.filter((text) => text.includes('patch site'))).toMatchInlineSnapshot(`
    [
      "nop dword ptr [rax+rax] ; patch site: entry",
      "jmp 0xffffffffc0000046 ; patch site: bypass, a nop now: second is there",
      "nop dword ptr [rax+rax] ; patch site: tail call, to second",
    ]
  `);
});
