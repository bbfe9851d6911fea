import { expect, test } from 'vitest';
import { assemble } from '#core/asm/assemble.ts';
import { prepareInput } from '#core/ctx/setup.ts';
import type { Engine, StopCause } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { wasm, wasmEngine, whyNotCompiled } from '#core/jit/wasm/engine.ts';
import { linkProgram } from '#core/object/link.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import * as layout from '#core/vm/layout.ts';
import { Machine } from '#core/vm/machine.ts';
import { type Outcome, stateOf } from './same-state.ts';

/** Accesses whose region the compiler guesses: right, wrong, and what ends with a fault. */
const PROGRAMS: readonly (readonly [claim: string, ends: StopCause['kind'], text: string])[] = [
  [
    'a variable index into a map, to its last byte',
    'exit',
    'r6 = 0\nloop:\nr1 = numbers ll\nr1 += r6\n*(u8 *)(r1 + 0) = r6\nr2 = *(u8 *)(r1 + 0)\nr0 += r2\nr6 += 1\nif r6 < 64 goto loop\nexit',
  ],
  [
    'a variable index one behind a map',
    'fault',
    'r6 = 0\nloop:\nr1 = numbers ll\nr1 += r6\n*(u32 *)(r1 + 0) = 7\nr6 += 1\nif r6 < 64 goto loop\nexit',
  ],
  [
    'a variable index in front of a map',
    'fault',
    'r6 = 9\nloop:\nr1 = numbers ll\nr1 += r6\nr2 = *(u16 *)(r1 - 4)\nr6 -= 1\ngoto loop',
  ],
  ['a known place behind a map', 'fault', 'r1 = numbers ll\nr1 += 60\nr2 = *(u64 *)(r1 + 0)\nexit'],
  [
    'a known place far behind a map',
    'fault',
    'r1 = numbers ll\nr1 += 0x7fffffff\nr1 += 0x7fffffff\n*(u8 *)(r1 + 0) = 1\nexit',
  ],
  [
    'a place that a map shares with the one behind it',
    'fault',
    'r1 = numbers ll\nr2 = 0x100000000 ll\nr1 -= r2\n*(u8 *)(r1 + 0) = 1\nexit',
  ],
  [
    'an index that leads from one map into another',
    'exit',
    'r1 = numbers ll\nr2 = others ll\nr3 = r2\nr3 -= r1\nr1 += r3\n*(u64 *)(r1 + 8) = 5\nr0 = *(u64 *)(r2 + 8)\nexit',
  ],
  [
    'the same in a loop',
    'exit',
    'r6 = 0\nloop:\nr1 = numbers ll\nr2 = others ll\nr3 = r2\nr3 -= r1\nr1 += r3\nr1 += r6\n*(u8 *)(r1 + 0) = r6\nr6 += 1\nif r6 < 64 goto loop\nr0 = r6\nexit',
  ],
  [
    'a pointer into one of two maps, as chance has it',
    'exit',
    'r6 = 0\nloop:\nr1 = numbers ll\nr2 = r6\nr2 &= 1\nif r2 == 0 goto on\nr1 = others ll\non:\nr1 += r6\n*(u8 *)(r1 + 0) = r6\nr6 += 1\nif r6 < 64 goto loop\nr0 = r6\nexit',
  ],
  [
    'a lookup that finds nothing each second time',
    'exit',
    'r6 = 0\nloop:\nr2 = r6\nr2 &= 1\n*(u32 *)(r10 - 4) = r2\nr1 = one ll\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nif r0 == 0 goto on\nlock *(u64 *)(r0 + 0) += r6\non:\nr6 += 1\nif r6 < 64 goto loop\nr0 = r6\nexit',
  ],
  [
    'a lookup that finds nothing, not asked',
    'fault',
    '*(u32 *)(r10 - 4) = 9\nr1 = one ll\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nr1 = *(u64 *)(r0 + 0)\nexit',
  ],
  [
    'a store to a map that programs may only read',
    'fault',
    'r1 = fixed ll\nr0 = *(u32 *)(r1 + 4)\n*(u32 *)(r1 + 4) = 1\nexit',
  ],
  [
    'a load from a map that programs may only write',
    'fault',
    'r1 = hidden ll\n*(u32 *)(r1 + 4) = 1\nr0 = *(u32 *)(r1 + 4)\nexit',
  ],
  [
    'a variable index into the frame',
    'exit',
    'r6 = -512\nloop:\nr1 = r10\nr1 += r6\n*(u8 *)(r1 + 0) = r6\nr2 = *(u8 *)(r1 + 0)\nr0 += r2\nr6 += 1\nif r6 s< 0 goto loop\nexit',
  ],
  [
    'a variable index behind the frame',
    'fault',
    'r6 = -8\nloop:\nr1 = r10\nr1 += r6\n*(u32 *)(r1 + 0) = r6\nr6 += 1\ngoto loop',
  ],
  [
    'a variable index in front of the frame',
    'fault',
    'r6 = -500\nloop:\nr1 = r10\nr1 += r6\n*(u64 *)(r1 + 0) = r6\nr6 -= 1\ngoto loop',
  ],
  [
    'an atomic operation that is not aligned',
    'exit',
    'r1 = numbers ll\nr2 = 3\nr1 += r2\nlock *(u32 *)(r1 + 1) += r2\nr0 = 0\nexit',
  ],
  [
    'the packet, and its end',
    'exit',
    'r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nloop:\nr4 = r2\nr4 += 2\nif r4 > r3 goto out\nr5 = *(u16 *)(r2 + 0)\n*(u8 *)(r2 + 1) = r5\nr0 += r5\nr2 = r4\ngoto loop\nout:\nr5 = *(u8 *)(r3 - 1)\nr0 += r5\nexit',
  ],
  [
    'the packet beyond its end',
    'fault',
    'r2 = *(u32 *)(r1 + 0)\nloop:\nr5 = *(u16 *)(r2 + 0)\nr0 += r5\nr2 += 2\ngoto loop',
  ],
  [
    'a packet that a helper moves while it is read',
    'exit',
    'r6 = r1\nr7 = 8\nloop:\nr1 = r6\nr2 = -4\ncall bpf_xdp_adjust_head\nr2 = *(u32 *)(r6 + 0)\nr3 = *(u32 *)(r6 + 4)\nr4 = r2\nr4 += 8\nif r4 > r3 goto out\n*(u64 *)(r2 + 0) = r7\nr5 = *(u32 *)(r2 + 4)\nr7 -= 1\nif r7 != 0 goto loop\nout:\nr0 = 2\nexit',
  ],
  [
    'a pointer of before a helper moved the packet',
    'fault',
    'r6 = r1\nr7 = *(u32 *)(r1 + 0)\nr8 = *(u8 *)(r7 + 3)\nr1 = r6\nr2 = 4\ncall bpf_xdp_adjust_head\nr0 = *(u8 *)(r7 + 3)\nexit',
  ],
  [
    'pointers that come back from the frame',
    'exit',
    'r1 = numbers ll\n*(u64 *)(r10 - 8) = r1\nr1 = others ll\n*(u64 *)(r10 - 16) = r1\nr6 = 0\nloop:\nr2 = r6\nr2 &= 1\nr2 <<= 3\nr3 = r10\nr3 += -16\nr3 += r2\nr1 = *(u64 *)(r3 + 0)\n*(u8 *)(r1 + 1) = r6\nr6 += 1\nif r6 < 40 goto loop\nr0 = r6\nexit',
  ],
  [
    'a loaded number added to a loaded pointer',
    'exit',
    'r1 = numbers ll\n*(u64 *)(r10 - 8) = r1\n*(u64 *)(r10 - 16) = 5\nr6 = 0\nloop:\nr2 = *(u64 *)(r10 - 16)\nr3 = *(u64 *)(r10 - 8)\nr2 += r3\n*(u8 *)(r2 + 0) = r6\nr6 += 1\nif r6 < 40 goto loop\nr0 = r6\nexit',
  ],
  [
    'a pointer to the frame of a caller, and one to a frame that is gone',
    'fault',
    '*(u64 *)(r10 - 8) = 1\nr1 = r10\nr1 += -8\ncall pass\nr0 = *(u64 *)(r10 - 8)\ncall pass\nr1 = *(u64 *)(r0 + 0)\nexit\npass:\nr2 = *(u64 *)(r1 + 0)\nr2 += 1\n*(u64 *)(r1 + 0) = r2\n*(u64 *)(r10 - 16) = r2\nr0 = r10\nr0 += -16\nr1 = r10\nr1 += -8\nexit',
  ],
];

const HEAD = `
    .map numbers, array, 4, 64, 1
    .map others, array, 4, 64, 1
    .map one, array, 4, 8, 1
    .map fixed, array, 4, 64, 1, 0x80
    .map hidden, array, 4, 64, 1, 0x100
    .section xdp
main:
r0 = 0
`;

/** `withShadow` false: what is noted of the frame's bytes is left out of the memory. */
function outcome(text: string, engine: Engine, withShadow = true): Outcome {
  const linked = linkProgram(assemble(HEAD + text, { fileName: 'access.bpf.s' }).value);
  if (linked.value === undefined) throw new Error(linked.errors.join('\n'));
  const insns = linked.value.insns.slice();
  for (let at = 0; at < insns.length; at += 8) {
    // BPF_PSEUDO_MAP_FD → BPF_PSEUDO_MAP_VALUE, but for the map that is looked up
    if (insns[at] === 0x18 && insns[at + 4] !== 2) insns[at + 1] = ((insns[at + 1] ?? 0) & 0x0f) | 0x20;
  }
  const machine = new Machine({ shared: true });
  const loaded = bpfProgLoad(machine, { ...linked.value, insns });
  if (!loaded.ok) throw new Error(loaded.refusal.message);
  const { prog } = loaded;
  if (engine === wasm) expect(whyNotCompiled(machine, prog)).toBeUndefined();
  const data = Uint8Array.from({ length: 61 }, (_, i) => i * 5);
  const input = prepareInput(machine, 0, prog, { data });
  machine.enter(0, prog, input.r1, input.r2);
  const limits = { budget: 100_000, breakpoints: false, resume: true };
  const stop = engine.run(machine, 0, limits);
  const { executed, memory } = stateOf(machine);
  const shadow = (machine.space.byId(machine.cpu(0).stackRegionId(0))?.base ?? 0) + layout.MAX_BPF_STACK;
  if (!withShadow) memory.fill(0, shadow, shadow + layout.SHADOW_SIZE);
  return { stop, executed, memory };
}

test.each(PROGRAMS)('%s', (_, ends, text) => {
  const expected = outcome(text, reference);
  expect(expected.stop.kind).toBe(ends);
  const { stop, executed, memory } = outcome(text, wasm);
  expect({ stop, executed }).toEqual({ stop: expected.stop, executed: expected.executed });
  expect(Buffer.compare(memory, expected.memory)).toBe(0);
});

test.each(PROGRAMS.filter(([, ends]) => ends === 'exit'))(
  '%s, with only limits checked',
  (_, _ends, text) => {
    const expected = outcome(text, reference, false);
    const { stop, executed, memory } = outcome(text, wasmEngine({ checks: 'limit' }), false);
    expect({ stop, executed }).toEqual({ stop: expected.stop, executed: expected.executed });
    expect(Buffer.compare(memory, expected.memory)).toBe(0);
  },
);
