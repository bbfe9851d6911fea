import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeProg } from '#core/interp/decode.ts';
import type { Engine, StopCause } from '#core/interp/engine.ts';
import { executeOne } from '#core/interp/execute-one.ts';
import { reference } from '#core/interp/reference.ts';
import * as local from '#core/jit/wasm/locals.ts';
import { fixedPartEnd } from '#core/vm/layout.ts';
import type { Machine } from '#core/vm/machine.ts';
import { type Arrival, WasmSim } from '#core/wasm-sim/wasm-sim.ts';
import { anyProgram } from '../agreement/pieces.ts';
import { Side } from '../agreement/side.ts';
import { write } from '../agreement/writer.ts';
import { EVERY_WAY } from '../engines.ts';

/** Another campaign: `FUZZ_SEED=7 FUZZ_PROGRAMS=10000 npx vitest run test/wasm-sim/random.test.ts`. */
const SEED = Number(process.env.FUZZ_SEED ?? 0x5717);
const N = Number(process.env.FUZZ_PROGRAMS ?? 100);

/** Executes programs by steps of one WebAssembly instruction, and says where the code came to something else than the machine. */
class Stepping implements Engine {
  readonly name = 'wasm';
  readonly wrong: string[] = [];
  steps = 0;
  arrivals = 0;
  unexpected = 0;
  #machine: Machine | undefined;
  readonly #sim = new WasmSim((arrival) => this.#arrived(arrival));

  run: Engine['run'] = (machine, index, limits) => {
    this.#machine = machine;
    const cpu = machine.cpu(index);
    const before = cpu.insnsExecuted;
    for (;;) {
      this.steps++;
      const cause = this.#sim.step(machine, index, this.steps % 3 === 0);
      if (cause === undefined) return reference.run(machine, index, limits);
      if (cause.kind !== 'budget') return cause;
      if (Number(cpu.insnsExecuted - before) >= limits.budget) {
        // What costs nothing is executed by every engine before it stops.
        let rest: StopCause | undefined;
        while (rest === undefined && decodeProg(cpu.prog)[cpu.pc]?.cost === 0)
          rest = executeOne(machine, cpu);
        return rest ?? { kind: 'budget' };
      }
    }
  };

  #arrived({ isExpected, activation, written }: Arrival): void {
    const machine = this.#machine as Machine;
    const cpu = machine.cpu(0);
    this.arrivals++;
    if (!isExpected) {
      this.unexpected++;
      return;
    }
    const at = `${activation.code.name} at slot ${cpu.pc}`;
    for (const index of activation.code.usedLocals) {
      const reg = index - local.reg(0);
      if (reg < 0 || reg > 11) continue;
      const value = BigInt.asUintN(64, BigInt(activation.locals[index] ?? 0));
      if (value !== cpu.readReg(reg)) this.wrong.push(`${at}: r${reg} ${value}, not ${cpu.readReg(reg)}`);
    }
    const { bytes } = machine.memory;
    for (const [addr, byte] of written) {
      if (addr >= fixedPartEnd(1) && bytes[addr] !== byte)
        this.wrong.push(`${at}: byte ${addr} ${byte}, not ${bytes[addr]}`);
    }
  }
}

const REFERENCE = EVERY_WAY.filter(({ engine }) => engine === reference);

test.each(REFERENCE)(
  `${N} random programs: code computes what the machine does, and stepping changes no result ($title, seed ${SEED})`,
  (way) => {
    const stepping = new Stepping();
    const first = new Side(way);
    const second = new Side({ ...way, title: 'stepped', engine: stepping });
    fc.assert(
      fc.property(anyProgram, (program) => {
        const { insns } = write(program);
        const wanted = first.run(program, insns);
        const got = second.run(program, insns);
        expect(stepping.wrong.splice(0).slice(0, 5)).toEqual([]);
        if (!isDeepStrictEqual(got, wanted)) expect(got).toEqual(wanted);
      }),
      { seed: SEED, numRuns: N },
    );
    expect(stepping.steps).toBeGreaterThan(100 * N);
    expect(stepping.unexpected).toBeLessThan(stepping.arrivals / 1000);
  },
  240_000,
);
