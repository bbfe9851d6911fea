import { emitInterpreter } from './emit.ts';

/** Compiled modules by CPU and kind of memory; a text: why there is none. */
const modules = new Map<string, WebAssembly.Module | string>();

/**
 * The interpreter for CPU `cpu` of a machine with shared or plain memory, compiled at the first call; or
 * what the host says when it does not compile WebAssembly.
 */
export function interpreterModule(cpu: number, shared: boolean): WebAssembly.Module | string {
  const key = `${cpu} ${shared}`;
  let module = modules.get(key);
  if (module === undefined) {
    module = compile(cpu, shared);
    modules.set(key, module);
  }
  return module;
}

function compile(cpu: number, shared: boolean): WebAssembly.Module | string {
  try {
    return new WebAssembly.Module(emitInterpreter(cpu, shared).bytes);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Why the interpreter does not run inside WebAssembly here; undefined: it does. */
export function interpreterProblem(): string | undefined {
  const module = interpreterModule(0, false);
  if (typeof module !== 'string') return undefined;
  return `the engine "interp" cannot be compiled here (${module}); the engine "reference" runs instead`;
}
