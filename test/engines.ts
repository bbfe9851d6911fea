import type { Engine } from '#core/interp/engine.ts';
import { reference } from '#core/interp/reference.ts';
import { interp } from '#core/interp-wasm/interp.ts';

/** The engines that share the machine's state: what one test says of a program holds on each. */
export const ENGINES: readonly Engine[] = [reference, interp];

/** The same as named rows for `describe.each`. */
export const NAMED_ENGINES: readonly (readonly [name: string, engine: Engine])[] = ENGINES.map((engine) => [
  engine.name,
  engine,
]);
