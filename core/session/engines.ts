import type { Engine, EngineName } from '../interp/engine.ts';
import { reference } from '../interp/reference.ts';
import { interp } from '../interp-wasm/interp.ts';
import { interpreterProblem } from '../interp-wasm/modules.ts';
import { wasm, whyNotCompiled } from '../jit/wasm/engine.ts';
import { wasmJitCompiler } from '../jit/wasm/jit-compiler.ts';
import type { LoadAttr } from '../object/object.ts';
import type { JitCompiler } from '../prog/bpf-int-jit-compile.ts';
import type { Machine } from '../vm/machine.ts';
import type { ExecProg } from '../vm/program.ts';
import { x86Sim } from '../x86-sim/x86-sim.ts';

/** The engines that there are, the definition first. */
export const ENGINES: readonly Engine[] = [reference, interp, wasm, x86Sim];

/** Their names, as CLI and launch configurations give them. */
export const ENGINE_NAMES: readonly EngineName[] = ENGINES.map(({ name }) => name);

/** What executes programs unless told otherwise. */
const DEFAULT_ENGINE: EngineName = 'interp';

/** An engine, and what its user should know of the choice. */
export interface EngineChoice {
  readonly engine: Engine;
  /** One line: the engine that was asked for does not work on this host, and which one runs instead. */
  readonly message?: string;
}

/** The engine called `name`, or the default where no name is given; undefined: there is none of that name. */
export function chooseEngine(name: string | undefined): EngineChoice | undefined {
  const wanted = name ?? DEFAULT_ENGINE;
  const engine = ENGINES.find((each) => each.name === wanted);
  if (engine !== interp) return engine && { engine };
  const message = interpreterProblem();
  return message === undefined ? { engine } : { engine: reference, message };
}

/** What executes programs that `engine` cannot compile. */
export function runsInstead(engine: Engine): Engine {
  return engine === wasm && interpreterProblem() === undefined ? interp : reference;
}

/**
 * The compiler that programs are loaded with (`LoadOptions.jit`) where `engine` is to execute them: the native code of
 * the program object is then what it executes. Undefined: it interprets.
 */
export function compilerFor(engine: Engine, machine: Machine): ((attr: LoadAttr) => JitCompiler) | undefined {
  if (engine === wasm) return (attr) => wasmJitCompiler({ machine, attr });
  if (engine !== x86Sim) return undefined;
  return (attr) => x86Sim.text(machine).compiler(attr);
}

/** Why `engine` cannot compile some of the loaded programs: a text for each, beginning with the program's name. */
export function notCompiled(engine: Engine, machine: Machine, progs: Iterable<ExecProg>): string[] {
  const why = (prog: ExecProg): string | undefined => {
    if (engine === wasm) return whyNotCompiled(machine, prog);
    if (engine !== x86Sim) return undefined;
    const text = x86Sim.text(machine);
    return text.of(prog) === undefined ? `${prog.name}: ${text.whyNot(prog)}` : undefined;
  };
  return Array.from(progs, why).filter((reason) => reason !== undefined);
}

/** A line for each of the loaded programs that `engine` cannot compile: why, and what executes that one instead. */
export function interpretedNotices(engine: Engine, machine: Machine, progs: Iterable<ExecProg>): string[] {
  return notCompiled(engine, machine, progs).map(
    (why) => `engine ${engine.name}: ${why}; ${runsInstead(engine).name} executes it`,
  );
}
