import type { Engine } from '../interp/engine.ts';
import type { LoadAttr } from '../object/object.ts';
import type { JitCompiler } from '../prog/bpf-int-jit-compile.ts';
import type { Machine } from '../vm/machine.ts';
import { compilerFor, notCompiled, runsInstead } from './engines.ts';
import { type LoadedPrograms, loadPrograms, type ProgramSource } from './load-programs.ts';

/** Programs in a machine, and what executes them. */
export interface LoadedForEngine extends LoadedPrograms {
  readonly machine: Machine;
  readonly engine: Engine;
  /** One line for each program that `wanted` cannot compile: why, and what runs instead. */
  readonly notices: readonly string[];
}

/**
 * Loads the programs of a session with the compiler of the engine that is to execute them. A session has one engine:
 * where one of its programs cannot be compiled, what `runsInstead` names executes all of them. Compiled programs and
 * interpreted ones do not go together in a program array, so with such arrays all are then loaded without a compiler,
 * in a new machine. Throws LaunchFailure for what is refused.
 */
export function loadForEngine(
  source: ProgramSource,
  wanted: Engine,
  newMachine: () => Machine,
): LoadedForEngine {
  const machine = newMachine();
  const compiler = compilerFor(wanted, machine);
  const refused: string[] = [];
  const noting = (attr: LoadAttr, compile: JitCompiler): JitCompiler => {
    return (code, subprogs) => {
      source.reporter?.report('compile', 0, attr.name, wanted.name);
      const outcome = compile(code, subprogs);
      if (!outcome.ok) refused.push(`${attr.name}: ${outcome.message}`);
      return outcome;
    };
  };
  let loaded: LoadedPrograms;
  try {
    loaded = loadPrograms(source, machine, compiler && ((attr) => noting(attr, compiler(attr))));
  } catch (error) {
    if (refused.length === 0) throw error;
    return interpreted(source, wanted, newMachine, refused);
  }
  if (refused.length > 0 && usesProgramArray(loaded)) {
    return interpreted(source, wanted, newMachine, refused);
  }
  const progs = loaded.programs.map(({ prog }) => prog);
  const notices = noticesOf(wanted, notCompiled(wanted, machine, progs), progs.length);
  return { ...loaded, machine, engine: notices.length === 0 ? wanted : runsInstead(wanted), notices };
}

function interpreted(
  source: ProgramSource,
  wanted: Engine,
  newMachine: () => Machine,
  refused: readonly string[],
): LoadedForEngine {
  const machine = newMachine();
  const loaded = loadPrograms(source, machine);
  const notices = noticesOf(wanted, refused, loaded.programs.length);
  return { ...loaded, machine, engine: runsInstead(wanted), notices };
}

function noticesOf(wanted: Engine, reasons: readonly string[], nPrograms: number): string[] {
  const { name } = runsInstead(wanted);
  const who = nPrograms === 1 ? `${name} executes it` : `${name} executes all programs of this session`;
  return reasons.map((why) => `engine ${wanted.name}: ${why}; ${who}`);
}

function usesProgramArray({ programs }: LoadedPrograms): boolean {
  return programs.some(({ prog }) => prog.maps.some(({ def }) => def.type === 'prog_array'));
}
