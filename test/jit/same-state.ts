import type { Engine, StopCause } from '#core/interp/engine.ts';
import type { Insn } from '#core/isa/insn.ts';
import * as layout from '#core/vm/layout.ts';
import type { Machine } from '#core/vm/machine.ts';
import { load, newMachine, type ProgOptions } from '../interp/build.ts';

/** What an engine made of a program. */
export interface Outcome {
  readonly stop: StopCause;
  readonly executed: bigint;
  /** The whole machine's memory, but for what compiled code and its engine tell each other. */
  readonly memory: Uint8Array;
}

/** Runs slots on a machine of its own: `engines` take turns, each for a number of instructions. */
export function runOn(
  slots: readonly Insn[],
  turns: readonly { readonly engine: Engine; readonly budget: number }[],
  limit: number,
  options: ProgOptions & { readonly shared?: boolean } = {},
): Outcome {
  const machine = newMachine({ shared: options.shared ?? false, maxMemory: 2 ** 20, seed: 5 });
  const memory = machine.space.alloc({ name: 'memory', kind: 'memory', size: 64, perm: 'rw' });
  machine.space.write(
    memory.addr,
    Uint8Array.from({ length: 64 }, (_, i) => i * 37),
  );
  const prog = load(machine, slots, options);
  machine.enter(0, prog, memory.addr, 64n);
  return { stop: runTurns(machine, turns, limit), ...stateOf(machine) };
}

function runTurns(
  machine: Machine,
  turns: readonly { readonly engine: Engine; readonly budget: number }[],
  limit: number,
): StopCause {
  for (let at = 0; ; at++) {
    const left = limit - Number(machine.cpu(0).insnsExecuted);
    if (left <= 0) return { kind: 'budget' };
    const turn = turns[at % turns.length];
    if (turn === undefined) throw new RangeError('no engine');
    const budget = Math.min(left, turn.budget);
    const stop = turn.engine.run(machine, 0, { budget, breakpoints: false, resume: true });
    if (stop.kind !== 'budget') return stop;
  }
}

/** Instruction count and memory of a machine; what lies in frames that were left is of no meaning. */
export function stateOf(machine: Machine): { readonly executed: bigint; readonly memory: Uint8Array } {
  const memory = machine.memory.bytes.slice();
  const block = layout.cpuBlock(0);
  memory.fill(0, block + layout.CPU_COMPILED, block + layout.CPU_COMPILED + 64);
  const cpu = machine.cpu(0);
  memory.fill(0, layout.frameRecord(block, cpu.depth + 1), layout.frameRecord(block, layout.MAX_CALL_FRAMES));
  for (let depth = cpu.depth + 1; depth < layout.MAX_CALL_FRAMES; depth++) {
    const base = machine.space.byId(cpu.stackRegionId(depth))?.base ?? 0;
    memory.fill(0, base, base + layout.MAX_BPF_STACK + layout.SHADOW_SIZE);
  }
  return { executed: cpu.insnsExecuted, memory };
}

/** Where two memories first differ, as text; undefined: nowhere. */
export function firstDifference(a: Outcome, b: Outcome): string | undefined {
  if (Buffer.compare(a.memory, b.memory) === 0) return undefined;
  const at = a.memory.findIndex((byte, i) => byte !== b.memory[i]);
  return `byte 0x${at.toString(16)}: ${a.memory[at]} and ${b.memory[at]}`;
}
