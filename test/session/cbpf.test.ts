import { expect, test } from 'vitest';
import { Bench, FILE } from './harness.ts';

const TEXT = `; ARP only
	ldh [12]
	jne #0x806, drop
	ret #-1
drop:	ret #0
`;
const CLASSIC = FILE.replace('.bpf.s', '.cbpf');
const packet = (etherType: string) =>
  ({ kind: 'hex', text: `${'00'.repeat(12)}${etherType}${'00'.repeat(46)}` }) as const;
const launch = (text: string, etherType = '0806') => {
  const bench = new Bench();
  const reply = bench.tryLoad(text, { fileName: CLASSIC, data: packet(etherType) });
  if (!reply.ok) throw new Error(reply.problem.message);
  return bench;
};

test.each([
  ['0806', [3, 4]],
  ['0800', [3, 5]],
] as const)('EtherType 0x%s: a classic program is stepped line by line', (etherType, lines) => {
  const bench = launch(TEXT, etherType);
  bench.start({ stopOnEntry: true });
  const seen = [bench.where()];
  for (let i = 0; i < lines.length; i++) seen.push(bench.to('over'));
  expect(seen).toEqual([2, ...lines].map((line) => `program:${line}`));
});

test('a breakpoint stands on a classic line, one on a comment moves to the next', () => {
  const bench = launch(TEXT);
  const reply = bench.session.request('setBreakpoints', {
    file: CLASSIC,
    breakpoints: [{ line: 1 }, { line: 4 }],
  });
  expect(reply.map((each) => each.line)).toEqual([2, 4]);
  bench.start();
  expect(bench.where()).toBe('program:2');
  expect(bench.to('continue')).toBe('program:4');
});

test('what tcpdump prints is stepped in its own lines', () => {
  const bench = launch('3\n40 0 0 12\n22 0 0 0\n6 0 0 0\n');
  bench.start({ stopOnEntry: true });
  expect([bench.where(), bench.to('over')]).toEqual(['program:2', 'program:3']);
});

test.each([
  [
    'a mistake in the text',
    'ldh [12]\njne #1, dorp\ndrop: ret #0\n',
    /program\.cbpf:2:9: there is no label dorp; did you mean drop\?/,
  ],
  ['what the kernel refuses', 'ld M[0]\nret a\n', /program\.cbpf:1:1: M\[0\] is read before/],
  ['an empty file', '', /there is no instruction/],
])('%s is said with its place', (_, text, message) => {
  const reply = new Bench().tryLoad(text, { fileName: CLASSIC });
  expect(reply.ok).toBe(false);
  if (!reply.ok)
    expect(reply.problem).toMatchObject({ kind: 'assembly', message: expect.stringMatching(message) });
});

test('extensions run, and are named where a listing shows their offset', () => {
  const bench = launch('\tld #poff\n\tst M[15]\n\tld #hatype\n\tadd #1\n\tret a\n', '0800');
  bench.start({ stopOnEntry: true });
  const [frame] = bench.session.request('frames', null);
  expect(frame).toMatchObject({ pc: 0, insn: '(000) ld [-4044] ; #poff' });
  for (let step = 0; step < 4; step++) bench.to('over');
  expect([bench.value('M[15]'), bench.value('A')]).toEqual(['0x0', '0x2 accept 2 bytes']);
});

test('several instructions in a line are several steps', () => {
  const bench = launch('1,6 0 0 4294967295\n'.replace('1,', '3,32 0 0 4294963204,7 0 0 0,'));
  bench.start({ stopOnEntry: true });
  expect([bench.to('over'), bench.value('X')]).toEqual(['program:1', '0x0 (not written yet)']);
  expect([bench.to('over', 'instruction'), bench.value('X')]).toEqual(['program:1', '0x0']);
});

test('a pause never shows the middle of what a classic instruction becomes', () => {
  const shown = new Set<number>();
  for (let budget = 1; budget < 30; budget++) {
    const bench = launch(
      '\tldh [12]\n\tldx 4*([14]&0xf)\n\tld M[0]\n\tret a\n'.replace('ld M[0]', 'txa'),
      '0806',
    );
    bench.session.request('start', { stopOnEntry: false, debug: true });
    bench.session.runSlice(budget);
    if (!bench.session.isRunning) break;
    bench.session.request('pause', null);
    bench.session.runSlice(1000);
    const [frame] = bench.session.request('frames', null);
    if (bench.ended === undefined) shown.add(frame?.pc ?? -1);
    // A is what ldh has loaded, also behind ldx, which takes it aside for a while
    if (frame?.pc === 2) expect(bench.value('A')).toBe('0x806 (2054)');
  }
  expect([...shown].sort()).toEqual([1, 2, 3]);
});
