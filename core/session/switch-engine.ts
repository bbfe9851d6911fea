import { chooseEngine, ENGINE_NAMES, notCompiled } from './engines.ts';
import type { Loaded } from './loaded.ts';
import { nativeExecution } from './native/choose-native.ts';

/**
 * Lets the engine called `name` go on with a stopped program: registers, stack, frames and maps are the machine's, so
 * nothing of the state is lost. Undefined where that is done, else why it cannot be, for people; the engine is then the
 * same as before.
 *
 * Between two BPF instructions only: in the middle of one, where a native step may have ended, the state is the
 * simulated processor's.
 */
export function switchEngine(loaded: Loaded, name: string): string | undefined {
  const choice = chooseEngine(name);
  if (choice === undefined) return `there is no engine "${name}"; the engines are ${ENGINE_NAMES.join(', ')}`;
  if (choice.message !== undefined) return choice.message;
  const { engine } = choice;
  if (engine === loaded.engine) return undefined;
  const { machine, programs } = loaded;
  // In the middle of what one instruction as loaded became, but between two of those, the machine's state is whole.
  if (nativeExecution(loaded)?.isAmidRewritten) {
    return 'step over once in the source first; the program is amid a BPF instruction';
  }
  const progs = Array.from(programs.values(), ({ prog }) => prog);
  const [why] = notCompiled(engine, machine, progs);
  if (why !== undefined) return `${name} cannot execute this: ${why}`;
  loaded.engine = engine;
  return undefined;
}
