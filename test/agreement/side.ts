import type { Engine, StopCause } from '#core/interp/engine.ts';
import { findRow } from '#core/isa/decode.ts';
import { readInsn, writeInsn } from '#core/isa/insn.ts';
import { bpfProgFree, bpfProgLoad } from '#core/prog/load.ts';
import type { BpfProg } from '#core/prog/prog.ts';
import { type RunResult, runProgram } from '#core/session/run.ts';
import type { Way } from '../engines.ts';
import type { AnyProgram } from './pieces.ts';
import { attrOf, World } from './world.ts';

/** Instructions after which a run ends in `insn_limit`. */
const LIMIT = 600;
/** No instruction has this opcode. */
const NO_OPCODE = 0xff;

/** What a run did, as far as every engine has to agree on it. */
export interface Effects {
  /** Kind, place in the program as loaded and text; undefined: it ended by `exit`. */
  readonly fault: string | undefined;
  /** R0 … R9 at the end. */
  readonly registers: string;
  readonly depth: number;
  readonly insnsExecuted: bigint;
  readonly tailCalls: number;
  readonly data: string;
  readonly maps: readonly string[];
  readonly output: readonly string[];
  /** Address of the next region: as many have come and gone. */
  readonly next: bigint;
}

/** What the first side has seen of a run beside its effects. */
export interface Witnessed {
  readonly kind: string;
  /** Deepest frame. */
  readonly deepest: number;
  /** Functions called while a call of the same function was under way. */
  readonly recursed: boolean;
  /** First slots of the rewritten program's functions that were entered. */
  readonly entered: ReadonlySet<number>;
  /** Rows of the instruction table that were executed, as loaded and as rewritten. */
  readonly rows: ReadonlySet<string>;
}

/** One engine in one machine, for many programs. */
export class Side {
  readonly way: Way;
  readonly world: World;

  constructor(way: Way) {
    this.way = way;
    this.world = new World(way);
  }

  /** Loads, runs and frees a program; a text: it was refused, or the engine failed. `look` is given the program before it runs. */
  run(program: AnyProgram, insns: Uint8Array, look?: (prog: BpfProg) => Engine): Effects | string {
    const { machine } = this.world;
    const { progType } = program;
    const loaded = bpfProgLoad(machine, attrOf(progType, insns), { maps: this.world.mapsOf(progType) });
    if (!loaded.ok) return `refused at ${loaded.refusal.pc}: ${loaded.refusal.message}`;
    const { prog } = loaded;
    damage(prog, program.damage);
    this.world.setSelf(progType, prog.id);
    this.world.resetMaps();
    const engine = look?.(prog) ?? this.way.engine;
    const input = { data: program.data, attach: 'test_run' } as const;
    let result: RunResult;
    try {
      result = runProgram(machine, prog, engine, input, { maxInsns: LIMIT });
    } catch (error) {
      return `an error: ${error instanceof Error ? error.message : error}`;
    }
    const { fault, insnsExecuted, dataOut, output } = result;
    const cpu = machine.cpu(0);
    const effects: Effects = {
      fault: fault && `${fault.kind} at ${fault.pc}: ${fault.message}`,
      registers: Array.from({ length: 10 }, (_, n) => `r${n}=${cpu.readReg(n).toString(16)}`).join(' '),
      depth: cpu.depth,
      insnsExecuted,
      tailCalls: cpu.tailCalls,
      data: Buffer.from(dataOut).toString('hex'),
      maps: this.world.mapLines(),
      output,
      next: this.world.nextAddress(),
    };
    this.world.setSelf(progType, undefined);
    bpfProgFree(machine, prog);
    return effects;
  }
}

/** Breaks one instruction of a loaded program, as a mistake in rewriting would: the same in each machine. */
function damage(prog: BpfProg, at: number): void {
  const place = at === 0 ? undefined : prog.firstXlated?.[at % (prog.insns.length / 8)];
  if (place === undefined || (prog.insns[(at % (prog.insns.length / 8)) * 8] ?? 0) === 0) return;
  writeInsn(prog.xlated, place, { ...readInsn(prog.xlated, place), opcode: NO_OPCODE });
}

/** An engine that executes one instruction after the other by `engine`, and what it sees while it does. */
export function witness(engine: Engine): { readonly engine: Engine; readonly seen: () => Witnessed } {
  let kind = 'exit';
  let deepest = 0;
  let recursed = false;
  const entered = new Set<number>();
  const rows = new Set<string>();
  const stepping: Engine = {
    name: engine.name,
    run(machine, index, limits): StopCause {
      const cpu = machine.cpu(index);
      const before = cpu.insnsExecuted;
      for (;;) {
        const { prog, pc, depth } = cpu;
        if (prog.subprogs.some(({ start }) => start === pc)) {
          entered.add(pc);
          recursed ||= depth > 0 && new Set(cpu.frames().map(({ subprog }) => subprog.start)).size <= depth;
        }
        deepest = Math.max(deepest, depth);
        for (const insn of [
          readInsn(prog.xlated, pc),
          readInsn(prog.insns ?? prog.xlated, prog.origIdx[pc] ?? pc),
        ]) {
          const row = findRow(insn);
          if (row !== undefined) rows.add(row.id);
        }
        const cause = engine.run(machine, index, { ...limits, budget: 1 });
        if (cause.kind !== 'budget') {
          if (cause.kind === 'fault') kind = cause.fault.kind;
          return cause;
        }
        if (Number(cpu.insnsExecuted - before) >= limits.budget) {
          kind = 'insn_limit';
          return cause;
        }
      }
    },
  };
  return { engine: stepping, seen: () => ({ kind, deepest, recursed, entered, rows }) };
}
