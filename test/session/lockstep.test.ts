import { describe, expect, test } from 'vitest';
import type { Engine, StopCause } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';
import { wasm } from '#core/jit/wasm/engine.ts';
import type { LoadArgs } from '#core/session/load-request.ts';
import { loadAgain } from '#core/session/load-session.ts';
import type { Loaded } from '#core/session/loaded.ts';
import { runLockstep } from '#core/session/lockstep/run.ts';
import type { Cpu } from '#core/vm/cpu.ts';
import type { Machine } from '#core/vm/machine.ts';
import { x86Sim } from '#core/x86-sim/x86-sim.ts';
import { mistaken } from './lockstep-engines.ts';
import { pcapOf } from './pcap.ts';
import { MIXING_LOOP } from './programs.ts';

/** Counts packets by their first byte and prints each number. */
const COUNT = `.map counts, hash, 4, 8, 16
	.section xdp
main:
	r6 = r1
	r2 = *(u32 *)(r6 + 0)
	r3 = *(u32 *)(r6 + 4)
	r4 = r2
	r4 += 14
	if r4 > r3 goto out
	r7 = *(u8 *)(r2 + 0)
	*(u32 *)(r10 - 4) = w7
	r1 = 1
	*(u64 *)(r10 - 16) = r1
	r1 = counts ll
	r2 = r10
	r2 += -4
	call bpf_map_lookup_elem
	if r0 == 0 goto new
	r1 = *(u64 *)(r0 + 0)
	r1 += 1
	*(u64 *)(r0 + 0) = r1
	goto out
new:	r1 = counts ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -16
	r4 = 0
	call bpf_map_update_elem
out:	r1 = 0x0a6925
	*(u64 *)(r10 - 24) = r1
	r1 = r10
	r1 += -24
	r2 = 8
	r3 = r7
	call bpf_trace_printk
	r0 = XDP_PASS
	exit
`;
/** Writes to the packet, so that it begins with more than its first instruction, and calls itself. */
const TO_ITSELF = `        .map progs, prog_array, 4, 4, 1
        .section tc
        .globl main
main:
        r6 = *(u32 *)(r1 + 76)
        *(u8 *)(r6 + 0) = 0
        r2 = progs ll
        r3 = 0
        call bpf_tail_call
        r0 = 0
        exit
        .map_entry progs, 0, main
`;
const PACKETS = [3, 4, 3, 3].map((first) => new Uint8Array(64).fill(first, 0, 1));
const CAPTURE = { capture: { name: 'c.pcap', bytes: pcapOf(PACKETS) }, packets: 'all' } as const;

function run(source: string, second: Engine, args: Partial<LoadArgs> = {}, first?: Engine) {
  const given = { fileName: '/x.bpf.s', source: new TextEncoder().encode(source), ...args };
  const make = (): Loaded => loadAgain(given, false);
  return runLockstep(make(), make, second, first === undefined ? {} : { first });
}

describe('engines that agree', () => {
  test.each([
    ['wasm', wasm],
    ['x86-64', x86Sim],
    ['reference', reference],
  ] as const)('interp and %s on a loop, on packets and on a fault', (_, second) => {
    expect(run(MIXING_LOOP, second)).toMatchObject({ executed: 6004, difference: undefined });
    const counted = run(COUNT, second, CAPTURE);
    expect(counted.difference).toBeUndefined();
    expect(counted.ends.map(({ packet, r0 }) => `${packet} ${r0}`)).toEqual(['1 2', '2 2', '3 2', '4 2']);
    const fault = run('.program raw\n\tr1 = 1\n\tr0 = *(u64 *)(r1 + 0)\n\texit\n', second);
    expect(fault).toMatchObject({
      executed: 1,
      difference: undefined,
      ends: [{ fault: { kind: 'out_of_bounds' } }],
    });
  });

  test('ten million instructions of a program that does not end, to its limit', () => {
    const endless = MIXING_LOOP.replace('if r6 != 0 goto', 'goto');
    const { executed, ends } = run(endless, wasm, { maxInsns: 10_000_000 });
    expect(executed).toBe(10_000_000);
    expect(ends).toMatchObject([{ isLimited: true, executed: 10_000_000 }]);
  });

  test('random numbers and times are the same on both sides', () => {
    const source = `.program raw
	r6 = 300
again:	call bpf_get_prandom_u32
	r7 ^= r0
	call bpf_ktime_get_ns
	r7 += r0
	r6 += -1
	if r6 != 0 goto again
	r0 = r7
	exit
`.replace('r6 = 300', 'r6 = 300\n\tr7 = 0');
    expect(run(source, wasm, { seed: 5n }).difference).toBeUndefined();
  });
});

describe('a mistake in an engine is found', () => {
  test('a wrong result, after hundreds of right ones: the instruction, its line, both values', () => {
    const wrong = mistaken(interp, {
      insn: 'mul64_imm',
      from: 700,
      harm: (_, cpu) => {
        cpu.writeReg(1, cpu.readReg(1) ^ 4n);
        return undefined;
      },
    });
    const { difference, executed } = run(MIXING_LOOP, wrong, {}, reference);
    expect(difference).toMatchObject({
      executed: 3 + 699 * 6 + 1,
      certainty: 'exact',
      location: { line: 7 },
      insn: 'r1 *= 13',
      pc: 4,
      differences: [{ kind: 'register', name: 'r1' }],
    });
    expect(executed).toBeLessThanOrEqual(difference?.executed ?? 0);
    const [right, other] = difference?.differences[0]?.values ?? ['', ''];
    expect(BigInt(right) ^ BigInt(other)).toBe(4n);
    expect(difference?.text[0]).toBe(
      'reference and interp differ in what /x.bpf.s:7:2 does, after 4,198 instructions of packet 1: r1 *= 13',
    );
  });

  test('a mistake in the engine that runs, not in the other', () => {
    const wrong = mistaken(wasm, {
      insn: 'xor64_reg',
      from: 12,
      harm: (_, cpu) => {
        cpu.writeReg(0, 1n);
        return undefined;
      },
    });
    const { difference } = run(MIXING_LOOP, interp, {}, wrong);
    expect(difference).toMatchObject({
      insn: 'r0 ^= r1',
      differences: [{ values: ['0x1', expect.any(String)] }],
    });
  });

  test('a store that drops a byte, with the native code that makes it', () => {
    const wrong = mistaken(x86Sim, {
      insn: 'stxdw',
      from: 5,
      harm: (machine, cpu) => {
        machine.space.write(cpu.readReg(10) - 6n, Uint8Array.of(0));
        return undefined;
      },
    });
    const { difference } = run(MIXING_LOOP, wrong, {}, wasm);
    expect(difference).toMatchObject({
      location: { line: 9 },
      differences: [{ kind: 'stack', name: 'stack of main: fp - 8, 8 bytes' }],
    });
    const [first, second] = difference?.engines ?? [];
    expect(first).toMatchObject({ engine: 'wasm' });
    expect(first?.native.length).toBeGreaterThan(0);
    expect(second?.native.map(({ text }) => text)).toEqual(['mov qword ptr [rbp-0x8], rax']);
    expect(second?.native[0]?.address).toBeGreaterThan(0xffffffffc0000000n);
  });

  test('a store that is not noted as written', () => {
    const wrong = mistaken(interp, {
      insn: 'stxdw',
      from: 1,
      harm: (machine) => {
        const stack = machine.space.regions().find(({ kind }) => kind === 'stack');
        machine.memory.bytes.fill(0, (stack?.base ?? 0) + 512 + 504, (stack?.base ?? 0) + 512 + 512);
        return undefined;
      },
    });
    const { difference } = run(MIXING_LOOP, wrong, {}, reference);
    expect(difference?.differences).toEqual([
      { kind: 'stack', name: 'stack of main: fp - 8', values: ['written', 'not written'] },
    ]);
  });

  test('a wrong map update, on the third packet', () => {
    const wrong = mistaken(interp, {
      insn: 'stxdw',
      // On the third packet: the key, the value, the count; then the text.
      from: 6,
      harm: (machine, cpu) => {
        const [counts] = machine.maps.values();
        if (cpu.insnsExecuted === 18n)
          counts?.update(Uint8Array.of(3, 0, 0, 0), new Uint8Array(8).fill(9), 0n);
        return undefined;
      },
    });
    const { difference, ends } = run(COUNT, wrong, CAPTURE, wasm);
    expect(ends).toHaveLength(2);
    expect(difference).toMatchObject({ packet: 3, insn: '*(u64 *)(r0 + 0) = r1', executed: 17 });
    expect(difference?.differences[0]).toEqual({
      kind: 'map',
      name: 'counts[03000000]',
      values: ['0200000000000000', '0909090909090909'],
    });
  });

  test('a fault of another kind, and one that is not there', () => {
    const source = '.program raw\n\tr1 = 1\n\tr2 = 2\n\tr0 = *(u64 *)(r1 + 0)\n\texit\n';
    const other = mistaken(interp, {
      insn: 'ldxdw',
      from: 1,
      harm: (_m, _c, cause) =>
        cause.kind === 'fault' ? { kind: 'fault', fault: { ...cause.fault, kind: 'permission' } } : undefined,
    });
    expect(run(source, other, {}, reference).difference).toMatchObject({
      executed: 2,
      location: { line: 4 },
      differences: [{ kind: 'fault', name: 'fault: kind', values: ['out_of_bounds', 'permission'] }],
    });
    const invented = mistaken(interp, {
      insn: 'mov64_imm',
      from: 2,
      harm: (_m, cpu) => ({
        kind: 'fault',
        fault: {
          ...{ kind: 'bad_pc', pc: 1, xlatedPc: cpu.pc, address: undefined, size: 0, region: undefined },
          message: 'invented',
        },
      }),
    });
    expect(run(source, invented, {}, reference).difference).toMatchObject({
      executed: 1,
      location: { line: 3 },
      differences: [{ kind: 'end', values: ['goes on', 'fault: invented'] }],
    });
  });

  test('a stop in front of what a program begins with in addition, which is the same instruction as loaded', () => {
    const early = mistaken(interp, {
      insn: 'tail_call',
      from: 2,
      harm: (_, cpu) => {
        cpu.pc = 0;
        return undefined;
      },
    });
    const data = { kind: 'hex', text: '00'.repeat(14) } as const;
    const { difference } = run(TO_ITSELF, early, { data, maxInsns: 20 }, reference);
    expect(difference).toMatchObject({ insn: 'call bpf_tail_call', executed: 9, certainty: 'exact' });
    expect(difference?.differences).toEqual([
      {
        kind: 'place',
        name: 'next instruction',
        values: [10, 0].map(
          (slot) => `/x.bpf.s:5:9, r6 = *(u32 *)(r1 + 76), slot ${slot} of the rewritten program, at depth 0`,
        ),
      },
    ]);
  });

  test('a jump to the wrong place, a wrong count, a line that is not printed, an engine that throws', () => {
    const jump = mistaken(interp, {
      insn: 'jne64_imm',
      from: 3,
      harm: (_, cpu) => {
        cpu.pc = 9;
        return undefined;
      },
    });
    expect(run(MIXING_LOOP, jump, {}, reference).difference).toMatchObject({
      location: { line: 11 },
      differences: [{ kind: 'place', values: ['/x.bpf.s:6:7, r0 += r1', '/x.bpf.s:12:2, exit'] }],
    });
    const uncounted = mistaken(interp, {
      insn: 'add64_imm',
      from: 40,
      harm: (machine, cpu) => {
        machine.memory.view.setUint32(cpu.block + 0x70, Number(cpu.insnsExecuted) - 1, true);
        return undefined;
      },
    });
    expect(run(MIXING_LOOP, uncounted, {}, reference).difference).toMatchObject({
      location: { line: 10 },
      executed: 3 + 39 * 6 + 4,
    });
    const silent = mistaken(interp, {
      insn: 'call_helper',
      from: 5,
      harm: (machine) => {
        machine.output.length = 0;
        return undefined;
      },
    });
    expect(run(COUNT, silent, CAPTURE, reference).difference).toMatchObject({
      packet: 2,
      insn: 'call bpf_trace_printk',
      differences: [{ kind: 'output', values: ['"4"', 'not printed'] }],
    });
    const thrower = mistaken(interp, {
      insn: 'xor64_reg',
      from: 9,
      harm: () => {
        throw new Error('out of order');
      },
    });
    expect(run(MIXING_LOOP, thrower, {}, reference).difference).toMatchObject({
      location: { line: 8 },
      differences: [{ kind: 'end', values: ['goes on', 'the engine fails: out of order'] }],
    });
  });

  test('one that shows only where many instructions are executed at once', () => {
    const wrong = mistaken(interp, {
      insn: 'mul64_imm',
      from: 500,
      budget: 100,
      harm: (_, cpu) => {
        cpu.writeReg(1, cpu.readReg(1) + 1n);
        return undefined;
      },
    });
    const { difference } = run(MIXING_LOOP, wrong, {}, reference);
    expect(difference).toMatchObject({ certainty: 'likely', insn: 'r1 *= 13', location: { line: 7 } });
    expect(difference?.text.join('\n')).toContain('not one by one');
  });

  test.each([
    ['by what the machine holds', (cpu: Cpu) => Number(cpu.insnsExecuted), 20_000_000],
    [
      'by what the engine keeps for itself',
      (_: Cpu, inMachine: number) => inMachine,
      Number.POSITIVE_INFINITY,
    ],
  ] as const)(
    'late in a long run, %s: found without doing all of it again where that is enough',
    (_, at, most) => {
      const endless = MIXING_LOOP.replace('if r6 != 0 goto', 'goto');
      const wrongAt = 9_000_005;
      const inMachines = new WeakMap<Machine, number>();
      let inAll = 0;
      const wrong: Engine = {
        name: 'interp',
        run(machine, index, limits) {
          const cpu = machine.cpu(index);
          const done = (budget: number): StopCause => {
            const before = cpu.insnsExecuted;
            const cause = interp.run(machine, index, { ...limits, budget });
            const executed = Number(cpu.insnsExecuted - before);
            inMachines.set(machine, (inMachines.get(machine) ?? 0) + executed);
            inAll += executed;
            return cause;
          };
          const left = wrongAt - at(cpu, inMachines.get(machine) ?? 0);
          if (left <= 0 || left > limits.budget) return done(limits.budget);
          const cause = done(left);
          cpu.writeReg(1, 0n);
          return left === limits.budget ? cause : done(limits.budget - left);
        },
      };
      const { difference } = run(endless, wrong, { maxInsns: 12_000_000 }, wasm);
      expect(difference).toMatchObject({ executed: wrongAt - 1, certainty: 'exact', insn: 'r1 *= 13' });
      expect(inAll).toBeLessThan(most);
    },
  );

  test('one that does not happen again', () => {
    let calls = 0;
    const wrong = mistaken(interp, {
      insn: 'mul64_imm',
      from: 300,
      harm: (_, cpu) => {
        if (calls++ === 0) cpu.writeReg(1, 0n);
        return undefined;
      },
    });
    const { difference } = run(MIXING_LOOP, wrong, {}, reference);
    expect(difference).toMatchObject({ certainty: 'once' });
    expect(difference?.executed).toBeLessThanOrEqual(3 + 299 * 6 + 1);
    expect(difference?.differsAt).toBeGreaterThan(3 + 299 * 6 + 1);
  });
});
