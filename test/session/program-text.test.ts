import { expect, test } from 'vitest';
import { Bench, FILE } from './harness.ts';
import { CALLING_FILTER } from './programs.ts';

const text = (bench: Bench, part: { start?: number; count?: number } = {}) =>
  bench.session.request('programText', { start: 0, count: 1000, ...part });

test('before the start the rewritten program is there, and no line of it is current', () => {
  const reply = text(Bench.load(CALLING_FILTER));
  expect(reply).toMatchObject({ stop: 0, form: 'xlated', program: { name: 'main', type: 'socket_filter' } });
  expect(reply.currentLine).toBeUndefined();
  expect(reply.files).toEqual([FILE]);
  expect(reply.lines.filter((line) => line.slot === undefined).map((line) => line.text)).toEqual([
    'main',
    'helper',
  ]);
  expect(reply.lines).toHaveLength(reply.total);
});

test('lines tell where they come from and what has changed; a wide instruction is one line', () => {
  const { lines } = text(Bench.load(CALLING_FILTER));
  const [, move, length, call, wide] = lines;
  expect(move).toEqual({ text: 'r6 = r1', slot: 0, origSlot: 0, source: { file: 0, line: 3, column: 2 } });
  expect(length).toMatchObject({ slot: 1, origSlot: 1, mark: 'changed', source: { line: 4 } });
  expect(length?.text).toMatch(/^r0 = \*\(u32 \*\)\(r1 \+\d+\)$/);
  expect(call).toMatchObject({ text: 'call pc+3#helper', slot: 2, origSlot: 2 });
  expect(call?.mark).toBeUndefined();
  expect(wide).toMatchObject({ text: 'r1 = 0x5', slot: 3 });
  expect(lines[5]).toMatchObject({ text: 'exit', slot: 5 });
});

test('the line follows each frame; the text keeps its name while it is the same', () => {
  const bench = Bench.load(CALLING_FILTER);
  bench.start({ stopOnEntry: true });
  const first = text(bench);
  expect(first).toMatchObject({ stop: 1, currentLine: 1 });
  bench.to('over');
  bench.to('in');
  bench.to('in');
  expect(bench.where()).toBe('helper:9 < main:5');
  const lineOf = (frame: number) => {
    const reply = bench.session.request('programText', { frame, start: 0, count: 0 });
    expect(reply).toMatchObject({ textId: first.textId, lines: [], total: first.total });
    return first.lines[reply.currentLine ?? -1]?.text;
  };
  expect([lineOf(0), lineOf(1)]).toEqual(['w0 &= 7', 'call pc+3#helper']);
});

test('it is read in parts', () => {
  const bench = Bench.load(CALLING_FILTER);
  const all = text(bench).lines;
  const parts = [0, 3, 6, 9].flatMap((start) => text(bench, { start, count: 3 }).lines);
  expect(parts).toEqual(all);
  expect(text(bench, { start: 100, count: 3 })).toMatchObject({ start: all.length, lines: [] });
  expect(text(bench, { start: -5, count: -1 })).toMatchObject({ start: 0, lines: [] });
});

test('blinded, it is another text, in which AX shows', () => {
  const plain = text(Bench.load(CALLING_FILTER));
  const blinded = text(Bench.load(CALLING_FILTER, { blind: true, seed: 3n }));
  expect(blinded.textId).not.toBe(plain.textId);
  expect(plain.lines.some((line) => /\b[rw]11\b/.test(line.text))).toBe(false);
  expect(blinded.lines.find((line) => line.text.startsWith('w11 ^='))).toMatchObject({ mark: 'added' });
});

test('AX is a name in expressions, conditions and log messages only while the text is shown', () => {
  const bench = Bench.load(CALLING_FILTER, { blind: true, seed: 3n });
  bench.start({ stopOnEntry: true });
  const refusal = 'AX is a register of the rewritten program, and known while that is shown';
  expect(bench.value('AX')).toBe(`! ${refusal}`);
  expect(bench.value('ax ? 1 : 2')).toBe(`! ${refusal}`);
  expect(bench.session.request('assign', { target: 'AX', value: '1', frame: 0 })).toEqual({
    ok: false,
    message: refusal,
  });
  bench.breakpoints({ line: 4, logMessage: 'hidden {AX}' }, { line: 5, condition: 'AX == 0' });
  bench.resume({ kind: 'continue' });
  expect(bench.where()).toBe('main:5');
  expect(bench.output()).toContain(refusal);
  text(bench);
  expect(bench.value('AX')).toMatch(/^0x/);
  bench.session.request('programText', { start: 0, count: 0, shown: false });
  expect(bench.value('AX')).toBe(`! ${refusal}`);
});

test('of a classic program it is the converted one, with the classic line of each instruction', () => {
  const bench = Bench.load('ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0\n', {
    fileName: FILE.replace('.bpf.s', '.cbpf'),
    data: { kind: 'hex', text: '00'.repeat(64) },
  });
  bench.start({ stopOnEntry: true });
  const reply = text(bench);
  expect(reply).toMatchObject({ form: 'converted', files: [FILE.replace('.bpf.s', '.cbpf')] });
  const jump = reply.lines.find((line) => line.text.startsWith('if r0 != 0x806 goto'));
  expect(jump).toMatchObject({ origSlot: 1, source: { file: 0, line: 2 } });
  expect(reply.lines[reply.currentLine ?? -1]).toMatchObject({ origSlot: 0, source: { line: 1 } });
});

test('of a classic program that is debugged as eBPF lines lead to the converted text', () => {
  const bench = Bench.load('ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0\n', {
    fileName: FILE.replace('.bpf.s', '.cbpf'),
    data: { kind: 'hex', text: '00'.repeat(64) },
    view: 'ebpf',
  });
  bench.start({ stopOnEntry: true });
  const { files, lines, currentLine } = text(bench);
  const [frame] = bench.session.request('frames', null);
  expect(files).toEqual([expect.stringMatching(/^[^/]*\.ebpf$/)]);
  expect(lines[currentLine ?? -1]?.source?.line).toBe(frame?.location?.line);
  const jump = lines.find((line) => line.text.startsWith('if r0 != 0x806 goto'));
  expect(jump?.source?.line).toBeGreaterThan(frame?.location?.line ?? Number.POSITIVE_INFINITY);
});

test('one of 200,000 instructions is answered at once, however much of it is wanted', () => {
  const body = '\tr0 += 1\n'.repeat(200_000);
  const bench = Bench.load(`r0 = 0\n${body}exit\n`);
  const reply = text(bench, { start: 150_000, count: 1_000_000 });
  expect(reply.total).toBe(200_003);
  expect(reply.lines).toHaveLength(10_000);
  expect(reply.lines[0]).toMatchObject({ slot: 149_999, text: 'r0 += 1' });
});
