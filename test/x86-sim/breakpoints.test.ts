import { describe, expect, test } from 'vitest';
import { reference } from '#core/interp/reference.ts';
import { jitedLinfo } from '#core/prog/bpf-prog-alloc-jited-linfo.ts';
import type { Machine } from '#core/vm/machine.ts';
import { INT3 } from '#core/x86-sim/patches.ts';
import { nativeRegisters } from '#core/x86-sim/view.ts';
import { X86Sim } from '#core/x86-sim/x86-sim.ts';
import { attrOf, start } from './start.ts';

const program = (lines: string): string => `
	.section "xdp", "ax"
	.globl	main
	.type	main, @function
main:
${lines}`;

/** Jumps back to its first instruction, twice. */
const LOOP = program(`
	r1 = 1
	r0 += r1
	if r0 < 3 goto main
	exit
`);

const RECURSION = program(`
	r1 = 3
	call down
	exit
	.type	down, @function
down:
	if r1 == 0 goto end
	r6 = r1
	r1 += -1
	call down
	r0 += r6
	exit
end:	r0 = 0
	exit
`);

const DIVISION = program(`
	r0 = 7
	r3 = 100
	r6 = 1000
	r7 = 3
	r6 /= r7
	r0 += r6
	exit
`);

/** Runs to the end; slots, registers and instructions executed at each stop. */
function stops(engine: typeof reference | X86Sim, machine: Machine): string[] {
  const seen: string[] = [];
  const cpu = machine.cpu(0);
  for (let resume = false; seen.length < 100; resume = true) {
    const cause = engine.run(machine, 0, { budget: 1000, breakpoints: true, resume });
    const registers = Array.from({ length: 11 }, (_, n) => cpu.readReg(n).toString(16));
    seen.push(`${cause.kind} ${cpu.pc}/${cpu.depth} ${cpu.insnsExecuted}: ${registers.join(' ')}`);
    if (cause.kind !== 'breakpoint') break;
  }
  return seen;
}

function ripsOf(engine: X86Sim, machine: Machine): bigint[] {
  const rips: bigint[] = [];
  for (let i = 0; i < 1000; i++) {
    const n = engine.at(machine, 0);
    if (n === undefined) throw new Error('no machine code');
    rips.push(nativeRegisters(n).rip);
    if (engine.step(machine, 0)?.kind === 'exit') break;
  }
  return rips;
}

function withText(engine: X86Sim, text: string, slots: readonly number[]) {
  const started = start(engine, attrOf(text));
  for (const slot of slots) started.prog.breakpoints.set(slot, 1);
  return started;
}

describe('for BPF instructions', () => {
  test.each([
    ['a loop back to the first', LOOP, [0], 4],
    ['in the middle of a loop', LOOP, [1], 4],
    ['the first of a function that calls itself', RECURSION, [3], 5],
    ['behind a call', RECURSION, [7], 4],
    ['everywhere', RECURSION, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 25],
  ])('%s: the stops of reference, with its state', (_, text, slots, count) => {
    const engine = new X86Sim();
    const native = withText(engine, text, slots);
    const other = withText(engine, text, slots);
    const seen = stops(engine, native.machine);
    expect(seen).toEqual(stops(reference, other.machine));
    expect(seen).toHaveLength(count);
  });

  test('patched at the address of the line record, the first line behind the prologue too', () => {
    const engine = new X86Sim();
    const attr = attrOf(LOOP);
    const { machine, prog, text } = start(engine, attr, (on) => ({ jit: engine.text(on).compiler(attr) }));
    const { main } = text.of(prog) ?? {};
    if (main === undefined) throw new Error('no machine code');
    const lines = jitedLinfo(machine, prog) ?? [];
    prog.breakpoints.set(0, 1);
    prog.breakpoints.set(2, 2);
    const patched = [...main.code.image.keys()].filter((at) => main.isPatched(at));
    expect(patched).toEqual([0, main.code.prologueLen, Number((lines[2] ?? 0n) - main.code.addr)]);
    expect(patched.map((at) => main.patches.memory[at])).toEqual([INT3, INT3, INT3]);
    expect(patched.map((at) => main.code.image[at])).not.toContain(INT3);
    prog.breakpoints.set(0, 0);
    prog.breakpoints.set(2, 0);
    expect(patched.map((at) => main.isPatched(at))).toEqual([false, false, false]);
    expect(main.patches.memory).toEqual(main.code.image);
  });

  test('at the first entry rip is the start of the image, in later rounds it is behind the prologue', () => {
    const engine = new X86Sim();
    const { machine, text, prog } = withText(engine, LOOP, [0]);
    const { code } = text.of(prog)?.main ?? {};
    const rips: (bigint | undefined)[] = [];
    for (let resume = false; rips.length < 3; resume = true) {
      engine.run(machine, 0, { budget: 1000, breakpoints: true, resume });
      const n = engine.at(machine, 0);
      rips.push(n && nativeRegisters(n).rip);
    }
    const behind = (code?.addr ?? 0n) + BigInt(code?.prologueLen ?? 0);
    expect(rips).toEqual([code?.addr, behind, behind]);
  });

  test('through the prologue by native steps, then on: no second stop at the first instruction', () => {
    const engine = new X86Sim();
    for (let steps = 1; steps <= 6; steps++) {
      const { machine } = withText(engine, LOOP, [0]);
      expect(engine.run(machine, 0, { budget: 1000, breakpoints: true, resume: false }).kind).toBe(
        'breakpoint',
      );
      for (let i = 0; i < steps; i++) engine.step(machine, 0);
      // the two rounds that follow, and the end
      expect(stops(engine, machine)).toHaveLength(3);
    }
  });
});

describe('by address', () => {
  test.each([
    ['a loop', LOOP],
    ['recursion', RECURSION],
    ['a division', DIVISION],
  ])('%s: every visit stops once, wherever it stands', (_, source) => {
    const engine = new X86Sim();
    const all = ripsOf(engine, start(engine, attrOf(source)).machine);
    for (const address of new Set(all)) {
      const { machine, text } = start(engine, attrOf(source));
      text.of(machine.cpu(0).prog);
      text.setAddressBreakpoints([address]);
      const seen: bigint[] = [];
      for (let resume = false; seen.length < 100; resume = true) {
        const cause = engine.run(machine, 0, { budget: 1000, breakpoints: true, resume });
        if (cause.kind !== 'breakpoint') break;
        const n = engine.at(machine, 0);
        if (n !== undefined) seen.push(nativeRegisters(n).rip);
      }
      expect(seen).toEqual(all.filter((rip) => rip === address));
      const cpu = machine.cpu(0);
      expect([cpu.readReg(0), cpu.insnsExecuted]).toEqual(endOf(source));
    }
  });

  test('stops and native steps in turn: nothing is lost and nothing comes twice', () => {
    const engine = new X86Sim();
    for (const source of [LOOP, RECURSION, DIVISION]) {
      const all = ripsOf(engine, start(engine, attrOf(source)).machine);
      for (let nth = 1; nth < 9; nth++) {
        const chosen = new Set(all.filter((_, i) => i % nth === nth - 1));
        const { machine, text, prog } = start(engine, attrOf(source));
        text.of(prog);
        text.setAddressBreakpoints(chosen);
        let at = 0;
        for (let round = 0; at < all.length - 1; round++) {
          const from = at;
          if (round % 3 === 2) {
            expect(engine.step(machine, 0)?.kind).toBe('budget');
            at++;
          } else {
            const resume = round > 0;
            const { kind } = engine.run(machine, 0, { budget: 1000, breakpoints: true, resume });
            at = all.findIndex((rip, i) => i >= from + (resume ? 1 : 0) && chosen.has(rip));
            expect(kind).toBe(at < 0 ? 'exit' : 'breakpoint');
            if (at < 0) break;
          }
          const n = engine.at(machine, 0);
          expect(n && nativeRegisters(n).rip).toBe(all[at]);
        }
      }
    }
  });

  test('amid an instruction BPF registers are those before it, and what is changed there holds behind it', () => {
    const engine = new X86Sim();
    const { machine } = start(engine, attrOf(DIVISION));
    const cpu = machine.cpu(0);
    let amid = 0;
    // the division itself, behind the test for 0
    while (cpu.pc < 7) engine.step(machine, 0);
    for (; cpu.pc === 7; amid++) {
      expect([0, 3, 6, 7].map((n) => cpu.readReg(n))).toEqual([
        amid > 4 ? 9n : 7n,
        amid > 2 ? 50n : 100n,
        1000n,
        3n,
      ]);
      // rdx has been saved and is to be overwritten; rax holds the dividend
      if (amid === 2) cpu.writeReg(3, 50n);
      if (amid === 4) cpu.writeReg(0, 9n);
      engine.step(machine, 0);
    }
    expect(amid).toBe(8);
    expect([0, 3, 6, 7].map((n) => cpu.readReg(n))).toEqual([9n, 50n, 333n, 3n]);
  });
});

function endOf(source: string): [bigint, bigint] {
  const { machine } = start(new X86Sim(), attrOf(source));
  reference.run(machine, 0, { budget: 1000, breakpoints: false, resume: false });
  return [machine.cpu(0).readReg(0), machine.cpu(0).insnsExecuted];
}
