import type { RunInput } from '../ctx/input.ts';
import { prepareInput } from '../ctx/setup.ts';
import { verdictText } from '../ctx/verdict.ts';
import type { Engine, StopCause } from '../interp/engine.ts';
import type { ProgType } from '../object/object.ts';
import { bpfTraceRun } from '../prog/bpf-trace-run.ts';
import type { BpfProg } from '../prog/prog.ts';
import { recordRun } from '../prog/stats.ts';
import type { Cpu } from '../vm/cpu.ts';
import type { Fault } from '../vm/fault.ts';
import type { Machine } from '../vm/machine.ts';

/** Instructions after which a run is stopped when the caller sets no limit. */
export const DEFAULT_MAX_INSNS = 1_000_000;

/** How to run. */
export interface RunOptions {
  /** CPU to run on; 0 when not told. */
  readonly cpu?: number;
  /** Instructions after which the run ends with an `insn_limit` fault; Infinity: never. */
  readonly maxInsns?: number;
  /** Times to run, each on a fresh copy of the input; the last one's result counts. 1 when not told. */
  readonly repeat?: number;
}

/** What came out of a run. */
export interface RunResult {
  /** R0, unsigned 64 bits; as it was when a fault ended the run. */
  readonly r0: bigint;
  /** R0's low 32 bits, unsigned: what BPF_PROG_TEST_RUN calls `retval`. */
  readonly retval: number;
  /** What the value means to the hook; `fault: …` for a run that a fault ended. */
  readonly verdict: string;
  /** Of the last run. */
  readonly insnsExecuted: bigint;
  readonly fault?: Fault;
  /** Packet or memory after the run. */
  readonly dataOut: Uint8Array<ArrayBuffer>;
  /** Context fields after the run, those that TEST_RUN gives back. */
  readonly ctxOut: Readonly<Record<string, bigint>>;
  /** Lines printed with `bpf_trace_printk`, of all repetitions. */
  readonly output: readonly string[];
  /** What was wrong with the context fields of the input, one message each. */
  readonly inputProblems: readonly string[];
}

/**
 * Runs `prog` on one input from entry to exit, fault or limit, and counts it in the program's statistics.
 * Maps keep what the program wrote; `Machine.output` begins anew. Throws MemoryLimitError when the input does not fit into the
 * machine's memory, RangeError for a CPU it does not have.
 */
export function runProgram(
  machine: Machine,
  prog: BpfProg,
  engine: Engine,
  input: RunInput,
  options: RunOptions = {},
): RunResult {
  const repeat = Math.max(1, options.repeat ?? 1);
  machine.output.length = 0;
  let result = runOnce(machine, prog, engine, input, options);
  for (let i = 1; i < repeat && !result.fault; i++) result = runOnce(machine, prog, engine, input, options);
  return { ...result, output: [...machine.output] };
}

function runOnce(
  machine: Machine,
  prog: BpfProg,
  engine: Engine,
  input: RunInput,
  options: RunOptions,
): RunResult {
  const index = options.cpu ?? 0;
  const cpu = machine.cpu(index);
  const prepared = prepareInput(machine, index, prog, input);
  let leave = (): void => {};
  try {
    leave = bpfTraceRun(machine, prog, index);
    machine.enter(cpu, prog, prepared.r1, prepared.r2);
    const fault = runToEnd(machine, engine, cpu, options.maxInsns ?? DEFAULT_MAX_INSNS);
    recordRun(machine, index, prog);
    const r0 = cpu.readReg(0);
    const retval = Number(r0 & 0xffffffffn);
    return {
      r0,
      retval,
      verdict: fault ? `fault: ${fault.kind}` : verdictText(prog.progType as ProgType, retval),
      insnsExecuted: cpu.insnsExecuted,
      ...(fault ? { fault } : {}),
      dataOut: prepared.dataOut(),
      ctxOut: prepared.ctxOut(),
      output: [],
      inputProblems: prepared.problems,
    };
  } finally {
    leave();
    prepared.dispose();
  }
}

/** Until exit (undefined) or fault; a pause from outside is not obeyed here: nobody could go on from it. */
function runToEnd(machine: Machine, engine: Engine, cpu: Cpu, maxInsns: number): Fault | undefined {
  for (;;) {
    const left = maxInsns - Number(cpu.insnsExecuted);
    if (left <= 0) return limitFault(cpu, maxInsns);
    const stop: StopCause = engine.run(machine, cpu.index, {
      budget: left,
      breakpoints: false,
      resume: true,
    });
    if (stop.kind === 'exit') return undefined;
    if (stop.kind === 'fault') return stop.fault;
    if (stop.kind === 'pause') cpu.clearPause();
  }
}

function limitFault(cpu: Cpu, maxInsns: number): Fault {
  const { pc } = cpu;
  return {
    kind: 'insn_limit',
    pc: cpu.prog.origIdx[pc] ?? 0,
    xlatedPc: pc,
    address: undefined,
    size: 0,
    region: undefined,
    message: `stopped after ${maxInsns} instructions, the limit for a run; a longer limit can be set`,
  };
}
