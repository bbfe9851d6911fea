import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromBase64 } from '#core/bytes/base64.ts';
import { u32Bytes } from '#core/bytes/little-endian.ts';
import { nodeHash } from '#core/platform/node/hash.ts';
import type { JitColumn, JitReply, JitRow } from '#core/protocol/jit.ts';
import { bpfAddress } from '#core/session/code-address.ts';
import { JitView } from '#core/session/jit-view.ts';
import type { LoadArgs } from '#core/session/load-request.ts';
import { loadSession } from '#core/session/load-session.ts';
import { MAX_SHOWN_INSNS } from '#core/session/other-blinding.ts';
import { Session } from '#core/session/session.ts';
import type { TargetRequests } from '#core/session/target-api.ts';
import { TEXT as EXTENDED } from '../prog/extensions.ts';
import { Bench, FILE } from './harness.ts';
import { CALLING_FILTER, tailCallTo } from './programs.ts';

type Args = Partial<TargetRequests['jit']['args']>;

const view = (bench: Bench, args: Args = {}): JitReply =>
  bench.session.request('jit', { breakpoints: [], ...args });

const rows = (bench: Bench, { listingId }: JitReply, column: JitColumn): readonly JitRow[] =>
  bench.session.request('jitRows', { listingId, column, start: 0, count: 1000 }).rows;

function words(base64: string): Int32Array {
  const bytes = fromBase64(base64);
  if (bytes === undefined) throw new Error('no base64');
  return new Int32Array(bytes.buffer);
}

/** The tables of an answer, taken apart as a client does. */
function tables({ listing }: JitReply) {
  if (listing === undefined) throw new Error('no listing');
  const { native } = listing;
  if ('message' in native) throw new Error(native.message);
  const runStart = words(native.runStart);
  const runRow = words(native.runRow);
  const bpfRowOf = (row: number) => runRow[runStart.findLastIndex((start) => start <= row)] ?? -1;
  return { ...listing, native, bpfRowOf, line: words(listing.bpf.line), file: words(listing.bpf.file) };
}

const load = (args: Partial<LoadArgs> = {}) => Bench.load(CALLING_FILTER, args);

test('the source has a digest of what was loaded, whatever its encoding and line ends', () => {
  const session = new Session({ sharedMemory: false, hash: nodeHash, emit: () => {} });
  const source = new TextEncoder().encode(`# ä\n${CALLING_FILTER}`.replaceAll('\n', '\r\n'));
  session.request('load', { fileName: FILE, source });
  const { listing } = session.request('jit', { breakpoints: [] });
  const digest = createHash('sha256').update(`# \n${CALLING_FILTER}`).digest('hex');
  expect(listing?.files).toEqual([{ path: FILE, digest }]);
});

describe('the three columns', () => {
  test('instructions have their source line, and each its native code', () => {
    const bench = load({ engine: 'x86-64' });
    const reply = view(bench);
    expect(reply).toMatchObject({
      ...{ stop: 0, form: 'xlated', arch: 'x86-64', blinded: false, engine: 'x86-64' },
      runs: { arch: 'x86-64', blinded: false },
      listing: { program: { name: 'main', type: 'socket_filter' }, nInsns: 8, nXlated: 8 },
    });
    expect(reply.current).toBeUndefined();
    const { bpf, native, line, file, files, bpfRowOf } = tables(reply);
    expect(files).toEqual([{ path: FILE }]);
    const bpfRows = rows(bench, reply, 'bpf');
    expect(bpfRows).toHaveLength(bpf.count);
    expect(bpfRows.map(({ at }) => at)).toEqual([undefined, 0, 1, 2, 3, 5, undefined, 6, 7]);
    expect([...line]).toEqual([0, 3, 4, 5, 6, 7, 0, 9, 10]);
    expect([...file]).toEqual([-1, 0, 0, 0, 0, 0, -1, 0, 0]);
    const nativeRows = rows(bench, reply, 'native');
    expect(nativeRows).toHaveLength(native.count);
    expect(nativeRows.filter(({ at }) => at === undefined).map(({ text }) => text)).toEqual([
      'main',
      'helper',
    ]);
    const bytes = nativeRows.map((row) => (row.bytes ?? '').length / 2);
    expect(native.bytes).toBe(bytes.reduce((sum, each) => sum + each, 0));
    for (const [row, { at, size }] of bpfRows.entries()) {
      const own = bytes.filter((_, index) => bpfRowOf(index) === row).reduce((sum, each) => sum + each, 0);
      expect(size, `native bytes of row ${row}`).toBe(at === undefined ? undefined : own);
    }
    const ofAnd = nativeRows.filter((_, index) => bpfRowOf(index) === 7);
    expect(ofAnd.map(({ text }) => text)).toEqual(['and eax, 0x7']);
  });

  test.each(['.hex', '.bin'])('%s: without line info there is no source', (extension) => {
    const hex = 'b701000003000000b7000000070000009500000000000000';
    const source = extension === '.hex' ? new TextEncoder().encode(hex) : Buffer.from(hex, 'hex');
    const bench = new Bench();
    const fileName = `/work/program${extension}`;
    const loaded = bench.session.request('load', { fileName, source: new Uint8Array(source) });
    expect(loaded).toMatchObject({ ok: true, hasLineInfo: false });
    const reply = view(bench, { arch: 'x86-64' });
    const { files, file, line, native } = tables(reply);
    expect(files).toEqual([]);
    expect([...file, ...line]).toEqual([-1, -1, -1, -1, 0, 0, 0, 0]);
    expect(native.count).toBeGreaterThan(3);
    expect(bench.session.request('programText', { start: 0, count: 5 }).files).toEqual([]);
    const [refused] = bench.session.request('setBreakpoints', {
      ...{ file: fileName, breakpoints: [{ line: 1 }] },
    });
    expect(refused?.message).toMatch(/^program\.\w+ has no line info: .* in the Disassembly view$/);
  });

  test('as loaded, what was rewritten is one row again', () => {
    const bench = load({ engine: 'x86-64' });
    const reply = view(bench, { form: 'loaded' });
    const texts = rows(bench, reply, 'bpf').map(({ text }) => text);
    expect(texts).toEqual([
      ...['main', 'r6 = r1', 'r0 = *(u32 *)(r1 + 0)', 'call helper', 'r1 = 5 ll', 'exit'],
      ...['helper', 'w0 &= 7', 'exit'],
    ]);
    expect(reply.listingId).not.toBe(view(bench).listingId);
    expect(rows(bench, view(bench), 'bpf')[2]).toMatchObject({ at: 1, mark: 'changed' });
  });

  test('WebAssembly: each instruction has its code, blocks amid blocks stand further to the right', () => {
    const bench = load({ engine: 'wasm' });
    const reply = view(bench);
    expect(reply).toMatchObject({ arch: 'wasm', runs: { arch: 'wasm', blinded: false } });
    const native = rows(bench, reply, 'native');
    const { bpfRowOf } = tables(reply);
    expect(native.filter(({ at }) => at === undefined).map(({ text }) => text)).toEqual(
      expect.arrayContaining(['main', 'helper']),
    );
    const ofMove = native.filter((_, row) => bpfRowOf(row) === 1);
    expect(ofMove.map(({ text }) => text.trim())).toEqual(
      expect.arrayContaining(['local.get $r1', 'local.set $r6']),
    );
    expect(native.some(({ text }) => text.startsWith('  '))).toBe(true);
    expect(BigInt(ofMove[0]?.address ?? 0) >> 28n).toBe(0xffffffffan);
    expect(view(bench, { arch: 'x86-64' })).toMatchObject({ arch: 'x86-64', runs: { arch: 'wasm' } });
  });

  test('what a compiler refuses has its reason, and still its instructions', () => {
    const long = Bench.load(`r0 = 0\n${'r0 += 1\n'.repeat(50_000)}exit\n`, { type: 'raw' });
    const { listing } = view(long, { arch: 'wasm' });
    expect(listing?.native).toEqual({ message: expect.stringMatching(/too long/) });
    expect(listing?.bpf.count).toBe(50_003);
  });

  test('another engine executes other code, or none', () => {
    const bench = load({ engine: 'x86-64' });
    bench.start({ stopOnEntry: true });
    const before = view(bench);
    bench.session.request('switchEngine', { name: 'reference' });
    const after = view(bench, { have: before.listingId });
    expect(after).toMatchObject({ engine: 'reference', arch: 'x86-64', current: { bpfRow: 1 } });
    expect(after.runs.arch).toBeUndefined();
    expect(after.listing).toBeDefined();
    bench.session.request('switchEngine', { name: 'wasm' });
    expect(view(bench)).toMatchObject({ arch: 'wasm', runs: { arch: 'wasm' } });
  });

  test('an engine that interprets: the code is shown and said not to run; breakpoints lie on instructions', () => {
    const bench = load({ engine: 'reference' });
    const reply = view(bench);
    expect(reply).toMatchObject({ arch: 'x86-64', engine: 'reference', runs: { blinded: false } });
    expect(reply.runs.arch).toBeUndefined();
    const [, prologue] = rows(bench, reply, 'native');
    expect(prologue?.address).toBeUndefined();
    const and = rows(bench, reply, 'native').find(({ text }) => text === 'and eax, 0x7');
    expect(BigInt(and?.address ?? 0)).toBe(bpfAddress(1, 6 * 8));
  });
});

describe('from stop to stop', () => {
  test('the listing is sent once, the place each time', () => {
    const bench = load({ engine: 'x86-64' });
    bench.start({ stopOnEntry: true });
    const first = view(bench);
    expect(first).toMatchObject({ stop: 1, current: { bpfRow: 1 } });
    bench.to('over');
    const second = view(bench, { have: first.listingId });
    expect(second).toMatchObject({ stop: 2, listingId: first.listingId, current: { bpfRow: 2 } });
    expect(second.listing).toBeUndefined();
    const native = rows(bench, first, 'native');
    const { bpfRowOf } = tables(first);
    expect(bpfRowOf(second.current?.nativeRow ?? -1)).toBe(2);
    expect(native[second.current?.nativeRow ?? -1]?.at).toBeDefined();
  });

  test.each(['x86-64', 'reference', 'wasm'])('an outer frame is at its call: %s', (engine) => {
    const bench = load({ engine });
    bench.start({ stopOnEntry: true });
    bench.to('over');
    bench.to('in');
    bench.to('in');
    expect(bench.where()).toBe('helper:9 < main:5');
    const outer = view(bench, { frame: 1 });
    expect(outer.current?.bpfRow).toBe(3);
    expect(tables(outer).bpfRowOf(outer.current?.nativeRow ?? -1)).toBe(3);
    if (engine !== 'wasm')
      expect(rows(bench, outer, 'native')[outer.current?.nativeRow ?? -1]?.text).toMatch(/^call/);
    expect(view(bench).current?.bpfRow).toBe(7);
  });

  test('rows of a listing that nobody knows are refused', () => {
    const bench = load();
    expect(() =>
      bench.session.request('jitRows', { listingId: 'x', column: 'bpf', start: 0, count: 1 }),
    ).toThrow(/ask for it anew/);
  });

  test('rows come in parts of at most 1000', () => {
    const bench = Bench.load(`${'r0 = 1\n'.repeat(1500)}exit\n`, { type: 'raw' });
    const { listingId } = view(bench);
    const part = (start: number, count: number) =>
      bench.session.request('jitRows', { listingId, column: 'bpf', start, count }).rows;
    expect(part(0, 5000)).toHaveLength(1000);
    expect(part(1500, 10).map(({ text }) => text)).toEqual(['r0 = 1', 'exit']);
  });
});

describe('breakpoints', () => {
  test('one on an instruction is told with its rows in both columns', () => {
    const bench = load({ engine: 'x86-64' });
    const reply = view(bench, { breakpoints: [bpfAddress(1, 6 * 8), bpfAddress(7, 0), 0x1234n] });
    expect(reply.breakpoints).toHaveLength(1);
    const [one] = reply.breakpoints;
    expect(one).toMatchObject({ column: 'bpf', bpfRow: 7 });
    expect(rows(bench, reply, 'native')[one?.nativeRow ?? -1]?.text).toBe('and eax, 0x7');
  });
});

describe('patch sites', () => {
  const sites = (bench: Bench, args: Args = {}) =>
    rows(bench, view(bench, args), 'native').flatMap(({ text }) => /patch site.*/.exec(text) ?? []);

  test('who is in them at the moment of asking; a listing of before is another one', () => {
    const second = '\tr0 = 1\n\tr0 = XDP_PASS\n\texit\n';
    const source = new TextEncoder().encode(tailCallTo(second));
    const result = loadSession({ fileName: FILE, source, engine: 'x86-64', prog: 'first' }, false);
    if (!result.ok) throw new Error(result.problem.message);
    const { loaded } = result;
    const jit = new JitView(() => loaded, { fileName: FILE, source }, undefined);
    const look = () => {
      const { listingId } = jit.view({ breakpoints: [] }, undefined, 0);
      const reply = jit.rows({ listingId, column: 'native', start: 0, count: 1000 });
      return { listingId, texts: reply.rows.flatMap(({ text }) => /patch site.*/.exec(text) ?? []) };
    };
    const filled = look();
    expect(filled.texts.map(String)).toEqual([
      'patch site: entry',
      'patch site: bypass, a nop now: second is there',
      'patch site: tail call, to second',
    ]);
    expect(look().listingId).toBe(filled.listingId);
    expect(loaded.maps.get('jmp')?.delete(u32Bytes(1))).toBe(0);
    const empty = look();
    expect(empty.texts.map(String)).toEqual([
      'patch site: entry',
      'patch site: bypass',
      'patch site: tail call, empty',
    ]);
    expect(empty.listingId).not.toBe(filled.listingId);
  });

  test.each(['x86-64', 'interp'])('the entry of a function that an extension has taken: %s', (engine) => {
    const bench = Bench.load(EXTENDED, { engine, freplace: ['plus_length'] });
    expect(sites(bench, { arch: 'x86-64' }).map(String)).toEqual([
      'patch site: entry',
      'patch site: entry, taken by plus_length',
      'patch site: entry',
    ]);
    // what was loaded for show has no neighbours
    expect(sites(bench, { arch: 'x86-64', blinded: true }).map(String)).toEqual(
      new Array(3).fill('patch site: entry'),
    );
  });
});

describe('blinding', () => {
  const blinded = { engine: 'x86-64', blind: true, seed: 7n } as const;

  test('is shown for a program that runs without, and changes nothing of it', () => {
    const bench = load({ engine: 'x86-64', seed: 7n });
    bench.start({ stopOnEntry: true });
    const shown = view(bench, { blinded: true });
    expect(shown).toMatchObject({ blinded: true, runs: { arch: 'x86-64', blinded: false } });
    const texts = rows(bench, shown, 'bpf').map(({ text }) => text);
    expect(texts.some((text) => /r11/.test(text))).toBe(true);
    expect(tables(shown).native.bytes).toBeGreaterThan(tables(view(bench)).native.bytes);
    expect(shown.current?.bpfRow).toBe(1);
    expect(view(bench)).toMatchObject({ blinded: false });
    const really = Bench.load(CALLING_FILTER, blinded);
    expect(rows(really, view(really), 'native').map(({ bytes }) => bytes)).toEqual(
      rows(bench, shown, 'native').map(({ bytes }) => bytes),
    );
  });

  test('can be taken away from one that runs with it', () => {
    const bench = load(blinded);
    expect(view(bench)).toMatchObject({ blinded: true, runs: { blinded: true } });
    const plain = view(bench, { blinded: false });
    expect(plain).toMatchObject({ blinded: false, runs: { blinded: true } });
    const and = rows(bench, plain, 'native').find(({ text }) => text === 'and eax, 0x7');
    // breakpoints lie in what runs
    expect(BigInt(and?.address ?? 0)).toBe(bpfAddress(1, 6 * 8));
  });

  test.each([
    ['program arrays', tailCallTo('\tr0 = 77\n\tr0 = XDP_PASS\n\texit\n'), { prog: 'first' }],
    ['an extension', EXTENDED, { freplace: ['plus_length'] }],
  ])('%s: all programs of the session are blinded as in one that is launched so', (_, text, args) => {
    const shown = (bench: Bench, choice: Args) => {
      const reply = view(bench, choice);
      return [rows(bench, reply, 'bpf'), rows(bench, reply, 'native')].map((all) =>
        all.map(({ bytes, text: insn }) => bytes ?? insn),
      );
    };
    const plain = Bench.load(text, { ...args, seed: 7n, engine: 'x86-64' });
    const blind = Bench.load(text, { ...args, seed: 7n, engine: 'x86-64', blind: true });
    expect(shown(plain, { blinded: true })).toEqual(shown(blind, {}));
    expect(shown(blind, { blinded: false })).toEqual(shown(plain, {}));
  });

  test('of more instructions than are loaded twice: the column says so, what runs is shown as before', () => {
    const n = MAX_SHOWN_INSNS + 1;
    const bench = Bench.load(`.program raw\n${'r0 = 1\n'.repeat(n - 1)}exit\n`, { engine: 'interp' });
    const { listing, listingId, blinded } = view(bench, { blinded: true });
    const message = `too long to be loaded twice (500,001 instructions, at most 500,000): launch with "blind": true to see it`;
    expect(listing?.native).toEqual({ message });
    expect(blinded).toBe(false);
    expect(listing?.bpf.count).toBe(n + 1);
    const back = view(bench);
    expect(back.listingId).not.toBe(listingId);
    expect(back.listing?.native).toMatchObject({ count: n + 6 });
  });
});

describe('text for the clipboard', () => {
  const text = (bench: Bench, column: JitColumn | 'all', start = 0, count = 1000) =>
    bench.session.request('jitText', { listingId: view(bench).listingId, column, start, count });

  test('the whole: source line, instruction, native code', () => {
    const { text: whole, next } = text(load({ engine: 'x86-64' }), 'all');
    expect(next).toBeUndefined();
    expect(whole).toMatch(
      /; program\.bpf\.s:9 {2}w0 &= 7\n6: {3}w0 &= 7\n +[\da-f]+: {2}83 e0 07 +and eax, 0x7\n/,
    );
    expect(whole.split('\n').filter((line) => line.startsWith(';'))).toHaveLength(7);
  });

  test('a column alone, in parts', () => {
    const bench = load({ engine: 'x86-64' });
    const first = text(bench, 'bpf', 0, 2);
    expect(first).toEqual({ text: 'main:\n0:   r6 = r1\n', next: 2 });
    expect(text(bench, 'bpf', 2, 1).text).toMatch(/^1: ~ r0 = \*\(u32 \*\)/);
    expect(text(bench, 'native', 0, 1).text).toMatch(/^main: ; 0xffffffff[\da-f]{8}, \d+ bytes\n$/);
  });
});
