import { decodeProg } from '../../interp/decode.ts';
import type { Engine, RunLimits, StopCause } from '../../interp/engine.ts';
import { interp } from '../../interp-wasm/interp.ts';
import type { Machine } from '../../vm/machine.ts';
import type { ExecProg } from '../../vm/program.ts';
import { CodeCache } from './code-cache.ts';
import type { AccessChecks, CompiledProgram, NotCompiled } from './compile.ts';
import { debugImage, hasDebugImage } from './debug-image.ts';
import { isExtended, step } from './execution.ts';
import { Installed } from './installed.ts';

/** Budgets below are single steps, more or less: not worth entering compiled code. */
const FEW = 4;

const cache = new CodeCache();
const installed = new WeakMap<Machine, Installed>();
const installedLimited = new WeakMap<Machine, Installed>();

/**
 * Executes compiled code: each function of a program is a WebAssembly function. What is rare, and every
 * instruction that faults, is done by the reference engine's handlers on the same state, so that results,
 * faults and counts are the same. Where breakpoints are obeyed that is debuggable code, which is left in front of a
 * breakpoint; the instructions up to it are interpreted. Programs that are not compiled are executed by the interpreter
 * inside WebAssembly.
 */
export const wasm: Engine = wasmEngine({ checks: 'precise' });

/**
 * The engine with accesses checked in one of two ways. `limit` is for benchmarks, and is no engine that users can choose:
 * programs without faults give the same results, others may read and write any of the machine's linear memory (nothing
 * outside), and what is noted of written stack bytes is not kept. Runs that obey breakpoints check precisely in both.
 */
export function wasmEngine({ checks }: { readonly checks: AccessChecks }): Engine {
  return {
    name: 'wasm',
    run(machine: Machine, cpu: number, limits: RunLimits): StopCause {
      if (limits.budget < FEW) return interp.run(machine, cpu, limits);
      const code = installedIn(machine, checks);
      const execution = code.execution(cpu);
      const outer = code.current;
      code.current = execution.s;
      execution.isBusy = true;
      try {
        return execution.run(limits);
      } finally {
        execution.isBusy = false;
        code.current = outer;
      }
    },
  };
}

/**
 * Why `prog` is interpreted by `wasm`, beginning with its name; undefined: it is compiled, and executed so. Compiles it
 * when that is not done yet: as debuggable code where there is an image of that (`wasmImage`, `wasmJitCompiler`).
 */
export function whyNotCompiled(machine: Machine, prog: ExecProg): string | undefined {
  if (isExtended(prog)) return `${prog.name}: an extension has taken the place of one of its functions`;
  const program = installedIn(machine).program(prog, hasDebugImage(machine, prog));
  return 'reason' in program ? program.reason : undefined;
}

/** A program's module, and the address that its first byte is said to lie at. */
export interface WasmImage {
  readonly program: CompiledProgram;
  /** An address of the code minus this is a byte offset in the module. */
  readonly imageAddr: bigint;
}

/**
 * The module that debug sessions execute for `prog`, the same whether breakpoints are set or not; compiled when that is
 * not done yet. What `wasmJitCompiler` made when it was loaded is this module. Never throws.
 */
export function wasmImage(machine: Machine, prog: ExecProg): WasmImage | NotCompiled {
  const image = debugImage(machine, prog);
  return 'reason' in image ? image : { program: image.program, imageAddr: image.imageAddr };
}

/** Has the module of `prog`, which tests breakpoint flags, see the breakpoint bytes as they are now: runs do that themselves. */
export function showBreakpoints(machine: Machine, prog: ExecProg): void {
  const image = debugImage(machine, prog);
  if (!('reason' in image)) image.flags.show(prog, decodeProg(prog));
}

/** Instructions that engine `wasm` has had interpreted in `machine` because no compiled code could execute them: for tests and figures. */
export function interpretedInsns(machine: Machine): number {
  return installedIn(machine).interpreted;
}

function installedIn(machine: Machine, checks: AccessChecks = 'precise'): Installed {
  const all = checks === 'limit' ? installedLimited : installed;
  let found = all.get(machine);
  if (found === undefined) {
    found = new Installed(machine, cache, step, checks);
    all.set(machine, found);
  }
  return found;
}
