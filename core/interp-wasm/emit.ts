import { cpuBlock } from '../vm/layout.ts';
import { type EncodedModule, ModuleBuilder } from '../wasm/module.ts';
import { I32, OP } from '../wasm/opcodes.ts';
import { clearFrame } from './calls.ts';
import * as form from './code-layout.ts';
import { Emitter, LOCAL, LOCALS, STEP_FUNC } from './emitter.ts';
import { DENSE } from './emitters.ts';

/** What the module imports from, and what it exports. */
export const IMPORTS = 'env';
export const RUN = 'run';

/** Pages that a memory can have: a memory with any limit may be imported where this one is named. */
const MAX_PAGES = 65_536;

/**
 * The interpreter for CPU `cpu` as a module, for shared or plain memory. It imports `env.memory` and `env.step`, a function (address of an
 * op, address of the op at which its run began, instructions that may still be executed when the run is
 * over, registers with a value when it began) that executes the op and gives the address of the next, or 0
 * to stop. It exports `run`, a function (address of an op, instructions that may still be executed, registers
 * with a value) that gives 0 after a stop by `step`, and 1 where the next run would exceed what may be
 * executed: then SCRATCH_AT, _LEFT and _INITIALISED say where.
 */
export function emitInterpreter(cpu: number, shared: boolean): EncodedModule {
  const builder = new ModuleBuilder();
  const stepType = { params: [I32, I32, I32, I32], results: [I32] } as const;
  const step = builder.importFunc(IMPORTS, 'step', stepType);
  if (step !== STEP_FUNC) throw new Error('step is the first function');
  builder.importMemory(IMPORTS, 'memory', { min: 1, max: MAX_PAGES, shared });
  const clearType = { params: [I32, I32], results: [] } as const;
  const clear = builder.func(clearType, [[1, I32]], clearFrame(), 'clear_frame');
  const e = new Emitter(cpuBlock(cpu), clear, shared);
  emitRun(e);
  const runType = { params: [I32, I32, I32], results: [I32] } as const;
  builder.exportFunc(RUN, builder.func(runType, LOCALS, e.code, 'interpreter'));
  return builder.encode({ names: true });
}

function emitRun(e: Emitter): void {
  const { code } = e;
  e.readTable();
  code.loop();
  beginRun(e);
  code.block();
  code.block();
  emitDispatch(e);
  code.end();
  callStep(e);
  code.br(1);
  code.end();
  e.noteRun();
  code.br(0);
  code.end();
  code.op(OP.unreachable);
}

/** Takes the run that begins at `ip` from what is left, or ends when it is too much. */
function beginRun(e: Emitter): void {
  const { code } = e;
  e.get(LOCAL.left);
  e.get(LOCAL.ip);
  e.tee(LOCAL.start);
  code.access(OP.i32_load16_u, 1, form.OP_COST);
  e.op(OP.i32_sub);
  e.tee(LOCAL.left);
  e.i32(0);
  e.op(OP.i32_lt_s);
  code.if();
  e.setCpuWord(form.SCRATCH_AT, () => e.get(LOCAL.ip));
  e.setCpuWord(form.SCRATCH_LEFT, () => {
    e.get(LOCAL.left);
    e.get(LOCAL.ip);
    code.access(OP.i32_load16_u, 1, form.OP_COST);
    e.op(OP.i32_add);
  });
  e.setCpuWord(form.SCRATCH_INITIALISED, () => e.get(LOCAL.initialised));
  e.i32(1);
  e.op(OP.return);
  code.end();
}

/** The loop over the ops of a run: a block for each dense opcode, its handler behind the block's end. */
function emitDispatch(e: Emitter): void {
  const { code } = e;
  code.loop();
  for (let n = 0; n < DENSE.length; n++) code.block();
  e.get(LOCAL.ip);
  code.access(OP.i32_load16_u, 1, form.OP_CODE);
  code.brTable(
    DENSE.map((_, number) => number),
    DENSE.length - 1,
  );
  for (const [number, [, emit]] of DENSE.entries()) {
    code.end();
    e.beginHandler(DENSE.length - 1 - number);
    emit(e);
  }
  code.end();
}

/** Lets TypeScript execute the op at `ip`; what it may have changed is read anew. */
function callStep(e: Emitter): void {
  const { code } = e;
  e.get(LOCAL.ip);
  e.get(LOCAL.start);
  e.get(LOCAL.left);
  e.get(LOCAL.initialised);
  code.call(STEP_FUNC);
  e.tee(LOCAL.ip);
  e.op(OP.i32_eqz);
  code.if();
  e.i32(0);
  e.op(OP.return);
  code.end();
  e.cpuWord(form.SCRATCH_LEFT);
  e.set(LOCAL.left);
  e.cpuWord(form.SCRATCH_INITIALISED);
  e.set(LOCAL.initialised);
  e.readTable();
}
