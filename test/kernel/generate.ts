import type { LoadAttr } from '#core/object/object.ts';
import { Code } from './code.ts';
import { FunctionBuilder, type Program, type StepWriter } from './function-builder.ts';
import { PROGRAM_MAPS, TAIL_TARGET } from './program-maps.ts';
import type { Recipe, StepKind } from './recipe.ts';
import { CALL_STEPS, callFunction } from './steps-calls.ts';
import { FLOW_STEPS } from './steps-flow.ts';
import { MEMORY_STEPS } from './steps-memory.ts';
import { PACKET_STEPS } from './steps-packet.ts';

const WRITERS: Readonly<Record<StepKind, StepWriter>> = {
  ...FLOW_STEPS,
  ...MEMORY_STEPS,
  ...PACKET_STEPS,
  ...CALL_STEPS,
};

/** A program made from a recipe. */
export interface Generated {
  readonly recipe: Recipe;
  /** Map loads hold indices into PROGRAM_MAPS. */
  readonly insns: Uint8Array<ArrayBuffer>;
  /** Indices of the maps that it names. */
  readonly maps: readonly number[];
}

/** Writes the recipe's program; `available`: the maps it may name. Never fails. */
export function generate(recipe: Recipe, available: ReadonlySet<number>): Generated {
  const code = new Code();
  const used = new Set<number>();
  let ids = 0;
  const program: Program = {
    recipe,
    code,
    maps: used,
    calls: [],
    signatures: [['ctx'], ...recipe.subs.map((sub) => sub.args)],
    available,
    takeId: () => ++ids,
  };
  const starts: number[] = [];
  for (const [index, steps] of [recipe.main, ...recipe.subs.map((sub) => sub.steps)].entries()) {
    starts.push(code.here);
    const fn = new FunctionBuilder(program, index, WRITERS);
    fn.begin();
    fn.run(steps);
    if (index === 0) callRest(fn, program, recipe);
    fn.end();
  }
  for (const { branch, callee } of program.calls) code.land(branch, starts[callee]);
  return { recipe, insns: code.bytes(), maps: [...used].sort((a, b) => a - b) };
}

/** The verifier wants to reach every function. */
function callRest(main: FunctionBuilder, program: Program, recipe: Recipe): void {
  for (const [i] of recipe.subs.entries()) {
    const isCalled = program.calls.some(({ callee }) => callee === i + 1);
    if (!isCalled) callFunction(main, i + 1, i, recipe.start[i] ?? i);
  }
}

/** The program that tail calls find. */
export function tailTarget(progType: Recipe['progType']): LoadAttr {
  return { ...attrOf(progType, TAIL_TARGET), name: 'target', maps: [] };
}

/** What our loader is given. */
export function attrOfGenerated({ recipe, insns }: Generated): LoadAttr {
  return attrOf(recipe.progType, insns);
}

function attrOf(progType: Recipe['progType'], insns: Uint8Array): LoadAttr {
  const nothing = { lineInfo: [], files: ['random.s'], funcs: [] };
  return { name: 'random', progType, insns, ...nothing, maps: PROGRAM_MAPS, license: 'GPL' };
}
