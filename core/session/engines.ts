import type { Engine, EngineName } from '../interp/engine.ts';
import { reference } from '../interp/reference.ts';
import { interp } from '../interp-wasm/interp.ts';
import { interpreterProblem } from '../interp-wasm/modules.ts';
import { wasm, whyNotCompiled } from '../jit/wasm/engine.ts';
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

/** A line for each of the loaded programs that `engine` was chosen for and cannot compile: that it is interpreted, and why. */
export function interpretedNotices(engine: Engine, machine: Machine, progs: Iterable<ExecProg>): string[] {
  if (engine !== wasm) return [];
  return Array.from(progs, (prog) => whyNotCompiled(machine, prog))
    .filter((why) => why !== undefined)
    .map((why) => `engine wasm: ${why}; the interpreter executes it`);
}
