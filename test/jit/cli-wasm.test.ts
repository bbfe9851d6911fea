import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inRoot } from '#scripts/lib/paths.ts';
import { cli, file, freshPath } from '../cli/harness.ts';
import { foreignRows } from '../wasm/foreign-decoder.ts';

const FIB = inRoot('examples/fib/fib.bpf.s');

interface WasmJson {
  readonly arch: string;
  readonly blinded: boolean;
  readonly bytes_jited: number;
  readonly module_addr: string;
  readonly module_length: number;
  readonly funcs: readonly {
    readonly name: string;
    readonly addr: string;
    readonly start: number;
    readonly end: number;
    readonly length: number;
    readonly jited: string;
    readonly insn_to_jit_off: readonly number[];
    readonly insns: readonly {
      readonly pc: string;
      readonly operation: string;
      readonly opcodes: string;
      readonly depth: number;
      readonly xlated_pc: number | null;
      readonly orig_pc: number | null;
      readonly lines: readonly { readonly line: number }[];
    }[];
  }[];
  readonly line_info: readonly { readonly insn_off: number; readonly line: number; readonly jited: string }[];
}

async function jit(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(['jit', ...argv, '--arch', 'wasm']);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

async function jitJson(...argv: string[]): Promise<WasmJson> {
  return JSON.parse(await jit(...argv, '--json')) as WasmJson;
}

async function moduleOf(...argv: string[]): Promise<Uint8Array> {
  const out = freshPath('out.wasm');
  expect(await jit(...argv, '-o', out)).toBe('');
  return readFileSync(out);
}

describe('jit --arch wasm', () => {
  test('prints a module in the text format, with the BPF instructions and their places', async () => {
    const text = await jit(FIB);
    const lines = text.split('\n');
    expect(lines.slice(0, 4)).toEqual([
      expect.stringMatching(/^;; fib: module of \d+ bytes at 0xffffffffa0000000$/),
      '(module',
      '  (import "engine" "memory" (memory 1 16384))',
      '  (import "engine" "step" (func $step (param i32) (result i32)))',
    ]);
    expect(lines.filter((line) => line.startsWith('  ;; '))).toEqual([
      expect.stringMatching(
        /^ {2};; bpf_prog_[0-9a-f]{16}_fib: instructions 0 to 15, \d+ bytes at 0xffffffffa0[0-9a-f]{6} {3}fib\.bpf\.s:12$/,
      ),
      expect.stringMatching(/^ {2};; bpf_prog_[0-9a-f]{16}_next_pair: instructions 16 to \d+, /),
      expect.stringMatching(/^ {2};; lookup: \d+ bytes at /),
      expect.stringMatching(/^ {2};; clear: \d+ bytes at /),
      expect.stringMatching(/^ {2};; leave_[0-9a-f]+: \d+ bytes at /),
      expect.stringMatching(/^ {2};; leave_[0-9a-f]+: \d+ bytes at /),
    ]);
    expect(text).toContain('\n  (func $fib (export "at_0") (param $block i32) ');
    const at = lines.findIndex((line) => /^ +;; 14: r0 = 0 {3}fib\.bpf\.s:29$/.test(line));
    expect(lines.slice(at + 1, at + 3).map((line) => line.trim())).toEqual(['i64.const 0', 'local.set $r0']);
    expect(text).toContain('call $next_pair\n');
    expect(text).toMatch(/ call \$leave_[0-9a-f]+\n +return\n/);
    expect(text).not.toContain('line_num');
    // Every instruction is there once.
    const slots = [...text.matchAll(/^ +;; (\d+): /gm)].map(([, slot]) => Number(slot));
    expect(slots.sort((a, b) => a - b)).toEqual(Array.from({ length: slots.length }, (_, slot) => slot));
    // What is open is closed.
    const open = lines.filter((line) => /^ +(block|loop|if)\b/.test(line)).length;
    expect(lines.filter((line) => line.trim() === 'end')).toHaveLength(open);
  });

  test('names the maps whose addresses stand in the code', async () => {
    const text = await jit(inRoot('examples/xdp-firewall/firewall.bpf.s'));
    expect(text).toMatch(
      /;; \d+: r1 = map\[id:\d+\].*\n +i64\.const -\d+ ;; map blocked_ports\n +local\.set \$r1\n/,
    );
    expect(text).toContain(';; map counters\n');
  });

  test('--linum has the source line above its code, --opcodes the bytes with their offset in the module', async () => {
    const text = await jit(FIB, '--linum', '--opcodes');
    expect(text).toMatch(
      /;; r0 = 0 .*\[file:.*fib\.bpf\.s line_num:29 line_col:\d+\]\n +;; 14: r0 = 0\n +i64\.const 0 +;; [0-9a-f]+: 42 00\n/,
    );
    const module = await moduleOf(FIB);
    let bytes = 0;
    for (const [, at, hex] of text.matchAll(/ ;; ([0-9a-f]+): ((?:[0-9a-f]{2} ?)+)$/gm)) {
      const found = Buffer.from((hex ?? '').replaceAll(' ', ''), 'hex');
      const offset = Number.parseInt(at ?? '', 16);
      expect(Buffer.from(module.subarray(offset, offset + found.length)).equals(found)).toBe(true);
      bytes += found.length;
    }
    expect(bytes).toBeGreaterThan(1000);
  });

  test('--json has bytes, offsets and addresses that fit together, and to the module', async () => {
    const shown = await jitJson(FIB);
    const module = await moduleOf(FIB);
    expect(WebAssembly.validate(Uint8Array.from(module))).toBe(true);
    expect([shown.arch, shown.module_addr, shown.module_length]).toEqual([
      'wasm',
      '0xffffffffa0000000',
      module.length,
    ]);
    expect(
      shown.funcs.map(({ name, start, end }) => [name.replace(/_[0-9a-f]{16}_/, '_'), start, end]),
    ).toEqual([
      ['bpf_prog_fib', 0, 16],
      ['bpf_prog_next_pair', 16, 22],
    ]);
    expect(shown.bytes_jited).toBe(shown.funcs.reduce((sum, { length }) => sum + length, 0));
    const places = new Map<bigint, number | null>();
    const foreign = new Set(foreignRows(module, { func: String, local: String }).map(({ offset }) => offset));
    for (const { insns, jited, length, addr, start, end, insn_to_jit_off: ends } of shown.funcs) {
      expect(insns.map(({ opcodes }) => opcodes).join('')).toBe(jited);
      expect(jited.length).toBe(2 * length);
      expect(ends).toHaveLength(end - start);
      const offset = Number(BigInt(addr) - BigInt(shown.module_addr));
      expect(
        Buffer.from(module)
          .subarray(offset, offset + length)
          .toString('hex'),
      ).toBe(jited);
      for (const { pc, xlated_pc: slot } of insns) {
        places.set(BigInt(addr) + BigInt(pc), slot);
        expect(foreign).toContain(offset + Number(pc));
      }
    }
    expect(shown.line_info.length).toBeGreaterThan(10);
    const first = new Set(shown.funcs.map(({ start }) => start));
    for (const { insn_off: slot, jited } of shown.line_info) {
      expect(places.get(BigInt(jited))).toBe(first.has(slot) ? null : slot);
    }
    const marked = shown.funcs.flatMap(({ insns }) =>
      insns.flatMap(({ lines }) => lines.map(({ line }) => line)),
    );
    expect(marked.sort((a, b) => a - b)).toEqual(
      shown.line_info.map(({ line }) => line).sort((a, b) => a - b),
    );
  });

  test('--debuggable shows the code of debug sessions: it tests for breakpoints', async () => {
    const plain = await jit(FIB);
    const debuggable = await jit(FIB, '--debuggable');
    expect(plain).not.toContain('breakpoint');
    expect(debuggable).toMatch(
      /;; 14: r0 = 0 {3}fib\.bpf\.s:29\n +i32\.const 0\n +i32\.load8_u offset=\d+ ;; breakpoint at @14\?\n/,
    );
    const shown = await jitJson(FIB, '--debuggable');
    expect(shown.module_length).toBe((await moduleOf(FIB, '--debuggable')).length);
    const rows = shown.funcs.flatMap(({ addr, insns }) => insns.map(({ pc }) => BigInt(addr) + BigInt(pc)));
    expect(shown.line_info.filter(({ jited }) => !rows.includes(BigInt(jited)))).toEqual([]);
  });

  test('with blinded constants the numbers of the program are gone', async () => {
    const source = file('secret.bpf.s', 'r0 = 0x12345678\nr0 ^= 0x0badcafe\nexit\n');
    const plain = await jitJson(source);
    const blinded = await jitJson(source, '--blind', '--seed', '3');
    const other = await jitJson(source, '--blind', '--seed', '4');
    const numbers = (shown: WasmJson): string[] =>
      (shown.funcs[0]?.insns ?? [])
        .map(({ operation }) => operation)
        .filter((text) => text.startsWith('i64.const'));
    expect([plain.blinded, blinded.blinded]).toEqual([false, true]);
    expect(numbers(plain)).toEqual(
      expect.arrayContaining([`i64.const ${0x12345678}`, `i64.const ${0x0badcafe}`]),
    );
    expect(numbers(blinded).join()).not.toMatch(/305419896|195939070/);
    expect(numbers(blinded)).not.toEqual(numbers(other));
    expect(await jit(source, '--blind')).toMatch(/;; \d+: r11 \^= /);
  });

  test('a name that the text format does not take, or that the module has, is made one', async () => {
    const source = file(
      'lookup.bpf.s',
      '.program raw\nmain:\n  call lookup\n  exit\nlookup:\n  r0 = 1\n  exit\n',
    );
    const text = await jit(source);
    expect(text).toMatch(/call \$lookup\.\d+\n/);
    expect(text).toMatch(/\(func \$lookup\.\d+ \(export/);
    expect(text).toMatch(/\(func \$lookup \(param/);
  });

  test('a refused program is told, exit code 1', async () => {
    const hex = file('refused.hex', 'b70b0000010000009500000000000000');
    const finished = await cli(['jit', hex, '--arch', 'wasm', '--json']);
    expect(finished.code).toBe(1);
    expect(JSON.parse(finished.stdout)).toMatchObject({ refused: { pc: 0, message: 'R11 is invalid' } });
  });

  test('a program that is too long: no code, and why', async () => {
    const long = file('long.bpf.s', `.program raw\nmain:\n${'  r1 += 1\n'.repeat(50_001)}  exit\n`);
    const finished = await cli(['jit', long, '--arch', 'wasm']);
    expect([finished.code, finished.stdout]).toEqual([1, '']);
    expect(finished.stderr).toBe(
      'bpf-workbench: main has no machine code: function at instruction 0: too long; the wasm engine compiles up to 50000 instructions a function and 200000 a program',
    );
    const json = JSON.parse((await cli(['jit', long, '--arch', 'wasm', '--json'])).stdout) as object;
    expect(json).toHaveProperty('why_interpreted');
  });

  test('--debuggable is of WebAssembly', async () => {
    const finished = await cli(['jit', FIB, '--debuggable']);
    expect(finished).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/is for --arch wasm/),
    });
  });

  test('batches are for x86-64', async () => {
    const finished = await cli(['jit', '--jsonl', '--arch', 'wasm']);
    expect([finished.code, finished.stdout]).toEqual([2, '']);
    expect(finished.stderr).toMatch(/--jsonl is for x86-64 only/);
  });
});
