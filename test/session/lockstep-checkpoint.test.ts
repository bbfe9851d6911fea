import { expect, test } from 'vitest';
import { interp } from '#core/interp-wasm/interp.ts';
import { loadSession } from '#core/session/load-session.ts';
import { restoreCheckpoint, takeCheckpoint } from '#core/session/lockstep/checkpoint.ts';
import { LockstepSide } from '#core/session/lockstep/side.ts';
import { compareStates } from '#core/session/lockstep/state.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';

/** Calls, stacks of two frames, random numbers, an array and a hash map with elements of the file. */
const PROGRAM = `.map sums, array, 4, 8, 4
	.map seen, hash, 4, 4, 8
	.map_entry seen, 1, 7
	.section xdp
main:
	r9 = 20
round:	call bpf_get_prandom_u32
	*(u64 *)(r10 - 16) = r0
	r1 = r10
	r1 += -16
	r2 = r9
	call add
	r9 += -1
	if r9 != 0 goto round
	r0 = XDP_PASS
	exit
add:
	r6 = *(u64 *)(r1 + 0)
	r2 &= 1
	*(u32 *)(r10 - 4) = w2
	r1 = MAP ll
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto none
	lock *(u32 *)(r0 + 0) += w6
	r0 = 0
	exit
none:	r1 = seen ll
	r2 = r10
	r2 += -4
	r3 = r2
	r4 = 0
	call bpf_map_update_elem
	r0 = 0
	exit
`;

function side(map: string, engine = interp): LockstepSide {
  const source = new TextEncoder().encode(PROGRAM.replace('MAP', map));
  const loaded = loadSession({ fileName: '/x.bpf.s', source, seed: 3n }, false);
  if (!loaded.ok) throw new Error(loaded.problem.message);
  return new LockstepSide(loaded.loaded, engine);
}

function entered(map: string, engine = interp): LockstepSide {
  const one = side(map, engine);
  for (const byte of [1, 2]) one.enter({ data: new Uint8Array(60).fill(byte) });
  return one;
}

test.each([3, 40, 57, 61, 200])(
  'after %i instructions another machine goes on from a checkpoint',
  (count) => {
    const first = side('sums');
    first.enter({ data: new Uint8Array(60).fill(1) });
    first.runTo(100_000, false);
    first.enter({ data: new Uint8Array(60).fill(2) });
    first.runTo(count, false);
    const saved = takeCheckpoint(first, 1, 0);
    if (saved === undefined) throw new Error('too large');
    expect(saved).toMatchObject({ entry: 1, count });
    const second = entered('sums', x86Sim);
    expect(restoreCheckpoint(second, saved)).toBe(true);
    expect(compareStates(first.loaded, second.loaded, { ignoreAx: true })).toEqual([]);
    expect([first, second].map((each) => each.runTo(100_000, false))).toEqual([
      { kind: 'exit' },
      { kind: 'exit' },
    ]);
    expect(compareStates(first.loaded, second.loaded, { ignoreAx: true })).toEqual([]);
    expect(first.executed).toBeGreaterThan(200);
  },
);

test('where a hash map has got an element there is no going on', () => {
  const first = entered('seen');
  const before = takeCheckpoint(first, 1, 0);
  first.runTo(100_000, false);
  const behind = takeCheckpoint(first, 1, 0);
  if (before === undefined || behind === undefined) throw new Error('too large');
  expect(restoreCheckpoint(entered('seen'), before)).toBe(true);
  expect(restoreCheckpoint(entered('seen'), behind)).toBe(false);
});
