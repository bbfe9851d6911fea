import { prepareInput } from '#core/ctx/setup.ts';
import { createMap, isRefusal } from '#core/maps/create.ts';
import { bpfProgLoad } from '#core/prog/load.ts';
import type { Machine } from '#core/vm/machine.ts';
import { setBreakpoints } from '../interp/legs.ts';
import { attrOfGenerated, generate } from './generate.ts';
import { PROGRAM_MAPS } from './program-maps.ts';
import type { Recipe } from './recipe.ts';

const ALL_MAPS = new Set(PROGRAM_MAPS.keys());

/**
 * Loads the program of a recipe, sets breakpoints (slots modulo its length) and puts CPU 0 before its first instruction;
 * false: it is refused.
 */
export function enterGenerated(machine: Machine, recipe: Recipe, breakpoints: readonly number[]): boolean {
  const maps = PROGRAM_MAPS.map((def) => createMap(machine, def)).map((map) =>
    isRefusal(map) ? undefined : map,
  );
  const loaded = bpfProgLoad(machine, attrOfGenerated(generate(recipe, ALL_MAPS)), { maps });
  if (!loaded.ok) return false;
  setBreakpoints(loaded.prog, breakpoints);
  const input = { data: recipe.packet, attach: 'test_run', ctx: recipe.ctx } as const;
  const { r1, r2 } = prepareInput(machine, 0, loaded.prog, input);
  machine.enter(0, loaded.prog, r1, r2);
  return true;
}
