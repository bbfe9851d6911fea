import { decodeProg } from '#core/interp/decode.ts';
import type { Engine, RunLimits, StopCause } from '#core/interp/engine.ts';
import { executeOne } from '#core/interp/execute-one.ts';
import { reference } from '#core/interp/reference.ts';
import * as local from '#core/jit/wasm/locals.ts';
import { fixedPartEnd } from '#core/vm/layout.ts';
import type { Machine } from '#core/vm/machine.ts';
import type { Witnessed } from '#core/wasm-sim/thread.ts';
import { WasmSim } from '#core/wasm-sim/wasm-sim.ts';

/**
 * Executes programs by steps of one WebAssembly instruction, and throws where code has computed something else than the
 * machine does. Programs that are not compiled, and runs from `most` steps on, are executed by `reference`.
 */
export class Stepping implements Engine {
  readonly name = 'wasm';
  /** Of all runs. */
  steps = 0;
  arrivals = 0;
  /** Slots that code came to, but the machine did not. */
  unexpected = 0;
  readonly #most: number;
  readonly #wrong: string[] = [];
  #machine: Machine | undefined;
  readonly #sim = new WasmSim((witnessed) => this.#saw(witnessed));

  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  run(machine: Machine, index: number, limits: RunLimits): StopCause {
    this.#machine = machine;
    const cpu = machine.cpu(index);
    const before = cpu.insnsExecuted;
    for (let n = 0; ; n++) {
      const left = limits.budget - Number(cpu.insnsExecuted - before);
      // What costs nothing is executed by every engine before it stops.
      if (left <= 0) return this.#rest(machine, index);
      if (n >= this.#most) return reference.run(machine, index, { ...limits, budget: left });
      const cause = this.#sim.step(machine, cpu, { over: n % 3 === 0, left });
      this.steps++;
      if (cause === undefined) return reference.run(machine, index, { ...limits, budget: left });
      const [wrong] = this.#wrong.splice(0);
      if (wrong !== undefined) throw new Error(wrong);
      if (cause.kind !== 'budget') return cause;
    }
  }

  #rest(machine: Machine, index: number): StopCause {
    const cpu = machine.cpu(index);
    let cause: StopCause | undefined;
    while (cause === undefined && decodeProg(cpu.prog)[cpu.pc]?.cost === 0) cause = executeOne(machine, cpu);
    return cause ?? { kind: 'budget' };
  }

  #saw(witnessed: Witnessed): void {
    if (witnessed.kind === 'trap') {
      this.#wrong.push(`a trap: ${witnessed.trap.message}`);
      return;
    }
    const { isExpected, cpu, activation, written } = witnessed;
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
      if (value !== cpu.readReg(reg)) this.#wrong.push(`${at}: r${reg} ${value}, not ${cpu.readReg(reg)}`);
    }
    const bytes = this.#machine?.memory.bytes ?? new Uint8Array();
    const nCpus = this.#machine?.nCpus ?? 1;
    for (const [addr, byte] of written) {
      if (addr >= fixedPartEnd(nCpus) && bytes[addr] !== byte)
        this.#wrong.push(`${at}: byte ${addr} ${byte}, not ${bytes[addr]}`);
    }
  }
}
