import { expect, test } from 'vitest';
import type { StatsReply } from '#core/protocol/messages.ts';
import { TEXT, TRACEPOINT } from '../prog/extensions.ts';
import { Bench } from './harness.ts';

/** What the session counted, once it is over. */
function statsAtEnd(bench: Bench) {
  let stats: StatsReply | undefined;
  bench.onEvent = (event) => {
    if (event.kind === 'ended') stats = bench.session.request('stats', null);
  };
  return () => stats;
}

const data = { kind: 'hex', text: '00'.repeat(60) } as const;

test('stepping into a replaced function leads into the extension, and out of it back', () => {
  const bench = Bench.load(TEXT, { freplace: ['plus_length'], data });
  expect(bench.start({ stopOnEntry: true })?.reason).toBe('entry');
  const names = () => bench.session.request('frames', null).map(({ name }) => name);
  for (let step = 0; step < 3; step++) bench.resume({ kind: 'in', granularity: 'line' });
  expect(names()).toEqual(['plus_length', 'main']);
  const line = bench.session.request('frames', null)[0]?.location?.line ?? 0;
  expect(TEXT.split('\n')[line - 1]).toContain('r3 = *(u32 *)(r1 + 4)');
  bench.resume({ kind: 'out' });
  expect(names()).toEqual(['main']);
  bench.resume({ kind: 'continue' });
  const verdict = bench.events.find((event) => event.kind === 'output' && event.text.includes('packet 1/1'));
  expect(verdict).toMatchObject({ text: expect.stringContaining(`${7 + 60 + 9 + 60}`) });
});

test('a breakpoint in an extension stops there', () => {
  const line = TEXT.split('\n').findIndex((text) => text.includes('r0 += r3')) + 1;
  const bench = Bench.load(TEXT, { freplace: ['plus_length'], data });
  expect(bench.breakpoints({ line })[0]).toMatchObject({ verified: true, line });
  expect(bench.start()?.reason).toBe('breakpoint');
  expect(bench.session.request('frames', null)[0]?.name).toBe('plus_length');
});

test.each([
  ['of_static', /Cannot replace static functions/],
  ['main', /main is no extension/],
  ['nobody', /has no program "nobody"/],
])('an extension that does not fit ends the launch: %s', (name, message) => {
  const reply = new Bench().tryLoad(TEXT, { freplace: [name] });
  expect(reply.ok ? '' : reply.problem.message).toMatch(message);
});

test('a raw tracepoint shows its arguments as context and has no packet', () => {
  const bench = Bench.load(TRACEPOINT, { ctx: { 'args[11]': 42n } });
  bench.start({ stopOnEntry: true });
  const scopes = bench.session.request('scopes', { frame: 0 });
  expect(scopes.map(({ name }) => name)).toEqual(['Registers', 'Stack', 'Context']);
  const rows = bench.session.request('children', { of: { kind: 'context' }, frame: 0, start: 0, count: 99 });
  expect(rows.length).toBe(12);
  expect(rows[11]).toMatchObject({ name: 'args[11]', value: expect.stringContaining('42'), type: 'u64' });
  const stats = statsAtEnd(bench);
  bench.resume({ kind: 'continue' });
  expect(JSON.stringify(stats())).toContain('"misses":"1"');
});

test('a raw tracepoint does not take a capture', () => {
  const reply = new Bench().tryLoad(TRACEPOINT, { capture: { name: 'x.pcap', bytes: new Uint8Array(24) } });
  expect(reply.ok ? '' : reply.problem.message).toContain('a raw tracepoint sees no packets');
});

test('a tracepoint is for raw tracepoint programs, and wins over the section', () => {
  const reply = new Bench().tryLoad(TEXT, { tracepoint: 'x' });
  expect(reply.ok ? '' : reply.problem.message).toBe('tracepoint: main is of type xdp, not raw_tracepoint');
  const bench = Bench.load(TRACEPOINT, { tracepoint: 'sched_switch' });
  const stats = statsAtEnd(bench);
  bench.start();
  expect(stats()?.programs[0]?.cpus[0]).toMatchObject({ cnt: '1', misses: '0' });
});
