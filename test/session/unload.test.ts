import { expect, test } from 'vitest';
import { loadSession } from '#core/session/load-session.ts';
import { unload } from '#core/session/loaded.ts';
import { TEXT } from '../prog/extensions.ts';
import { Bench, FILE } from './harness.ts';

const JUMPS = `.map jumps, prog_array, 4, 4, 4
.map_entry jumps, 0, main
.map_entry jumps, 1, second
.map counts, hash, 4, 8, 4
.section xdp,"ax",@progbits
.globl main
main:
r6 = counts ll
r2 = jumps ll
r3 = 1
call bpf_tail_call
r0 = 1
exit
.globl second
second:
r1 = counts ll
r0 = 3
exit
`;

test.each([
  ['one program', '.section xdp\nmain:\nr0 = 2\nexit\n', {}, 1],
  ['one that is blinded', '.section xdp\nmain:\nr0 = 2\nexit\n', { blind: true }, 1],
  ['programs in a program array, itself too', JUMPS, {}, 2],
  ['an extension in its place', TEXT, { freplace: ['plus_length'] }, 2],
])('unloading frees each program once, with its maps: %s', (_, text, more, nPrograms) => {
  const source = new TextEncoder().encode(text);
  const result = loadSession({ fileName: FILE, source, ...more }, false, undefined);
  if (!result.ok) throw new Error(result.problem.message);
  const { loaded } = result;
  const { machine } = loaded;
  expect(loaded.programs.size).toBe(nPrograms);
  expect(machine.progAccount.objects).toBeGreaterThan(0);
  const before = machine.lifeCycle.calls.length;
  unload(loaded);
  expect(machine.progAccount).toEqual({ pages: 0, objects: 0 });
  expect([machine.progs.size, machine.maps.size]).toEqual([0, 0]);
  const names = machine.lifeCycle.calls.slice(before).map(({ name }) => name);
  expect(names.filter((name) => name === 'bpf_prog_free')).toHaveLength(nPrograms);
  expect(names.filter((name) => name === '__bpf_prog_free')).toHaveLength(nPrograms);
});

test('a session unloads its programs when the run ends', () => {
  const bench = Bench.load(JUMPS);
  bench.start();
  expect(bench.ended).toBe(0);
  expect(() => bench.session.request('stats', null)).toThrow('its programs are unloaded');
  expect(() => bench.session.request('frames', null)).toThrow('its programs are unloaded');
});
