import { expect, test } from 'vitest';
import { u32Bytes } from '#core/bytes/little-endian.ts';
import { reference } from '#core/interp/reference.ts';
import type { InsnId } from '#core/isa/table.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import { bpfTracingProgAttach } from '#core/prog/bpf-tracing-prog-attach.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import { runProgram } from '#core/session/run.ts';
import { Machine } from '#core/vm/machine.ts';
import { patchSites } from '#core/x86-sim/view.ts';
import { X86Sim, x86Sim } from '#core/x86-sim/x86-sim.ts';
import { EXIT, insn, load, type Operands } from '../interp/build.ts';
import { linked, loadNamed } from '../prog/extensions.ts';

const JUMPS = { name: 'jumps', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 };
const LIMITS = { budget: 1000, breakpoints: false, resume: true } as const;

function progArray(machine: Machine) {
  const map = createMap(machine, JUMPS);
  if (isRefusal(map)) throw new Error(map.message);
  return map;
}

const slots = (...all: readonly (readonly [InsnId, Operands?])[]) => [
  ...all.flatMap(([id, operands]) => insn(id, operands)),
  ...EXIT,
];

const TEXT = `
	.map	jumps, prog_array, 4, 4, 4
	.section "xdp/main", "ax"
	.globl	main
	.type	main, @function
main:
	r2 = jumps ll
	r3 = 2
	call bpf_tail_call
	r0 = 1
	exit
	.section "xdp/other", "ax"
	.globl	other
	.type	other, @function
other:
	r0 = 42
	exit
`;

test('the two patch sites of a tail call with a constant index are patched while a program is there', () => {
  const engine = new X86Sim();
  const machine = new Machine({ shared: false });
  const map = progArray(machine);
  const [main, other] = ['main', 'other'].map((name) => {
    const attr = linked(name, TEXT);
    const maps = attr.maps.map(() => map);
    const loaded = bpfProgLoad(machine, attr, { maps, jit: engine.text(machine).compiler(attr) });
    if (!loaded.ok) throw new Error(loaded.refusal.message);
    return loaded.prog;
  });
  if (main === undefined || other === undefined) throw new Error('not loaded');
  const run = () => {
    machine.enter(0, main, 0n);
    const { funcs } = engine.text(machine).of(main) ?? {};
    const seen = new Set<string>();
    for (;;) {
      const n = engine.at(machine, 0);
      if (n?.info.isTailCall && n.arrive < 0) {
        const sites = funcs?.flatMap((func) => patchSites(func, n)) ?? [];
        seen.add(sites.map(({ kind, patched }) => `${kind}${patched ? '!' : ''}`).join());
      }
      if (engine.step(machine, 0)?.kind === 'exit') break;
    }
    return [machine.cpu(0).readReg(0), ...seen];
  };
  expect(run()).toEqual([1n, 'entry,bypass,tail-call']);
  expect(map.update(u32Bytes(2), u32Bytes(other.id), 0n)).toBe(0);
  expect(run()).toEqual([42n, 'entry,bypass!,tail-call!']);
  expect(map.delete(u32Bytes(2))).toBe(0);
  expect(run()).toEqual([1n, 'entry,bypass,tail-call']);
});

test('a tail call into a program without machine code goes on in it', () => {
  const results = [reference, x86Sim].map((engine) => {
    const machine = new Machine({ shared: false });
    const map = progArray(machine);
    const refused = load(machine, slots(['may_goto', { off: 0 }], ['add64_imm', { dst: 0, imm: 7 }]));
    map.update(u32Bytes(0), u32Bytes(refused.id), 0n);
    const main = load(
      machine,
      slots(
        ['mov64_imm', { dst: 0, imm: 1 }],
        ['lddw_map_fd', { dst: 2, imm: map.id }],
        ['mov64_imm', { dst: 3 }],
        ['tail_call'],
      ),
    );
    expect(x86Sim.text(machine).of(refused)).toBeUndefined();
    expect(x86Sim.text(machine).of(main)).toBeDefined();
    machine.enter(0, main, 0n);
    const stops = [engine.run(machine, 0, { ...LIMITS, budget: 5 }), engine.run(machine, 0, LIMITS)];
    const { pc, insnsExecuted, prog } = machine.cpu(0);
    return [stops, pc, insnsExecuted, prog.id, machine.cpu(0).readReg(0)];
  });
  expect(results[1]).toEqual(results[0]);
  expect(results[1]?.at(-1)).toBe(8n);
});

test.each(['plus_length', 'whole', 'none'])('with the extension %s', (name) => {
  const results = [reference, x86Sim].map((engine) => {
    const machine = new Machine({ shared: false });
    const main = loadNamed(machine, 'main');
    if (name !== 'none') bpfTracingProgAttach(machine, loadNamed(machine, name, main));
    const { retval, fault, insnsExecuted } = runProgram(machine, main, engine, {
      data: new Uint8Array(33),
    });
    const entries = x86Sim
      .text(machine)
      .of(main)
      ?.funcs.map((func) => patchSites(func)[0]?.patched);
    return [retval, fault, insnsExecuted, entries];
  });
  expect(results[1]).toEqual(results[0]);
  expect(results[1]?.[1]).toBeUndefined();
  const replaced = {
    plus_length: [false, true, false],
    whole: [true, false, false],
    none: [false, false, false],
  };
  expect(results[1]?.[3]).toEqual(replaced[name as 'none']);
});
